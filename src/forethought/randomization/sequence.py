"""One unit after the other: each draw with all that it followed from."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from forethought.protocol.allocation import Complete, Design, PermutedBlocks
from forethought.randomization import first_blocks
from forethought.randomization.arrivals import Before, Source
from forethought.randomization.permuted_blocks import ChosenBlocks
from forethought.randomization.replicates import Replicates
from forethought.randomization.words import UInt64s, Words

_WORDS_AT_ONCE = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One unit's arm: `number` is `word` modulo the weights' sum, and the arm the first whose cumulative weight exceeds it.

    `weights` and `counts` (the places of the stratum that counted before) have every arm, in the order of their names.
    A word of the last, incomplete cycle of the sum gives its number by a stream of its own (`Words.below`).
    `block` and `position` count from 1, and are 0 where there are none; a replacement has block 0 and its number among
    the stratum's replacements, and `replaces` says whose place it fills.
    """

    arm: str
    stratum: str
    weights: Mapping[str, int]
    number: int
    word: int
    counts: Mapping[str, int]
    block: int
    position: int
    replaces: str | None

    @property
    def probabilities(self) -> Mapping[str, Fraction]:
        """What each arm had, exactly."""
        return as_probabilities(self.weights)

    @property
    def probability(self) -> float:
        """What the arm had, exact to the last bit."""
        return self.weights[self.arm] / sum(self.weights.values())


class Sequence:
    """The units of one wave in order, from a secret seed, after those that the wave holds already."""

    def __init__(self, design: Design, source: Source, before: Before = Before()) -> None:  # noqa: B008  # frozen
        if source.algorithm == first_blocks.ALGORITHM:
            raise ValueError(f"{first_blocks.ALGORITHM} draws whole blocks, not one unit at a time")
        if isinstance(design, PermutedBlocks | Complete):
            self._engine = Replicates(design, 1, before, ChosenBlocks(design, source))
        else:
            self._engine = Replicates(design, 1, before)
        self._clusters = design.unit == "cluster"
        self._source = source
        self._words: dict[str, _StreamOfArms] = {}
        self._units: dict[str, Draw] = {}
        self._joined: set[str] = set()

    def draw(self, label: str, participant: str | None = None, unit: str | None = None) -> Draw | None:
        """The next arrival's draw, which takes the place; None where every arm is full, and nothing is used.

        A later member of a cluster that was drawn here bears its cluster's draw, and uses no word.
        """
        if self._clusters and unit in self._units:
            if participant is not None:
                self._joined.add(participant)
            return self._units[unit]
        draw = self._drawn(label)
        if draw is None:
            return None
        code = np.array([self._engine.arms.index(draw.arm)], dtype=np.int8)
        self._engine.place(label, code, participant)
        if self._clusters and unit is not None:
            self._units[unit] = draw
        return draw

    def recount(self, participant: str, label: str, arm: str, *, counts: bool) -> None:
        """From the next draw on, this person's place counts no longer, or again.

        The place of a cluster is that of its member who drew; of the others nothing depends.
        """
        if participant not in self._joined:
            code = np.array([self._engine.arms.index(arm)], dtype=np.int8)
            self._engine.recount(participant, label, code, counts=counts)

    def probabilities(self, label: str) -> Mapping[str, Fraction]:
        """What each arm has for the next unit of the stratum; 0 for all where every arm is full.

        Its block begins with this where the last is used up, as it would with its draw.
        """
        weights = self._engine.weights(label)[0]
        return as_probabilities(self._by_arm(weights))

    def margins(self, label: str) -> tuple[Mapping[str, int], ...]:
        """In minimisation, for each factor, the counting places of each arm that share the stratum's level."""
        return tuple(self._by_arm(counts) for counts in self._engine.margins(label)[0])

    def _drawn(self, label: str) -> Draw | None:
        weights = self._engine.weights(label)[0]
        ends = np.cumsum(weights)
        if not ends[-1]:
            return None
        stream = self._stream(label)
        index = int(self._engine.drawn(label)[0])
        number = stream.number(index, int(ends[-1]))
        code = int(np.searchsorted(ends, number, side="right"))
        block, position, replaces = self._engine.spot(label, code)
        return Draw(
            arm=self._engine.arms[code],
            stratum=label,
            weights=self._by_arm(weights),
            number=number,
            word=stream.word(index),
            counts=self._by_arm(self._engine.counting(label)[0]),
            block=block,
            position=position,
            replaces=replaces,
        )

    def _by_arm(self, numbers: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Mapping[str, int]:
        return dict(zip(self._engine.arms, numbers.tolist(), strict=True))

    def _stream(self, label: str) -> "_StreamOfArms":
        name = self._engine.stream(label)
        if name not in self._words:
            self._words[name] = _StreamOfArms(Words(self._source.seed, *self._source.labels, name, "arm"))
        return self._words[name]


def as_probabilities(weights: Mapping[str, int]) -> Mapping[str, Fraction]:
    """Each arm's share of the weights; 0 for all where they are all 0."""
    total = sum(weights.values())
    return {arm: Fraction(weight, total or 1) for arm, weight in weights.items()}


class _StreamOfArms:
    """The words of one stream one by one, computed some at a time."""

    __slots__ = ("_first", "_held", "_words")

    def __init__(self, words: Words) -> None:
        self._words = words
        self._first = 0
        self._held: UInt64s = np.empty(0, dtype=np.uint64)

    def word(self, index: int) -> int:
        """The word with this index, from 0."""
        if not self._first <= index < self._first + len(self._held):
            self._first, self._held = index, self._words.at(index, _WORDS_AT_ONCE)
        return int(self._held[index - self._first])

    def number(self, index: int, total: int) -> int:
        """The uniform number below the total that the word gives, as `Words.below` says."""
        word = self.word(index)
        if word < (1 << 64) - (1 << 64) % total:
            return word % total
        return int(self._words.below(index, np.array([total], dtype=np.int64))[0])
