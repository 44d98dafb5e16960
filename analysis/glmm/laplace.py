"""The Laplace deviance d(theta, gamma) and its exact gradient.

At the modes d = -2 log p(y | u) + |u|^2 + log |S| with S = Lambda'Z'W Z Lambda + I. Let r = y - mean, h_i the
i-th diagonal entry of Z Lambda S^-1 Lambda'Z', c = h dW/d eta, v = S^-1 Lambda'Z'c and e = c - W Z Lambda v.
The modes move with the parameters; by the implicit function theorem on Lambda'Z'r = u

    d d / d gamma  = Q'(e - 2 r),
    d d / d Lambda = Z'[2 W (S^-1 Lambda'z_i) + (e - 2 r) u + r v], block by block, each row with its own level.
"""

from dataclasses import dataclass

import numpy as np

from forethought.analysis.designs import Floats
from forethought.analysis.glmm.pirls import Model, Modes, modes


@dataclass(frozen=True, slots=True)
class Point:
    """The Laplace deviance and its gradient by (theta, gamma) at one point."""

    modes: Modes
    gradient: Floats

    @property
    def parameters(self) -> Floats:
        return np.concatenate([self.modes.theta, self.modes.gamma])

    @property
    def deviance(self) -> float:
        return self.modes.laplace


def laplace(model: Model, parameters: Floats, u: Floats) -> Point:
    """The point at parameters (theta, gamma), the modes sought from u on. Raises LinAlgError where they overflow."""
    n_theta = model.layout.random.n_theta
    found = modes(model, parameters[:n_theta], parameters[n_theta:], u)
    return Point(found, gradient(model, found))


def gradient(model: Model, found: Modes) -> Floats:
    """Of the Laplace deviance by (theta, gamma) at modes."""
    loadings, moments = found.loadings, found.moments
    residual = model.outcome.y - moments.mean
    entries = found.elimination.own_entries()
    leverage = sum(np.einsum("ik,ik->i", z, entry) for z, entry in zip(loadings.values, entries, strict=True))
    c = np.asarray(leverage) * moments.slope
    v = found.elimination.solve(loadings.transposed(c))
    pull = c - moments.variance * loadings.times(v) - 2 * residual
    own = zip(model.layout.random.blocks, entries, loadings.own(found.u), loadings.own(v), strict=True)
    by_lambda = [
        block.Z.T @ (2 * moments.variance[:, None] * entry + pull[:, None] * u + residual[:, None] * moved)
        for block, entry, u, moved in own
    ]
    return np.concatenate([model.layout.random.free(by_lambda), model.Q.T @ pull])
