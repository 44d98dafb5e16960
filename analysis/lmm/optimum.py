"""The theta of least deviance: Newton steps with exact derivatives, which also prove the optimum.

The deviance is smooth in theta and even under a change of sign of a column of Lambda, also where a variance
is zero; a minimum on the boundary therefore has a zero gradient, and no bound is needed near it. Where the
steps do not end in a proof, BOBYQA and a quasi-Newton search look further.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import SINGULAR
from forethought.analysis.lmm.curvature import curvature
from forethought.analysis.lmm.deviance import ProfiledDeviance
from forethought.analysis.lmm.first_guess import first_guess
from forethought.analysis.lmm.gradient import Scores, scores

NEAR = 1e-3
"""A search without derivatives hands over to Newton where the deviance, or theta, moves by less than this."""

CLOSE_ENOUGH = 1e-13
"""Where a Newton step promises less deviance than this, the minimum is found."""

CONVERGED = 1e-6
"""How much deviance a minimum may still promise; likelihood ratios are not read to more digits."""

FLAT = 1e-8
"""An eigenvalue of the scaled curvature below this is a direction that the data say nothing about."""

Search = Callable[[ProfiledDeviance, Floats], Floats]

STEPS = 40
HALVINGS = 12
UNDETERMINED = 1e-5
"""An eigenvalue of the curvature, scaled to unit diagonal, below which theta is not determined. In models that are, it
is mostly above 0.1."""

FAR = 10.0
"""The relative standard deviations from which Newton looks again where a variance is found to be zero."""

FEW_ROWS = 100
"""So few rows may have several minima whose variances are all above zero, or all but one."""

ELSEWHERE = (0.1, 1.0, 3.0, 100.0)
"""The relative standard deviations from which Newton looks again where the rows are few."""

LOWER = 1e-7
"""A minimum is another, and better, where it is lower by more than rounding makes it."""

LONGEST = 1.0
"""No step is longer than this, or than theta itself; random-effect columns have unit standard deviation."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """A minimum of the deviance, or the best that was found.

    curvature: second derivatives of the deviance by (theta, log sigma^2), (n_theta + 1, n_theta + 1).
    remaining: the decrease of the deviance that one more Newton step promises.
    """

    theta: Floats
    deviance: float
    curvature: Floats
    remaining: float
    evaluations: int

    @property
    def doubt(self) -> str | None:
        """Why this may be no minimum."""
        if not self.remaining <= CONVERGED:
            return f"the criterion may still fall by {self.remaining:.2g}"
        if scaled_eigen(self.curvature)[0].min() < -CONVERGED:
            return "the criterion falls in some direction from the point that was found"
        return None

    @property
    def converged(self) -> bool:
        return self.doubt is None

    @property
    def determined(self) -> bool:
        """Whether the criterion rises in every direction; not where two groups hold the same rows."""
        return bool(scaled_eigen(self.curvature)[0].min() > UNDETERMINED)


def minimum(deviance: ProfiledDeviance, start: Floats | None = None) -> Optimum:
    """The optimum near a start, lme4's Lambda = I where none is given; by another search where that proves none.

    Few data can have several minima: with few rows, or from a variance of zero, Newton also looks from elsewhere.
    Where a variance is zero the gradient is zero too, minimum or not: the later searches start away from there.
    """
    identity = deviance.random.on_diagonal.astype(float)
    few = start is None and deviance.products.n <= FEW_ROWS
    start = identity if start is None else start * deviance.random.signs(start)
    best = _newton(*first_guess(deviance, start))
    if deviance.random.singular_groups(best.theta):
        best = _least(best, _searched(_nowhere, deviance, FAR * identity))
    for sd in ELSEWHERE if few and best.converged else ():
        other = _searched(_nowhere, deviance, sd * identity)
        if other is not None and other.deviance < best.deviance - LOWER:
            best = _least(best, other)
    for search, least in ((_bobyqa, 1.0), (_quasi_newton, 0.1), (_bobyqa, 0.2)):
        if best.converged:
            return best
        away = np.where(identity == 1, np.maximum(best.theta, least), best.theta)
        best = _least(best, _searched(search, deviance, away))
    return best


def _least(best: Optimum, *others: Optimum | None) -> Optimum:
    """The one of least deviance among those that are minima, or else among all."""
    found = [best, *(other for other in others if other is not None)]
    return min(found, key=lambda each: (not each.converged, each.deviance))


def _nowhere(deviance: ProfiledDeviance, start: Floats) -> Floats:
    """No search: Newton's steps begin at the start."""
    return start


