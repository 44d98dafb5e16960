"""The random effects: their columns, their levels, and the relative covariance factor Lambda(theta).

A piece is one `(effects | group)` as lme4 counts them; a block is all pieces of one grouping factor. The
covariance of a block's effects at one level is sigma^2 Lambda Lambda', with Lambda lower triangular and
zero between pieces; theta holds its free entries (Bates et al. 2015, section 2.2).
"""

import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import block_diag, qr

from forethought.analysis.designs import Floats, ModelData
from forethought.analysis.lmm.random_terms import Integers, Term, random_terms, split_warnings
from forethought.errors import ModelNotFitted

INTERCEPT = "Intercept"

SINGULAR = 1e-4
"""A relative standard deviation below this counts as zero, as in lme4's isSingular."""

BYTES_A_PAIR = 100
"""What a fit takes at its peak for each pair of random effects outside the first block: some twelve numbers."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One random term: effects that are correlated with each other and with nothing else.

    `first` is the place of its first effect in its block, `theta` that of its entries in theta.
    """

    group: str
    effects: tuple[str, ...]
    first: int
    theta: slice

    @property
    def entries(self) -> tuple[Integers, Integers]:
        """Rows and columns of its free entries in the block's Lambda: a lower triangle, by columns."""
        return _lower_triangle(len(self.effects), self.first)

    @property
    def own(self) -> slice:
        """Where its effects stand in its block."""
        return slice(self.first, self.first + len(self.effects))


@cache
def _lower_triangle(k: int, first: int) -> tuple[Integers, Integers]:
    """Rows and columns of the entries of a (k, k) triangle that starts at (first, first), by columns."""
    columns, rows = np.triu_indices(k)
    return rows + first, columns + first


@dataclass(frozen=True, slots=True)
class Block:
    """One grouping factor with m levels and k effects: codes (n,) in 0..m-1, columns Z (n, k).

    Columns have unit standard deviation, and mean zero where the piece has an intercept; effects in data units
    are `units` (k, k) times the effects of these columns.
    """

    group: str
    levels: pd.Index
    codes: Integers
    Z: Floats
    units: Floats
    pieces: tuple[Piece, ...]

    @property
    def m(self) -> int:
        return len(self.levels)

    @property
    def k(self) -> int:
        return len(self.units)

    @property
    def effects(self) -> tuple[str, ...]:
        return tuple(effect for piece in self.pieces for effect in piece.effects)

    @property
    def size(self) -> int:
        return self.m * self.k

    def times(self, roots: Floats) -> "Block":
        """The block with its columns' rows multiplied by roots (n,)."""
        return replace(self, Z=self.Z * roots[:, None])


