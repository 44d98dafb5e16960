"""Permuted blocks and complete randomisation: contents from words, and all arms of many strata at once.

A block's content is drawn when it begins, its arms without replacement, one word for each unit: what the engine draws one
by one is drawn here position by position, for all blocks together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forethought.protocol.allocation import Complete, PermutedBlocks
from forethought.randomization.arrivals import Arrivals, Before, Drawn, Source
from forethought.randomization.block_contents import Contents, contents
from forethought.randomization.stratum_state import Blocks, resumed
from forethought.randomization.words import Words

Int64s = NDArray[np.int64]
Places = NDArray[np.intp]


class ChosenBlocks:
    """Which content each block of a stratum has, by the wave's seed: any block is known without the others.

    Block k, from 1, is drawn with word k - 1 of the stratum's stream `block size`, or `remainder` where the arms that
    get one unit more are drawn.
    """

    def __init__(self, design: PermutedBlocks | Complete, source: Source) -> None:
        self.contents: Contents = contents(design)
        self._source = source
        self._purpose = "remainder" if isinstance(design, Complete) else "block size"

    def __call__(self, label: str, block: Int64s) -> Places:
        """The contents of these blocks of the stratum."""
        chances = int(self.contents.chances.sum())
        if len(self.contents.chances) == 1 or not len(block):
            return np.zeros(len(block), dtype=np.intp)
        first, last = int(block.min()), int(block.max())
        words = Words(self._source.seed, *self._source.labels, label, self._purpose)
        numbers = words.below(first - 1, np.full(last - first + 1, chances, dtype=np.int64))
        return self.contents.chosen(numbers)[block - first]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Begun:
    """The blocks that arrivals of one stratum or several fill: what is left of each (B, K), its number, its position."""

    left: Int64s
    number: Int64s
    position: Int64s
    used: Int64s


def allocate_blocks(
    design: PermutedBlocks | Complete, source: Source, arrivals: Arrivals, before: Before
) -> Drawn:
    """Every arrival's arm, for a design whose blocks end only when they are used up and where nobody is replaced now."""
    arms = tuple(sorted(design.ratio))
    people = np.bincount(arrivals.codes, minlength=len(arrivals.labels))
    chosen = ChosenBlocks(design, source)
    standing = _standing(chosen, arms, arrivals, before)
    begun = [
        _begun(chosen, label, blocks, int(units))
        for label, (blocks, _), units in zip(arrivals.labels, standing, people, strict=True)
    ]
    blocks = _Begun(
        **{name: np.concatenate([getattr(each, name) for each in begun]) for name in _Begun.__slots__}
    )
    numbers = _numbers(source, arrivals.labels, people, [drawn for _, drawn in standing], blocks)
    return _without_replacement(arms, blocks, numbers, in_order(arrivals.codes, len(arrivals.labels)))


def in_order(keys: NDArray[np.signedinteger], most: int) -> Places:
    """The places of the keys, 0 to `most`, by size and then as they stand: a radix sort where they are small."""
    small = keys.astype(np.uint16) if most <= np.iinfo(np.uint16).max else keys
    return np.argsort(small, kind="stable")


def _standing(
    chosen: ChosenBlocks, arms: tuple[str, ...], arrivals: Arrivals, before: Before
) -> list[tuple[Blocks, int]]:
    """Each stratum's block so far, and how many words it used."""
    places = {label: place for place, label in enumerate(arrivals.labels)}
    regular = np.zeros((len(places), len(arms)), dtype=np.int64)
    drawn = [0] * len(places)
    for tally in before.tallies:
        if tally.stratum in places:
            place = places[tally.stratum]
            regular[place, arms.index(tally.arm)] += tally.regular
            drawn[place] += tally.placed
    return [
        (
            resumed(chosen.contents, chosen, label, units, 1) if units.any() else Blocks.none(1, len(arms)),
            words,
        )
        for label, units, words in zip(arrivals.labels, regular, drawn, strict=True)
    ]


def _begun(chosen: ChosenBlocks, label: str, blocks: Blocks, units: int) -> _Begun:
    """The blocks that so many units more of the stratum fill, beginning with the one that it is in."""
    rest = units - int(blocks.left.sum())
    more = -(-max(rest, 0) // int(chosen.contents.sizes.min()))
    following = blocks.number + np.arange(1, more + 1)
    left = np.concatenate([blocks.left, chosen.contents.units[chosen(label, following)]])
    position = np.concatenate([blocks.position, np.zeros(more, dtype=np.int64)])
    sizes = left.sum(axis=1)
    used = np.clip(units - (np.cumsum(sizes) - sizes), 0, sizes)
    kept = used > 0
    number = np.concatenate([blocks.number, following])
    return _Begun(left=left[kept], number=number[kept], position=position[kept], used=used[kept])


def _numbers(
    source: Source, labels: tuple[str, ...], people: Int64s, drawn: list[int], blocks: _Begun
) -> Int64s:
    """A uniform number below what is left of each unit's block, from the words of its stratum that follow those used."""
    sizes = blocks.left.sum(axis=1)
    starts = np.cumsum(blocks.used) - blocks.used
    left = np.repeat(sizes + starts, blocks.used) - np.arange(int(people.sum()))
    numbers, end = np.empty_like(left), 0
    for label, units, first in zip(labels, people.tolist(), drawn, strict=True):
        start, end = end, end + units
        words = Words(source.seed, *source.labels, label, "arm")
        numbers[start:end] = words.below(first, left[start:end])
    return numbers


def _without_replacement(arms: tuple[str, ...], blocks: _Begun, numbers: Int64s, arrival: Places) -> Drawn:
    """The arms of all blocks, one position of all of them at a time; `arrival` is where each unit came.

    Longer blocks come first, so that those which reach a position are the first so many.
    """
    people = len(numbers)
    drawn = Drawn(
        arms=arms,
        arm=np.empty(people, dtype=np.int8),
        probability=np.empty(people),
        block=np.empty(people, dtype=np.int32),
        position=np.empty(people, dtype=np.int32),
    )
    longest = int(blocks.used.max())
    longest_first = in_order(longest - blocks.used, longest)
    left = np.ascontiguousarray(blocks.left[longest_first].T, dtype=np.int32)
    units = (np.cumsum(blocks.used) - blocks.used)[longest_first]
    number, before = (each[longest_first].astype(np.int32) for each in (blocks.number, blocks.position))
    sizes, places = left.sum(axis=0), np.arange(len(units))
    for position, too_short in enumerate(np.cumsum(np.bincount(blocks.used))[:-1].tolist()):
        reach = len(units) - too_short
        here = units[:reach] + position
        chosen, weight = _drawn(left, places[:reach], numbers[here])
        at = arrival[here]
        drawn.arm[at] = chosen
        drawn.probability[at] = weight / (sizes[:reach] - position)
        drawn.block[at] = number[:reach]
        drawn.position[at] = before[:reach] + (position + 1)
    return drawn


def _drawn(
    left: NDArray[np.int32], blocks: Places, numbers: Int64s
) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """The arm that each block's number draws, taken out of what is left, and how often it was there."""
    cumulative = left[0, : len(blocks)].copy()
    chosen = (numbers >= cumulative).astype(np.int8)
    for of_arm in left[1:-1]:
        cumulative += of_arm[: len(blocks)]
        chosen += numbers >= cumulative
    weight = left[chosen, blocks]
    left[chosen, blocks] = weight - 1
    return chosen, weight
