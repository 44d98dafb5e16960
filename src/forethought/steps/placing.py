"""Give the people of one wave who wait their arms, inside the transaction of a step."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from forethought import registration
from forethought.errors import GateClosed
from forethought.ledger import Event
from forethought.protocol.allocation import Design, NoAllocation, Rerandomization, algorithm
from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.randomization.allocating import allocate
from forethought.randomization.arrivals import Before, Drawn, Source
from forethought.randomization.roll import roll_hash
from forethought.registration import Registration
from forethought.steps.counting import Counted, recount
from forethought.steps.sealed import drawn_from_list
from forethought.steps.waves import check_wave
from forethought.store import allocations, standings
from forethought.store.allocations import Placed
from forethought.store.connection import Connection
from forethought.store.waiting import Levels, Waiting

_FULL = "every arm is full"
_USED_UP = "the sealed list of the stratum is used up"


@dataclass(frozen=True, slots=True, kw_only=True)
class WavePlan:
    """All that the arms of one wave follow from, beside its people. The seed is in it: it is never shown."""

    folder: StudyFolder
    design: Design
    source: Source = field(repr=False)
    levels: Levels
    by_sessions: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """How many got an arm, from which arrival of the wave on; who did not, and why; whose places count otherwise.

    `roll` is the hash of who they are (`randomization.roll`), empty where nobody got an arm.
    """

    allocated: int
    first_arrival: int
    refused: tuple[tuple[str, str], ...]
    counted: Counted
    roll: str = ""

    def told(self, plan: WavePlan) -> Mapping[str, object]:
        """What the ledger says of it. The blinded read it too: counts and a hash, nothing of arms or blocks."""
        return {
            "wave": plan.source.wave,
            "algorithm": plan.source.algorithm,
            "allocated": self.allocated,
            "first_arrival": self.first_arrival,
            "refused": dict(Counter(reason for _, reason in self.refused)),
            "stopped_counting": self.counted.stopped,
            "counting_again": self.counted.again,
            "roll_sha256": self.roll,
        }


def plan_of(folder: StudyFolder, protocol: Protocol, locked: Registration, wave: int) -> WavePlan:
    """The plan of the wave, with its secrets; WrongUsage for a wave that the protocol does not have.

    GateClosed for a study that is not randomised; NotLocked where the secrets are not those committed to.
    """
    if isinstance(protocol.allocation, NoAllocation):
        raise GateClosed(str(folder.path), "this study is not randomised", "Go on with `forethought analyze`")
    check_wave(protocol, wave)
    design = registration.resolved(folder, protocol, wave)
    recruits = protocol.imports.recruits
    return WavePlan(
        folder=folder,
        design=design,
        source=Source(
            seed=registration.seed(folder, wave),
            study_id=locked.study_id,
            wave=wave,
            algorithm=locked.current_algorithm or algorithm(design),
        ),
        levels={one.name: one.levels for one in recruits.variables} if recruits else {},
        by_sessions=bool(protocol.sessions),
    )


def refuse_a_closed_wave(end: Event | None, wave: int) -> None:
    """GateClosed where something has ended the enrolment of the wave."""
    if end is None:
        return
    if end.action == "freeze":
        what, remedy = f"the study was frozen on {end.at:%Y-%m-%d}", "Who comes later needs a new study"
    else:
        what, remedy = f"the wave was closed on {end.at:%Y-%m-%d}", "Who comes later needs another wave"
    raise GateClosed(f"wave {wave}", f"enrolment is closed: {what}", remedy)


def place(con: Connection, plan: WavePlan, waiting: Waiting, now: datetime) -> Given:
    """Judge who counts, draw the arms of all who wait, and write both; nothing is written where nobody gets an arm.

    The caller's transaction has read who waits, so that no person gets two arms and no place goes to two people.
    """
    wave, moment = plan.source.wave, now.astimezone(UTC).replace(tzinfo=None)
    first = allocations.arrived(con, wave) + 1
    if not len(waiting.arrivals):
        return Given(allocated=0, first_arrival=first, refused=waiting.refused, counted=Counted())
    counted = recount(con, wave, plan.design, by_sessions=plan.by_sessions, from_arrival=first, now=moment)
    before = allocations.before(con, wave, plan.design, waiting.arrivals.labels, first - 1)
    drawn, reason = _drawn(con, plan, waiting, before)
    placed = Placed(
        wave=wave,
        participants=waiting.participants,
        labels=waiting.arrivals.labels,
        codes=waiting.arrivals.codes,
        units=waiting.arrivals.units,
        drawn=drawn,
        algorithm=plan.source.algorithm,
        first_arrival=first,
    )
    allocated = allocations.add(con, placed, moment)
    if not allocated:
        standings.take_back(con, wave, first)
        counted = Counted()
    without = waiting.participants[drawn.arm < 0].tolist()
    refused = (*waiting.refused, *((person, reason) for person in without))
    return Given(
        allocated=allocated,
        first_arrival=first,
        refused=refused,
        counted=counted,
        roll=_roll(placed, counted) if allocated else "",
    )


def _roll(placed: Placed, counted: Counted) -> str:
    """What the ledger holds of the people who got an arm, in a hash."""
    got = np.flatnonzero(placed.drawn.arm >= 0)
    units = [] if placed.units is None else [placed.units[place] for place in got.tolist()]
    strata = [placed.labels[code] for code in placed.codes[got].tolist()]
    return roll_hash(placed.participants[got].tolist(), strata, units, counted.changes)


def _drawn(con: Connection, plan: WavePlan, waiting: Waiting, before: Before) -> tuple[Drawn, str]:
    """The arm of each who waits, and why there is none where there is none."""
    design, arrivals = plan.design, waiting.arrivals
    if design.drawn == "ahead":
        return drawn_from_list(con, plan.folder, design, plan.source, arrivals, before), _USED_UP
    if not isinstance(design, Rerandomization):
        return allocate(design, plan.source, arrivals, before), _FULL
    try:
        return allocate(design, plan.source, arrivals, before), _FULL
    except GateClosed as refusal:
        none = np.zeros(len(arrivals), dtype=np.int32)
        arm, unknown = np.full(len(arrivals), -1, dtype=np.int8), np.full(len(arrivals), np.nan)
        arms = tuple(sorted(design.ratio))
        return Drawn(arms=arms, arm=arm, probability=unknown, block=none, position=none), refusal.what
