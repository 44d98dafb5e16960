"""A mixed model as statsmodels' MixedLM can express it, or why it cannot.

MixedLM knows independent groups of rows. Within a group it has one term with correlated effects, and variance
components of one effect each. So one grouping factor fits, factors nested in it fit as components, and crossed
factors fit only as components of one group that holds all rows, which it treats as one dense matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import Block, Piece, RandomDesign
from forethought.analysis.lmm.random_terms import Integers

MOST_CROSSED_ROWS = 500
"""With crossed factors its time grows with the cube of the rows: half a minute at 3,000."""

MOST_GROUPS = 5_000
"""Its time grows with the groups, one step of Python for each at each evaluation."""

MOST_ROWS_OF_A_GROUP = 1_000
"""Each group is a dense matrix, rows by rows."""


@dataclass(frozen=True, slots=True)
class NotExpressed:
    """Why MixedLM cannot fit the model, or not in reasonable time."""

    reason: str


@dataclass(frozen=True, slots=True)
class Expressed:
    """groups (n,): independent of each other. correlated: the term in `exog_re`. components: those in `exog_vc`."""

    random: RandomDesign
    groups: Integers
    correlated: Piece | None
    components: tuple[Piece, ...]

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return self.components if self.correlated is None else (self.correlated, *self.components)

    def model(self, X: Floats, y: Floats) -> Any:
        """MixedLM of y (n,) on X (n, p)."""
        from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

        exog_re = None if self.correlated is None else columns_of(self.random, self.correlated)
        rows = [np.flatnonzero(self.groups == group) for group in np.unique(self.groups)]
        mats = [[self._component(piece, kept) for kept in rows] for piece in self.components]
        names = [f"{piece.group} {piece.effects[0]}" for piece in self.components]
        labels = [[[str(place) for place in range(mat.shape[1])] for mat in by_group] for by_group in mats]
        components = VCSpec(names, labels, mats) if names else None
        return MixedLM(y, X, groups=self.groups.tolist(), exog_re=exog_re, exog_vc=components)

    def _component(self, piece: Piece, rows: Integers) -> Floats:
        """The columns of a piece with one effect, one for each of its levels in these rows."""
        levels, places = np.unique(block_of(self.random, piece).codes[rows], return_inverse=True)
        matrix = np.zeros((len(rows), len(levels)))
        matrix[np.arange(len(rows)), places] = columns_of(self.random, piece)[rows, 0]
        return matrix


def expressed(random: RandomDesign) -> Expressed | NotExpressed:
    """The model's random effects as MixedLM takes them."""
    top = _holding_all(random.blocks)
    if top is None:
        return _crossed(random)
    groups = np.bincount(top.codes)
    if len(groups) > MOST_GROUPS:
        return NotExpressed(f"{len(groups)} levels of {top.group} would take it too long")
    if groups.max() > MOST_ROWS_OF_A_GROUP:
        return NotExpressed(f"{groups.max()} rows in one level of {top.group} would take it too long")
    own = sorted((piece for piece in random.pieces if piece.group == top.group), key=_size)
    components = (*own[:-1], *(piece for piece in random.pieces if piece.group != top.group))
    return _with(Expressed(random, top.codes, own[-1], components))


def block_of(random: RandomDesign, piece: Piece) -> Block:
    """The block that a piece belongs to."""
    return next(block for block in random.blocks if block.group == piece.group)


def columns_of(random: RandomDesign, piece: Piece) -> Floats:
    """The piece's columns in the scale in which the model is solved, (n, effects)."""
    return block_of(random, piece).Z[:, piece.own]


def _crossed(random: RandomDesign) -> Expressed | NotExpressed:
    n = len(random.blocks[0].codes)
    if n > MOST_CROSSED_ROWS:
        return NotExpressed(f"{n} rows with crossed grouping factors would take it too long")
    return _with(Expressed(random, np.zeros(n, dtype=np.intp), None, random.pieces))


def _with(found: Expressed) -> Expressed | NotExpressed:
    """The same where each component has one effect."""
    for piece in found.components:
        if _size(piece) > 1:
            effects = ", ".join(piece.effects)
            return NotExpressed(
                f"it has no correlated effects ({effects}) of {piece.group} beside another term"
            )
    return found


def _size(piece: Piece) -> int:
    return len(piece.effects)


def _holding_all(blocks: Sequence[Block]) -> Block | None:
    """The grouping factor in whose levels those of all others are nested."""
    for block in blocks:
        if all(_nested(other, block) for other in blocks):
            return block
    return None


def _nested(inner: Block, outer: Block) -> bool:
    pairs = np.unique(np.column_stack([inner.codes, outer.codes]), axis=0)
    return len(pairs) == inner.m
