"""The exact gradient of the deviance, and the pieces it shares with inference.

With S_t = Lambda_t Lambda_t', V = I + sum_t Z_t (I x S_t) Z_t' and e = y - X beta, for a fixed residual
variance s (in the profiled deviance s = r2 / nu) the deviance changes by sum_t tr(G_t dS_t) with

    G_t = sum over levels j of  (Z_t'V^-1 Z_t)_jj  -  R_j R_j' (REML)  -  q_j q_j' / s,

where R = Z_t'V^-1 X R_X^-1 and q = Z_t'V^-1 e; hence d deviance / d Lambda_t = 2 G_t Lambda_t at its free
entries (from d log|V| = tr(V^-1 dV) and d V^-1 = -V^-1 dV V^-1). It stays finite where a variance is zero.
"""

from dataclasses import dataclass

import numpy as np

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.deviance import Factors, ProfiledDeviance
from forethought.analysis.lmm.elimination import Elimination, elimination
from forethought.analysis.lmm.triangular import solved_transposed


@dataclass(frozen=True, slots=True)
class BlockScores:
    """Of one block: `traces` (k, k), the sum of (Z'V^-1 Z)_jj; R (m, k, p); q (m, k); Lambda (k, k)."""

    traces: Floats
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

    def slope(self, variance: float, *, reml: bool) -> Floats:
        """G (k, k), the derivative of the deviance by the symmetric Lambda Lambda'."""
        return self.traces - self.of_fixed * reml - self.of_residual / variance


@dataclass(frozen=True, slots=True)
class Scores:
    """The pieces of the gradient at one theta, block by block."""

    deviance: ProfiledDeviance
    factors: Factors
    elimination: Elimination
    blocks: tuple[BlockScores, ...]

    @property
    def variance(self) -> float:
        """The residual variance that is best at this theta."""
        return self.factors.r2 / self.deviance.nu

    def slopes(self, variance: float | None = None) -> list[Floats]:
        """G of each block."""
        return [b.slope(variance or self.variance, reml=self.deviance.reml) for b in self.blocks]

    def gradient(self, variance: float | None = None) -> Floats:
        """Of the deviance by theta, (n_theta,); profiled over the residual variance unless one is given."""
        pairs = zip(self.slopes(variance), self.blocks, strict=True)
        return self.deviance.random.free([2 * G @ block.Lambda for G, block in pairs])

    def gradient_by_log_variance(self, variance: float) -> Floats:
        """The derivative of `gradient(variance)` by the variance's logarithm, (n_theta,)."""
        return self.deviance.random.free([2 * b.of_residual @ b.Lambda / variance for b in self.blocks])


def scores(deviance: ProfiledDeviance, theta: Floats, factors: Factors | None = None) -> Scores:
    """The pieces of the gradient at theta, from its factors where they are known.

    Raises LinAlgError where the model cannot be factored, or rounding leaves no residual.
    """
    factors = factors or deviance.factors(theta)
    if not factors.r2 > 0:
        raise np.linalg.LinAlgError("rounding leaves no residual")
    between = elimination(deviance, factors)
    T = _standard_columns(factors)
    Z2T = factors.Z2T @ T
    first = _under_first(between.E, _turned(deviance.products.Z1T, T)) - between.H.back(between.Q @ Z2T)
    rest = between.F.T @ Z2T
    diagonals = [blocks.sum(axis=0) for blocks in between.diagonal()]
    sides = [first, *(rest[rows] for rows in between.rows)]
    blocks = tuple(
        _block_scores(traces, side.reshape(block.m, block.k, -1), factor)
        for block, traces, side, factor in zip(
            deviance.random.blocks, diagonals, sides, factors.lambdas, strict=True
        )
    )
    return Scores(deviance, factors, between, blocks)


def _turned(Z1T: Floats, T: Floats) -> Floats:
    """Z1'[X, y] in the standard columns, in one product."""
    return (Z1T.reshape(-1, len(T)) @ T).reshape(Z1T.shape)


def _under_first(E: Floats, columns: Floats) -> Floats:
    """Z1'V1^-1 T = E' Z1'T, level by level."""
    return E * columns if E.shape[1] == 1 else E.transpose(0, 2, 1) @ columns


def _block_scores(traces: Floats, ZVT: Floats, factor: Floats) -> BlockScores:
    return BlockScores(traces, ZVT[:, :, :-1], ZVT[:, :, -1], factor)


def _standard_columns(factors: Factors) -> Floats:
    """What makes [X R_X^-1, y - X beta] of [X, y], (p + 1, p + 1)."""
    p = len(factors.beta)
    columns = np.eye(p + 1)
    columns[:p, :p] = solved_transposed(factors.R_X.T, columns[:p, :p])
    columns[:p, p] = -factors.beta
    return columns
