"""What a block may hold: each possible content, and how likely it is."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import NDArray

from forethought.protocol.allocation import Complete, PermutedBlocks

_MOST_ORDERS_OF = 7
"""Up to so many arms with a remainder are tried in every order: 5,040 orders of 7."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contents:
    """The possible contents of a block, the arms in the order of their names: content m has probability chances[m] / sum.

    `units` has shape (M, K), `chances` whole numbers of shape (M,). One content needs no chance.
    """

    units: NDArray[np.int64]
    chances: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many units each content is for."""
        return np.asarray(self.units.sum(axis=1), dtype=np.int64)

    def chosen(self, number: NDArray[np.int64]) -> NDArray[np.intp]:
        """The content for each uniform number below the sum of the chances: the first whose cumulative chance exceeds it."""
        return np.searchsorted(np.cumsum(self.chances), number, side="right")


def contents(design: PermutedBlocks | Complete) -> Contents:
    """What the blocks of a design may hold; ValueError where their sizes are sealed or do not hold the ratio."""
    ratio = np.array([design.ratio[arm] for arm in sorted(design.ratio)], dtype=np.int64)
    if isinstance(design, Complete):
        return _complete(ratio, design.size)
    if design.block_sizes == "sealed":
        raise ValueError("sealed block sizes are read from `secrets/` before anything is drawn")
    sizes = np.array(design.block_sizes, dtype=np.int64)
    if (sizes % ratio.sum()).any():
        raise ValueError("a block's size is a multiple of the ratio's sum")
    return Contents(
        units=(sizes // ratio.sum())[:, None] * ratio, chances=np.ones(len(sizes), dtype=np.int64)
    )


def _complete(ratio: NDArray[np.int64], size: int) -> Contents:
    """Each arm's whole share of the size; the units that remain go to different arms, at most one to each.

    An arm gets one more with exactly the probability that its share lacks: systematic sampling (Madow 1949, Annals of
    Mathematical Statistics 20:333), the arms in every order, so that no set of arms is left out for its place. Many arms
    have too many orders, and are taken in that of their names.
    """
    whole, lacking = np.divmod(size * ratio, ratio.sum())
    concerned = np.flatnonzero(lacking).tolist()
    every_order = permutations(concerned) if len(concerned) <= _MOST_ORDERS_OF else [tuple(concerned)]
    ways: Counter[tuple[int, ...]] = Counter()
    for order in every_order:
        ways.update(_systematic([int(lacking[arm]) for arm in order], order, int(ratio.sum())))
    sets = sorted(ways)
    units = np.repeat(whole[None, :], len(sets), axis=0)
    for row, more in enumerate(sets):
        units[row, list(more)] += 1
    return Contents(units=units, chances=np.array([ways[more] for more in sets], dtype=np.int64))


def _systematic(lacking: list[int], order: tuple[int, ...], total: int) -> Counter[tuple[int, ...]]:
    """Each set of arms, and by how many of the starts 0 to total - 1 it is chosen.

    The arms lie one after the other, each as long as what it lacks; a start chooses the arms that lie at it and at
    every `total` beyond it.
    """
    ends = np.cumsum([0, *lacking])
    starts = sorted({0, total, *(int(end) % total for end in ends)})
    found: Counter[tuple[int, ...]] = Counter()
    for start, following in pairwise(starts):
        points = np.arange(start, ends[-1], total)
        arms = np.searchsorted(ends, points, side="right") - 1
        found[tuple(sorted(order[arm] for arm in arms))] += following - start
    return found
