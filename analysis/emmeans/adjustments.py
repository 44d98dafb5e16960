"""p values and intervals adjusted for the number of contrasts in a family, as emmeans adjusts them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from scipy.special import fdtrc, fdtri

from forethought.analysis.designs import Floats
from forethought.analysis.emmeans.multivariate_t import (
    MaximumDistribution,
    maximum_of,
    maximum_p,
    maximum_quantile,
)
from forethought.analysis.emmeans.studentized_range import studentized_range_p, studentized_range_quantile
from forethought.analysis.inference import t_quantile, t_tail
from forethought.analysis.multiplicity import holm
from forethought.errors import ModelNotFitted

Adjustment = Literal[
    "none",
    "tukey",
    "sidak",
    "bonferroni",
    "holm",
    "hochberg",
    "hommel",
    "BH",
    "BY",
    "scheffe",
    "dunnett",
    "mvt",
]
"""dunnett is mvt, the exact multivariate t distribution of the family, by the name it has against one control."""

Side = Literal["two-sided", "less", "greater"]
"""Which values are evidence against the null: both sides', those below it, those above it."""

STEPWISE = ("holm", "hochberg", "hommel", "BH", "BY")
"""These adjust p values alone; the intervals beside them are Bonferroni's."""

LARGEST_DF = 1e12
"""Stands for infinity where a function has no limit: F with it is chi-squared to twelve digits."""


@dataclass(frozen=True)
class TestFamily:
    """The contrasts that are adjusted together.

    adjust: the method. n: of contrasts, also those not estimable. means: between which they are, for Tukey's method.
    rank: of the contrasts, for Scheffe's. correlation (n, n): of the estimates, NaN where not estimable.
    """

    adjust: Adjustment
    n: int
    means: int
    rank: int
    correlation: Floats

    __test__ = False  # the name is not a test of pytest's

    def p_values(self, statistics: Floats, df: Floats, side: Side = "two-sided") -> Floats:
        """Adjusted p values of t statistics (n,) with df (n,); NaN where a statistic is."""
        if side == "less":
            statistics = -statistics
        statistics = np.abs(statistics) if side == "two-sided" else statistics
        tails = [t_tail(t, own) for t, own in zip(statistics.tolist(), df.tolist(), strict=True)]
        single = np.array(tails) * (2 if side == "two-sided" else 1)
        if self.adjust in ("dunnett", "mvt", "tukey", "scheffe"):
            rows = zip(statistics.tolist(), df.tolist(), strict=True)
            return np.array([self._simultaneous_p(t, own, side) if t == t else math.nan for t, own in rows])
        return np.where(np.isnan(single), math.nan, self._of_single(np.where(np.isnan(single), 1.0, single)))

    def bounds(self, df: Floats, level: float, side: Side = "two-sided") -> Floats:
        """How many standard errors the simultaneous intervals reach, for df (n,)."""
        return np.array(
            [math.nan if math.isnan(own) else self._bound(own, level, side) for own in df.tolist()]
        )

    def _of_single(self, p: Floats) -> Floats:
        match self.adjust:
            case "sidak":
                return np.asarray(-np.expm1(self.n * np.log1p(-np.minimum(p, 1 - 1e-16))))
            case "bonferroni":
                return np.minimum(1.0, self.n * p)
            case "holm":
                return np.array(holm(p.tolist()))
            case "hochberg":
                return _step_up(p, lambda rank: len(p) - rank + 1)
            case "hommel":
                return _hommel(p)
            case "BH":
                return _step_up(p, lambda rank: len(p) / rank)
            case "BY":
                harmonic = float((1 / np.arange(1, len(p) + 1)).sum())
                return _step_up(p, lambda rank: harmonic * len(p) / rank)
            case _:
                return p

    def _simultaneous_p(self, t: float, df: float, side: Side) -> float:
        match self.adjust:
            case "tukey":
                found = studentized_range_p(math.sqrt(2) * t, self.means, df)
                single, pairs = 2 * t_tail(t, df), math.comb(self.means, 2)
                return min(max(found, single), 1.0, pairs * single)  # far out it is rounding
            case "scheffe":
                return float(fdtrc(self.rank, min(df, LARGEST_DF), t * t / self.rank))  # t**2 may overflow
            case _:
                two_sided = side == "two-sided"
                return maximum_p(self._maximum(two_sided), t, df, self._n_estimable, two_sided=two_sided)

    def _bound(self, df: float, level: float, side: Side) -> float:
        sides = 2 if side == "two-sided" else 1
        match self.adjust:
            case "none":
                return t_quantile(1 - (1 - level) / sides, df)
            case "sidak":
                return t_quantile(1 - (1 - level ** (1 / self.n)) / sides, df)
            case "tukey":
                return studentized_range_quantile(level, self.means, df) / math.sqrt(2)
            case "scheffe":
                return math.sqrt(self.rank * float(fdtri(self.rank, min(df, LARGEST_DF), level)))
            case "dunnett" | "mvt":
                two_sided = side == "two-sided"
                found = self._maximum(two_sided)
                return maximum_quantile(found, level, df, self._n_estimable, two_sided=two_sided)
            case _:
                return t_quantile(1 - (1 - level) / self.n / sides, df)

    def _maximum(self, two_sided: bool) -> MaximumDistribution:
        if two_sided not in self._maxima:
            found = self._estimable
            self._maxima[two_sided] = maximum_of(self.correlation[np.ix_(found, found)], two_sided=two_sided)
        return self._maxima[two_sided]

    @cached_property
    def _maxima(self) -> dict[bool, MaximumDistribution]:
        return {}

    @cached_property
    def _estimable(self) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
        return np.flatnonzero(np.isfinite(np.diag(self.correlation)))

    @property
    def _n_estimable(self) -> int:
        return len(self._estimable)


