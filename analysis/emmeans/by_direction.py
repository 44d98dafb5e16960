"""The largest of correlated t statistics by the direction of the spherical t behind them.

A spherical t has a direction u, uniform on the sphere, and an independent length, whose square over r has an F
distribution. Statistic i is its product with the unit vector a_i, so the largest is length times max a_i'u. The
directions in which it is statistic i's form a cell around a_i: along each direction e away from a_i it ends at an angle
that is known exactly. So the sphere is covered by rays, and the rays by Gauss and Legendre's rule. Only the mean over e
is left to evenly spread directions (see `lattice`), and because each ray begins where its statistic is largest, the
error shrinks with the probability to be outside. All of it is summed up in the weights of one integral over the angle,
made once for whatever bounds and df.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from scipy.special import betaincc, gammaincc

from forethought.analysis.designs import Floats
from forethought.analysis.emmeans.lattice import FEW, MANY, directions
from forethought.analysis.emmeans.quadrature import Nodes, legendre

SMALL_FAMILY = 15
"""With so few statistics there is time for more directions, and fewer cells to even their errors out."""

STEPS = 2048
"""Of the half circle: rays that end in the same one count as one there, at their mean."""

IN_A_STEP = 3

ANGLES = 128
"""At how many angles on each side of the right angle the distribution of the length is asked for."""


@dataclass(frozen=True, slots=True)
class ByDirection:
    """cosines (n,) and weights (n,) of an integral: the largest statistic of a t of length one; r: dimensions."""

    cosines: Floats
    weights: Floats
    r: int

    def within(self, c: float, df: float) -> float:
        """The probability that the largest statistic is at most c."""
        side = self.cosines > 0 if c >= 0 else self.cosines < 0
        beyond = float(self.weights[side] @ _longer(c / self.cosines[side], self.r, df))
        return 1 - beyond if c >= 0 else beyond


def by_direction(factor: Floats, *, two_sided: bool) -> ByDirection:
    """Of statistics with unit vectors as rows of factor (q, r), none twice; of their sizes where two-sided."""
    r = factor.shape[1]
    if r == 1:
        cosines = np.array([factor.max(), (-factor).max()])
        return ByDirection(np.abs(cosines) if two_sided else cosines, np.full(2, 0.5), 1)
    ends = np.concatenate([_ends(factor, place, two_sided) for place in range(len(factor))])
    rays = _integral(ends, r)
    near = rays.at < math.pi / 2
    parts = [_fewer(rays.at[near], rays.weights[near], 0.0)]
    if not near.all():
        parts.append(_fewer(rays.at[~near], rays.weights[~near], math.pi / 2))
    weights = np.concatenate([part.weights for part in parts])
    return ByDirection(np.cos(np.concatenate([part.at for part in parts])), weights / weights.sum(), r)


def _ends(factor: Floats, place: int, two_sided: bool) -> Floats:
    """The angles at which rays from one statistic's vector leave its cell, (rays,)."""
    own, others = factor[place], np.delete(factor, place, axis=0)
    away = np.linalg.svd(own[None])[2][1:] @ others.T
    points = MANY if len(factor) <= SMALL_FAMILY else FEW
    along, correlations = away.T @ directions(len(away), points), others @ own
    cotangent = (along / (1 - correlations)[:, None]).max(axis=0, initial=-math.inf)
    if two_sided:
        mirrored = (-along / (1 + correlations)[:, None]).max(axis=0, initial=0.0)
        cotangent = np.maximum(cotangent, mirrored)
    return np.asarray(np.arctan2(1.0, cotangent))


def _integral(ends: Floats, r: int) -> Nodes:
    """Nodes of the integral over all rays from 0 to their ends (rays,), each weighed by the sphere's sin^(r - 2).

    Of the rays that end in a step all but a small part cross it wholly, and the rest ends near its mean.
    """
    place = np.minimum((ends * STEPS / math.pi).astype(np.intp), STEPS - 1)
    ending = np.bincount(place, minlength=STEPS)
    crossing = len(ends) - np.cumsum(ending)
    low, width = math.pi * np.arange(STEPS) / STEPS, math.pi / STEPS
    mean_part = np.where(ending > 0, np.bincount(place, ends, STEPS) / np.maximum(ending, 1) - low, 0.0)
    base, half = legendre(IN_A_STEP), np.concatenate([np.full(STEPS, width), mean_part])[:, None] / 2
    at = np.tile(low, 2)[:, None] + half * (1 + base.at)
    weights = np.concatenate([crossing, ending])[:, None] * half * base.weights * np.sin(at) ** (r - 2)
    return Nodes(at.ravel(), weights.ravel())


def _fewer(at: Floats, weights: Floats, start: float) -> Nodes:
    """Nodes in start + [0, pi/2] with the same integrals of Chebyshev's polynomials."""
    integrals = weights @ chebvander((at - start) * 4 / math.pi - 1, ANGLES - 1)
    integrals[0] /= 2
    chosen = np.cos(math.pi * (np.arange(ANGLES) + 0.5) / ANGLES)
    return Nodes(start + (1 + chosen) * math.pi / 4, chebvander(chosen, ANGLES - 1) @ integrals * 2 / ANGLES)


def _longer(length: Floats, r: int, df: float) -> Floats:
    """P(a spherical t of r dimensions is longer)."""
    with np.errstate(divide="ignore", over="ignore"):  # of lengths of zero and beyond all numbers
        if math.isinf(df):
            return np.asarray(gammaincc(r / 2, length**2 / 2))
        return np.asarray(betaincc(r / 2, df / 2, 1 / (1 + df / length**2)))
