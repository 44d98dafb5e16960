"""The exact gradient of the deviance, and the pieces it shares with inference.

With S_t = Lambda_t Lambda_t', V = I + sum_t Z_t (I x S_t) Z_t' and e = y - X beta, for a fixed residual
variance s (in the profiled deviance s = r2 / nu) the deviance changes by sum_t tr(G_t dS_t) with

    G_t = sum over levels j of  (Z_t'V^-1 Z_t)_jj  -  R_j R_j' (REML)  -  q_j q_j' / s,

where R = Z_t'V^-1 X R_X^-1 and q = Z_t'V^-1 e; hence d deviance / d Lambda_t = 2 G_t Lambda_t at its free
entries (from d log|V| = tr(V^-1 dV) and d V^-1 = -V^-1 dV V^-1). It stays finite where a variance is zero.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack, solve_triangular

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.deviance import Factors, ProfiledDeviance, blockwise
from forethought.analysis.lmm.products import Crossings


@dataclass(frozen=True, slots=True)
class BlockScores:
    """Of one block: `logdet` (k, k), the sum of (Z'V^-1 Z)_jj Lambda; R (m, k, p); q (m, k); Lambda (k, k)."""

    logdet: Floats
    R: Floats
    q: Floats
    Lambda: Floats

    @property
    def of_fixed(self) -> Floats:
        """Sum over levels of R_j R_j', (k, k)."""
        flat = self.R.transpose(1, 0, 2).reshape(len(self.Lambda), -1)
        return flat @ flat.T

    @property
    def of_residual(self) -> Floats:
        return self.q.T @ self.q


@dataclass(frozen=True, slots=True)
class Scores:
    """The pieces of the gradient at one theta, block by block."""

    deviance: ProfiledDeviance
    factors: Factors
    blocks: tuple[BlockScores, ...]

    @property
    def variance(self) -> float:
        """The residual variance that is best at this theta."""
        return self.factors.r2 / self.deviance.nu

    def gradient(self, variance: float | None = None) -> Floats:
        """Of the deviance by theta, (n_theta,); profiled over the residual variance unless one is given."""
        s = variance or self.variance
        reml = self.deviance.reml
        slopes = [2 * (b.logdet - (b.of_fixed * reml + b.of_residual / s) @ b.Lambda) for b in self.blocks]
        return self.deviance.random.free(slopes)

    def gradient_by_log_variance(self, variance: float) -> Floats:
        """The derivative of `gradient(variance)` by the variance's logarithm, (n_theta,)."""
        return self.deviance.random.free([2 * b.of_residual @ b.Lambda / variance for b in self.blocks])


def scores(deviance: ProfiledDeviance, theta: Floats) -> Scores:
    """The pieces of the gradient at theta. Raises LinAlgError where the model cannot be factored."""
    factors = deviance.factors(theta)
    rest = deviance.random.blocks[1:]
    transposed = [factor.T for factor in factors.lambdas[1:]]
    T = _standard_columns(factors)
    S22_inverse = _inverse(factors.L22)
    LZ2Z2 = blockwise(rest, transposed, factors.Z2Z2)
    Z2T = factors.Z2T @ T
    u = S22_inverse @ blockwise(rest, transposed, Z2T)  # Z2'V^-1 T = Z2'V1^-1 T - (Z2'V1^-1 Z2) Lambda2 u

    first = _first_block(deviance, factors, T, S22_inverse, u)
    Z2VT = Z2T - LZ2Z2.T @ u
    blocks, start = [first], 0
    for block, factor in zip(rest, factors.lambdas[1:], strict=True):
        rows = slice(start, start + block.size)
        shape = (-1, block.m, block.k)
        logdet = np.einsum("qja,qjb->ab", LZ2Z2[:, rows].reshape(shape), S22_inverse[:, rows].reshape(shape))
        blocks.append(_block_scores(logdet, Z2VT[rows].reshape(block.m, block.k, -1), factor))
        start = rows.stop
    return Scores(deviance, factors, tuple(blocks))


def _first_block(
    deviance: ProfiledDeviance, factors: Factors, T: Floats, S22_inverse: Floats, u: Floats
) -> BlockScores:
    """The scores of the block that was eliminated: E_j = I - W_j W_j' (Z1'Z1)_j, H = Z2'V1^-1 Z1."""
    products, (block, *rest) = deviance.products, deviance.random.blocks
    factor, lambdas = factors.lambdas[0], factors.lambdas[1:]
    E = np.eye(block.k) - factors.W @ (factors.W.transpose(0, 2, 1) @ products.Z1Z1)
    H = products.Z2Z1.times(E)
    Q = blockwise(rest, lambdas, blockwise(rest, lambdas, S22_inverse).T)
    logdet = ((products.Z1Z1 @ E).sum(axis=0) - _inner(H, Q)) @ factor
    Z1V1T = E.transpose(0, 2, 1) @ (products.Z1T @ T)
    Z1VT = Z1V1T - (H.matrix().T @ blockwise(rest, lambdas, u)).reshape(Z1V1T.shape)
    return _block_scores(logdet, Z1VT, factor)


def _block_scores(logdet: Floats, ZVT: Floats, factor: Floats) -> BlockScores:
    return BlockScores(logdet, ZVT[:, :, :-1], ZVT[:, :, -1], factor)


def _standard_columns(factors: Factors) -> Floats:
    """What makes [X R_X^-1, y - X beta] of [X, y], (p + 1, p + 1)."""
    p = len(factors.beta)
    columns = np.eye(p + 1)
    columns[:p, :p] = solve_triangular(factors.R_X, np.eye(p), check_finite=False)
    columns[:p, p] = -factors.beta
    return columns


def _inverse(L: Floats) -> Floats:
    """(L L')^-1 of a lower Cholesky factor."""
    if not len(L):
        return L
    inverse: Floats = lapack.dpotri(L, lower=1)[0]  # its lower triangle
    return np.tril(inverse) + np.tril(inverse, -1).T


def _inner(H: Crossings, Q: Floats) -> Floats:
    """Sum over levels j of H_j' Q H_j, (k, k)."""
    effects = [H.effect(place) for place in range(H.values.shape[1])]
    return np.array([[np.vdot(Q, (left @ right.T).toarray()) for right in effects] for left in effects])
