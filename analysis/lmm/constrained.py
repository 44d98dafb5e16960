"""The deviance by maximum likelihood where one parameter is held at a value and the others are free.

Each parameter has coordinates x of what is left free, in which it is held exactly: a term's covariance is
sigma^2 M L L' M' with L lower triangular for its effects in data units, the held ones first, so that a standard
deviation is sigma L[0, 0] and a correlation lies in L's second row alone. The deviance for a residual variance s,

    log |V| + r2 / s + n log(2 pi s),

and its exact gradient follow by the chain rule from those of `gradient`, whose slopes are those by Lambda = M L O
with an orthogonal O. The best sigma is put in where it is neither held nor part of what is held.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy.linalg import qr

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import Piece, RandomDesign
from forethought.analysis.lmm.deviance import ProfiledDeviance
from forethought.analysis.lmm.gradient import Scores, scores
from forethought.analysis.lmm.random_terms import Integers

FLOOR = 1e-2
"""A search starts from relative standard deviations of at least this: at zero the gradient is zero, minimum or not."""


class Held(Protocol):
    """A parameter that is held at a value, and coordinates x of the others, of which some cannot be negative."""

    def start(self, theta: Floats, s: float) -> Floats:
        """Coordinates of the model at theta (n_theta,) and residual variance s."""
        ...

    @property
    def bounded(self) -> Sequence[int]:
        """The places of coordinates that cannot be negative."""
        ...

    def deviance(self, x: Floats, value: float) -> tuple[float, Floats]:
        """The deviance and its gradient."""
        ...


def least(held: Held, start: Floats, value: float) -> float:
    """The least deviance with the parameter at the value, searched from the coordinates `start`."""
    from scipy.optimize import minimize

    if not len(start):
        return held.deviance(start, value)[0]
    search: Any = minimize
    bounds = [(0.0 if place in held.bounded else None, None) for place in range(len(start))]
    tight = {"ftol": 1e-12, "gtol": 1e-6, "maxiter": 500}

    def objective(x: Floats) -> tuple[float, Floats]:
        return held.deviance(x, value)

    found = search(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=tight)
    return float(found.fun)


def at_variance(found: Scores, s: float) -> tuple[float, list[Floats], float]:
    """Deviance for a residual variance, its slopes by every entry of the Lambdas, and that by log s."""
    factors, nu = found.factors, found.deviance.nu
    value = factors.logdet + factors.r2 / s + nu * math.log(2 * math.pi * s)
    slopes = [2 * G @ one.Lambda for G, one in zip(found.slopes(s), found.blocks, strict=True)]
    return float(value), slopes, float(nu - factors.r2 / s)


@dataclass(frozen=True)
class _OfTheta:
    """What is held beside theta, which is all that x is."""

    free: ProfiledDeviance

    def start(self, theta: Floats, s: float) -> Floats:
        return _off_zero(self.free.random, theta)

    @property
    def bounded(self) -> Sequence[int]:
        return ()


@dataclass(frozen=True)
class HeldCoefficient(_OfTheta):
    """A coefficient, as the part of z in the direction Q w that only its column has, w (p,); x is theta.

    Without the column, X spans the rest of Q, and the outcome is z - value Q w.
    """

    w: Floats

    def deviance(self, x: Floats, value: float) -> tuple[float, Floats]:
        found = scores(self._without(value), x)
        deviance, slopes, _ = at_variance(found, found.variance)
        return deviance, self.free.random.free(slopes)

    def _without(self, value: float) -> ProfiledDeviance:
        products, p = self.free.products, len(self.w)
        M = np.zeros((p + 1, p))
        M[:p, : p - 1] = qr(self.w[:, None])[0][:, 1:]
        M[:p, -1] = -value * self.w
        M[p, -1] = 1.0
        Z1T, Z2T, TT = products.Z1T @ M, products.Z2T @ M, M.T @ products.TT @ M
        return replace(self.free, products=replace(products, Z1T=Z1T, Z2T=Z2T, TT=TT, p=p - 1))


@dataclass(frozen=True)
class HeldSigma(_OfTheta):
    """The residual standard deviation, in the outcome's standard units; x is theta."""

    def deviance(self, x: Floats, value: float) -> tuple[float, Floats]:
        deviance, slopes, _ = at_variance(scores(self.free, x), value**2)
        return deviance, self.free.random.free(slopes)


