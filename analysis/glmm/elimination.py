"""The penalised normal equations of the random effects: S = Lambda'Z'W Z Lambda + I, factored for one W.

The first block of random effects is eliminated level by level, what remains is one dense Cholesky factor, as
in `forethought.analysis.lmm.deviance`; here with what modes and gradient need besides: S^-1 applied to
vectors, and its entries at each row's own levels. Columns are those of the blocks one after another, q in all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve, cholesky

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import RandomDesign
from forethought.analysis.lmm.random_terms import Integers

CHUNK = 4_000_000
"""As many numbers are held at once where each row meets each effect of the second and later blocks."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each row's effects stand, whatever theta: `columns` (n, k) of each block, `starts` of the blocks."""

    random: RandomDesign
    columns: tuple[Integers, ...]
    starts: tuple[int, ...]

    @property
    def q(self) -> int:
        return self.starts[-1]

    def loadings(self, theta: Floats) -> "Loadings":
        """Z Lambda(theta)."""
        pairs = zip(self.random.blocks, self.random.lambdas(theta), strict=True)
        return Loadings(self, tuple(block.Z @ factor for block, factor in pairs))


def layout_of(random: RandomDesign) -> Layout:
    """The places of a design's effects."""
    starts = np.concatenate([[0], np.cumsum([block.size for block in random.blocks])])
    columns = tuple(block.codes[:, None] * block.k + np.arange(block.k) for block in random.blocks)
    return Layout(random, columns, tuple(starts.tolist()))


@dataclass(frozen=True, slots=True)
class Loadings:
    """Z Lambda: the values (n, k) of each block in each row."""

    layout: Layout
    values: tuple[Floats, ...]

    def times(self, u: Floats) -> Floats:
        """Z Lambda u, (n,), of u (q,)."""
        terms = zip(self.values, self.own(u), strict=True)
        return np.asarray(sum(np.einsum("ik,ik->i", values, mine) for values, mine in terms))

    def own(self, u: Floats) -> tuple[Floats, ...]:
        """Of u (q,) what belongs to each row's own level, (n, k) of each block."""
        layout = self.layout
        return tuple(
            u[start + columns] for start, columns in zip(layout.starts[:-1], layout.columns, strict=True)
        )

    def transposed(self, rows: Floats) -> Floats:
        """Lambda'Z' rows, (q,) of rows (n,)."""
        sums = [
            np.bincount(columns.ravel(), (values * rows[:, None]).ravel(), block.size)
            for block, columns, values in zip(
                self.layout.random.blocks, self.layout.columns, self.values, strict=True
            )
        ]
        return np.concatenate(sums)

    def first(self) -> sparse.csr_array:
        """The columns of the first block, (n, q1)."""
        columns, values = self.layout.columns[0], self.values[0]
        return _rows(values, columns, self.layout.starts[1])

    def rest(self) -> sparse.csr_array:
        """The columns of the other blocks, (n, q - q1)."""
        q1 = self.layout.starts[1]
        places = zip(self.layout.starts[1:-1], self.layout.columns[1:], strict=True)
        columns = [start - q1 + own for start, own in places]
        n = len(self.values[0])
        none, no_place = np.empty((n, 0)), np.empty((n, 0), dtype=np.intp)
        return _rows(np.hstack([none, *self.values[1:]]), np.hstack([no_place, *columns]), self.layout.q - q1)


