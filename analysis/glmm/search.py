"""The parameters of least Laplace deviance, in glmer's two stages, and the proof.

First theta alone, with gamma among the modes, by BOBYQA; then theta and gamma together by quasi-Newton steps with
the exact gradient, between Newton steps whose curvature (differences of exact gradients) proves the minimum.
The deviance is even under a change of sign of a column of Lambda: no bound is needed near a variance of zero.
"""

import contextlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from forethought.analysis.designs import Floats
from forethought.analysis.glmm.laplace import Point, laplace
from forethought.analysis.glmm.pirls import Model, Modes, modes
from forethought.analysis.lmm.optimum import CONVERGED, FLAT, scaled_eigen

NEAR = 1e-2
"""BOBYQA hands over where theta or the first stage's deviance moves by less than this."""

CLOSE_ENOUGH = 1e-9
"""A step that promises less deviance than this is the last."""

ROUNDS = 12
QUASI_NEWTON_STEPS = 12
HALVINGS = 20
DIFFERENCE = 1e-4
AWAY = 0.2
"""The second search starts with relative standard deviations of at least this."""


@dataclass(frozen=True, slots=True)
class Minimum:
    """A minimum of the Laplace deviance, or the best that was found.

    curvature: second derivatives by (theta, gamma). remaining: the decrease that one more step promises.
    """

    point: Point
    curvature: Floats
    remaining: float

    @property
    def doubt(self) -> str | None:
        """Why this may be no minimum."""
        if not self.remaining <= CONVERGED:
            return f"the Laplace deviance may still fall by {self.remaining:.2g}"
        if scaled_eigen(self.curvature)[0].min() < -CONVERGED:
            return "the Laplace deviance falls in some direction from the point that was found"
        return None

    @property
    def covariance(self) -> Floats:
        """Of the estimates (theta, gamma): twice the inverse curvature over its informed directions."""
        return 2 * _inverse(self.curvature)


def minimum(model: Model) -> Minimum:
    """The minimum from glmer's start, Lambda = I; from a second one, away from zero variances, where that is in doubt.

    Raises LinAlgError where no first stage can be computed.
    """
    identity = model.layout.random.on_diagonal.astype(float)
    best = _polished(model, *_first_stage(model, identity))
    theta = best.point.modes.theta
    if best.doubt is None:
        return best
    start = np.where(identity == 1, np.maximum(theta, AWAY), theta)
    again = _polished(model, np.concatenate([start, best.point.modes.gamma]), best.point.modes.u)
    return min(best, again, key=lambda found: (found.doubt is not None, found.point.deviance))


def _first_stage(model: Model, start: Floats) -> tuple[Floats, Floats]:
    """Parameters (theta, gamma) and modes near the minimum, by BOBYQA in theta alone."""
    import nlopt

    gamma = model.Q.T @ (model.outcome.first_guess() - model.offset) / len(model.Q)
    best = modes(model, start, gamma, np.zeros(model.layout.q), free=True)

    def deviance(theta: Floats, _: object) -> float:
        nonlocal best
        try:
            found = modes(model, np.array(theta), best.gamma, best.u, free=True)
        except LinAlgError:
            return float("inf")
        best = min(best, found, key=_laplace)
        return found.laplace

    on_diagonal = start == 1
    search: Any = nlopt.opt(nlopt.LN_BOBYQA, len(start))
    search.set_min_objective(deviance)
    search.set_lower_bounds(np.where(on_diagonal, 0.0, -np.inf))
    search.set_initial_step(np.where(on_diagonal, 0.4, 0.2))
    search.set_ftol_abs(NEAR)
    search.set_xtol_abs(NEAR)
    search.set_maxeval(200 * len(start))
    with contextlib.suppress(nlopt.RoundoffLimited):  # the best point so far is as good a start
        search.optimize(start)
    return np.concatenate([best.theta, best.gamma]), best.u


def _laplace(found: Modes) -> float:
    return found.laplace


