"""Kenward and Roger's covariance and degrees of freedom, block by block.

The covariance of y is sigma^2 V, V = I + sum_i s_i G_i, with G_i = Z E_i Z' and s_i the free entries of the random
effects' covariance. With P_i = -X'V^-1 G_i V^-1 X, Q_ij = X'V^-1 G_i V^-1 G_j V^-1 X and Phi = (X'V^-1 X)^-1,

    W = 2 I^-1,  I_ij = tr(V^-1 G_i V^-1 G_j) - 2 tr(Phi Q_ij) + tr(Phi P_i Phi P_j)
    adjusted covariance = Phi + 2 Phi (sum_ij W_ij (Q_ij - P_i Phi P_j)) Phi

(Kenward and Roger 1997, Biometrics 53:983; as in Halekoh and Hojsgaard 2014, J. Stat. Softw. 59(9)). Nothing of
this depends on the basis of the directions in which the covariance moves. In place of the residual's I we take V
itself: then tr(V^-1 G_i V^-1 V) = tr(V^-1 G_i), P = -X'V^-1 X and Q = -P_i need nothing new, nothing cancels, and
V adds nothing to the adjustment. With X R_X^-1 in place of X, Phi is the identity and P_i = -R'E_i R,
Q_ij = R'E_i A E_j R, where R = Z'V^-1 X R_X^-1 and A = Z'V^-1 Z is never formed.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from forethought.analysis.designs import Floats
from forethought.analysis.given_frames import unwritable
from forethought.analysis.inference import RANK_TOLERANCE, DdfMethod, FTest, f_test, uncorrelated
from forethought.analysis.lmm.gram import Element, Gram, gram
from forethought.analysis.lmm.optimum import inverse_where_informed
from forethought.analysis.lmm.solution import Solution

NEAR_TWO = 1e-2
"""Denominators this close to 2 leave F unscaled, as in pbkrtest."""

NO_MEAN = 1e-14
"""F has no mean where two residual degrees of freedom are left; the ratio of two such zeros is one, as in pbkrtest."""


@dataclass(frozen=True, slots=True)
class KenwardRoger:
    """Inference about beta in small samples.

    vcov: the adjusted covariance (p, p). root: C (p, p) with the unadjusted covariance C C'. slopes: the P_i in the
    basis C, (directions, p, p), that of V last. parameters: W, (directions, directions).
    """

    vcov: Floats
    root: Floats
    slopes: Floats
    parameters: Floats

    method: DdfMethod = "kenward-roger"

    def df(self, weights: Floats) -> float:
        """Degrees of freedom of weights'beta, weights (p,)."""
        return self._moments(weights[None]).den_df

    def test(self, L: Floats, beta: Floats) -> FTest:
        """Whether L beta = 0, by a scaled F; it does not depend on the basis in which L is written."""
        moments = self._moments(L)
        F = float((uncorrelated(L, beta, self.vcov).values ** 2).mean())
        return f_test(moments.scale * F, moments.q, moments.den_df)

    def _moments(self, L: Floats) -> "_Moments":
        _, lengths, directions = np.linalg.svd(L @ self.root, full_matrices=False)
        N = directions[lengths**2 > RANK_TOLERANCE * lengths[0] ** 2]
        within = N @ self.slopes @ N.T
        traces = np.trace(within, axis1=1, axis2=2)
        A1 = float(traces @ self.parameters @ traces)
        A2 = float(np.einsum("ij,iab,jba->", self.parameters, within, within))
        return _Moments(len(N), A1, A2)


