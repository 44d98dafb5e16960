"""The registration beside the ledger: what was cut off the end of one, or written anew, the other still has."""

from collections.abc import Sequence

from forethought.errors import NotLocked
from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.registration.document import Document, read_document

_RESTORE = "Restore registration.json from a backup: it must not be edited"


def agree(folder: StudyFolder, history: Sequence[Event]) -> None:
    """NotLocked where the ledger has a lock, an amendment or a timestamp that the registration does not have.

    The other way round is no fault: a step that was broken off after the registration was written records what is
    missing when it is run again. Events of an older release, which hold no record's hash, are held by fingerprint.
    """
    document = read_document(folder.registration)
    locks = [event for event in history if event.action == "lock"]
    if document is None and locks:
        raise _lost(folder, f"the study was locked on {locks[0].at:%Y-%m-%d}, and its registration is gone")
    if document is None:
        return
    if locks and not any(_is_record(event, document, 0) for event in locks):
        raise _lost(folder, "it is not the registration that the ledger has")
    for event in history:
        if event.action == "amend":
            _check_amendment(folder, document, event)
        elif event.action == "timestamp" and not any(
            one.record == event.detail["record"] for one in document.registration.timestamps
        ):
            raise _lost(folder, f"the timestamp of {event.at:%Y-%m-%d} is in the ledger, and not here")


def _check_amendment(folder: StudyFolder, document: Document, event: Event) -> None:
    number = int(str(event.detail["number"]))
    if number > len(document.registration.amendments):
        what = f"amendment {number} of {event.at:%Y-%m-%d} is in the ledger, and not here"
        raise _lost(folder, what)
    if not _is_record(event, document, number):
        raise _lost(folder, f"amendment {number} is not the one that the ledger has")


def _is_record(event: Event, document: Document, number: int) -> bool:
    """Whether the event is of this record: the lock's is number 0."""
    registration = document.registration
    prints = (registration.fingerprint, *(one.fingerprint for one in registration.amendments))
    same = event.detail.get("record", document.record_hashes[number]) == document.record_hashes[number]
    return same and event.detail["fingerprint"] == prints[number]


def _lost(folder: StudyFolder, what: str) -> NotLocked:
    return NotLocked(str(folder.registration), what, _RESTORE)
