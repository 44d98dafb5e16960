"""Nested mixed models compared by their likelihoods."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from forethought.analysis.designs import Floats
from forethought.analysis.fits import Fit
from forethought.analysis.information_criteria import n_parameters
from forethought.analysis.lmm.predictions import outcome
from forethought.analysis.lmm.solution import Solution
from forethought.errors import ModelNotFitted

OUTSIDE = 1e-7
"""A column of which this share of its length is left is no combination of others (R's `qr`)."""

Row = dict[str, str | float | bool]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A model solved by maximum likelihood; `refitted` where the given fit was by REML."""

    formula: str
    n_parameters: int
    solution: Solution
    refitted: bool


def compare(*fits: Fit) -> pd.DataFrame:
    """Likelihood ratio tests of each mixed model against the one before it, by number of parameters.

    A row for each fit: formula, n_parameters, aic, bic, log_likelihood, deviance, chisq, df, p, refitted, note.
    Fits by REML are fitted again by maximum likelihood, and `refitted` says so: restricted likelihoods of different
    fixed effects cannot be compared. Where models are seen not to be nested p is missing and `note` says why.
    That random effects are nested is for the reader to know; where a variance is tested at its bound of zero, p is
    too large (Self and Liang 1987, J. Am. Stat. Assoc. 82:605). Numbers are those of R's anova for lme4.
    Raises ModelNotFitted for fewer than two fits, one without random effects, and fits of different rows.
    """
    if len(fits) < 2:
        raise ModelNotFitted(
            "compare", "one fit cannot be compared", "Give two or more fits of the same rows"
        )
    found = sorted(map(_candidate, fits), key=lambda candidate: candidate.n_parameters)
    for other in found[1:]:
        _refuse_other_data(found[0], other)
    untested: Row = {"chisq": math.nan, "df": math.nan, "p": math.nan, "note": ""}
    tests = [untested, *(_tested(smaller, larger) for smaller, larger in pairwise(found))]
    rows = [{**_described(candidate), **test} for candidate, test in zip(found, tests, strict=True)]
    columns = ["formula", "n_parameters", "aic", "bic", "log_likelihood", "deviance", "chisq", "df", "p"]
    return pd.DataFrame(rows, columns=[*columns, "refitted", "note"])


def _candidate(fit: Fit) -> _Candidate:
    solution = getattr(fit, "solution", None)
    if not isinstance(solution, Solution):
        what = f"`{fit.formula}` is no linear mixed model"
        raise ModelNotFitted("compare", what, "Compare fits of lmer")
    if fit.reml:
        solution = solution.design.solve(outcome(solution), reml=False)
    return _Candidate(fit.formula, n_parameters(fit), solution, fit.reml)


def _refuse_other_data(one: _Candidate, other: _Candidate) -> None:
    y, of_other = outcome(one.solution), outcome(other.solution)
    weights, of_others = (candidate.solution.design.data.weights for candidate in (one, other))
    if len(y) != len(of_other):
        what = f"`{one.formula}` has {len(y)} rows, `{other.formula}` has {len(of_other)}"
    elif not np.allclose(y, of_other, rtol=1e-9, atol=1e-9 * np.ptp(y)):
        what = f"`{one.formula}` and `{other.formula}` have different outcomes"
    elif not _alike(weights, of_others):
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
    deviance, count = candidate.solution.criterion, candidate.n_parameters
    n_obs = len(candidate.solution.design.fixed.y)
    return {
        "formula": candidate.formula,
        "n_parameters": count,
        "aic": deviance + 2 * count,
        "bic": deviance + math.log(n_obs) * count,
        "log_likelihood": -deviance / 2,
        "deviance": deviance,
        "refitted": candidate.refitted,
    }


def _tested(smaller: _Candidate, larger: _Candidate) -> Row:
    chisq = smaller.solution.criterion - larger.solution.criterion
    df = larger.n_parameters - smaller.n_parameters
    note = _not_nested(smaller, larger, chisq)
    p = math.nan if note else float(chdtrc(df, max(chisq, 0.0)))
    return {"chisq": chisq, "df": df, "p": p, "note": note}


def _not_nested(smaller: _Candidate, larger: _Candidate, chisq: float) -> str:
    """Why the smaller model is no special case of the larger; empty where nothing speaks against it."""
    if smaller.n_parameters == larger.n_parameters:
        return "not nested: as many parameters as the model before"
    basis, Q = smaller.solution.design.basis, larger.solution.design.basis.Q
    X = basis.Q @ basis.R
    left = np.linalg.norm(X - Q @ (Q.T @ X), axis=0)
    if (left > OUTSIDE * np.linalg.norm(X, axis=0)).any():
        return "not nested: the model before has other fixed effects"
    if chisq < -1e-6:
        return "not nested, or not at its optimum: the model before is likelier"
    return ""