@dataclass(frozen=True, slots=True)
class _Moments:
    """The two moments of Wald's F that decide its scale and denominator; q is its numerator's."""

    q: int
    A1: float
    A2: float

    @property
    def den_df(self) -> float:
        """4 + (q + 2) / (q rho - 1) of Kenward and Roger, written so that no zero divides."""
        q, A1, A2 = self.q, self.A1, self.A2
        B = (A1 + 6 * A2) / (2 * q)
        g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
        c1, c2, c3 = (part / (3 * q + 2 * (1 - g)) for part in (g, q - g, q + 2 - g))
        V0, V1, V2 = 1 + c1 * B, 1 - c2 * B, 1 - c3 * B
        mean = 1 - A2 / q
        ratio = 1.0 if max(abs(mean), abs(V1)) < NO_MEAN else mean / V1
        return 4 + (q + 2) * V2 / (ratio**2 * V0 - V2)

    @property
    def scale(self) -> float:
        df = self.den_df
        return 1.0 if abs(df - 2) < NEAR_TWO else df * (1 - self.A2 / self.q) / (df - 2)


def kenward_roger(solution: Solution) -> KenwardRoger:
    """From the scores at the optimum of REML, for which alone it is defined; see `inference.require_method`.

    A singular fit is taken at its zero variances, as in pbkrtest; directions that the data say nothing about are left
    out of W. Weights enter V, which pbkrtest 0.5 leaves out.
    """
    scores = solution.scores
    A = gram(scores)
    free = np.flatnonzero(A.free).tolist()
    R = [block.R for block in scores.blocks]
    slopes, adjustments = _fixed_parts(A, [A.elements[place] for place in free], R)
    W = _parameters(A, free, slopes, adjustments, solution)
    p = slopes.shape[1]
    bias = np.einsum("ij,ijab->ab", W[:-1, :-1], adjustments - slopes[:, None] @ slopes[None])
    root = _root(solution)
    vcov = root @ (np.eye(p) + bias + bias.T) @ root.T
    return KenwardRoger(unwritable(vcov), root, np.concatenate([slopes, -np.eye(p)[None]]), W)


def _fixed_parts(A: Gram, elements: list[Element], R: list[Floats]) -> tuple[Floats, Floats]:
    """P_i (elements, p, p) and Q_ij (elements, elements, p, p)."""
    p, count = R[0].shape[2], len(elements)
    moved = [np.zeros((*part.shape[:2], count, p)) for part in R]
    for place, (block, a, b) in enumerate(elements):
        moved[block][:, a, place] = R[block][:, b]
        moved[block][:, b, place] = R[block][:, a]
    flat = [part.reshape(*part.shape[:2], -1) for part in moved]
    slopes = -sum(np.einsum("jkp,jkc->pc", part, own) for part, own in zip(R, flat, strict=True))
    crossed = sum(
        part.reshape(-1, count * p).T @ times.reshape(-1, count * p)
        for part, times in zip(flat, A.times(flat), strict=True)
    )
    by_element = np.asarray(slopes).reshape(p, count, p).transpose(1, 0, 2)
    return by_element, np.asarray(crossed).reshape(count, p, count, p).transpose(0, 2, 1, 3)


def _parameters(A: Gram, free: list[int], slopes: Floats, adjustments: Floats, solution: Solution) -> Floats:
    """W over the free elements and V, (elements + 1, elements + 1)."""
    size, nu = len(free), solution.deviance.nu
    information = np.empty((size + 1, size + 1))
    of_fixed = 2 * np.einsum("ijaa->ij", adjustments) - np.einsum("iab,jba->ij", slopes, slopes)
    information[:size, :size] = A.pairs()[np.ix_(free, free)] - of_fixed
    information[size, :size] = A.traces()[free] + np.trace(slopes, axis1=1, axis2=2)
    information[:size, size] = information[size, :size]
    information[size, size] = nu
    return 2 * inverse_where_informed(information)


def _root(solution: Solution) -> Floats:
    """C with vcov = C C' and X C = sigma times the columns of which R is made."""
    R_X, basis = solution.scores.factors.R_X, solution.standard.basis
    inverse = solve_triangular(R_X, np.eye(len(R_X)), check_finite=False)
    return solution.sigma * np.asarray(solve_triangular(basis.R, inverse, check_finite=False))
