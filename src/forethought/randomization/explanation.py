"""Why one person has the arm that he has: all that the draw followed from, worked out again from the seed."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from forethought.protocol.allocation import Design, Minimization, PermutedBlocks, Rerandomization
from forethought.randomization import first_blocks
from forethought.randomization.arrivals import Arrivals, Source
from forethought.randomization.first_blocks import StratumBlocks
from forethought.randomization.rerandomization import allocate_batch, closeness, complete, totals
from forethought.randomization.sequence import Draw, Sequence
from forethought.randomization.strata import levels_of
from forethought.randomization.words import Words

_DRAWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """In minimisation: the places of each arm that shared the person's level of one factor, before the draw."""

    factor: str
    level: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByWord:
    """One word of the stratum's stream decided: see `Draw`. `drawn_for` is the member of the cluster who drew."""

    draw: Draw
    drawn_for: str
    margins: tuple[Margin, ...] = ()

    @property
    def arm(self) -> str:
        return self.draw.arm

    @property
    def probabilities(self) -> Mapping[str, Fraction]:
        """What each arm had."""
        return self.draw.probabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class ByBlock:
    """The block was shuffled as a whole, into `order`, and the person got its place `position` (from 1)."""

    block: int
    position: int
    order: tuple[str, ...]

    @property
    def arm(self) -> str:
        return self.order[self.position - 1]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each arm were in the block before."""
        before = Counter(self.order[: self.position - 1])
        return {arm: before[arm] for arm in sorted(set(self.order))}

    @property
    def probabilities(self) -> Mapping[str, Fraction]:
        """What each arm had: its share of the rest of the block."""
        rest = Counter(self.order[self.position - 1 :])
        return {arm: Fraction(rest[arm], rest.total()) for arm in sorted(set(self.order))}


@dataclass(frozen=True, slots=True, kw_only=True)
class ByBatch:
    """The people of a batch were allocated together, anew until a draw was close enough: that of number `draws`."""

    batch: int
    people: int
    draws: int
    distance: float
    arm: str
    arms: tuple[str, ...]

    @property
    def probabilities(self) -> Mapping[str, Fraction]:
        """What each arm had: the same, as the criterion does not know their names."""
        return {arm: Fraction(1, len(self.arms)) for arm in self.arms}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One allocation and how it came about; `drawn` is None where the seed gives no arm, every one being full."""

    participant: str
    wave: int
    arrival: int
    stratum: str
    unit: str | None
    algorithm: str
    recorded: str
    drawn: ByWord | ByBlock | ByBatch | None

    @property
    def agrees(self) -> bool:
        """Whether the seed gives the arm that was recorded."""
        return self.drawn is not None and self.drawn.arm == self.recorded


def explain(
    design: Design, source: Source, recorded: pd.DataFrame, counting: pd.DataFrame, participant: str
) -> Explanation:
    """How the participant's arm followed from the seed, the arrivals before, and who counted then.

    `recorded` and `counting` are the wave's rows of the tables `allocations` and `counting`; no recorded arm decides
    anything. KeyError where the participant is not among them; ValueError where the block sizes are `sealed`.
    """
    arrivals = recorded.sort_values(["arrival", "participant_id"], ignore_index=True)
    found = np.flatnonzero(arrivals["participant_id"] == participant)
    if not found.size:
        raise KeyError(participant)
    own = arrivals.iloc[int(found[0])]
    return Explanation(
        participant=participant,
        wave=source.wave,
        arrival=int(own["arrival"]),
        stratum=str(own["stratum"]),
        unit=_text(own["unit"]),
        algorithm=source.algorithm,
        recorded=str(own["arm"]),
        drawn=_drawn(design, source, arrivals, counting, own),
    )


def _drawn(
    design: Design, source: Source, arrivals: pd.DataFrame, counting: pd.DataFrame, own: "pd.Series[Any]"
) -> ByWord | ByBlock | ByBatch | None:
    if isinstance(design, Rerandomization):
        return _by_batch(design, source, arrivals, own)
    if source.algorithm == first_blocks.ALGORITHM and isinstance(design, PermutedBlocks):
        return _by_block(design, source, arrivals, own)
    return _by_word(design, source, _that_matter(design, arrivals, own), counting, own)


def _that_matter(design: Design, arrivals: pd.DataFrame, own: "pd.Series[Any]") -> pd.DataFrame:
    """The arrivals up to this one on which its draw can depend: of most designs those of its stratum."""
    relevant = arrivals["arrival"] <= own["arrival"]
    if not (isinstance(design, Minimization) or design.caps or design.unit == "cluster"):
        relevant &= arrivals["stratum"] == own["stratum"]
    found: pd.DataFrame = arrivals.loc[relevant]
    return found


