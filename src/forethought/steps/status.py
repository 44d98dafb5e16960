"""Where a study stands; never with an arm before unblinding."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from forethought import registration
from forethought.errors import NotLocked
from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol, load
from forethought.steps.inbox import waiting
from forethought.store import deeds, events, flow, meta, milestones, rows
from forethought.store.connection import DEFAULT_WAIT, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Counts of what there is, and which gates are open.

    `fits_lock`: protocol, materials and ledger agree with the registration; `misfit` says what does not. `unblinded`:
    every wave is; `emergencies` counts the people whose arm was opened for them alone.
    """

    study: str
    title: str
    randomised: bool
    simulated: bool
    locked: bool
    amendments: int
    fits_lock: bool
    misfit: str | None
    fingerprint: str
    frozen: bool
    unblinded: bool
    closed_waves: tuple[int, ...]
    unblinded_waves: tuple[int, ...]
    emergencies: int
    corrections: int
    inbox: tuple[str, ...]
    assessed: int
    excluded: Mapping[str, int]
    waiting: int
    allocated: int
    sessions: Mapping[str, int]
    records: int
    scores: int
    quarantined: int
    events: int
    head: str | None

    @property
    def can_allocate(self) -> bool:
        """Whether `randomize` would be let through: locked, not frozen, and somebody waits or is planned."""
        return self.randomised and self.fits_lock and not self.frozen and self.waiting + self.allocated > 0

    def can_allocate_in(self, wave: int) -> bool:
        """Whether `randomize` of this wave would be let through: its enrolment must not be closed either."""
        return self.can_allocate and wave not in self.closed_waves

    @property
    def can_analyse(self) -> bool:
        """Whether there is an outcome."""
        return self.scores > 0 if self.randomised else self.records > 0

    def lines(self) -> Iterator[str]:
        """The status in sentences, for people."""
        yield f"{self.study}: {self.title}"
        yield f"data        {'simulated' if self.simulated else 'real'}"
        yield f"protocol    {self._lock_in_words()}, fingerprint {self.fingerprint[:12]}"
        if self.misfit is not None:
            yield f"            {self.misfit}"
        if self.randomised:
            yield f"arms        {self._gate_in_words()}"
            if self.emergencies:
                yield f"            {self.emergencies:,} unblinded alone, in an emergency"
            yield f"people      {self.assessed:,} assessed, {self.allocated:,} allocated, {self.waiting:,} waiting"
            for reason, count in self.excluded.items():
                yield f"            {count:,} excluded: {reason}"
            in_words = ", ".join(f"{count:,} {status}" for status, count in self.sessions.items())
            yield f"sessions    {in_words or 'none planned'}"
        else:
            yield f"records     {self.records:,}"
        yield f"scores      {self.scores:,}"
        yield f"quarantine  {self.quarantined:,}"
        if self.corrections:
            yield f"corrections {self.corrections:,}"
        yield f"inbox       {', '.join(self.inbox) or 'empty'}"
        yield f"ledger      {self.events:,} events, head {(self.head or '-')[:12]}"

    def _gate_in_words(self) -> str:
        """The gate as it stands, and each wave of it that stands otherwise than the study."""
        if self.unblinded:
            return "unblinded"
        waves = [
            f"wave {wave} {'unblinded' if wave in self.unblinded_waves else 'closed'}"
            for wave in self.closed_waves
            if wave in self.unblinded_waves or not self.frozen
        ]
        return ", ".join(["frozen, blinded" if self.frozen else "blinded", *waves])

    def _lock_in_words(self) -> str:
        if not self.locked:
            return "not locked"
        if not self.fits_lock:
            return "LOCKED, BUT CHANGED SINCE"
        if self.amendments:
            return f"locked, amended {self.amendments:,} time{'' if self.amendments == 1 else 's'}"
        return "locked"


def status(folder: StudyFolder, *, wait: float = DEFAULT_WAIT) -> Status:
    """Count everything; reads, and writes nothing."""
    loaded = load(folder.protocol)
    locked = registration.read(folder)
    with reading(folder, wait) as con:
        history = events.history(con)
        misfit = _misfit(folder, loaded, history)
        counts = flow.flow(con, arms=[arm.id for arm in loaded.protocol.arms])
        return Status(
            study=loaded.protocol.study.id,
            title=loaded.protocol.study.title,
            randomised=loaded.protocol.randomised,
            simulated=meta.is_simulated(con),
            locked=locked is not None,
            amendments=0 if locked is None else len(locked.amendments),
            fits_lock=locked is not None and misfit is None,
            misfit=misfit,
            fingerprint=loaded.fingerprint,
            frozen=any(event.action == "freeze" for event in history),
            unblinded=milestones.unblinded(con),
            closed_waves=tuple(wave.wave for wave in deeds.waves(con) if wave.closed),
            unblinded_waves=tuple(sorted(milestones.unblinded_waves(con))),
            emergencies=len(milestones.emergencies(history)),
            corrections=rows.count(con, "corrections"),
            inbox=tuple(file.name for file in waiting(folder)),
            assessed=counts.assessed,
            excluded={one.reason: one.count for one in counts.excluded},
            waiting=counts.waiting,
            allocated=counts.randomised,
            sessions=_sessions(counts.together),
            records=counts.records,
            scores=rows.count(con, "scores"),
            quarantined=rows.count(con, "quarantine"),
            events=len(history),
            head=history[-1].hash if history else None,
        )


def _misfit(folder: StudyFolder, loaded: LoadedProtocol, history: Sequence[Event]) -> str | None:
    """What does not agree with the registration, or with the ledger's lock and amendments; None where all does."""
    try:
        registration.agree(folder, history)
        if folder.registration.exists():
            registration.require(folder, loaded)
    except NotLocked as refusal:
        return str(refusal)
    return None


def _sessions(counts: flow.ArmCounts) -> dict[str, int]:
    found = {
        "done": sum(one.done for one in counts.sessions),
        "out of window": sum(one.out_of_window for one in counts.sessions),
        "missed": sum(one.missed for one in counts.sessions),
        "still open": sum(one.still_open for one in counts.sessions),
    }
    return {name: count for name, count in found.items() if count}
