"""Replaying a record: each wave's answer, and every row that the revealed seed does not give."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from forethought import deviations
from forethought.errors import NotLocked, ProtocolInvalid
from forethought.ledger import Event
from forethought.protocol.allocation import Design, NoAllocation, PermutedBlocks, algorithm
from forethought.protocol.protocol import Protocol
from forethought.randomization import first_blocks
from forethought.randomization.arrivals import Source
from forethought.randomization.replay import Difference, differences, order_differences
from forethought.randomization.strata import levels_of, stratum
from forethought.registration import SeedCommitment, block_commitment, commitment, seals_blocks
from forethought.verification.records import AllocationRecord
from forethought.verification.rolls import told_otherwise

_HEX_DIGITS = 64
_LARGEST_BLOCK = 1_000_000


class Answer(StrEnum):
    """What the replay of a wave says."""

    AGREED = "agreed"
    DIFFERS = "differs"
    NOT_REVEALED = "not revealed yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """What the unblinding of a wave revealed; `block_sizes` of a design that sealed them."""

    seed: bytes
    nonce: bytes
    block_sizes: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveReplay:
    """One wave's answer. `problems` are what is wrong with the wave as a whole, `differences` single values.

    `allocations` counts the rows that the seed was held against: none where it is not revealed.
    """

    wave: int
    answer: Answer
    allocations: int
    problems: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def differing(self) -> int:
        """How many people have a value that the seed does not give."""
        return len({one.participant for one in self.differences})


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The answer of each wave, and what is wrong with the record as a whole."""

    study_id: str
    problems: tuple[str, ...]
    waves: tuple[WaveReplay, ...]

    @property
    def revealed(self) -> bool:
        """Whether any wave could be replayed."""
        return any(wave.answer is not Answer.NOT_REVEALED for wave in self.waves)

    @property
    def agreed(self) -> bool:
        """Whether nothing differs, of what could be replayed."""
        return not self.problems and all(wave.answer is not Answer.DIFFERS for wave in self.waves)


def replay(record: AllocationRecord) -> Replayed:
    """Hold every allocation and every order of materials against the seeds that the ledger reveals.

    A seed counts only where it is the one that the registration commits to, and so do sealed block sizes. The ledger
    also says how many were allocated: rows cut off the end show there.
    """
    try:
        plan = deviations.planned(record.registration)
    except NotLocked as error:
        return _unreadable(record, f"{error.where}: {error.what}")
    committed = {one.wave: one for one in record.registration.all_seeds}
    revealed, broken = _revealed(record.events)
    waves = sorted({*committed, *revealed, *map(int, record.allocations["wave"])})
    plans = (plan.protocol, *plan.amended)
    return Replayed(
        study_id=record.registration.study_id,
        problems=(*record.problems, *broken),
        waves=tuple(_wave(record, plans, wave, committed.get(wave), revealed.get(wave)) for wave in waves),
    )


def revealed_waves(record: AllocationRecord) -> frozenset[int]:
    """The waves whose seeds the ledger reveals."""
    return frozenset(_revealed(record.events)[0])


def _unreadable(record: AllocationRecord, problem: str) -> Replayed:
    return Replayed(study_id=record.registration.study_id, problems=(*record.problems, problem), waves=())


def _wave(
    record: AllocationRecord,
    plans: Sequence[Protocol],
    wave: int,
    committed: SeedCommitment | None,
    revealed: Revealed | None,
) -> WaveReplay:
    own = record.of_waves(frozenset({wave}))
    if committed is None:
        what = f"the registration commits to no seed of wave {wave}"
        return _problem(wave, len(own.allocations), what)
    if revealed is None:
        return WaveReplay(wave=wave, answer=Answer.NOT_REVEALED, allocations=0)
    design = plans[-1].allocation
    if isinstance(design, NoAllocation):
        return _problem(wave, len(own.allocations), "the plan allocates nobody")
    misfits = tuple(_misfits(record.registration.study_id, design, committed, revealed))
    if misfits:
        return _problem(wave, len(own.allocations), *misfits)
    return held_against(own, plans, wave, revealed.seed, _resolved(design, revealed))


def held_against(
    record: AllocationRecord, plans: Sequence[Protocol], wave: int, seed: bytes, design: Design
) -> WaveReplay:
    """The record of one wave beside what this seed gives; `plans` are the lock's and those of the amendments."""
    locked = record.registration
    arithmetic = locked.current_algorithm or algorithm(design)
    source = Source(seed=seed, study_id=locked.study_id, wave=wave, algorithm=arithmetic)
    faults = (*_unknown(design, arithmetic), *_faults(record, design, wave))
    found: tuple[Difference, ...] = ()
    try:
        found = () if faults else tuple(_differences(record, plans, design, source))
    except (ProtocolInvalid, ValueError) as error:
        # A plan that no lock lets through: the file was made by hand.
        faults = (f"wave {wave}: the plan cannot be drawn again ({getattr(error, 'what', error)})",)
    missing = (*_missing(record.events, wave, len(record.allocations)), *told_otherwise(record, wave))
    return WaveReplay(
        wave=wave,
        answer=Answer.DIFFERS if faults or found or missing else Answer.AGREED,
        allocations=len(record.allocations),
        problems=(*faults, *missing),
        differences=found,
    )


