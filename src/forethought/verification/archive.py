"""The record of an allocation as one zip: what a stranger needs to replay it. It is the bundle's allocation part.

The same record gives the same bytes, on any machine: nothing is compressed, and no time stands in it.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from forethought import registration
from forethought.errors import DataRefused, NotLocked, VerificationFailed, WrongUsage
from forethought.files import canonical_json, write_atomically
from forethought.ledger import Event, detail_from_json, timestamp
from forethought.protocol.folder import StudyFolder
from forethought.verification import tables
from forethought.verification.records import ALLOCATIONS, COUNTING, ORDERS, AllocationRecord, record

README = """This is the record of a study's random allocation, to be replayed by anyone.

registration.json   what was planned, and the commitment to each wave's secret seed
ledger.jsonl        what happened, one event on each line, each chained to the one before it by its hash;
                    the `unblind` events reveal the seeds
allocations.csv     who got which arm, in order of arrival, in the waves that are unblinded; people have pseudonyms
counting.csv        whose place stopped counting towards balance, or counted again, from which arrival on
orders.csv          which material each person has in which session

`forethought replay` on this file checks the chain, the commitments and every row. Without Forethought: the
commitment is the SHA-256 of nonce, seed and the canonical JSON (RFC 8785) of {"study_id": ..., "wave": ...}; each
event's hash is the SHA-256 of the canonical JSON of its other six keys.
The ledger's end can be cut off, and all of it written anew, without a sign of it here: compare its last hash with
the one that was printed in the report or stamped by somebody else.
"""

_REGISTRATION, _LEDGER = "registration.json", "ledger.jsonl"
_TABLES: Mapping[str, Mapping[str, str]] = {
    "allocations.csv": ALLOCATIONS,
    "counting.csv": COUNTING,
    "orders.csv": ORDERS,
}
_MEMBERS = ("README.txt", _REGISTRATION, _LEDGER, *_TABLES)
_LARGEST = 512 * 1024 * 1024
_BEGINNING_OF_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16
_UNIX = 3
_EVENT = {"seq": int, "at": str, "actor": str, "action": str, "detail": dict, "previous": str, "hash": str}


def save(kept: AllocationRecord, path: Path) -> None:
    """Write the record to `path`, wholly or not at all."""
    content = {
        "README.txt": README.encode(),
        _REGISTRATION: kept.registration_file,
        _LEDGER: b"".join(canonical_json(_line(event)) + b"\n" for event in kept.events),
        "allocations.csv": tables.written(kept.allocations),
        "counting.csv": tables.written(kept.counting),
        "orders.csv": tables.written(kept.orders),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in _MEMBERS:
            member = zipfile.ZipInfo(name, date_time=_BEGINNING_OF_ZIP_TIME)
            member.create_system, member.external_attr = _UNIX, _READABLE
            archive.writestr(member, content[name])
    if not path.parent.is_dir():
        raise WrongUsage(str(path), "its folder does not exist", "Make the folder first")
    write_atomically(path, file.getvalue())


def opened(path: Path) -> AllocationRecord:
    """The record in this zip. Nothing of it is written anywhere by the name that it gives itself.

    DataRefused where it is no such zip, or a file in it cannot be read; VerificationFailed where its registration is
    damaged.
    """
    members = _members(path)
    frames = [_table(path, name, members[name], types) for name, types in _TABLES.items()]
    with TemporaryDirectory() as place:
        folder = StudyFolder(Path(place))
        folder.registration.write_bytes(members[_REGISTRATION])
        try:
            locked = registration.read(folder)
        except NotLocked as error:
            raise VerificationFailed(
                f"{path}: {_REGISTRATION}", error.what, "Ask for the file again: it was damaged or edited"
            ) from error
        if locked is None:
            raise _refused(path, f"{_REGISTRATION} is missing")
        return record(folder, locked, tuple(_events(path, members[_LEDGER])), *frames)


def _members(path: Path) -> Mapping[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
            names = [member.filename for member in found]
            if unknown := sorted(set(names) - set(_MEMBERS)):
                raise _refused(path, f"it holds `{unknown[0]}`, which is no part of such a record")
            if missing := [name for name in _MEMBERS if name not in names]:
                raise _refused(path, f"{missing[0]} is missing in it")
            if len(names) != len(_MEMBERS):
                raise _refused(path, "it holds one file twice")
            if sum(member.file_size for member in found) > _LARGEST:
                raise _refused(path, f"it holds more than {_LARGEST >> 20} MB")
            return {name: archive.read(name) for name in names}
    except (
        zipfile.BadZipFile,
        EOFError,
        RuntimeError,
        NotImplementedError,
        OSError,
        ValueError,
        zlib.error,
    ) as error:
        # RuntimeError: it has a password; NotImplementedError: a way of packing that Python does not know
        raise _refused(path, f"it cannot be read as a zip ({error})") from error


def _line(event: Event) -> Mapping[str, object]:
    return {
        "seq": event.seq,
        "at": timestamp(event.at),
        "actor": event.actor,
        "action": event.action,
        "detail": dict(event.detail),
        "previous": event.previous,
        "hash": event.hash,
    }


def _events(path: Path, content: bytes) -> Iterator[Event]:
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            yield _event(line)
        except (ValueError, RecursionError) as error:
            raise _refused(path, f"{_LEDGER}, line {number} cannot be read ({error})") from error


def _event(line: bytes) -> Event:
    said: dict[str, Any] = detail_from_json(line.decode())
    if {name: type(value) for name, value in said.items()} != _EVENT:
        raise ValueError("it is no event")
    return Event(**{**said, "at": datetime.fromisoformat(said["at"]).astimezone(UTC)})


def _table(path: Path, name: str, content: bytes, types: Mapping[str, str]) -> pd.DataFrame:
    try:
        return tables.read(content, types)
    except ValueError as error:
        raise _refused(path, f"{name} cannot be read ({error})") from error


def _refused(path: Path, what: str) -> DataRefused:
    return DataRefused(str(path), what, "Ask for the file again, as `forethought replay --save` wrote it")
