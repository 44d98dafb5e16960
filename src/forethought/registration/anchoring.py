"""The registration beside the ledger: what was cut off the end of one, or written anew, the other still has."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from forethought.errors import NotLocked
from forethought.files import canonical_json
from forethought.ledger import Event, verify_chain
from forethought.protocol.folder import StudyFolder
from forethought.registration.document import Document, read_document, record_hash
from forethought.registration.records import SeedCommitment

Recorded = tuple[str, str, Mapping[str, object]]
"""What the ledger holds of a record: the action, the key that tells its events apart, and the detail."""

_RESTORE = "Restore registration.json from a backup: it must not be edited"


def agree(folder: StudyFolder, history: Sequence[Event], *, unfinished: bool = False) -> None:
    """NotLocked where registration and ledger do not hold the same lock, amendments and timestamps.

    What the ledger lacks was broken off by a crash: it is let through where `unfinished` alone, in the steps that
    record it when they are run again. An event of an older release holds no hash of its record; it is compared by
    what it has. VerificationFailed where the chain of the ledger is broken: what it holds is no evidence then.
    """
    verify_chain(history)
    document = read_document(folder.registration)
    locks = [event for event in history if event.action == "lock"]
    if document is None and locks:
        raise _lost(folder, f"the study was locked on {locks[0].at:%Y-%m-%d}, and its registration is gone")
    if document is None:
        return
    records = list(recorded(document))
    if locks and not any(_holds(event, records[0]) for event in locks):
        raise _lost(folder, "it is not the registration that the ledger has")
    for event in history:
        if event.action in ("amend", "timestamp") and not any(_holds(event, record) for record in records):
            raise _lost(folder, _missed(event, document))
    if not unfinished:
        _refuse_the_unfinished(folder, history, records)


def recorded(document: Document) -> Iterator[Recorded]:
    """What the ledger holds of a registration, in order: the lock, each amendment, each timestamp."""
    registration, hashes = document.registration, document.record_hashes
    lock = {
        "fingerprint": registration.fingerprint,
        "commitments": _commitments(registration.seeds),
        "record": hashes[0],
    }
    yield "lock", "fingerprint", lock
    for one, own in zip(registration.amendments, hashes[1:], strict=True):
        amendment = {
            "number": one.number,
            "fingerprint": one.fingerprint,
            "parent": one.parent,
            "fields": [each.field for each in one.differences],
            "reason": one.reason,
            "declared": [each.model_dump() for each in one.declared],
            "after": one.after.model_dump(),
            "commitments": _commitments(one.seeds),
            "record": own,
        }
        yield "amend", "number", amendment
    for stamp, data in zip(registration.timestamps, document.data.get("timestamps", ()), strict=True):
        timestamp = {
            "record": stamp.record,
            "service": stamp.service,
            "at": stamp.at.isoformat(),
            "timestamp": record_hash(canonical_json(data)),
        }
        yield "timestamp", "record", timestamp


def _commitments(seeds: Iterable[SeedCommitment]) -> dict[str, str]:
    return {str(seed.wave): seed.commitment for seed in seeds}


def _holds(event: Event, record: Recorded) -> bool:
    """Whether the event is of this record: whatever it says of it, it says as the record does."""
    action, key, detail = record
    return (
        event.action == action
        and key in event.detail
        and all(event.detail[name] == value for name, value in detail.items() if name in event.detail)
    )


def _missed(event: Event, document: Document) -> str:
    """What is not here, or not as it was, of an event that no record fits."""
    if event.action == "timestamp":
        here = any(one.record == event.detail.get("record") for one in document.registration.timestamps)
        what = f"the timestamp of {event.at:%Y-%m-%d}"
    else:
        here = any(one.number == event.detail.get("number") for one in document.registration.amendments)
        what = f"amendment {event.detail.get('number')}"
    if here:
        return f"{what} is not the one that the ledger has"
    when = "" if event.action == "timestamp" else f" of {event.at:%Y-%m-%d}"
    return f"{what}{when} is in the ledger, and not here"


def _refuse_the_unfinished(
    folder: StudyFolder, history: Sequence[Event], records: Sequence[Recorded]
) -> None:
    for record in records:
        if not any(_holds(event, record) for event in history):
            action, _, detail = record
            what = f"amendment {detail['number']}" if action == "amend" else f"the {action}"
            raise NotLocked(
                str(folder.registration),
                f"{what} was broken off before the ledger had it",
                "Run `forethought lock` on the study again, which records it",
            )


def _lost(folder: StudyFolder, what: str) -> NotLocked:
    return NotLocked(str(folder.registration), what, _RESTORE)