def _by_word(
    design: Design, source: Source, arrivals: pd.DataFrame, counting: pd.DataFrame, own: "pd.Series[Any]"
) -> ByWord | None:
    sequence = Sequence(design, source)
    # A list that was drawn ahead knew nothing of who would leave.
    changes = [] if design.drawn == "ahead" else _changes(counting)
    placed: dict[str, tuple[str, str]] = {}
    drew: dict[str, tuple[str, tuple[Margin, ...]]] = {}
    columns = (arrivals[name] for name in ("participant_id", "stratum", "arrival", "unit"))
    for person, label, number, unit in zip(*columns, strict=True):
        while changes and changes[0][0] <= number:
            _, other, counts = changes.pop(0)
            if other in placed:
                sequence.recount(other, *placed[other], counts=counts)
        one = _text(unit) if design.unit == "cluster" else None
        asked = one is not None or person == own["participant_id"]
        margins = _margins(design, sequence, label) if asked else ()
        draw = sequence.draw(label, person, one)
        first = person, margins
        if one is not None and draw is not None:
            first = drew.setdefault(one, first)
        if person == own["participant_id"]:
            return None if draw is None else ByWord(draw=draw, drawn_for=first[0], margins=first[1])
        if draw is not None:
            placed[person] = draw.stratum, draw.arm
    raise KeyError(own["participant_id"])


def _margins(design: Design, sequence: Sequence, label: str) -> tuple[Margin, ...]:
    if not isinstance(design, Minimization):
        return ()
    levels = levels_of(label)
    return tuple(
        Margin(factor=factor.name, level=levels[factor.name], counts=counts)
        for factor, counts in zip(design.factors, sequence.margins(label), strict=True)
    )


def _by_block(
    design: PermutedBlocks, source: Source, arrivals: pd.DataFrame, own: "pd.Series[Any]"
) -> ByBlock:
    """Blocks are functions of their number: only those who came before in the stratum are counted."""
    label = str(own["stratum"])
    blocks = StratumBlocks(
        design=design, study_id=source.study_id, wave=source.wave, seed=source.seed, stratum=label
    )
    taken = int(((arrivals["stratum"] == label) & (arrivals["arrival"] < own["arrival"])).sum())
    given = next(blocks.following(taken))
    return ByBlock(block=given.block, position=given.position, order=tuple(blocks.arms(given.block)))


def _by_batch(
    design: Rerandomization, source: Source, arrivals: pd.DataFrame, own: "pd.Series[Any]"
) -> ByBatch:
    """The batch with this person, numbered from 1 among those of the wave."""
    several = sorted(set(arrivals["batch"]))
    batch = several.index(own["batch"]) + 1
    people = arrivals[arrivals["batch"] == own["batch"]]
    labels = people["stratum"].tolist()
    given = allocate_batch(design, source, Arrivals.of(labels), batch)
    place = people["participant_id"].tolist().index(own["participant_id"])
    compared = closeness(design, labels)
    draws = 1 + next(
        first + int(np.argmax(accepted))
        for first, accepted in _accepted(design, source, batch, labels)
        if accepted.any()
    )
    return ByBatch(
        batch=batch,
        people=len(labels),
        draws=draws,
        distance=float(compared.distances(given.arm[np.newaxis])[0]),
        arm=given.arms[given.arm[place]],
        arms=given.arms,
    )


def _accepted(
    design: Rerandomization, source: Source, batch: int, labels: list[str]
) -> Iterator[tuple[int, "np.ndarray[tuple[int], np.dtype[np.bool_]]"]]:
    """Which of the batch's draws are close enough, some at a time, with the number of the first of these."""
    arms, people = len(design.ratio), len(labels)
    compared, below = closeness(design, labels), totals(people, arms)
    words = Words(source.seed, *source.labels, f"batch {batch}", "order")
    for first in range(0, design.most_draws, _DRAWS_AT_ONCE):
        numbers = words.below(first * len(below), np.tile(below, _DRAWS_AT_ONCE))
        yield first, compared.accepted(complete(numbers.reshape(_DRAWS_AT_ONCE, -1), people, arms))


def _changes(counting: pd.DataFrame) -> list[tuple[int, str, bool]]:
    """From which arrival on, who, and whether the place counts; in the order in which they hold."""
    ordered = counting.sort_values(["from_arrival", "participant_id"])
    columns = (ordered[name].tolist() for name in ("from_arrival", "participant_id", "counts"))
    return [(int(start), str(person), bool(counts)) for start, person, counts in zip(*columns, strict=True)]


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
