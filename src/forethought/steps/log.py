"""The ledger, its chain checked."""

from dataclasses import dataclass

from forethought.ledger import Event, verify_chain
from forethought.protocol.folder import StudyFolder
from forethought.store import events
from forethought.store.connection import DEFAULT_WAIT, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Every event in order, and the hash of the last."""

    events: tuple[Event, ...]
    head: str | None


def log(folder: StudyFolder, *, wait: float = DEFAULT_WAIT) -> Log:
    """Read the ledger; raises VerificationFailed where its chain is broken."""
    with reading(folder, wait) as con:
        history = events.history(con)
    verify_chain(history)
    return Log(events=tuple(history), head=history[-1].hash if history else None)
