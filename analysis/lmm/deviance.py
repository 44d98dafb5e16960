"""The profiled deviance of a linear mixed model (Bates et al. 2015, J. Stat. Softw. 67(1), sections 2.3-3).

In units of sigma the outcome's covariance is V = I + Z Lambda Lambda' Z'. The first block of random effects
is eliminated level by level, which leaves the cross-products of the others, of X and of y as they are under
V1 = I + Z1 Lambda1 Lambda1' Z1'; what remains is one dense Cholesky factor.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import Block, RandomDesign
from forethought.analysis.lmm.products import Products


@dataclass(frozen=True, slots=True)
class Factors:
    """The triangular factors at one theta, and what is left after each elimination.

    W: Lambda1 L11^-T for each level, (m, k, k), so that Z1'V1^-1 Z1 = Z1'Z1 - (Z1'Z1 W)(Z1'Z1 W)'.
    Z2Z2, Z2T: Z2'V1^-1 Z2 and Z2'V1^-1 [X, y]. L22: the factor of Lambda2' Z2'V1^-1 Z2 Lambda2 + I.
    R_X: upper, R_X'R_X = X'V^-1 X. beta: the generalised least squares coefficients.
    r2: the penalised residual sum of squares, (y - X beta)' V^-1 (y - X beta). logdet: log |V|.
    """

    lambdas: tuple[Floats, ...]
    W: Floats
    Z2Z2: Floats
    Z2T: Floats
    L22: Floats
    R_X: Floats
    beta: Floats
    r2: float
    logdet: float


def factorize(products: Products, random: RandomDesign, theta: Floats) -> Factors:
    """The factors at theta. Raises LinAlgError where X'V^-1 X is not positive definite in floating point."""
    lambdas = tuple(random.lambdas(theta))
    W, logdet = _eliminate_first(products.Z1Z1, lambdas[0])
    m, k, _ = W.shape
    WZ1T = (W.transpose(0, 2, 1) @ products.Z1T).reshape(m * k, -1)
    Z2Z1W = products.Z2Z1.times(W).matrix()
    Z2Z2 = products.Z2Z2 - (Z2Z1W @ Z2Z1W.T).toarray()
    Z2T = products.Z2T - Z2Z1W @ WZ1T
    TT = products.TT - WZ1T.T @ WZ1T

    rest, transposed = random.blocks[1:], [factor.T for factor in lambdas[1:]]
    S22 = blockwise(rest, transposed, blockwise(rest, transposed, Z2Z2).T)
    S22[np.diag_indices_from(S22)] += 1
    L22 = cholesky(S22, lower=True, overwrite_a=True, check_finite=False)
    logdet += 2 * np.log(np.diag(L22)).sum()
    R_ZT = solve_triangular(L22, blockwise(rest, transposed, Z2T), lower=True, check_finite=False)
    TT -= R_ZT.T @ R_ZT

    R_X = cholesky(TT[:-1, :-1], check_finite=False)
    R_Xy = solve_triangular(R_X, TT[:-1, -1], trans="T", check_finite=False)
    beta = solve_triangular(R_X, R_Xy, check_finite=False)
    r2 = float(TT[-1, -1] - R_Xy @ R_Xy)
    return Factors(lambdas, W, Z2Z2, Z2T, L22, R_X, beta, r2, float(logdet))


@dataclass(frozen=True, slots=True)
class ProfiledDeviance:
    """-2 log likelihood at the best beta and sigma for a theta; restricted where `reml`."""

    products: Products
    random: RandomDesign
    reml: bool

    @property
    def nu(self) -> int:
        """The degrees of freedom that estimate sigma."""
        return self.products.n - self.products.p * self.reml

    def factors(self, theta: Floats) -> Factors:
        return factorize(self.products, self.random, theta)

    def of(self, factors: Factors) -> float:
        logdet = factors.logdet + (2 * np.log(np.diag(factors.R_X)).sum() if self.reml else 0.0)
        return float(logdet + self.nu * (1 + math.log(2 * math.pi * factors.r2 / self.nu)))

    def __call__(self, theta: Floats) -> float:
        """Infinite where rounding leaves no residual."""
        try:
            factors = self.factors(theta)
        except np.linalg.LinAlgError:
            return math.inf
        return self.of(factors) if factors.r2 > 0 else math.inf


def blockwise(blocks: Sequence[Block], matrices: Sequence[Floats], rows: Floats) -> Floats:
    """Each block's matrix (k, k) applied to the rows (q2, c) of each of its levels."""
    if all(block.k == 1 for block in blocks):
        scales: Floats = np.repeat([matrix[0, 0] for matrix in matrices], [block.m for block in blocks])
        return np.multiply(rows, scales[:, None])
    pieces = np.split(rows, np.cumsum([block.size for block in blocks])[:-1])
    products = [
        (matrix @ piece.reshape(block.m, block.k, -1)).reshape(piece.shape)
        for block, matrix, piece in zip(blocks, matrices, pieces, strict=True)
    ]
    return np.concatenate(products)


def _eliminate_first(Z1Z1: Floats, factor: Floats) -> tuple[Floats, float]:
    """Lambda1 L11^-T for each level, and log |L11|^2 over all, where L11 L11' = Lambda1' Z1'Z1 Lambda1 + I."""
    S11 = factor.T @ Z1Z1 @ factor + np.eye(len(factor))
    if len(factor) == 1:
        return factor / np.sqrt(S11), float(np.log(S11).sum())
    L11 = np.linalg.cholesky(S11)
    logdet = 2 * np.log(np.diagonal(L11, axis1=1, axis2=2)).sum()
    return factor @ np.linalg.inv(L11).transpose(0, 2, 1), float(logdet)
