"""Where one stratum stands in each replicate: its units, its open places, the block that it is in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forethought.randomization.block_contents import Contents
from forethought.randomization.open_places import OpenPlaces

Int64s = NDArray[np.int64]
Codes = NDArray[np.int8]
Rows = NDArray[np.bool_]

ChooseBlocks = Callable[[str, Int64s], NDArray[np.intp]]
"""A stratum's label and block numbers (from 1) -> which of the design's `Contents` each of these blocks has."""


@dataclass(slots=True, eq=False)
class Blocks:
    """Each replicate's block: its number (0: none yet), what is left of it in each arm, and its units so far."""

    number: Int64s
    left: Int64s
    position: Int64s

    @classmethod
    def none(cls, replicates: int, arms: int) -> "Blocks":
        """No block has begun."""
        nothing = np.zeros(replicates, dtype=np.int64)
        return cls(nothing, np.zeros((replicates, arms), dtype=np.int64), nothing.copy())

    def begin(self, where: Rows, content: Int64s) -> None:
        """In these replicates the next block begins, with its content (R, K)."""
        self.number = self.number + where
        self.left = np.where(where[:, None], content, self.left)
        self.position = np.where(where, 0, self.position)

    def use(self, where: Rows, arm: Codes) -> None:
        """In these replicates a unit gets this arm of the block."""
        (rows,) = np.nonzero(where)
        self.left[rows, arm[rows]] -= 1
        self.position = self.position + where

    def take(self, rows: NDArray[np.intp]) -> None:
        """Keep these replicates."""
        self.number, self.left, self.position = self.number[rows], self.left[rows], self.position[rows]


@dataclass(slots=True, eq=False)
class StratumState:
    """Units drawn, those of them that are no replacements (R,), and units of each arm that count now (R, K)."""

    drawn: Int64s
    regular: Int64s
    counting: Int64s
    open: OpenPlaces
    blocks: Blocks

    @classmethod
    def empty(cls, replicates: int, arms: int) -> "StratumState":
        """Nobody was drawn."""
        return cls(
            drawn=np.zeros(replicates, dtype=np.int64),
            regular=np.zeros(replicates, dtype=np.int64),
            counting=np.zeros((replicates, arms), dtype=np.int64),
            open=OpenPlaces(replicates),
            blocks=Blocks.none(replicates, arms),
        )

    def take(self, rows: NDArray[np.intp]) -> None:
        """Keep these replicates."""
        self.drawn, self.regular, self.counting = self.drawn[rows], self.regular[rows], self.counting[rows]
        self.open.take(rows)
        self.blocks.take(rows)


def resumed(contents: Contents, choose: ChooseBlocks, label: str, regular: Int64s, replicates: int) -> Blocks:
    """The block in which a stratum is, of which these many regular units of each arm, (K,), filled whole blocks."""
    units = int(regular.sum())
    numbers = np.arange(1, units // int(contents.sizes.min()) + 2)
    begun = contents.units[choose(label, numbers)]
    ends = np.cumsum(begun.sum(axis=1))
    block = int(np.searchsorted(ends, units, side="left"))
    left = begun[: block + 1].sum(axis=0) - regular
    if (left < 0).any():
        raise ValueError(f"stratum {label}: the arms so far are not those of its blocks")
    return _alike(block + 1, left, units - int(ends[block - 1] if block else 0), replicates)


def followed(
    contents: Contents, choose: ChooseBlocks, label: str, arms: Sequence[int], replicates: int
) -> Blocks:
    """The block in which a stratum is, from its arms in order.

    Where the next arm is not left in a block, that block had ended early: all that was left of it were full arms.
    """
    number, position, left = 0, 0, np.zeros(contents.units.shape[1], dtype=np.int64)
    for arm in arms:
        while not left[arm]:
            number, position = number + 1, 0
            left = contents.units[choose(label, np.array([number]))[0]].copy()
        left[arm] -= 1
        position += 1
    return _alike(number, left, position, replicates)


def _alike(number: int, left: Int64s, position: int, replicates: int) -> Blocks:
    return Blocks(
        number=np.full(replicates, number, dtype=np.int64),
        left=np.repeat(left[None, :], replicates, axis=0),
        position=np.full(replicates, position, dtype=np.int64),
    )
