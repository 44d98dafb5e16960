"""Where the first block of random effects meets the others: Z1'Z2, dense or sparse, whichever costs less."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import Block

Indices = npt.NDArray[np.int32]

SPARSE_COST = 100
"""How many times longer one multiplication takes among sparse matrices than among dense ones."""

DENSE = 3
"""Up to this many cells for each one in use, dense takes about as much memory as sparse."""

FEW = 5_000_000
"""So many cells are dense even where most are empty."""

AT_ONCE = 2_000_000
"""How many numbers of Q H are held at a time."""


class Crossings(Protocol):
    """A matrix H (q2, m k), in columns level by level of the first block."""

    def times(self, blocks: Floats) -> Self:
        """Times the block-diagonal matrix of blocks (m, k, k)."""
        ...

    def square(self) -> Floats:
        """H H', (q2, q2)."""
        ...

    def between(self, a: int, b: int) -> Floats:
        """H_a H_b' of the columns of two of the k effects, (q2, q2)."""
        ...

    def onto(self, U: Floats) -> Floats:
        """H U, (q2, c), of U (m, k, c)."""
        ...

    def back(self, U: Floats) -> Floats:
        """H'U, (m, k, c), of U (q2, c)."""
        ...

    def within(self, Q: Floats) -> Floats:
        """H_j'Q H_j for each level j, (m, k, k), of a symmetric Q (q2, q2)."""
        ...


