"""Tests of a fit's terms, of types 1, 2 and 3, for any model with fixed effects."""

import math

import numpy as np
import pandas as pd

from forethought.analysis.designs import Floats
from forethought.analysis.fits import Fit, require_fit
from forethought.analysis.inference import DdfMethod, Inference, uncorrelated
from forethought.analysis.lmm.comparison import compare
from forethought.analysis.term_contrasts import TestType, term_contrasts

Row = dict[str, str | float]

LEAST_EIGENVALUE = 1e-12
"""Of a correlation matrix of estimates, above which it has full rank."""


def anova(
    fit: Fit,
    *others: Fit,
    type: TestType = 3,  # noqa: A002 - as the field says it: a test of type 3
    ddf: DdfMethod | None = None,
) -> pd.DataFrame:
    """Tests of one fit's terms, as `term_tests`; of several nested fits, as `compare`."""
    for one in (fit, *others):
        require_fit("anova", one)
    return compare(fit, *others) if others else term_tests(fit, type=type, ddf=ddf)


def term_tests(
    fit: Fit,
    *,
    type: TestType = 3,  # noqa: A002
    ddf: DdfMethod | None = None,
) -> pd.DataFrame:
    """A row for each term of the formula: term, sum_sq, mean_sq, num_df, den_df, F, p.

    type: 1, 2 or 3; see `term_contrasts` for what each asks and in which basis. ddf: the fit's own where None.
    Where den_df is infinite, as of generalised models and robust covariances, F is Wald's chi-squared divided by
    num_df, and p that of chi-squared: F times num_df is what R's Anova and anova print as Chisq. Of a model with a link
    types 1 and 2 follow the covariance of the estimates, as car's Anova; those of an ordinal one, ordinal's anova.
    A term of which no coefficient could be estimated, or none with a variance, has num_df 0 and no F. mean_sq is the
    residual variance times Wald's F; of a linear model by least squares that is the mean square of the term, of a
    mixed one what lmerTest prints, and NaN where there is no residual variance. Kenward and Roger scale F, and not
    mean_sq.
    Raises ModelNotFitted for another type, and for a method that the fit does not know.
    """
    inference = fit.inference(ddf)
    contrasts = term_contrasts(
        fit.fixed, type, inference.vcov if _bends(fit) and _of_full_rank(inference.vcov) else None
    )
    rows = [{"term": term, **_row(fit, inference, L)} for term, L in contrasts.items()]
    columns = ["term", "sum_sq", "mean_sq", "num_df", "den_df", "F", "p"]
    return pd.DataFrame(rows, columns=columns)


def _bends(fit: Fit) -> bool:
    """Whether a link makes rows say more or less about the coefficients by where they lie."""
    return getattr(fit, "link", "identity") != "identity" and getattr(fit, "family", "") != "cumulative"


def _of_full_rank(covariance: Floats) -> bool:
    """Not that of fewer clusters than coefficients, by which some combinations have no variance at all."""
    sds = np.sqrt(np.diag(covariance))
    if not (np.isfinite(covariance).all() and sds.all()):
        return False
    return bool(np.linalg.eigvalsh(covariance / np.outer(sds, sds))[0] > LEAST_EIGENVALUE)


def _row(fit: Fit, inference: Inference, L: Floats) -> Row:
    if not len(L):
        return {"num_df": 0, **dict.fromkeys(("sum_sq", "mean_sq", "den_df", "F", "p"), math.nan)}
    found = inference.test(L, fit.beta)
    wald = float((uncorrelated(L, fit.beta, inference.vcov).values ** 2).sum())
    mean_sq = fit.sigma**2 * wald / found.num_df if found.num_df else math.nan
    return {
        "sum_sq": mean_sq * found.num_df,
        "mean_sq": mean_sq,
        "num_df": found.num_df,
        "den_df": found.den_df,
        "F": found.F,
        "p": found.p,
    }
