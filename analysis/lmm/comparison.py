"""Nested models compared by their likelihoods."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.linalg import qr
from scipy.special import chdtrc

from forethought.analysis.designs import Floats
from forethought.analysis.fits import Fit
from forethought.analysis.likelihoods import Likelihood, Likely
from forethought.errors import ModelNotFitted

OUTSIDE = 1e-7
"""A column of which this share of its length is left is no combination of others (R's `qr`)."""

Row = dict[str, str | float | bool]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A formula and how likely it is at its best."""

    formula: str
    likelihood: Likelihood


def compare(*fits: Fit) -> pd.DataFrame:
    """Likelihood ratio tests of each model against the one before it, by number of parameters.

    A row for each fit: formula, n_parameters, aic, bic, log_likelihood, deviance, chisq, df, p, refitted, note.
    Fits by REML are fitted again by maximum likelihood, and `refitted` says so: restricted likelihoods of different
    fixed effects cannot be compared. Where models are seen not to be nested p is missing and `note` says why.
    That random effects are nested is for the reader to know; where a variance is tested at its bound of zero, p is
    too large (Self and Liang 1987, J. Am. Stat. Assoc. 82:605). Numbers are those of R's anova for lme4, and of its
    differences of logLik for the others.
    Raises ModelNotFitted for fewer than two fits, fits of different rows or of different kinds (linear mixed,
    generalised mixed, glm, ordinal), and for those without a likelihood to test by: least squares, a GEE, robust
    covariances, families whose dispersion is estimated.
    """
    if len(fits) < 2:
        raise ModelNotFitted(
            "compare", "one fit cannot be compared", "Give two or more fits of the same rows"
        )
    found = sorted(map(_candidate, fits), key=lambda candidate: candidate.likelihood.n_parameters)
    for other in found[1:]:
        _refuse_other_data(found[0], other)
    untested: Row = {"chisq": math.nan, "df": math.nan, "p": math.nan, "note": ""}
    tests = [untested, *(_tested(smaller, larger) for smaller, larger in pairwise(found))]
    rows = [{**_described(candidate), **test} for candidate, test in zip(found, tests, strict=True)]
    columns = ["formula", "n_parameters", "aic", "bic", "log_likelihood", "deviance", "chisq", "df", "p"]
    return pd.DataFrame(rows, columns=[*columns, "refitted", "note"])


def _candidate(fit: Fit) -> _Candidate:
    if not isinstance(fit, Likely):
        what = f"`{fit.formula}` has no likelihood that is compared here"
        raise ModelNotFitted(
            "compare", what, "Compare fits of lmer, glmer, glm or ordinal, or test its terms"
        )
    return _Candidate(fit.formula, fit.likelihood())


def _refuse_other_data(one: _Candidate, other: _Candidate) -> None:
    first, second = one.likelihood, other.likelihood
    if first.kind != second.kind:
        what = f"`{one.formula}` is {first.kind}, `{other.formula}` is {second.kind}"
        raise ModelNotFitted("compare", what, "Compare models of one kind, which differ by their terms")
    if len(first.y) != len(second.y):
        what = f"`{one.formula}` has {len(first.y)} rows, `{other.formula}` has {len(second.y)}"
    elif not np.allclose(first.y, second.y, rtol=1e-9, atol=1e-9 * np.ptp(first.y)):
        what = f"`{one.formula}` and `{other.formula}` have different outcomes"
    elif not _alike(first.weights, second.weights):
        what = f"`{one.formula}` and `{other.formula}` have different weights"
    else:
        return
    remedy = "Fit both to the same rows and outcome, those where no variable of either is missing"
    raise ModelNotFitted("compare", what, remedy)


def _alike(weights: Floats | None, others: Floats | None) -> bool:
    if weights is None or others is None:
        return weights is others
    return np.array_equal(weights, others)


def _described(candidate: _Candidate) -> Row:
    found = candidate.likelihood
    deviance, count = found.criterion, found.n_parameters
    return {
        "formula": candidate.formula,
        "n_parameters": count,
        "aic": deviance + 2 * count,
        "bic": deviance + math.log(len(found.y)) * count,
        "log_likelihood": -deviance / 2,
        "deviance": deviance,
        "refitted": found.refitted,
    }


def _tested(smaller: _Candidate, larger: _Candidate) -> Row:
    before, found = smaller.likelihood, larger.likelihood
    chisq = before.criterion - found.criterion
    df = found.n_parameters - before.n_parameters
    note = _not_nested(before, found, chisq)
    p = math.nan if note else float(chdtrc(df, max(chisq, 0.0)))
    return {"chisq": chisq, "df": df, "p": p, "note": note}


def _not_nested(smaller: Likelihood, larger: Likelihood, chisq: float) -> str:
    """Why the smaller model is no special case of the larger; empty where nothing speaks against it."""
    if smaller.n_parameters == larger.n_parameters:
        return "not nested: as many parameters as the model before"
    X, Q = smaller.X, np.asarray(qr(larger.X, mode="economic", check_finite=False)[0], dtype=float)
    left = np.linalg.norm(X - Q @ (Q.T @ X), axis=0)
    if (left > OUTSIDE * np.linalg.norm(X, axis=0)).any():
        return "not nested: the model before has other fixed effects"
    if chisq < -1e-6:
        return "not nested, or not at its optimum: the model before is likelier"
    return ""