def _problem(wave: int, allocations: int, *what: str) -> WaveReplay:
    return WaveReplay(wave=wave, answer=Answer.DIFFERS, allocations=allocations, problems=what)


def _resolved(design: Design, revealed: Revealed) -> Design:
    """The design with the block sizes that were revealed, where it seals them."""
    if not seals_blocks(design):
        return design
    return design.model_copy(update={"block_sizes": revealed.block_sizes})


def _misfits(study_id: str, design: Design, committed: SeedCommitment, revealed: Revealed) -> Iterator[str]:
    """What was revealed and is not what the registration commits to."""
    wave, salt, sizes = committed.wave, revealed.nonce, revealed.block_sizes
    if commitment(revealed.seed, salt, study_id, wave) != committed.commitment:
        yield f"the revealed seed of wave {wave} is not the one that the registration commits to"
    if not seals_blocks(design):
        return
    if sizes is None:
        yield f"the sealed block sizes of wave {wave} were not revealed"
    elif block_commitment(sizes, salt, study_id, wave) != committed.blocks:
        yield f"the revealed block sizes of wave {wave} are not those that the registration commits to"


def _differences(
    record: AllocationRecord, plans: Sequence[Protocol], design: Design, source: Source
) -> Iterator[Difference]:
    """Values that the seed does not give: first of the allocations, then of the orders of materials."""
    yield from differences(design, source, record.allocations, record.counting)
    yield from _order_differences(plans, source, record)


def _unknown(design: Design, arithmetic: str) -> Iterator[str]:
    """Why this release cannot draw the arms again."""
    first = isinstance(design, PermutedBlocks) and arithmetic == first_blocks.ALGORITHM
    if not first and arithmetic != algorithm(design):
        yield f"the arms were drawn by `{arithmetic}`, which this release does not know for this design"
    sizes = design.block_sizes if isinstance(design, PermutedBlocks) else ()
    if isinstance(sizes, tuple) and max(sizes, default=0) > _LARGEST_BLOCK:
        yield f"a block of more than {_LARGEST_BLOCK:,} is not drawn again"


def _faults(record: AllocationRecord, design: Design, wave: int) -> Iterator[str]:
    """Why the rows cannot be held against a seed at all."""
    rows = record.allocations
    for column in ("participant_id", "arrival"):
        if rows[column].duplicated().any():
            yield f"wave {wave}: two allocations have the same {column}"
    levels: dict[str, tuple[str, ...]] = dict.fromkeys(design.covariates, ())
    for label in sorted(set(rows["stratum"])):
        if stratum(levels, levels_of(label)) != label:
            yield f"wave {wave}: `{label}` is no stratum of the plan"
    if design.unit == "cluster" and rows["unit"].isna().any():
        yield f"wave {wave}: somebody has no cluster"


def _missing(events: Sequence[Event], wave: int, recorded: int) -> Iterator[str]:
    """Whether the ledger speaks of as many allocations as are recorded."""
    counts = [event.detail.get("allocated") for event in _of(events, "randomize", wave)]
    spoken = sum(count for count in counts if isinstance(count, int))
    if counts and spoken != recorded:
        yield f"wave {wave}: the ledger speaks of {spoken:,} allocations, and the record has {recorded:,}"


def _of(events: Sequence[Event], action: str, wave: int) -> Iterator[Event]:
    return (event for event in events if event.action == action and event.detail.get("wave") == wave)


def _order_differences(
    plans: Sequence[Protocol], source: Source, record: AllocationRecord
) -> tuple[Difference, ...]:
    """Materials that no plan gives: who was scheduled before an amendment has the order of the plan before it."""
    found: tuple[Difference, ...] = ()
    open_to_question = record.orders
    for plan in reversed(plans):
        if plan.stimuli is None:
            continue
        differing = order_differences(plan.stimuli, source, record.allocations, open_to_question)
        found = found or differing
        people = {one.participant for one in differing}
        open_to_question = open_to_question[open_to_question["participant_id"].isin(people)]
        found = tuple(one for one in found if one.participant in people)
    return found


def _revealed(events: Sequence[Event]) -> tuple[Mapping[int, Revealed], tuple[str, ...]]:
    """Wave to what its unblinding revealed, the first time; and what cannot be read of it."""
    found: dict[int, Revealed] = {}
    broken: list[str] = []
    for event in events:
        waves = event.detail.get("waves") if event.action == "unblind" else None
        for wave, said in (waves if isinstance(waves, Mapping) else {}).items():
            secret = _secret(said)
            if secret is None or not str(wave).isdecimal():
                broken.append(f"ledger, event {event.seq}: what it reveals of wave {wave} cannot be read")
            else:
                found.setdefault(int(wave), secret)
    return found, tuple(broken)


def _secret(said: object) -> Revealed | None:
    if not isinstance(said, Mapping):
        return None
    seed, nonce, sizes = said.get("seed"), said.get("nonce"), said.get("block_sizes")
    if not _is_hex(seed) or not _is_hex(nonce):
        return None
    if sizes is not None and not _are_sizes(sizes):
        return None
    return Revealed(
        seed=bytes.fromhex(str(seed)),
        nonce=bytes.fromhex(str(nonce)),
        block_sizes=None if sizes is None else tuple(sizes),
    )


def _is_hex(value: object) -> bool:
    return isinstance(value, str) and len(value) == _HEX_DIGITS and set(value) <= set("0123456789abcdef")


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(type(size) is int and size > 0 for size in value)