@dataclass(frozen=True)
class RandomDesign:
    """All blocks, the one with most random effects first, and the pieces in lme4's order."""

    blocks: tuple[Block, ...]
    pieces: tuple[Piece, ...]
    warnings: tuple[str, ...]

    @property
    def n_theta(self) -> int:
        return sum(len(piece.effects) * (len(piece.effects) + 1) // 2 for piece in self.pieces)

    def lambdas(self, theta: Floats) -> list[Floats]:
        """Lambda (k, k) of each block."""
        return [self._filled(block, theta) for block in self.blocks]

    def free(self, matrices: Sequence[Floats]) -> Floats:
        """The entries of matrices shaped like the Lambdas, (k, k, ...), that are free, in theta's order."""
        theta = np.empty((self.n_theta, *matrices[0].shape[2:]))
        for block, matrix in zip(self.blocks, matrices, strict=True):
            for piece in block.pieces:
                theta[piece.theta] = matrix[piece.entries]
        return theta

    @cached_property
    def on_diagonal(self) -> npt.NDArray[np.bool_]:
        """Which entries of theta are relative standard deviations; they cannot be negative."""
        return np.equal(self.free([np.eye(block.k) for block in self.blocks]), 1.0)

    def signs(self, theta: Floats) -> Floats:
        """The factors, 1 or -1 for each entry, that make Lambda's diagonal positive; its model stays."""
        if theta[self.on_diagonal].min() >= 0:
            return np.ones(len(theta))
        flips = [np.where(np.diag(factor) < 0, -1.0, 1.0) for factor in self.lambdas(theta)]
        return self.free([np.tile(flip, (len(flip), 1)) for flip in flips])

    def in_data_units(self, theta: Floats) -> Floats:
        """Theta as it belongs to the columns as they were given: the same covariance, factored there."""
        factors = zip(self.blocks, self.lambdas(theta), strict=True)
        return self.free([_lower_factor(block.units @ factor) for block, factor in factors])

    @property
    def n_groups(self) -> dict[str, int]:
        """Levels of each grouping factor, in lme4's order."""
        levels = {block.group: block.m for block in self.blocks}
        return {piece.group: levels[piece.group] for piece in self.pieces}

    def covariances(self, theta: Floats, sigma: float) -> list[Floats]:
        """The covariance of each piece's effects, (k, k), in data units."""
        lambdas = dict(zip((block.group for block in self.blocks), self.lambdas(theta), strict=True))
        units = {block.group: block.units for block in self.blocks}
        factors = [
            sigma * units[one.group][one.own, one.own] @ lambdas[one.group][one.own, one.own]
            for one in self.pieces
        ]
        return [factor @ factor.T for factor in factors]

    def singular_groups(self, theta: Floats) -> tuple[str, ...]:
        """Groups with a variance of zero or a correlation of one."""
        zero = self.on_diagonal & (np.abs(theta) < SINGULAR)
        return tuple(dict.fromkeys(piece.group for piece in self.pieces if zero[piece.theta].any()))

    def singular_warnings(self, theta: Floats) -> tuple[str, ...]:
        """What a fit at theta says of itself where it is singular."""
        if not (groups := self.singular_groups(theta)):
            return ()
        return (
            f"singular fit: a variance is estimated as zero or a correlation as one in {', '.join(groups)}",
        )

    @staticmethod
    def _filled(block: Block, theta: Floats) -> Floats:
        factor = np.zeros((block.k, block.k))
        for piece in block.pieces:
            factor[piece.entries] = theta[piece.theta]
        return factor


def random_design(data: ModelData, *, residual: bool = True) -> RandomDesign:
    """The random effects of a formula. Raises ModelNotFitted where they cannot be told from each other or the residual.

    residual: whether the model has one. Without it, as in a Poisson model, each row may have an effect of its own.
    """
    if not data.formula.random:
        raise ModelNotFitted("model", "the formula has no random term", "Add one, as (1 | group), or use ols")
    terms = random_terms(data.formula.random, data.frame, residual=residual)
    pieces = _pieces(terms)
    placed = list(zip(terms, pieces, strict=True))
    groups = dict.fromkeys(term.group for term in terms)
    blocks = [_block([pair for pair in placed if pair[0].group == group]) for group in groups]
    blocks.sort(key=lambda block: -block.size)
    _refuse_too_many(blocks)
    return RandomDesign(tuple(blocks), tuple(pieces), split_warnings(data.formula.random, data.frame))


def _pieces(terms: list[Term]) -> list[Piece]:
    """Each term with its place in its group's effects and in theta."""
    pieces = list[Piece]()
    effects, entries = Counter[str](), 0
    for term in terms:
        k = len(term.effects)
        theta = slice(entries, entries + k * (k + 1) // 2)
        pieces.append(Piece(term.group, term.effects, effects[term.group], theta))
        effects[term.group] += k
        entries = theta.stop
    return pieces


def _block(members: list[tuple[Term, Piece]]) -> Block:
    columns = np.hstack([term.columns for term, _ in members])
    units = block_diag(*(_units(term) for term, _ in members))
    first, pieces = members[0][0], tuple(piece for _, piece in members)
    return Block(first.group, first.levels, first.codes, columns @ units, units, pieces)


def _units(term: Term) -> Floats:
    """Z units are columns of a term in a good scale; units times their effects are those of Z: (k, k)."""
    spread = term.columns.std(axis=0)
    varies = spread > 0
    units = np.diag(1 / np.where(varies, spread, 1.0))
    if term.effects[0] == INTERCEPT:
        units[0, varies] = -(term.columns.mean(axis=0) / np.where(varies, spread, 1.0))[varies]
    return units


def _lower_factor(factor: Floats) -> Floats:
    """The lower triangular L with a diagonal not below zero and L L' = factor factor'."""
    lower = np.asarray(qr(factor.T, mode="r")[0], dtype=float).T
    return lower * np.where(np.diag(lower) < 0, -1.0, 1.0)


def _refuse_too_many(blocks: Sequence[Block]) -> None:
    """Those of the first block are eliminated level by level; what the others leave is dense."""
    first, *rest = blocks
    count = sum(block.size for block in rest)
    needed, there = BYTES_A_PAIR * count**2, memory()
    if needed > there:
        what = (
            f"beside those of `{first.group}` there are {count:,} random effects, whose matrices would take "
            f"{needed / 1e9:,.0f} GB of memory, and here are {there / 1e9:,.0f}"
        )
        raise ModelNotFitted("model", what, "Leave a grouping factor out, or take a machine with more memory")


def memory() -> float:
    """Of this machine, in bytes; infinite where it does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return math.inf
