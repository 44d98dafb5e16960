"""registration.json as it lies there: read with every link of its chain checked, and written whole.

Hashes are of the file's own data, never of what this release makes of them, so that a record keeps its hash in
every later release.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from forethought.errors import NotLocked
from forethought.files import canonical_json, write_atomically
from forethought.protocol.fingerprint import fingerprint
from forethought.protocol.folder import StudyFolder
from forethought.registration.records import Record, Registration

Data = Mapping[str, Any]

_APPENDED = ("amendments", "timestamps")
_RESTORE = "Restore it from a backup: it must not be edited"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A registration, and the data of its file."""

    registration: Registration
    data: Data

    @property
    def records(self) -> tuple[bytes, ...]:
        """The canonical JSON of the lock's record and of each amendment: what is chained, and what is stamped."""
        return tuple(canonical_json(record) for record in _records(self.data))

    @property
    def record_hashes(self) -> tuple[str, ...]:
        """The SHA-256 of each record, the lock's first."""
        return tuple(record_hash(record) for record in self.records)


def read(folder: StudyFolder) -> Registration | None:
    """The registration, or None where the study is not locked; NotLocked where it is damaged."""
    document = read_document(folder.registration)
    return None if document is None else document.registration


def read_document(path: Path) -> Document | None:
    """The registration in this file with its data, or None where there is no file; NotLocked where it is damaged.

    Every fingerprint, every link from a record to the one before it, and every timestamp is checked.
    """
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_bytes(), object_pairs_hook=_without_repetition)
        document = Document(registration=Registration.model_validate(data), data=data)
        _check_chain(path, document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise broken(path, f"it cannot be read ({place}: {first['msg']})") from error
    except (ValueError, RecursionError) as error:  # no JSON, no text, or numbers that JSON does not have
        raise broken(path, f"it cannot be read (the file: {error})") from error
    if document.registration.timestamps:
        from forethought.registration.timestamps import check

        check(path, document.registration, document.records)
    return document


def document_of(registration: Registration) -> Document:
    """A registration that was never written, as its file will hold it."""
    return Document(registration=registration, data=registration.model_dump(mode="json"))


def appended(document: Document, to: str, record: Record) -> Document:
    """The document with one more record at the end of its `amendments` or `timestamps`; all else as it was."""
    data = {**document.data, **{name: list(document.data.get(name, ())) for name in _APPENDED}}
    data[to].append(record.model_dump(mode="json"))
    return Document(registration=Registration.model_validate(data), data=data)


def write(folder: StudyFolder, document: Document) -> None:
    """Put the document in the place of what is there, wholly or not at all."""
    text = json.dumps(document.data, ensure_ascii=False, indent=2, allow_nan=False)
    write_atomically(folder.registration, text + "\n")


def record_hash(record: bytes) -> str:
    """The SHA-256 of a record's canonical JSON."""
    return hashlib.sha256(record).hexdigest()


def broken(path: Path, what: str) -> NotLocked:
    """What is said of a registration that is not as it was written."""
    return NotLocked(str(path), what, _RESTORE)


def _records(data: Data) -> Iterator[Data]:
    yield {name: value for name, value in data.items() if name not in _APPENDED}
    yield from cast("Sequence[Data]", data.get("amendments", ()))


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The mapping; ValueError where a key stands twice: people would read the one and programs the other."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, _ in pairs if sum(key == each for each, _ in pairs) > 1)
        raise ValueError(f"the key {twice} stands twice")
    return found


def _check_chain(path: Path, document: Document) -> None:
    registration = document.registration
    if fingerprint(registration.protocol) != registration.fingerprint:
        raise broken(path, "its copy of the protocol does not have the fingerprint that was locked")
    hashes = document.record_hashes
    parent = registration.fingerprint
    for position, amendment in enumerate(registration.amendments, start=1):
        if amendment.number != position:
            what = f"amendment {amendment.number} stands where amendment {position} should"
            raise broken(path, what)
        if (amendment.parent, amendment.previous) != (parent, hashes[position - 1]):
            before = f"amendment {position - 1}" if position > 1 else "the lock"
            raise broken(path, f"amendment {position} does not follow from {before} as it is here")
        if fingerprint(amendment.protocol) != amendment.fingerprint:
            raise broken(path, f"the protocol of amendment {position} does not have its fingerprint")
        parent = amendment.fingerprint
    waves = [seed.wave for seed in registration.all_seeds]
    if len(waves) != len(set(waves)):
        raise broken(path, "it commits to two seeds for one wave")
    stamped = [one.record for one in registration.timestamps]
    if len(stamped) != len(set(stamped)):
        raise broken(path, "it has two timestamps of one record")
