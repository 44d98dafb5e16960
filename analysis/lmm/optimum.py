"""The theta of least deviance: BOBYQA without derivatives, then Newton steps, which also prove the optimum.

The deviance is smooth in theta and even under a change of sign of a column of Lambda, also where a variance
is zero; a minimum on the boundary therefore has a zero gradient, and no bound is needed near it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.deviance import ProfiledDeviance
from forethought.analysis.lmm.gradient import scores

NEAR = 1e-3
"""BOBYQA hands over to Newton where the deviance, or theta, moves by less than this."""

CLOSE_ENOUGH = 1e-11
"""A Newton step that promises less deviance than this is the last."""

CONVERGED = 1e-6
"""How much deviance a minimum may still promise; likelihood ratios are not read to more digits."""

FLAT = 1e-8
"""An eigenvalue of the scaled curvature below this is a direction that the data say nothing about."""

NEWTON_STEPS = 20
HALVINGS = 12
DIFFERENCE = 1e-4


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


def minimum(deviance: ProfiledDeviance) -> Optimum:
    """The optimum from lme4's start, Lambda = I; by another search and start where that does not prove good.

    Where a variance is zero the gradient is zero too, minimum or not: the second search starts away from there.
    """
    identity = deviance.random.on_diagonal.astype(float)
    best = _polished(deviance, *_bobyqa(deviance, identity))
    for search, least in ((_quasi_newton, 0.1), (_bobyqa, 0.2)):
        if best.converged:
            return best
        start = np.where(identity == 1, np.maximum(best.theta, least), best.theta)
        other = _polished(deviance, *search(deviance, start))
        best = min(best, other, key=lambda found: (not found.converged, found.deviance))
    return best


def curvature(deviance: ProfiledDeviance, theta: Floats) -> Floats:
    """Second derivatives by (theta, log sigma^2) at theta and its best sigma: differences of exact gradients."""
    here = scores(deviance, theta)
    variance, size = here.variance, len(theta)
    second = np.empty((size + 1, size + 1))
    for entry in range(size):
        step = np.zeros(size)
        step[entry] = DIFFERENCE * max(abs(theta[entry]), 0.2)
        ahead = scores(deviance, theta + step).gradient(variance)
        behind = scores(deviance, theta - step).gradient(variance)
        second[entry, :size] = (ahead - behind) / (2 * step[entry])
    second[:size, :size] = (second[:size, :size] + second[:size, :size].T) / 2
    second[size, :size] = second[:size, size] = here.gradient_by_log_variance(variance)
    second[size, size] = deviance.nu
    return second


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


def _polished(deviance: ProfiledDeviance, theta: Floats, evaluations: int) -> Optimum:
    """Newton steps from near a minimum, with the curvature and what is left to gain at its end."""
    value = deviance(theta)
    for _ in range(NEWTON_STEPS):
        theta = theta * deviance.random.signs(theta)
        gradient = scores(deviance, theta).gradient()
        second = curvature(deviance, theta)
        step = (inverse_where_informed(second)[:-1, :-1]) @ gradient
        remaining = float(gradient @ step) / 2
        evaluations += 2 * len(theta) + 2
        theta, value = _descended(deviance, theta, value, step)
        if remaining < CLOSE_ENOUGH:
            break
    signs = deviance.random.signs(theta)
    second = second * np.outer(np.append(signs, 1.0), np.append(signs, 1.0))
    return Optimum(theta * signs, value, second, remaining, evaluations)


def _descended(deviance: ProfiledDeviance, theta: Floats, value: float, step: Floats) -> tuple[Floats, float]:
    """Along the step, or a half, a quarter of it, to where the deviance is not higher but for rounding."""
    rounding = 1e-12 * abs(value)
    for _ in range(HALVINGS):
        reached = deviance(theta - step)
        if reached <= value + rounding:
            return theta - step, reached
        step = step / 2
    return theta, value


def _bobyqa(deviance: ProfiledDeviance, start: Floats) -> tuple[Floats, int]:
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
    return theta, int(search.get_numevals())


def _quasi_newton(deviance: ProfiledDeviance, start: Floats) -> tuple[Floats, int]:
    """L-BFGS with the exact gradient, unbounded: the deviance is even where a variance is zero."""
    from scipy.optimize import minimize

    search: Any = minimize
    tight = {"ftol": 1e-15, "gtol": 1e-8}

    def slope(theta: Floats) -> Floats:
        return scores(deviance, theta).gradient()

    found = search(deviance, start, jac=slope, method="L-BFGS-B", options=tight)
    return np.asarray(found.x, dtype=float), int(found.nfev)