@dataclass(frozen=True)
class Term:
    """A random term with the effects `first` before its others, in coordinates L (k, k) of its covariance."""

    random: RandomDesign
    piece: Piece
    first: tuple[int, ...]

    @cached_property
    def basis(self) -> Floats:
        """M of Lambda = M L O: from effects in data units, the held first, to those of the block's columns."""
        own, k = self._own, len(self.piece.effects)
        order = [*self.first, *(place for place in range(k) if place not in self.first)]
        inverse = np.asarray(np.linalg.inv(self.random.blocks[self._place].units[own, own]), dtype=float)
        return inverse[:, order]

    @property
    def unit(self) -> float:
        """A standard deviation of the first effect, in data units, that is one in those of the block's columns."""
        own = self.random.blocks[self._place].units[self._own, self._own]
        return float(np.linalg.norm(own[self.first[0]]))

    def factor(self, theta: Floats) -> Floats:
        """L of the fit's theta, with a diagonal that is not negative."""
        own = self.random.lambdas(theta)[self._place][self._own, self._own]
        return _lower(np.asarray(np.linalg.solve(self.basis, own), dtype=float))[0]

    def theta(self, entries: Floats, L: Floats) -> tuple[Floats, Floats]:
        """Entries of theta with this term's replaced by those that L stands for, and Q with M L = Lambda Q'."""
        factor, Q = _lower(self.basis @ L)
        theta = entries.copy()
        theta[self.piece.theta] = factor[self.places]
        return theta, Q

    def slope(self, slopes: Sequence[Floats], Q: Floats) -> tuple[Floats, Floats]:
        """From slopes by the Lambdas those by theta and by L (k, k)."""
        own = slopes[self._place][self._own, self._own]
        return self.random.free(slopes), self.basis.T @ own @ Q.T

    @property
    def places(self) -> tuple[Integers, Integers]:
        """Rows and columns of L's free entries, in theta's order."""
        rows, columns = self.piece.entries
        return rows - self.piece.first, columns - self.piece.first

    @property
    def _own(self) -> slice:
        return self.piece.own

    @property
    def _place(self) -> int:
        return [block.group for block in self.random.blocks].index(self.piece.group)


@dataclass(frozen=True)
class HeldSd:
    """A standard deviation, in the outcome's standard units; x is theta with L for its term, but log s for L[0, 0]."""

    free: ProfiledDeviance
    term: Term

    def start(self, theta: Floats, s: float) -> Floats:
        x = _off_zero(self.free.random, theta)
        x[self.term.piece.theta] = self.term.factor(x)[self.term.places]
        x[self._first] = math.log(s) * self._stretch
        return x

    @property
    def bounded(self) -> Sequence[int]:
        return ()

    def deviance(self, x: Floats, value: float) -> tuple[float, Floats]:
        s = math.exp(x[self._first] / self._stretch)
        L = np.zeros((len(self.term.piece.effects),) * 2)
        L[self.term.places] = x[self.term.piece.theta]
        L[0, 0] = value / math.sqrt(s)
        theta, Q = self.term.theta(x, L)
        deviance, slopes, by_log_s = at_variance(scores(self.free, theta), s)
        gradient, by_L = self.term.slope(slopes, Q)
        gradient[self.term.piece.theta] = by_L[self.term.places]
        gradient[self._first] = (by_log_s - by_L[0, 0] * L[0, 0] / 2) / self._stretch
        return deviance, gradient

    @property
    def _first(self) -> int:
        return int(self.term.piece.theta.start)

    @property
    def _stretch(self) -> float:
        """With log s in its own standard errors all coordinates are of one size."""
        return math.sqrt(self.free.nu / 2)


@dataclass(frozen=True)
class HeldCor:
    """The correlation of a term's first two effects; x is theta with L for its term, but for L[1, 0] and L[1, 1]
    there is the length t of L's second row, which is (r, sqrt(1 - r^2)) t.
    """

    free: ProfiledDeviance
    term: Term

    def start(self, theta: Floats, s: float) -> Floats:
        x = _off_zero(self.free.random, theta)
        L = self.term.factor(x)
        length = np.hypot(L[1, 0], L[1, 1])
        x[self.term.piece.theta] = L[self.term.places]
        x[self._places[1]] = length
        return np.delete(x, self._places[2])

    @property
    def bounded(self) -> Sequence[int]:
        return self._places[:2]

    def deviance(self, x: Floats, value: float) -> tuple[float, Floats]:
        _, second, third = self._places
        entries = np.insert(x, third, 0.0)
        L = np.zeros((len(self.term.piece.effects),) * 2)
        L[self.term.places] = entries[self.term.piece.theta]
        row = np.array([value, math.sqrt(max(0.0, 1 - value**2))])
        L[1, :2] = x[second] * row
        theta, Q = self.term.theta(entries, L)
        found = scores(self.free, theta)
        deviance, slopes, _ = at_variance(found, found.variance)
        gradient, by_L = self.term.slope(slopes, Q)
        gradient[self.term.piece.theta] = by_L[self.term.places]
        gradient[second] = by_L[1, :2] @ row
        return deviance, np.delete(gradient, third)

    @property
    def _places(self) -> list[int]:
        """Of L[0, 0], L[1, 0] and L[1, 1] in theta: it goes by columns."""
        start, k = self.term.piece.theta.start, len(self.term.piece.effects)
        return [start, start + 1, start + k]


def _off_zero(random: RandomDesign, theta: Floats) -> Floats:
    return np.where(random.on_diagonal, np.maximum(theta, FLOOR), theta)


def _lower(factor: Floats) -> tuple[Floats, Floats]:
    """Lower triangular R with a diagonal not below zero, and orthogonal Q: factor = R Q'."""
    Q, R = (np.asarray(part, dtype=float) for part in qr(factor.T))
    signs = np.where(np.diag(R) < 0, -1.0, 1.0)
    return (R.T * signs), Q * signs
