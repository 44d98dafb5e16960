"""Where a study stands; never with an arm before unblinding."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from forethought import registration
from forethought.errors import NotLocked
from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol, load
from forethought.steps.inbox import waiting
from forethought.store import events, flow, meta, milestones, rows
from forethought.store.connection import DEFAULT_WAIT, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Counts of what there is, and which gates are open.

    `fits_lock`: protocol, materials and ledger agree with the registration; `misfit` says what does not.
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
            yield f"arms        {'unblinded' if self.unblinded else 'frozen, blinded' if self.frozen else 'blinded'}"
            yield f"people      {self.assessed:,} assessed, {self.allocated:,} allocated, {self.waiting:,} waiting"
            for reason, count in self.excluded.items():
                yield f"            {count:,} excluded: {reason}"
            in_words = ", ".join(f"{count:,} {status}" for status, count in self.sessions.items())
            yield f"sessions    {in_words or 'none planned'}"
        else:
            yield f"records     {self.records:,}"
        yield f"scores      {self.scores:,}"
        yield f"quarantine  {self.quarantined:,}"
        yield f"inbox       {', '.join(self.inbox) or 'empty'}"
        yield f"ledger      {self.events:,} events, head {(self.head or '-')[:12]}"

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
