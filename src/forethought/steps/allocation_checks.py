"""What the machine can say of an allocation while its people are blinded, and what it adds once they are not."""

from collections import Counter
from collections.abc import Iterable, Mapping

import pandas as pd

from forethought import registration
from forethought.errors import NotLocked
from forethought.protocol.allocation import BigStick, BlockUrn, Design, NoAllocation, Simple
from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.randomization.balance import sample_ratio, within
from forethought.randomization.imbalance import exact_bounds
from forethought.reports.record import AllocationChecks, Reason, Replay, SampleRatio, WaveAllocation
from forethought.steps.kept_records import kept_otherwise
from forethought.store import attendance, milestones
from forethought.store.connection import Connection
from forethought.verification.automatic import seeds_agree
from forethought.verification.records import AllocationRecord
from forethought.verification.replaying import Answer, WaveReplay, replay

Counts = Mapping[str, Mapping[str, int]]


def allocation_checks(
    con: Connection, folder: StudyFolder, protocol: Protocol, record: AllocationRecord
) -> AllocationChecks:
    """Replay, bounds, sample ratio, who stopped counting and who was replaced. No arm and no seed is in it.

    Who filled whose place is said of unblinded waves alone: the two have one arm. Predictability is not looked at here.
    """
    design = protocol.allocation
    if isinstance(design, NoAllocation):
        return AllocationChecks()
    opened, replayed, agree = milestones.unblinded_waves(con), replay(record), seeds_agree(folder, record)
    return AllocationChecks(
        waves=tuple(
            _wave(
                record,
                _known(folder, protocol, one.wave),
                one,
                agree.get(one.wave),
                opened=one.wave in opened,
            )
            for one in replayed.waves
        ),
        ratios=tuple(_ratios(con, protocol, design, record.allocations)),
        problems=(*replayed.problems, *kept_otherwise(con, record.registration, record.events)),
    )


def by_stratum(design: Design, allocations: pd.DataFrame) -> Counts:
    """Stratum to arm to units of these allocations, replacements left out: a cluster is one unit, its first member's."""
    units = _units(design, allocations)
    regular = units[units["replaces"].isna()]
    counted = Counter(zip(regular["stratum"].astype(str), regular["arm"].astype(str), strict=True))
    found: dict[str, dict[str, int]] = {}
    for (label, arm), number in counted.items():
        found.setdefault(label, {})[arm] = number
    return found


def _known(folder: StudyFolder, protocol: Protocol, wave: int) -> Design | None:
    """The wave's design with its true block sizes; None where they are sealed and this process does not hold them."""
    try:
        return registration.resolved(folder, protocol, wave)
    except NotLocked:
        return None


def _wave(
    whole: AllocationRecord,
    design: Design | None,
    replayed: WaveReplay,
    agrees: bool | None,
    *,
    opened: bool,
) -> WaveAllocation:
    record = whole.of_waves(frozenset({replayed.wave}))
    replaced = record.allocations[record.allocations["replaces"].notna()]
    pairs = zip(replaced["participant_id"], replaced["replaces"], strict=True) if opened else ()
    return WaveAllocation(
        wave=replayed.wave,
        allocated=len(record.allocations),
        replay=_replay(replayed),
        seed_agrees=agrees,
        within_bounds=None if design is None else _within_bounds(design, record),
        problems=replayed.problems,
        stopped=_stopped(record.counting),
        replaced=len(replaced),
        replacements=tuple((str(newcomer), str(left)) for newcomer, left in pairs),
    )


def _replay(answer: WaveReplay) -> Replay | None:
    """How many rows agree; none of them where what was revealed is not what was committed to."""
    if answer.answer is Answer.NOT_REVEALED:
        return None
    unheld = answer.answer is Answer.DIFFERS and not answer.differences
    agreed = 0 if unheld else answer.allocations - answer.differing
    return Replay(replayed=answer.allocations, agreed=agreed)


def _within_bounds(design: Design, record: AllocationRecord) -> bool | None:
    """Whether every stratum is within the design's exact bounds; None where it has none.

    Big stick and block urn have bounds only while every place counts.
    """
    counts = by_stratum(design, record.allocations)
    moved = isinstance(design, BigStick | BlockUrn) and not record.counting.empty
    sizes = [sum(arms.values()) for arms in counts.values()] or [0]
    if moved or any(exact_bounds(design, size) is None for size in sizes):
        return None
    return not within(design, counts)


def _stopped(counting: pd.DataFrame) -> tuple[Reason, ...]:
    """How many places do not count now, by reason."""
    last = counting.sort_values("from_arrival").drop_duplicates("participant_id", keep="last")
    reasons = Counter(last.loc[~last["counts"], "reason"].astype(str))
    return tuple(Reason(reason=reason, count=number) for reason, number in sorted(reasons.items()))


def _ratios(
    con: Connection, protocol: Protocol, design: Design, allocations: pd.DataFrame
) -> Iterable[SampleRatio]:
    came = attendance.arrived(con)
    stayed = attendance.completed(con, sessions=bool(protocol.sessions))
    # A replacement has the arm of whoever left: counted beside that person, one draw would count twice.
    regular = allocations[allocations["replaces"].isna()]
    if isinstance(design, Simple):
        yield _ratio(design, regular, "allocated")
    yield _ratio(design, regular[regular["participant_id"].isin(came)], "who came")
    yield _ratio(design, allocations[allocations["participant_id"].isin(stayed)], "who completed")


def _ratio(design: Design, allocations: pd.DataFrame, counted: str) -> SampleRatio:
    if design.caps:
        why_not = "some arms take only so many"
        return SampleRatio(counted=counted, people=len(allocations), mismatch=None, why_not=why_not)
    by_arm = Counter(_units(design, allocations)["arm"].astype(str))
    tested = sample_ratio(by_arm, design.ratio)
    return SampleRatio(
        counted=counted,
        people=len(allocations),
        mismatch=None if tested.p is None else tested.alarm,
        why_not="there are too few of them" if tested.p is None else None,
    )


def _units(design: Design, allocations: pd.DataFrame) -> pd.DataFrame:
    """A row for each unit that was drawn."""
    if design.unit != "cluster":
        return allocations
    return allocations.sort_values(["wave", "arrival"]).drop_duplicates(["wave", "unit"])
