"""The profiled deviance of a linear mixed model (Bates et al. 2015, J. Stat. Softw. 67(1), sections 2.3-3).

In units of sigma the outcome's covariance is V = I + Z Lambda Lambda' Z'. The first block of random effects
is eliminated level by level, which leaves the cross-products of the others, of X and of y as they are under
V1 = I + Z1 Lambda1 Lambda1' Z1'; what remains is one dense Cholesky factor.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import Block, RandomDesign
from forethought.analysis.lmm.products import Products
from forethought.analysis.lmm.triangular import lower_factor, solved, solved_transposed


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
    Z2Z1W = products.Z2Z1.times(W)
    WZ1T = _transposed(W, products.Z1T)
    flat = WZ1T.reshape(-1, WZ1T.shape[2])
    Z2Z2 = products.Z2Z2 - Z2Z1W.square()
    Z2T = products.Z2T - Z2Z1W.onto(WZ1T)
    TT = products.TT - flat.T @ flat

    rest, transposed = random.blocks[1:], [factor.T for factor in lambdas[1:]]
    S22 = blockwise(rest, transposed, blockwise(rest, transposed, Z2Z2).T)
    S22.flat[:: len(S22) + 1] += 1
    L22 = lower_factor(S22)
    logdet += 2 * np.log(np.diag(L22)).sum()
    R_ZT = solved(L22, blockwise(rest, transposed, Z2T))
    TT -= R_ZT.T @ R_ZT

    L_X = lower_factor(TT[:-1, :-1])
    R_Xy = solved(L_X, TT[:-1, -1])
    beta = solved_transposed(L_X, R_Xy)
    r2 = float(TT[-1, -1] - R_Xy @ R_Xy)
    return Factors(lambdas, W, Z2Z2, Z2T, L22, L_X.T, beta, r2, float(logdet))


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
        factors = self.possible(theta)
        return math.inf if factors is None else self.of(factors)

    def possible(self, theta: Floats) -> Factors | None:
        """The factors where rounding leaves a residual."""
        try:
            factors = self.factors(theta)
        except np.linalg.LinAlgError:
            return None
        return factors if factors.r2 > 0 else None


def blockwise(blocks: Sequence[Block], matrices: Sequence[Floats], rows: Floats) -> Floats:
    """Each block's matrix (k, k) applied to the rows (q2, c) of each of its levels."""
    if len(blocks) == 1 and blocks[0].k == 1:
        scaled: Floats = rows * matrices[0][0, 0]
        return scaled
    if all(block.k == 1 for block in blocks):
        scales: Floats = np.repeat([matrix[0, 0] for matrix in matrices], [block.m for block in blocks])
        return np.multiply(rows, scales[:, None])
    pieces = np.split(rows, np.cumsum([block.size for block in blocks])[:-1])
    products = [
        (matrix @ piece.reshape(block.m, block.k, -1)).reshape(piece.shape)
        for block, matrix, piece in zip(blocks, matrices, pieces, strict=True)
    ]
    return np.concatenate(products)


def _transposed(blocks: Floats, columns: Floats) -> Floats:
    """Each level's block (k, k), transposed, times its columns (k, c)."""
    return blocks * columns if blocks.shape[1] == 1 else blocks.transpose(0, 2, 1) @ columns


def _eliminate_first(Z1Z1: Floats, factor: Floats) -> tuple[Floats, float]:
    """Lambda1 L11^-T for each level, and log |L11|^2 over all, where L11 L11' = Lambda1' Z1'Z1 Lambda1 + I."""
    k = len(factor)
    if k == 1:
        S11 = factor**2 * Z1Z1 + 1
        return factor / np.sqrt(S11), float(np.log(S11).sum())
    L, logdet = _factors_by_level(factor.T @ Z1Z1 @ factor + np.eye(k))
    W = np.empty(Z1Z1.shape)
    for a in range(k):
        known = sum(W[:, :, b] * L[a][b][:, None] for b in range(a))
        W[:, :, a] = (factor[:, a] - known) / L[a][a][:, None]
    return W, logdet


def _factors_by_level(S: Floats) -> tuple[list[list[Floats]], float]:
    """The entries L[a][b], each (m,), of the Cholesky factors of S (m, k, k), and the sum of log |S|.

    Over all levels at once, entry by entry: many small factors one by one would cost mostly calls.
    """
    L = list[list[Floats]]()
    logdet = 0.0
    for a in range(S.shape[1]):
        row = list[Floats]()
        for b in range(a):
            row.append((S[:, a, b] - sum(row[c] * L[b][c] for c in range(b))) / L[b][b])
        square = S[:, a, a] - sum(entry**2 for entry in row)
        logdet += float(np.log(square).sum())
        L.append([*row, np.sqrt(square)])
    return L, logdet
