"""Who gets which arm: one function for every design and every algorithm."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from forethought.protocol.allocation import Complete, Design, PermutedBlocks, Rerandomization, Simple
from forethought.randomization import first_blocks
from forethought.randomization.arrivals import Arrivals, Before, Drawn, Source
from forethought.randomization.permuted_blocks import allocate_blocks, in_order
from forethought.randomization.rerandomization import allocate_batch
from forethought.randomization.sequence import Sequence
from forethought.randomization.words import Words

_NOBODY = Before()
_NO_ARM = -1


def allocate(design: Design, source: Source, arrivals: Arrivals, before: Before = _NOBODY) -> Drawn:
    """The arm of each arrival, in their order, after those that the wave holds already.

    The same people one at a time, in batches, or all at once get the same arms; with rerandomisation, where those who
    are given together are one batch, the same batches do. A later member of a cluster that the wave holds has its arm,
    and its probability, which the wave does not hold, is NaN.
    """
    if isinstance(design, Rerandomization):
        return allocate_batch(design, source, arrivals, before.batches + 1)
    if source.algorithm == first_blocks.ALGORITHM:
        return _by_first_blocks(design, source, arrivals, before)
    plain = len(arrivals) > 0 and design.unit == "participant" and not (design.caps or before.open)
    if plain and isinstance(design, Simple):
        return _simple(design, source, arrivals, before)
    if plain and isinstance(design, PermutedBlocks | Complete) and not design.initial_simple:
        return allocate_blocks(design, source, arrivals, before)
    return one_by_one(design, source, arrivals, before)


def probabilities(design: Design, source: Source, before: Before, stratum: str) -> Mapping[str, Fraction]:
    """What each arm has for the next unit of the stratum, exactly; 0 for all where every arm is full.

    With rerandomisation all arms have the same, as long as nothing is known of the others of the batch.
    """
    if isinstance(design, Rerandomization):
        return {arm: Fraction(1, len(design.ratio)) for arm in sorted(design.ratio)}
    if source.algorithm == first_blocks.ALGORITHM:
        return _first_probabilities(_first_release(design, before), source, before, stratum)
    return Sequence(design, source, before).probabilities(stratum)


def one_by_one(design: Design, source: Source, arrivals: Arrivals, before: Before) -> Drawn:
    """What `allocate` gives, drawn one unit after the other."""
    sequence = Sequence(design, source, before)
    found = _Columns(tuple(sorted(design.ratio)), len(arrivals))
    units = arrivals.units if design.unit == "cluster" else None
    for place, code in enumerate(arrivals.codes.tolist()):
        unit = units[place] if units else None
        if unit is not None and unit in before.units:
            found.join(place, before.units[unit][1])
            continue
        draw = sequence.draw(arrivals.labels[code], unit=unit)
        if draw is not None:
            found.put(place, draw.arm, draw.probability, draw.block, draw.position, draw.replaces)
    return found.drawn()


class _Columns:
    """The columns of `Drawn`, filled in one by one."""

    def __init__(self, arms: tuple[str, ...], people: int) -> None:
        self._arms = arms
        self._arm = np.full(people, _NO_ARM, dtype=np.int8)
        self._probability = np.full(people, np.nan)
        self._block, self._position = np.zeros((2, people), dtype=np.int32)
        self._replaces: dict[int, str] = {}

    def join(self, place: int, arm: str) -> None:
        """The arm of a cluster that was drawn before."""
        self._arm[place] = self._arms.index(arm)

    def put(
        self, place: int, arm: str, probability: float, block: int, position: int, replaces: str | None
    ) -> None:
        """What one arrival was given."""
        self.join(place, arm)
        self._probability[place] = probability
        self._block[place], self._position[place] = block, position
        if replaces is not None:
            self._replaces[place] = replaces

    def drawn(self) -> Drawn:
        """All of them."""
        return Drawn(
            arms=self._arms,
            arm=self._arm,
            probability=self._probability,
            block=self._block,
            position=self._position,
            replaces=self._replaces,
        )


def _simple(design: Simple, source: Source, arrivals: Arrivals, before: Before) -> Drawn:
    """Nothing that came before is looked at, but for how many words it used."""
    arms = tuple(sorted(design.ratio))
    ratio = np.array([design.ratio[arm] for arm in arms], dtype=np.int64)
    used = _taken(before)
    people = np.bincount(arrivals.codes, minlength=len(arrivals.labels)).tolist()
    numbers = np.empty(len(arrivals), dtype=np.int64)
    order, end = in_order(arrivals.codes, len(arrivals.labels)), 0
    for label, units in zip(arrivals.labels, people, strict=True):
        start, end = end, end + units
        totals = np.full(units, ratio.sum(), dtype=np.int64)
        words = Words(source.seed, *source.labels, label, "arm")
        numbers[order[start:end]] = words.below(used[label], totals)
    arm = np.searchsorted(np.cumsum(ratio), numbers, side="right").astype(np.int8)
    none = np.zeros(len(arrivals), dtype=np.int32)
    return Drawn(arms=arms, arm=arm, probability=(ratio / ratio.sum())[arm], block=none, position=none.copy())


def _first_release(design: Design, before: Before) -> PermutedBlocks:
    """The design, if it is one that the first release knew."""
    others = design.unit == "cluster" or design.caps or design.initial_simple or before.open
    if others or not isinstance(design, PermutedBlocks):
        raise ValueError(f"{first_blocks.ALGORITHM} knows blocks alone: no caps, clusters or replacements")
    return design


def _by_first_blocks(design: Design, source: Source, arrivals: Arrivals, before: Before) -> Drawn:
    arms = tuple(sorted(design.ratio))
    strata = [arrivals.labels[code] for code in arrivals.codes.tolist()]
    given = first_blocks.allocate(
        _first_release(design, before), source.study_id, source.wave, source.seed, strata, _taken(before)
    )
    found = _Columns(arms, len(strata))
    for place, one in enumerate(given):
        found.put(place, one.arm, one.probability, one.block, one.position, None)
    return found.drawn()


def _first_probabilities(
    design: PermutedBlocks, source: Source, before: Before, stratum: str
) -> Mapping[str, Fraction]:
    blocks = first_blocks.StratumBlocks(
        design=design, study_id=source.study_id, wave=source.wave, seed=source.seed, stratum=stratum
    )
    next_one = next(blocks.following(_taken(before)[stratum]))
    rest = blocks.arms(next_one.block)[next_one.position - 1 :]
    return {arm: Fraction(rest.count(arm), len(rest)) for arm in sorted(design.ratio)}


def _taken(before: Before) -> Counter[str]:
    """How many units of each stratum were drawn."""
    taken: Counter[str] = Counter()
    for tally in before.tallies:
        taken[tally.stratum] += tally.placed
    return taken