def _polished(model: Model, parameters: Floats, u: Floats) -> Minimum:
    """From near a minimum to it; the last curvature is that of the point that is returned, but for rounding."""
    point = laplace(model, parameters, u)
    point = _quasi_newton(model, point, _rough_curvature(model, point))
    for _ in range(ROUNDS):
        second = curvature(model, point)
        step = _inverse(second) @ point.gradient
        remaining = float(point.gradient @ step) / 2
        ahead = _descended(model, point, step)
        stuck = ahead.deviance > point.deviance - CLOSE_ENOUGH
        point = ahead
        if abs(remaining) < CLOSE_ENOUGH or stuck:
            break
        point = _quasi_newton(model, point, second)
    return _upright(model, Minimum(point, second, remaining))


def curvature(model: Model, point: Point) -> Floats:
    """Second derivatives by (theta, gamma), (p, p): central differences of exact gradients."""
    rows = [_slope(model, point, entry, DIFFERENCE) for entry in range(len(point.parameters))]
    behind = [_slope(model, point, entry, -DIFFERENCE) for entry in range(len(point.parameters))]
    second = (np.array(rows) + np.array(behind)) / 2
    return (second + second.T) / 2


def _rough_curvature(model: Model, point: Point) -> Floats:
    """The same but for gamma, where it is that of fixed weights, and with differences to one side."""
    here, n_theta = point.modes, len(point.modes.theta)
    weighted = model.Q * here.moments.variance[:, None]
    crossed = np.column_stack([here.loadings.transposed(column) for column in weighted.T])
    second = np.empty((len(point.parameters), len(point.parameters)))
    second[n_theta:, n_theta:] = 2 * (model.Q.T @ weighted - crossed.T @ here.elimination.solve(crossed))
    for entry in range(n_theta):
        second[entry] = second[:, entry] = _slope(model, point, entry, DIFFERENCE)
    second[:n_theta, :n_theta] = (second[:n_theta, :n_theta] + second[:n_theta, :n_theta].T) / 2
    return second


def _slope(model: Model, point: Point, entry: int, step: float) -> Floats:
    """How the gradient changes by one of the parameters."""
    moved = point.parameters
    moved[entry] += step
    return (laplace(model, moved, point.modes.u).gradient - point.gradient) / step


def _quasi_newton(model: Model, point: Point, second: Floats) -> Point:
    """BFGS steps from a first curvature, until one promises too little or none is found."""
    for _ in range(QUASI_NEWTON_STEPS):
        step = _inverse(second) @ point.gradient
        if point.gradient @ step < 2 * CLOSE_ENOUGH:
            break
        ahead = _descended(model, point, step)
        moved, bent = ahead.parameters - point.parameters, ahead.gradient - point.gradient
        if not moved.any():
            break
        pushed = second @ moved
        if moved @ bent > 1e-10 * np.linalg.norm(moved) * np.linalg.norm(bent) and moved @ pushed > 0:
            second = (
                second + np.outer(bent, bent) / (moved @ bent) - np.outer(pushed, pushed) / (moved @ pushed)
            )
        point = ahead
    return point


def _descended(model: Model, point: Point, step: Floats) -> Point:
    """Along the step, or a half, a quarter of it, to where the deviance is not higher but for rounding."""
    rounding = 1e-13 * (abs(point.deviance) + 1)
    for _ in range(HALVINGS):
        try:
            ahead = laplace(model, point.parameters - step, point.modes.u)
        except LinAlgError:
            ahead = None
        if ahead is not None and ahead.deviance <= point.deviance + rounding:
            return ahead
        step = step / 2
    return point


def _inverse(second: Floats) -> Floats:
    """The inverse over informed directions, each taken as if it curved upwards: a step down whatever its sign."""
    values, vectors = scaled_eigen(second)
    informed = np.abs(values) > FLAT
    inverse: Floats = (vectors[:, informed] / np.abs(values[informed])) @ vectors[:, informed].T
    return inverse


def _upright(model: Model, found: Minimum) -> Minimum:
    """The same minimum where Lambda has no negative diagonal."""
    theta = found.point.modes.theta
    signs = model.layout.random.signs(theta)
    if (signs > 0).all():
        return found
    flips = np.concatenate([signs, np.ones(len(found.point.modes.gamma))])
    point = laplace(model, flips * found.point.parameters, np.zeros_like(found.point.modes.u))
    return replace(found, point=point, curvature=found.curvature * np.outer(flips, flips))