def effective(adjust: Adjustment, n: int, *, pairs: bool, side: Side = "two-sided") -> Adjustment:
    """What emmeans does when asked for this: one contrast needs no adjustment, and some methods have their place.

    Tukey's is for the pairwise differences of one set of means, and neither it nor Scheffe's for one-sided questions:
    Sidak's is taken instead.
    """
    one_sided = side != "two-sided"
    if (adjust == "tukey" and (one_sided or not pairs)) or (adjust == "scheffe" and one_sided):
        adjust = "sidak"
    return "none" if n == 1 and adjust != "scheffe" else adjust


def require_adjustment(adjust: Adjustment) -> Adjustment:
    """The adjustment itself. Raises ModelNotFitted for one that does not exist."""
    if adjust not in get_args(Adjustment):
        what = f"there is no adjustment {adjust}"
        raise ModelNotFitted("contrasts", what, f"Take {', '.join(get_args(Adjustment))}")
    return adjust


def interval_adjustment(adjust: Adjustment) -> Adjustment:
    """The method of the intervals that go with p values adjusted by this one."""
    return "bonferroni" if adjust in STEPWISE else adjust


def _step_up(p: Floats, factor: Callable[[int], float]) -> Floats:
    """Each p times the factor of its rank, from the largest down never more than the one before."""
    order = np.argsort(-p, kind="stable")
    ranks = np.arange(len(p), 0, -1)
    scaled = np.array([factor(int(rank)) for rank in ranks]) * p[order]
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(scaled))
    return adjusted


def _hommel(p: Floats) -> Floats:
    """Hommel 1988, Biometrika 75:383: the largest p of Simes' test over all sets that hold the contrast.

    Among sets of one size that with the largest other p values decides.
    """
    descending = np.sort(p)[::-1]
    adjusted = p.copy()
    for place, own in enumerate(p.tolist()):
        others = np.delete(descending, int(np.flatnonzero(descending == own)[0]))
        for size in range(2, len(p) + 1):
            members = np.sort(np.append(others[: size - 1], own))
            simes = float((size / np.arange(1, size + 1) * members).min())
            adjusted[place] = max(adjusted[place], simes)
    return np.minimum(1.0, adjusted)
