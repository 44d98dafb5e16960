"""From a formula and a frame to a fitted model."""

import pandas as pd
from numpy.linalg import LinAlgError

from forethought.analysis.designs import Missing, fixed_design, model_data
from forethought.analysis.lmm.covariance import random_design
from forethought.analysis.lmm.deviance import ProfiledDeviance
from forethought.analysis.lmm.mixed_fit import DdfMethod, MixedFit
from forethought.analysis.lmm.optimum import minimum
from forethought.analysis.lmm.products import cross_products
from forethought.analysis.lmm.standard import standardized
from forethought.errors import ModelNotFitted
from forethought.grammar import parse_formula


def lmer(
    formula: str,
    data: pd.DataFrame,
    *,
    reml: bool = True,
    missing: Missing = "raise",
    ddf: DdfMethod = "satterthwaite",
) -> MixedFit:
    """Fit a linear mixed model, as lme4's lmer and lmerTest's summary do.

    formula: as `score ~ arm * round + (1 | participant) + (1 | scenario)`, see `forethought.grammar`.
    data: one row for each observation. Texts, truth values and categories are factors with treatment
        contrasts against their first level: sorted, or in a category's own order.
    reml: restricted maximum likelihood, or maximum likelihood where False.
    missing: what to do with rows that lack a value the formula needs; dropped rows are counted.
    ddf: Satterthwaite's degrees of freedom, or the normal distribution.

    A singular or rank-deficient fit or one that has not converged is returned and says so in `warnings`.
    Raises InvalidFormula for a formula that does not parse, ModelNotFitted for data that cannot carry it.

    Method: Bates, Maechler, Bolker and Walker 2015, J. Stat. Softw. 67(1); Kuznetsova, Brockhoff and
    Christensen 2017, J. Stat. Softw. 82(13).
    """
    prepared = model_data(parse_formula(formula), data, missing=missing)
    fixed, random = fixed_design(prepared), random_design(prepared)
    standard = standardized(fixed)
    deviance = ProfiledDeviance(cross_products(random, standard.Q, standard.z), random, reml)
    try:
        optimum = minimum(deviance)
    except LinAlgError as error:
        what = "beside so many random effects, rounding leaves nothing of the fixed ones"
        raise ModelNotFitted("model", what, "Leave random terms out, or give more data") from error
    return MixedFit(
        formula=formula.strip(),
        terms=fixed.terms,
        n_obs=len(fixed.y),
        n_dropped=prepared.n_dropped,
        ddf_method=ddf,
        design_warnings=(*prepared.warnings, *fixed.warnings, *random.warnings),
        standard=standard,
        deviance=deviance,
        optimum=optimum,
    )
