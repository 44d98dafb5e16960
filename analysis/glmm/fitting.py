"""From a formula and a frame to a fitted generalised mixed model."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.linalg import LinAlgError

from forethought.analysis.designs import Missing, fixed_design, model_data
from forethought.analysis.glmm.elimination import layout_of
from forethought.analysis.glmm.generalized_fit import GeneralizedFit
from forethought.analysis.glmm.outcomes import FamilyName, outcome
from forethought.analysis.glmm.pirls import Model
from forethought.analysis.glmm.search import minimum
from forethought.analysis.lmm.covariance import random_design
from forethought.analysis.marginal.marginal_design import orthogonal
from forethought.errors import ModelNotFitted
from forethought.grammar import parse_formula


def glmer(
    formula: str,
    data: pd.DataFrame,
    *,
    family: FamilyName,
    trials: str | None = None,
    missing: Missing = "raise",
) -> GeneralizedFit:
    """Fit a generalised linear mixed model by Laplace's approximation, as lme4's glmer does (nAGQ = 1).

    formula, data and missing: as in `lmer`.
    family: "binomial" with logit link, of an outcome of 0 and 1, truth values or two categories, of which the
        second is the success; "poisson" with log link, of counts. An offset is written in the formula.
    trials: the column with the number of trials of each row; the binomial outcome is then the number of successes.

    Standard errors are those of the curvature by theta and beta together; inference is normal. A singular,
    separated or rank-deficient fit or one that has not converged is returned and says so in `warnings`.
    Raises InvalidFormula for a formula that does not parse, ModelNotFitted for data that cannot carry it.

    Method: Bates, Maechler, Bolker and Walker 2015, J. Stat. Softw. 67(1), and lme4's documentation of glmer.
    """
    if family not in ("binomial", "poisson"):
        what = f"a generalised mixed model has no family {family!r}"
        raise ModelNotFitted("family", what, 'Take "binomial" or "poisson"')
    parsed = parse_formula(formula)
    prepared = model_data(parsed, data, missing=missing, also=[trials] if trials else [])
    observed, numbers = outcome(prepared, family, trials)
    fixed = fixed_design(replace(numbers, weights=None, offset=None))
    basis = orthogonal(fixed.X)
    offset = np.zeros(len(fixed.y)) if prepared.offset is None else prepared.offset
    model = Model(observed, basis.Q, offset, layout_of(random_design(prepared, residual=False)))
    try:
        found = minimum(model)
    except LinAlgError as error:
        what = "the likelihood cannot be computed near any start"
        raise ModelNotFitted("model", what, "Scale the predictors, or simplify the formula") from error
    return GeneralizedFit(formula.strip(), prepared, fixed, model, basis.R, found)
