"""The distribution of the largest of several correlated t statistics, by quadrature: no chance is involved.

How it is computed, and how far it is from the truth (absolute, where the probability to be outside is about .05):

- correlations of one common factor, as of Dunnett's comparisons of independent groups: an integral over the factor and
  one over the scale (Dunnett 1955, J. Am. Stat. Assoc. 50:1096); 1e-10, for any number of statistics.
- others, by the rank of their correlation: over directions, see `by_direction`. 1e-10 at rank 2, 1e-7 at 3, 1e-6 to 5,
  5e-6 at 6, 1e-5 to 11, 2e-5 at 12. The error is roughly a fixed share of the probability to be outside: at a tenth
  of it there is one digit more, at one half five to ten times as much. Measured against the studentised range of
  balanced means and against the way by common factor.

df may be any positive number, infinite for the normal distribution.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtr

from forethought.analysis.designs import Floats
from forethought.analysis.emmeans.by_direction import by_direction
from forethought.analysis.emmeans.quadrature import normal_nodes, scale_nodes
from forethought.analysis.inference import t_quantile, t_tail

RANK_TOLERANCE = 1e-8
"""A statistic with less variance than this beside those before it depends on them."""

ONE_FACTOR = 1e-9
"""How far correlations may be from those of one factor."""

LARGEST_SHARE = 0.98
"""A statistic that is nearly the common factor itself would need more nodes."""

SAME = 1e-9
"""Statistics whose correlation is this near to one are one."""


class MaximumDistribution(Protocol):
    """Of the largest of the statistics, of their absolute values where two-sided."""

    def within(self, c: float, df: float) -> float:
        """The probability that it is at most c."""
        ...


@dataclass(frozen=True)
class OneFactor:
    """R = loadings loadings' off the diagonal."""

    loadings: Floats
    two_sided: bool

    def within(self, c: float, df: float) -> float:
        z, s = normal_nodes(), scale_nodes(df)
        own = np.sqrt(1 - self.loadings**2)
        bounds, common = c * s.at[:, None, None], self.loadings * z.at[:, None]
        inside = ndtr((bounds - common) / own)
        if self.two_sided:
            inside = np.maximum(inside - ndtr((-bounds - common) / own), 0.0)
        return float(s.weights @ (inside.prod(axis=2) @ z.weights))


def maximum_of(correlation: Floats, *, two_sided: bool) -> MaximumDistribution:
    """The distribution of the largest of statistics with this correlation (q, q), of any rank."""
    distinct = _distinct(correlation, two_sided)
    correlation = correlation[np.ix_(distinct, distinct)]
    loadings = _common_factor(correlation)
    if loadings is not None:
        return OneFactor(loadings, two_sided)
    return by_direction(_factor(correlation), two_sided=two_sided)


def maximum_p(maximum: MaximumDistribution, t: float, df: float, q: int, *, two_sided: bool) -> float:
    """P(the largest of q statistics >= t), t not negative where two-sided.

    It is kept between the p of one test and q times it, as it is in truth: far out rounding would outweigh it.
    """
    single = _single_p(t, df, two_sided=two_sided)
    return float(min(max(1 - maximum.within(t, df), single), 1.0, q * single))


def maximum_quantile(
    maximum: MaximumDistribution, level: float, df: float, q: int, *, two_sided: bool
) -> float:
    """The bound within which the largest of q statistics lies with this probability; to 1e-8 of itself."""
    from scipy.optimize import brentq

    sides = 2 if two_sided else 1
    low, high = (t_quantile(1 - (1 - level) / share / sides, df) for share in (1, q))
    if q == 1:
        return low
    slack = 1e-6 * (1 + abs(low))
    return float(brentq(lambda c: maximum.within(c, df) - level, low - slack, high + slack, rtol=1e-8))


def _factor(correlation: Floats) -> Floats:
    """A (q, r) with A A' = correlation and rows of length one: Cholesky's, which rounding does not turn around."""
    rest, columns = correlation.copy(), list[Floats]()
    for place in range(len(rest)):
        if rest[place, place] > RANK_TOLERANCE:
            column = rest[:, place] / math.sqrt(rest[place, place])
            rest -= np.outer(column, column)
            columns.append(column)
    factor = np.column_stack(columns)
    return np.asarray(factor / np.linalg.norm(factor, axis=1, keepdims=True))


def _distinct(correlation: Floats, two_sided: bool) -> list[int]:
    """The places of statistics that are not one with an earlier one, nor where two-sided its mirror."""
    alike = np.abs(correlation) if two_sided else correlation
    found = list[int]()
    for place in range(len(alike)):
        if (alike[place, found] < 1 - SAME).all():
            found.append(place)
    return found


def _common_factor(correlation: Floats) -> Floats | None:
    """Loadings (q,) with products equal to the correlations, or None where there are none.

    A statistic that is correlated with no other has a loading of zero.
    """
    off = correlation - np.eye(len(correlation))
    linked = np.flatnonzero((np.abs(off) > ONE_FACTOR).any(axis=1))
    loadings = np.zeros(len(correlation))
    if len(linked) > 2:
        first, second, third = linked, np.roll(linked, -1), np.roll(linked, -2)
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = np.abs(off[first, second] * off[first, third] / off[second, third])
        signs = np.where(off[linked[0], linked] < 0, -1.0, 1.0)
        if not np.isfinite(squares).all():
            return None
        loadings[linked] = np.sqrt(squares) * signs
    elif len(linked) == 2:
        both = off[linked[0], linked[1]]
        loadings[linked] = np.sqrt(abs(both)) * np.array([1.0, np.sign(both)])
    products = np.outer(loadings, loadings)
    np.fill_diagonal(products, 0.0)
    fits = bool((np.abs(products - off) < ONE_FACTOR).all() and (loadings**2 < LARGEST_SHARE).all())
    return loadings if fits else None


def _single_p(t: float, df: float, *, two_sided: bool) -> float:
    tail = t_tail(t, df)
    return min(1.0, 2 * tail) if two_sided else tail
