"""From a formula and a frame to a fitted model."""

from collections.abc import Mapping

import pandas as pd

from forethought.analysis.designs import Missing, model_data
from forethought.analysis.inference import DdfMethod
from forethought.analysis.lmm.inference import require_method
from forethought.analysis.lmm.mixed_fit import MixedFit
from forethought.analysis.lmm.solution import mixed_design
from forethought.grammar import parse_formula


def lmer(
    formula: str,
    data: pd.DataFrame,
    *,
    reml: bool = True,
    missing: Missing = "raise",
    ddf: DdfMethod = "satterthwaite",
    weights: str | None = None,
    offset: str | None = None,
    contrasts: Mapping[str, str] | None = None,
) -> MixedFit:
    """Fit a linear mixed model, as lme4's lmer and lmerTest's summary do.

    formula: as `score ~ arm * round + (1 | participant) + (1 | scenario)`, see `forethought.grammar`.
    data: one row for each observation. Texts, truth values and categories are factors with treatment
        contrasts against their first level: sorted, or in a category's own order.
    reml: restricted maximum likelihood, or maximum likelihood where False.
    missing: what to do with rows that lack a value the formula needs; dropped rows are counted.
    ddf: how degrees of freedom are found: satterthwaite, kenward-roger or normal (infinite).
    weights: a column of prior weights: the residual variance of a row is sigma^2 / weight.
    offset: a column that is part of the outcome's expectation as it stands; `offset(...)` in the formula adds to it.
    contrasts: how factors are coded where the formula does not say, as {"arm": 'Treatment("control")', "time": "Sum"}.

    A singular or rank-deficient fit or one that has not converged is returned and says so in `warnings`.
    Raises InvalidFormula for a formula that does not parse, ModelNotFitted for data that cannot carry it.

    Method: Bates, Maechler, Bolker and Walker 2015, J. Stat. Softw. 67(1); Kuznetsova, Brockhoff and
    Christensen 2017, J. Stat. Softw. 82(13).
    """
    require_method(ddf, reml=reml)
    prepared = model_data(
        parse_formula(formula), data, missing=missing, weights=weights, offset=offset, contrasts=contrasts
    )
    design = mixed_design(prepared)
    return MixedFit(formula.strip(), ddf, design.solve(reml=reml))
