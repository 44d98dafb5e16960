"""How linear combinations of coefficients are tested, whatever model they come from."""

import math
from dataclasses import dataclass, replace
from numbers import Real
from typing import Literal, Protocol

import numpy as np
from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtr, stdtrit

from forethought.analysis.designs import Floats
from forethought.errors import ModelNotFitted

RANK_TOLERANCE = 1e-8
"""Combinations whose variance is this small beside the largest depend on the others."""

DdfMethod = Literal["satterthwaite", "kenward-roger", "residual", "normal"]
"""How denominator degrees of freedom are found; not every fit knows every method."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A linear combination of coefficients with its two-sided test against zero and its interval.

    `df` is infinite where the reference distribution is the normal; `level` is the interval's coverage.
    """

    estimate: float
    se: float
    df: float
    statistic: float
    p: float
    ci_low: float
    ci_high: float
    level: float


@dataclass(frozen=True, slots=True)
class FTest:
    """A test that q linear combinations of coefficients are all zero.

    `num_df` is the rank of the combinations. Where `den_df` is infinite, F times num_df has the chi-squared distribution.
    """

    F: float
    num_df: int
    den_df: float
    p: float


class Inference(Protocol):
    """How linear combinations of coefficients are tested. Weights are in the order of the fit's `terms`.

    method: the name that `ddf` takes. vcov: covariance of the coefficients, (p, p), in data units; adjusted for
        small samples where the method does so (Kenward-Roger).
    """

    @property
    def method(self) -> DdfMethod: ...
    @property
    def vcov(self) -> Floats: ...

    def df(self, weights: Floats) -> float:
        """Degrees of freedom of weights' beta, weights (p,); infinite where the normal distribution holds."""
        ...

    def test(self, L: Floats, beta: Floats) -> FTest:
        """Whether L beta = 0, L (q, p), beta (p,); rows of L may depend on each other."""
        ...


@dataclass(frozen=True, slots=True)
class ConstantDf:
    """The same degrees of freedom for every combination; the normal and chi-squared distributions where infinite."""

    method: DdfMethod
    vcov: Floats
    all_df: float

    def df(self, weights: Floats) -> float:
        """Degrees of freedom of any weights."""
        return self.all_df

    def test(self, L: Floats, beta: Floats) -> FTest:
        """Wald's test of L beta = 0; F and p are NaN where no combination has a variance."""
        statistics = uncorrelated(L, beta, self.vcov)
        if not len(statistics.values):
            return FTest(math.nan, 0, self.all_df, math.nan)
        F = float((statistics.values**2).mean())
        return f_test(F, len(statistics.values), self.all_df)


@dataclass(frozen=True, slots=True)
class Uncorrelated:
    """Combinations (q, p) with uncorrelated estimates, those of largest variance first, and their t values (q,)."""

    combinations: Floats
    values: Floats


def uncorrelated(L: Floats, beta: Floats, vcov: Floats) -> Uncorrelated:
    """The principal directions of L's estimates under vcov; directions without variance are left out."""
    variances, directions = np.linalg.eigh(L @ vcov @ L.T)
    kept = np.flatnonzero(variances > RANK_TOLERANCE * variances[-1])[::-1]
    combinations = directions[:, kept].T @ L
    return Uncorrelated(combinations, combinations @ beta / np.sqrt(variances[kept]))


def f_test(F: float, num_df: int, den_df: float) -> FTest:
    """The p value of an F statistic; that of chi-squared where den_df is infinite."""
    if math.isinf(den_df):
        return FTest(F, num_df, den_df, float(chdtrc(num_df, num_df * F)))
    return FTest(F, num_df, den_df, float(fdtrc(num_df, den_df, F)))


def t_tail(t: float, df: float) -> float:
    """The probability that Student's t is above t; the normal distribution where `df` is infinite."""
    return float(ndtr(-t)) if math.isinf(df) else float(stdtr(df, -t))


def t_quantile(probability: float, df: float) -> float:
    """What Student's t is below with this probability; the normal distribution where `df` is infinite."""
    return float(ndtri(probability)) if math.isinf(df) else float(stdtrit(df, probability))


def require_level(level: float, where: str = "interval") -> float:
    """The level itself. Raises ModelNotFitted, which names `where`, for one that is no coverage of an interval."""
    if not (isinstance(level, Real) and 0 < level < 1):
        raise ModelNotFitted(where, f"the level is {level}", "Give one between 0 and 1, as 0.95")
    return level


def wald(estimate: float, se: float, df: float, level: float = 0.95) -> Estimate:
    """Two-sided t test against zero and interval; the normal distribution where `df` is infinite."""
    statistic = estimate / se
    p, quantile = 2 * t_tail(abs(statistic), df), t_quantile((1 + level) / 2, df)
    low, high = estimate - quantile * se, estimate + quantile * se
    return Estimate(estimate, se, df, statistic, p, low, high, level)


def estimate(
    weights: Floats, beta: Floats, inference: Inference, level: float = 0.95, null: float = 0.0
) -> Estimate:
    """The combination weights'beta, weights (p,), with its test against `null` and its interval.

    Raises ModelNotFitted for a level that is none.
    """
    require_level(level)
    variance = float(weights @ inference.vcov @ weights)
    se = math.sqrt(variance) if variance > 0 else math.nan
    tested = wald(float(weights @ beta) - null, se, inference.df(weights), level)
    return replace(
        tested, estimate=tested.estimate + null, ci_low=tested.ci_low + null, ci_high=tested.ci_high + null
    )