@dataclass(frozen=True, slots=True)
class Elimination:
    """S of one W: the inverse blocks (m, k, k) of S11, T12 = S11^-1 S12, the lower factor of the rest, log |S|."""

    loadings: Loadings
    S11_inverse: Floats
    S12: sparse.csr_array
    T12: sparse.csr_array
    L22: Floats
    logdet: float

    def solve(self, right: Floats) -> Floats:
        """S^-1 right, right (q,) or (q, c)."""
        m, k, _ = self.S11_inverse.shape
        r1, r2 = right[: m * k], right[m * k :]
        t1 = (self.S11_inverse @ r1.reshape(m, k, -1)).reshape(r1.shape)
        v2 = cho_solve((self.L22, True), r2 - self.S12.T @ t1, check_finite=False) if len(r2) else r2
        return np.concatenate([t1 - self.T12 @ v2, v2])

    def own_entries(self) -> tuple[Floats, ...]:
        """Of S^-1 Lambda'z_i what belongs to row i's own levels, (n, k) of each block."""
        own = [np.empty_like(values) for values in self.loadings.values]
        columns, values = self.loadings.layout.columns[0], self.loadings.values[0]
        blocks = self.loadings.layout.random.blocks
        own[0][:] = np.einsum("ikl,il->ik", self.S11_inverse[blocks[0].codes], values)
        if len(own) == 1:
            return tuple(own)
        left, inverse = self.loadings.rest() - self.loadings.first() @ self.T12, self._inverse_of_rest()
        q1 = self.loadings.layout.starts[1]
        places = zip(self.loadings.layout.starts[1:-1], self.loadings.layout.columns[1:], strict=True)
        rest = [start - q1 + theirs for start, theirs in places]
        for rows in self._chunks(len(values)):
            entries = left[rows] @ inverse
            for effect in range(values.shape[1]):
                own[0][rows, effect] -= _row_products(self.T12[columns[rows, effect]], entries)
            for mine, theirs in zip(own[1:], rest, strict=True):
                mine[rows] = np.take_along_axis(entries, theirs[rows], axis=1)
        return tuple(own)

    def _inverse_of_rest(self) -> Floats:
        inverse: Floats = cho_solve((self.L22, True), np.eye(len(self.L22)), check_finite=False)
        return inverse

    def _chunks(self, n: int) -> Iterator[slice]:
        size = max(1, CHUNK // len(self.L22))
        return (slice(start, start + size) for start in range(0, n, size))


def eliminate(loadings: Loadings, weights: Floats) -> Elimination:
    """S for the weights (n,), the diagonal of W; it is positive definite whatever they are, if not negative."""
    block, values = loadings.layout.random.blocks[0], loadings.values[0]
    S11 = np.empty((block.m, block.k, block.k))
    for a in range(block.k):
        for b in range(block.k):
            S11[:, a, b] = np.bincount(block.codes, weights * values[:, a] * values[:, b], block.m)
    S11 += np.eye(block.k)
    S11_inverse: Floats = np.asarray(np.linalg.inv(S11) if block.k > 1 else 1 / S11, dtype=float)
    logdet = float(np.log(S11).sum()) if block.k == 1 else float(np.linalg.slogdet(S11)[1].sum())
    rest = loadings.rest()
    weighted = rest.multiply(weights[:, None]).tocsr()
    S12 = (loadings.first().T @ weighted).tocsr()
    T12 = _block_diagonal(S11_inverse) @ S12
    S22 = (rest.T @ weighted - S12.T @ T12).toarray()
    S22[np.diag_indices_from(S22)] += 1
    L22 = cholesky(S22, lower=True, overwrite_a=True, check_finite=False)
    logdet += 2 * float(np.log(np.diag(L22)).sum())
    return Elimination(loadings, S11_inverse, S12, T12.tocsr(), L22, logdet)


def _rows(values: Floats, columns: Integers, width: int) -> sparse.csr_array:
    """A sparse matrix (n, width) with the values (n, k) in the columns (n, k) of each row."""
    n, k = values.shape
    return sparse.csr_array((values.ravel(), columns.ravel(), np.arange(n + 1) * k), shape=(n, width))


def _block_diagonal(blocks: Floats) -> sparse.csr_array | sparse.bsr_array:
    m, k, _ = blocks.shape
    return sparse.bsr_array((blocks, np.arange(m), np.arange(m + 1)), shape=(m * k, m * k))


def _row_products(left: sparse.csr_array, right: Floats) -> Floats:
    """The inner product of each row of a sparse and a dense matrix of the same shape, (rows,)."""
    rows = np.repeat(np.arange(left.shape[0]), np.diff(left.indptr))
    products = left.data * right[rows, left.indices]
    return np.asarray(np.bincount(rows, products, left.shape[0]), dtype=float)
