"""A locked study as a process that goes on sees it: read once, and again when anything of it has changed."""

from collections.abc import Sequence
from pathlib import Path

from forethought import ledger, registration
from forethought.errors import NotLocked
from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.freeze import closed
from forethought.steps.placing import WavePlan, plan_of
from forethought.store import events
from forethought.store.connection import Connection

_OF_THE_LOCK = frozenset({"lock", "amend", "timestamp"})
_ENDS = frozenset({"freeze", "close"})

_Signature = tuple[tuple[int, int, int] | None, ...]


class WatchedStudy:
    """The plan of one wave, and the ledger as far as it was verified.

    A step of the command line reads every file and verifies the whole ledger. Here that is done the first time, and
    whenever a file of the plan or the lock has another inode, size or time, or the ledger has an event of the lock.
    Otherwise only the events since are verified, from the last one verified, which must still be in its place.
    """

    def __init__(self, folder: StudyFolder, wave: int) -> None:
        self._folder = folder
        self._wave = wave
        self._plan: WavePlan | None = None
        self._signature: _Signature = ()
        self._files: tuple[Path, ...] = ()
        self._last: Event | None = None
        self._ends: list[Event] = []

    @property
    def end(self) -> Event | None:
        """What ended the enrolment of the wave, if anything did, when the plan was last asked for."""
        return closed(self._ends, self._wave)

    @property
    def last(self) -> Event | None:
        """The last event of the ledger, when the plan was last asked for."""
        return self._last

    def plan(self, con: Connection) -> WavePlan:
        """The plan that stands, inside the caller's transaction.

        NotLocked where it is not the registered one; VerificationFailed where the ledger is not what it was.
        """
        if self._plan is not None and self._last is not None and self._signature == _signed(self._files):
            since = _following(con, self._last)
            if not any(event.action in _OF_THE_LOCK for event in since):
                self._saw(since)
                return self._plan
        return self._read(con)

    def recorded(self, event: Event) -> None:
        """An event of this process, once it is committed."""
        self._last = event

    def _read(self, con: Connection) -> WavePlan:
        """Everything anew; it is signed before it is read, so that a change in between is seen the next time."""
        locked = registration.read(self._folder)
        if locked is None:
            raise NotLocked(
                str(self._folder.path), "the study is not locked", "Run `forethought lock` on it first"
            )
        self._plan = None
        self._files = (
            self._folder.protocol,
            self._folder.registration,
            self._folder.secrets / "seeds.json",
            *(self._folder.materials / name for name in locked.current_materials),
        )
        self._signature = _signed(self._files)
        loaded = load(self._folder.protocol)
        locked = registration.require(self._folder, loaded)
        history = events.history(con)
        registration.agree(self._folder, history)
        if self._last is not None and self._last not in history[self._last.seq - 1 : self._last.seq]:
            raise ledger.broken(self._last.seq)
        self._ends = []
        self._saw(history)
        self._plan = plan_of(self._folder, loaded.protocol, locked, self._wave)
        return self._plan

    def _saw(self, verified: Sequence[Event]) -> None:
        self._ends += [event for event in verified if event.action in _ENDS]
        self._last = verified[-1] if verified else self._last


def _following(con: Connection, last: Event) -> Sequence[Event]:
    """The events since the last that was verified, verified now; that one must still be where it was."""
    found = events.history(con, first=last.seq)
    if not found or found[0].hash != last.hash:
        raise ledger.broken(last.seq)
    ledger.verify_chain(found[1:], after=found[0])
    return found[1:]


def _signed(files: Sequence[Path]) -> _Signature:
    """What shows that a file was changed, without reading it; None for a file that is gone."""
    signed: list[tuple[int, int, int] | None] = []
    for file in files:
        try:
            found = file.stat()
            signed.append((found.st_ino, found.st_size, found.st_mtime_ns))
        except FileNotFoundError:
            signed.append(None)
    return tuple(signed)
