"""The ledger, its chain checked: as the blinded read it, or with the allocations of what is unblinded."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from forethought.errors import GateClosed
from forethought.ledger import Event, verify_chain
from forethought.protocol.folder import StudyFolder
from forethought.store import allocated, events, milestones
from forethought.store.allocated import Allocated
from forethought.store.connection import DEFAULT_WAIT, Connection, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Every event in order, and the hash of the last.

    In the full view `made` has, for each `randomize` event of an unblinded wave (by its number), what it allocated;
    the blinded view has none.
    """

    events: tuple[Event, ...]
    head: str | None
    made: Mapping[int, tuple[Allocated, ...]] = field(default_factory=dict)

    def as_json(self, last: int | None = None) -> dict[str, object]:
        """The events (the last so many of them) as JSON's own types, allocations beside what made them."""
        return {
            "head": self.head,
            "events": [
                asdict(event) | ({"allocations": self.made[event.seq]} if event.seq in self.made else {})
                for event in self._last(last)
            ],
        }

    def lines(self, last: int | None = None) -> list[str]:
        """The events (the last so many of them) in a line each, for people; allocations below what made them."""
        found = []
        for event in self._last(last):
            found.append(f"{event.seq:>5}  {event.at}  {event.actor}  {event.action}  {event.hash[:12]}")
            found += [f"       {one.in_words}" for one in self.made.get(event.seq, ())]
        return found

    def _last(self, last: int | None) -> Sequence[Event]:
        return self.events if last is None else self.events[-last:]


def log(folder: StudyFolder, *, full: bool = False, wait: float = DEFAULT_WAIT) -> Log:
    """Read the ledger; VerificationFailed where its chain is broken. `full` also reads what was allocated.

    The full view is of unblinded waves alone; GateClosed where there is none.
    """
    with reading(folder, wait) as con:
        history = events.history(con)
        made = _made(con, folder, history) if full else {}
    verify_chain(history)
    return Log(events=tuple(history), head=history[-1].hash if history else None, made=made)


def _made(
    con: Connection, folder: StudyFolder, history: Sequence[Event]
) -> Mapping[int, tuple[Allocated, ...]]:
    opened = milestones.unblinded_waves(con)
    if not opened:
        raise GateClosed(
            str(folder.path),
            "no wave is unblinded: there is nothing to show beyond the blinded view",
            "Leave out --full, or unblind the study first",
        )
    by_wave = {wave: allocated.of_wave(con, wave) for wave in sorted(opened)}
    made: dict[int, tuple[Allocated, ...]] = {}
    for event in history:
        wave = int(str(event.detail["wave"])) if event.action == "randomize" else None
        if wave is not None and wave in by_wave:
            first, many = (int(str(event.detail[name])) for name in ("first_arrival", "allocated"))
            made[event.seq] = tuple(one for one in by_wave[wave] if first <= one.arrival < first + many)
    return made
