"""Everything of the data that does not depend on theta: the cross-products of Z, X and y, made once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import Block, RandomDesign
from forethought.analysis.lmm.crossings import Crossings, crossings, meetings


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
    rows: tuple[slice, ...]  # where each block after the first stands in Z2
    n: int
    p: int


@dataclass(frozen=True, slots=True)
class DesignProducts:
    """The products that do not depend on the outcome, and what makes the others; `blocks` are weighted."""

    blocks: tuple[Block, ...]
    X: Floats
    Z1Z1: Floats
    Z2Z1: Crossings
    Z2Z2: Floats
    Z1X: Floats  # (m, k, p)
    Z2X: Floats  # (q2, p)
    XX: Floats
    rows: tuple[slice, ...]

    def with_outcome(self, y: Floats) -> Products:
        """All products, with the outcome y (n,)."""
        y1, y2 = _onto(self.blocks, y[:, None])
        Xy = self.X.T @ y
        n, p = self.X.shape
        TT = np.empty((p + 1, p + 1))
        TT[:p, :p], TT[:p, p], TT[p, :p], TT[p, p] = self.XX, Xy, Xy, y @ y
        Z1T = np.concatenate([self.Z1X, y1], axis=2)
        Z2T = np.concatenate([self.Z2X, y2], axis=1)
        return Products(self.Z1Z1, self.Z2Z1, self.Z2Z2, Z1T, Z2T, TT, self.rows, n, p)


def design_products(random: RandomDesign, X: Floats, roots: Floats | None = None) -> DesignProducts:
    """The products of X (n, p) and the columns of all blocks; these are multiplied by roots (n,) where given."""
    blocks = random.blocks if roots is None else tuple(block.times(roots) for block in random.blocks)
    first, rest = blocks[0], blocks[1:]
    Z1X, Z2X = _onto(blocks, X)
    return DesignProducts(
        blocks,
        X,
        _squares(first),
        crossings(first, rest),
        _between_rest(rest),
        Z1X,
        Z2X,
        X.T @ X,
        _rows(rest),
    )


def _onto(blocks: Sequence[Block], T: Floats) -> tuple[Floats, Floats]:
    """Z1'T, (m, k, c), and Z2'T, (q2, c), of the columns T (n, c)."""
    first, *others = [_sums(block, T) for block in blocks]
    c = T.shape[1]
    return first, np.concatenate([each.reshape(-1, c) for each in others] or [np.empty((0, c))])


def _sums(block: Block, T: Floats) -> Floats:
    """Z'T of one block, level by level: (m, k, c)."""
    sums = np.empty((block.m, block.k, T.shape[1]))
    for a in range(block.k):
        weighted = block.Z[:, a, None] * T
        for column in range(T.shape[1]):
            sums[:, a, column] = np.bincount(block.codes, weighted[:, column], block.m)
    return sums


def _squares(block: Block) -> Floats:
    """Z'Z of one block, level by level: (m, k, k)."""
    return _sums(block, block.Z)


def _rows(blocks: Sequence[Block]) -> tuple[slice, ...]:
    ends = np.cumsum([0, *(block.size for block in blocks)]).tolist()
    return tuple(slice(start, stop) for start, stop in pairwise(ends))


def _between_rest(blocks: Sequence[Block]) -> Floats:
    """Z2'Z2, (q2, q2)."""
    places = _rows(blocks)
    found = np.zeros((sum(block.size for block in blocks),) * 2)
    for i, left in enumerate(blocks):
        for j, right in enumerate(blocks[: i + 1]):
            rows, columns = places[i], places[j]
            found[rows, columns] = _diagonal(left) if i == j else meetings(left, right).reshape(left.size, -1)
            found[columns, rows] = found[rows, columns].T
    return found


def _diagonal(block: Block) -> Floats:
    found = np.zeros((block.m, block.k, block.m, block.k))
    levels = np.arange(block.m)
    found[levels, :, levels] = _squares(block)
    return found.reshape(block.size, block.size)
