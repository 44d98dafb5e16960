"""Everything of the data that does not depend on theta: the cross-products of Z, X and y, made once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import Block, RandomDesign

Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Crossings:
    """A sparse matrix (q2, m k): where a row meets a level of the first block it has k values.

    values (nnz, k) and their levels (nnz,) stand row by row; row i has those from starts[i] to starts[i + 1].
    """

    values: Floats
    levels: Indices
    starts: Indices
    m: int

    def times(self, blocks: Floats) -> "Crossings":
        """Times the block-diagonal matrix of blocks (m, k, k)."""
        theirs = blocks[self.levels]
        values = self.values * theirs[:, 0] if blocks.shape[1] == 1 else (self.values[:, None] @ theirs)[:, 0]
        return Crossings(values, self.levels, self.starts, self.m)

    def matrix(self) -> sparse.csr_array:
        k = self.values.shape[1]
        columns = (self.levels[:, None] * k + np.arange(k)).ravel()
        return sparse.csr_array(
            (self.values.ravel(), columns, self.starts * k), shape=(len(self.starts) - 1, self.m * k)
        )

    def effect(self, place: int) -> sparse.csr_array:
        """The columns of one of the k effects, (q2, m)."""
        values = np.ascontiguousarray(self.values[:, place])
        return sparse.csr_array((values, self.levels, self.starts), shape=(len(self.starts) - 1, self.m))


@dataclass(frozen=True, slots=True)
class Products:
    """Cross-products, blockwise for Z1, the columns of the first block, and dense for Z2, those of the rest.

    T stands for [X, y], c = p + 1 columns. The first block has m levels of k effects; Z2 has q2 columns.
    """

    Z1Z1: Floats  # (m, k, k): Z1'Z1 is block-diagonal
    Z2Z1: Crossings  # (q2, m k)
    Z2Z2: Floats  # (q2, q2)
    Z1T: Floats  # (m, k, c)
    Z2T: Floats  # (q2, c)
    TT: Floats  # (c, c)
    n: int
    p: int


def cross_products(random: RandomDesign, X: Floats, y: Floats) -> Products:
    """The products of X (n, p), y (n,) and the columns of all blocks."""
    first, rest = random.blocks[0], random.blocks[1:]
    T = np.column_stack([X, y])
    n, c = T.shape
    Z1 = _indicators(first)
    Z2 = sparse.hstack([_indicators(block) for block in rest], format="csr") if rest else _no_columns(n)
    return Products(
        Z1Z1=_blocks_of_squares(first),
        Z2Z1=_crossings((Z2.T @ Z1).tobsr(blocksize=(1, first.k)), first.m),
        Z2Z2=(Z2.T @ Z2).toarray(),
        Z1T=(Z1.T @ T).reshape(first.m, first.k, c),
        Z2T=Z2.T @ T,
        TT=T.T @ T,
        n=n,
        p=c - 1,
    )


def _crossings(product: sparse.bsr_array, m: int) -> Crossings:
    return Crossings(product.data[:, 0], product.indices, product.indptr, m)


def _indicators(block: Block) -> sparse.csr_array:
    """Z of one block, (n, m k): row i holds its k values in the columns of its level."""
    n = len(block.codes)
    columns = block.codes[:, None] * block.k + np.arange(block.k)
    starts = np.arange(n + 1) * block.k
    return sparse.csr_array((block.Z.ravel(), columns.ravel(), starts), shape=(n, block.size))


def _no_columns(n: int) -> sparse.csr_array:
    return sparse.csr_array((n, 0))


def _blocks_of_squares(block: Block) -> Floats:
    """Z'Z of one block, level by level: (m, k, k)."""
    squares = np.empty((block.m, block.k, block.k))
    for a in range(block.k):
        for b in range(block.k):
            squares[:, a, b] = np.bincount(block.codes, block.Z[:, a] * block.Z[:, b], block.m)
    return squares