def scaled_eigen(second: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues of a curvature whose diagonal is scaled to one, and the vectors scaled likewise.

    With values w and vectors U, the inverse over the directions that the data inform is
    the sum over w > FLAT of U U' / w.
    """
    diagonal = np.abs(np.diag(second))
    scales = np.where(diagonal > 0, 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), 1.0)
    values, vectors = np.linalg.eigh(second * np.outer(scales, scales))
    return values, vectors * scales[:, None]


def inverse_where_informed(second: Floats) -> Floats:
    """The inverse of a curvature over its directions of positive curvature."""
    values, vectors = scaled_eigen(second)
    informed = values > FLAT
    return (vectors[:, informed] / values[informed]) @ vectors[:, informed].T


def _searched(search: Search, deviance: ProfiledDeviance, start: Floats) -> Optimum | None:
    """Newton's optimum from where a search ends; nothing where rounding stops either."""
    try:
        theta = search(deviance, start)
        theta = theta * deviance.random.signs(theta)
        return _newton(theta, scores(deviance, theta))
    except np.linalg.LinAlgError:
        return None


@dataclass(frozen=True, slots=True)
class _Direction:
    """Where to go from a point, (n_theta,), and the decrease that the quadratic form at the point promises.

    `falling` tells that the curvature is negative somewhere.
    """

    step: Floats
    remaining: float
    falling: bool


def _newton(theta: Floats, found: Scores) -> Optimum:
    """Newton steps from theta and its scores to a minimum, as far as they lead, and what is left to gain there."""
    deviance = found.deviance
    value, evaluations = deviance.of(found.factors), 1
    for _ in range(STEPS):
        second = curvature(found)
        direction = _direction(found.gradient(), second)
        if direction.remaining < CLOSE_ENOUGH and not direction.falling:
            break
        reached = _descended(found, theta, value, direction.step)
        if reached is None:
            break
        theta, found, tried = reached
        value, evaluations = deviance.of(found.factors), evaluations + tried
    remaining = max(direction.remaining, beside_zero(found))
    return Optimum(theta, value, second, remaining, evaluations)


def beside_zero(found: Scores) -> float:
    """How fast the deviance falls by a variance in a direction that has none, times a small one; 0 where it rises.

    At a minimum the slope G by Lambda Lambda' is positive semidefinite where that matrix has no variance, which the
    curvature by theta does not always show: where a first effect has none, theta can hold the second twice.
    """
    least = 0.0
    for of_block, block, G in zip(found.deviance.random.blocks, found.blocks, found.slopes(), strict=True):
        for piece in of_block.pieces:
            values, vectors = np.linalg.eigh((block.Lambda @ block.Lambda.T)[piece.own, piece.own])
            empty = vectors[:, values < SINGULAR**2]
            if empty.shape[1]:
                least = min(least, float(np.linalg.eigvalsh(empty.T @ G[piece.own, piece.own] @ empty)[0]))
    return -least * SINGULAR


def _direction(gradient: Floats, second: Floats) -> _Direction:
    """Newton's step with every curvature taken as positive, so that it goes downhill; from a saddle, off it."""
    profiled = second[:-1, :-1] - np.outer(second[:-1, -1], second[-1, :-1]) / second[-1, -1]
    values, vectors = scaled_eigen(profiled)
    along = vectors.T @ gradient
    informed = np.abs(values) > FLAT
    amounts = np.where(informed, along / np.where(informed, np.abs(values), 1.0), 0.0)
    falling = bool(values[0] < -CONVERGED)
    remaining = float(along @ amounts) / 2
    if falling and remaining < CONVERGED:
        amounts[0] += LONGEST / 10 / np.linalg.norm(vectors[:, 0])
    return _Direction(-vectors @ amounts, remaining, falling)


def _descended(here: Scores, theta: Floats, value: float, step: Floats) -> tuple[Floats, Scores, int] | None:
    """Along the step, or a half, a quarter of it, to where the deviance is not higher but for rounding."""
    deviance, rounding = here.deviance, 1e-12 * abs(value)
    step = step * min(
        1.0, max(LONGEST, float(np.linalg.norm(theta))) / max(float(np.linalg.norm(step)), 1e-300)
    )
    for tried in range(1, HALVINGS + 1):
        there = theta + step
        there = there * deviance.random.signs(there)
        factors = deviance.possible(there)
        if factors is not None and deviance.of(factors) <= value + rounding:
            return there, scores(deviance, there, factors), tried
        step = step / 2
    return None


def _bobyqa(deviance: ProfiledDeviance, start: Floats) -> Floats:
    """Powell's BOBYQA (2009) with variances kept from below zero; the start where rounding leaves it no way."""
    import nlopt

    search: Any = nlopt.opt(nlopt.LN_BOBYQA, len(start))
    on_diagonal = deviance.random.on_diagonal
    search.set_min_objective(lambda theta, _: deviance(theta))
    search.set_lower_bounds(np.where(on_diagonal, 0.0, -np.inf))
    search.set_initial_step(np.where(on_diagonal, 0.75, 0.5))
    search.set_ftol_abs(NEAR)
    search.set_xtol_abs(NEAR)
    search.set_maxeval(1000 * len(start))
    try:
        theta = np.asarray(search.optimize(start), dtype=float)
    except nlopt.RoundoffLimited:
        theta = start
    return theta


def _quasi_newton(deviance: ProfiledDeviance, start: Floats) -> Floats:
    """L-BFGS with the exact gradient, unbounded: the deviance is even where a variance is zero."""
    from scipy.optimize import minimize

    search: Any = minimize
    tight = {"ftol": 1e-15, "gtol": 1e-8}

    def slope(theta: Floats) -> Floats:
        return scores(deviance, theta).gradient()

    found = search(deviance, start, jac=slope, method="L-BFGS-B", options=tight)
    return np.asarray(found.x, dtype=float)