@dataclass(frozen=True, slots=True)
class DenseCrossings:
    """All cells: values (m, k, q2)."""

    values: Floats

    def times(self, blocks: Floats) -> "DenseCrossings":
        if blocks.shape[1] == 1:
            return DenseCrossings(self.values * blocks)
        k = blocks.shape[1]
        columns = [
            sum(blocks[:, b, a, None] * self.values[:, b] for b in range(1, k))
            + blocks[:, 0, a, None] * self.values[:, 0]
            for a in range(k)
        ]
        return DenseCrossings(np.stack(columns, axis=1))

    def square(self) -> Floats:
        return self._flat.T @ self._flat

    def between(self, a: int, b: int) -> Floats:
        return self.values[:, a].T @ self.values[:, b]

    def onto(self, U: Floats) -> Floats:
        return self._flat.T @ U.reshape(len(self._flat), -1)

    def back(self, U: Floats) -> Floats:
        return (self._flat @ U).reshape(*self.values.shape[:2], -1)

    def within(self, Q: Floats) -> Floats:
        m, k, q2 = self.values.shape
        found, step = np.empty((m, k, k)), max(1, AT_ONCE // max(1, q2 * k))
        for start in range(0, m, step):
            own = self.values[start : start + step]
            with_Q = (self._flat[start * k : (start + step) * k] @ Q).reshape(own.shape)
            found[start : start + step] = np.einsum("jaq,jbq->jab", with_Q, own)
        return found

    @property
    def _flat(self) -> Floats:
        m, k, q2 = self.values.shape
        return self.values.reshape(m * k, q2)


@dataclass(frozen=True, slots=True)
class SparseCrossings:
    """Where a row meets a level of the first block it has k values.

    values (nnz, k) and their levels (nnz,) stand row by row; row i has those from starts[i] to starts[i + 1].
    """

    values: Floats
    levels: Indices
    starts: Indices
    m: int

    def times(self, blocks: Floats) -> "SparseCrossings":
        theirs = blocks[self.levels]
        values = self.values * theirs[:, 0] if blocks.shape[1] == 1 else (self.values[:, None] @ theirs)[:, 0]
        return SparseCrossings(values, self.levels, self.starts, self.m)

    def square(self) -> Floats:
        matrix = self._matrix()
        return np.asarray((matrix @ matrix.T).toarray())

    def between(self, a: int, b: int) -> Floats:
        return np.asarray((self._effect(a) @ self._effect(b).T).toarray())

    def onto(self, U: Floats) -> Floats:
        return np.asarray(self._matrix() @ U.reshape(-1, U.shape[2]))

    def back(self, U: Floats) -> Floats:
        return np.asarray(self._matrix().T @ U).reshape(self.m, -1, U.shape[1])

    def within(self, Q: Floats) -> Floats:
        """Cell by cell with the one 0, 1, 2 ... places further on in the same level."""
        k, order = self.values.shape[1], np.argsort(self.levels, kind="stable")
        values, levels = self.values[order], self.levels[order]
        rows = np.repeat(np.arange(len(Q)), np.diff(self.starts))[order]
        ends = np.cumsum(np.bincount(levels, minlength=self.m))[levels]
        found = np.zeros((self.m, k, k))
        left, apart = np.arange(len(order)), 0
        while len(left):
            right = left + apart
            between = Q[rows[left], rows[right]]
            for a, b in np.ndindex(k, k):
                products = values[left, a] * between * values[right, b]
                sums = np.bincount(levels[left], products, self.m)
                found[:, a, b] += sums
                if apart:
                    found[:, b, a] += sums
            apart += 1
            left = left[left + apart < ends[left]]
        return found

    def _matrix(self) -> sparse.csr_array:
        k = self.values.shape[1]
        columns = (self.levels[:, None] * k + np.arange(k)).ravel()
        shape = (len(self.starts) - 1, self.m * k)
        return sparse.csr_array((self.values.ravel(), columns, self.starts * k), shape=shape)

    def _effect(self, place: int) -> sparse.csr_array:
        """The columns of one of the k effects, (q2, m)."""
        values = np.ascontiguousarray(self.values[:, place])
        return sparse.csr_array((values, self.levels, self.starts), shape=(len(self.starts) - 1, self.m))


def crossings(first: Block, rest: Sequence[Block]) -> Crossings:
    """Z2'Z1 of the first block with the rest."""
    q2 = sum(block.size for block in rest)
    met = min(q2, len(first.codes) * sum(block.k for block in rest) / first.m)
    small = q2 * first.size <= FEW or q2 <= DENSE * met
    return (
        dense_crossings(first, rest)
        if small and q2**2 <= SPARSE_COST * met**2
        else sparse_crossings(first, rest)
    )


def meetings(left: Block, right: Block) -> Floats:
    """The products of the columns of two blocks, dense, (m, k, right's m, right's k)."""
    cells = left.codes * right.m + right.codes
    found = np.empty((left.m, left.k, right.m, right.k))
    for a in range(left.k):
        for b in range(right.k):
            sums = np.bincount(cells, left.Z[:, a] * right.Z[:, b], left.m * right.m)
            found[:, a, :, b] = sums.reshape(left.m, right.m)
    return found


def dense_crossings(first: Block, rest: Sequence[Block]) -> DenseCrossings:
    """Z2'Z1 with all cells."""
    none = [np.empty((first.m, first.k, 0))]
    found = [meetings(first, block).reshape(first.m, first.k, -1) for block in rest]
    return DenseCrossings(np.concatenate(found or none, axis=2))


def sparse_crossings(first: Block, rest: Sequence[Block]) -> SparseCrossings:
    """Z2'Z1 with the cells in use."""
    Z2 = sparse.hstack([_indicators(block) for block in rest], format="csr")
    product = (Z2.T @ _indicators(first)).tobsr(blocksize=(1, first.k))
    return SparseCrossings(product.data[:, 0], product.indices, product.indptr, first.m)


def _indicators(block: Block) -> sparse.csr_array:
    """Z of one block, (n, m k): row i holds its k values in the columns of its level."""
    n = len(block.codes)
    columns = block.codes[:, None] * block.k + np.arange(block.k)
    starts = np.arange(n + 1) * block.k
    return sparse.csr_array((block.Z.ravel(), columns.ravel(), starts), shape=(n, block.size))
