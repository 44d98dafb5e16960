"""An append-only file of pairs in `secrets/`, durable before it returns, and readable after any crash."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from forethought.errors import VerificationFailed
from forethought.files import sync_folder


class Journal:
    """Name to value, one JSON line each; the first line of a name stands for ever.

    A last line that a crash cut off was never relied on: it is dropped when read, and cut away before the
    next line is written. Two processes that append take turns by a lock on the file.
    """

    def __init__(self, path: Path, *, name: str, value: str) -> None:
        self._path = path
        self._name = name
        self._value = value
        self._known: dict[str, str] = {}
        self._read_to = 0

    def known(self) -> Mapping[str, str]:
        """All pairs that are in the file now."""
        if self._path.exists():
            with self._path.open("rb") as file:
                self._catch_up(file)
        return self._known

    def add(self, pairs: Mapping[str, str]) -> None:
        """Append the pairs whose name is new, and return once they are on the disk."""
        with self._locked() as file:
            self._catch_up(file)
            new = {name: value for name, value in pairs.items() if name not in self._known}
            if not new:
                return
            file.seek(self._read_to)
            file.truncate()
            file.write(b"".join(self._line(name, value) for name, value in new.items()))
            file.flush()
            os.fsync(file.fileno())
            self._read_to = file.tell()
        sync_folder(self._path.parent)
        self._known.update(new)

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    def _catch_up(self, file: BinaryIO) -> None:
        """Read the whole lines that others have appended since the last look."""
        file.seek(self._read_to)
        whole, newline, _torn = file.read().rpartition(b"\n")
        for line in whole.splitlines():
            name, value = self._pair(line)
            self._known.setdefault(name, value)
        self._read_to += len(whole) + len(newline)

    def _pair(self, line: bytes) -> tuple[str, str]:
        try:
            entry = json.loads(line)
            return entry[self._name], entry[self._value]
        except (ValueError, KeyError, TypeError) as error:
            raise VerificationFailed(
                str(self._path), "a line of it is damaged", "Restore the secrets folder from a backup"
            ) from error

    def _line(self, name: str, value: str) -> bytes:
        entry = {self._name: name, self._value: value}
        return json.dumps(entry, ensure_ascii=False).encode() + b"\n"
