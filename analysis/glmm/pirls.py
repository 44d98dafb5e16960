"""The modes of the random effects, by penalised iteratively reweighted least squares.

With a canonical link this is Newton's method on the penalised deviance -2 log p(y | u, beta) + |u|^2, which is
convex (Bates et al. 2015, J. Stat. Softw. 67(1), and lme4's vignette on generalised models): either for fixed
beta, or for beta too, which is glmer's first stage.
"""

from dataclasses import dataclass

import numpy as np
from numpy.linalg import LinAlgError
from scipy.linalg import solve

from forethought.analysis.designs import Floats
from forethought.analysis.glmm.elimination import Elimination, Layout, Loadings, eliminate
from forethought.analysis.glmm.outcomes import Moments, Outcome

TIGHT = 1e-18
"""Modes are found where Newton's decrement, about the squared distance to them, is below this."""

COARSE = 1e-8
STEPS = 60
HALVINGS = 30


@dataclass(frozen=True, slots=True)
class Model:
    """A generalised mixed model: its outcome, fixed effects in a basis Q (n, p), offset (n,), random effects."""

    outcome: Outcome
    Q: Floats
    offset: Floats
    layout: Layout


@dataclass(frozen=True, slots=True)
class Modes:
    """The modes u (q,) at one theta and gamma (p,), the coefficients of Q, and what belongs to them.

    eta: the linear predictor, (n,). penalized: -2 log p(y | u) + |u|^2. decrement: about the squared distance that
    may still be between u and the mode.
    """

    theta: Floats
    gamma: Floats
    u: Floats
    eta: Floats
    moments: Moments
    elimination: Elimination
    penalized: float
    decrement: float

    @property
    def loadings(self) -> Loadings:
        return self.elimination.loadings

    @property
    def laplace(self) -> float:
        """-2 log likelihood by Laplace's approximation."""
        return self.penalized + self.elimination.logdet


def modes(model: Model, theta: Floats, gamma: Floats, u: Floats, *, free: bool = False) -> Modes:
    """The modes at theta, from u on; for this gamma or, where it is `free`, for the gamma that is best with them.

    Raises LinAlgError where the linear predictor cannot be computed, as it overflows.
    """
    loadings = model.layout.loadings(theta)
    tolerance = COARSE if free else TIGHT
    here = _at(model, loadings, theta, gamma, u)
    if not np.isfinite(here.penalized):
        raise LinAlgError("the linear predictor overflows")
    for _ in range(STEPS):
        step, move, decrement = _newton(model, here, free=free)
        if decrement <= tolerance:
            break
        ahead = _descended(model, here, step, move)
        if ahead is None:
            break
        here = ahead
    return Modes(
        theta, here.gamma, here.u, here.eta, here.moments, here.elimination, here.penalized, decrement
    )


def _at(model: Model, loadings: Loadings, theta: Floats, gamma: Floats, u: Floats) -> Modes:
    eta = model.offset + model.Q @ gamma + loadings.times(u)
    with np.errstate(over="ignore", invalid="ignore"):
        penalized = model.outcome.deviance(eta) + float(u @ u)
        moments = model.outcome.moments(eta)
        elimination = eliminate(loadings, moments.variance)
    return Modes(theta, gamma, u, eta, moments, elimination, penalized, np.inf)


def _newton(model: Model, here: Modes, *, free: bool) -> tuple[Floats, Floats, float]:
    """Newton's step in u and in gamma, and the decrement."""
    residual = model.outcome.y - here.moments.mean
    right = here.loadings.transposed(residual) - here.u
    step = here.elimination.solve(right)
    if not free:
        return step, np.zeros_like(here.gamma), float(step @ right)
    weighted = model.Q * here.moments.variance[:, None]
    crossed = np.column_stack([here.loadings.transposed(column) for column in weighted.T])
    solved = here.elimination.solve(crossed)
    score = model.Q.T @ residual
    move = solve(model.Q.T @ weighted - crossed.T @ solved, score - solved.T @ right, assume_a="pos")
    step = step - solved @ move
    return step, move, float(step @ right + move @ score)


def _descended(model: Model, here: Modes, step: Floats, move: Floats) -> Modes | None:
    """Along the step, or a half, a quarter of it, to where the penalised deviance is not higher but for rounding."""
    rounding = 1e-13 * (abs(here.penalized) + 1)
    for _ in range(HALVINGS):
        gamma, u = here.gamma + move, here.u + step
        eta = model.offset + model.Q @ gamma + here.loadings.times(u)
        with np.errstate(over="ignore", invalid="ignore"):
            penalized = model.outcome.deviance(eta) + float(u @ u)
        if penalized <= here.penalized + rounding:
            return _at(model, here.loadings, here.theta, gamma, u)
        step, move = step / 2, move / 2
    return None
