"""Opening and closing the study's database: one short-lived connection at a time, waiting its turn."""

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import duckdb
from duckdb import DuckDBPyConnection

from forethought.errors import DatabaseInUse, WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.store import schema

Connection = DuckDBPyConnection
"""The type of an open connection, for those above the store that hand one on and do not know DuckDB."""

DEFAULT_WAIT = 10.0
"""Seconds that a connection waits for its turn."""

Opened = TypeVar("Opened")

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
"""Nothing is looked for on the network."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5

# DuckDB refuses a second connection of one process that opens the file in another way, so threads take turns.
_TURNS: dict[Path, threading.Lock] = {}


@contextmanager
def reading(folder: StudyFolder, wait: float = DEFAULT_WAIT) -> Iterator[DuckDBPyConnection]:
    """A read-only connection, closed at the end; it keeps writers out while it is open.

    WrongUsage where there is no database; DatabaseInUse after `wait` seconds of another's writing. A database
    of an older schema is migrated first.
    """
    path = existing(folder)
    with turn(path, wait):
        with _connect(path, read_only=True, wait=wait) as con:
            if not schema.outdated(con):
                yield con
                return
        with _write(path, wait):
            pass
        with _connect(path, read_only=True, wait=wait) as con:
            yield con


@contextmanager
def writing(folder: StudyFolder, wait: float = DEFAULT_WAIT) -> Iterator[DuckDBPyConnection]:
    """One transaction: committed at the end, rolled back wholly on any exception.

    No other process can open the database meanwhile: compute first, then write. Errors as in `reading`.
    """
    path = existing(folder)
    with turn(path, wait), _write(path, wait) as con:
        yield con


@contextmanager
def creating(folder: StudyFolder, wait: float = DEFAULT_WAIT) -> Iterator[DuckDBPyConnection]:
    """As `writing`, but the file is made where there is none, and its schema is not looked at."""
    path = folder.database
    with turn(path, wait), _connect(path, read_only=False, wait=wait) as con, transaction(con):
        yield con


@contextmanager
def _write(path: Path, wait: float) -> Iterator[DuckDBPyConnection]:
    with _connect(path, read_only=False, wait=wait) as con:
        if schema.outdated(con):
            schema.migrate(con, path)
        with transaction(con):
            yield con


@contextmanager
def transaction(con: DuckDBPyConnection) -> Iterator[None]:
    """Committed at the end, rolled back wholly on any exception."""
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()


def existing(folder: StudyFolder) -> Path:
    """The database of the study; WrongUsage where there is none."""
    if not folder.database.is_file():
        raise WrongUsage(
            str(folder.database),
            "this study has no database",
            "Make the study folder with `forethought init`",
        )
    return folder.database.resolve()


@contextmanager
def turn(path: Path, wait: float) -> Iterator[None]:
    """This process's own turn at the file."""
    lock = _TURNS.setdefault(path.resolve(), threading.Lock())
    if not lock.acquire(timeout=wait):
        raise _in_use(path, "this process holds the database already")
    try:
        yield
    finally:
        lock.release()


def _connect(path: Path, *, read_only: bool, wait: float) -> DuckDBPyConnection:
    return patiently(lambda: duckdb.connect(path, read_only=read_only, config=CONFIG), path, wait)


def patiently(opening: Callable[[], Opened], path: Path, wait: float) -> Opened:
    """What `opening` gives, tried again with jittered pauses for `wait` seconds while another process holds the file.

    DatabaseInUse after that; WrongUsage where the file is no database of this release.
    """
    deadline = time.monotonic() + wait
    pause = _FIRST_PAUSE
    while True:
        try:
            return opening()
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error):
                raise _not_a_database(path, error) from error
            left = deadline - time.monotonic()
            if left <= 0:
                raise _in_use(path, f"{_holder(error)} holds the database") from error
            time.sleep(min(left, pause * (0.5 + secrets.randbelow(1000) / 1000)))
            pause = min(2 * pause, _LONGEST_PAUSE)


def _holder(error: duckdb.IOException) -> str:
    found = re.search(r"\(PID (\d+)\)", str(error))
    return f"process {found[1]}" if found else "another process"


def _in_use(path: Path, what: str) -> DatabaseInUse:
    return DatabaseInUse(path.name, what, "Wait for it to finish, or give --wait more seconds")


def _not_a_database(path: Path, error: duckdb.IOException) -> WrongUsage:
    return WrongUsage(
        str(path),
        f"it cannot be read as a database of this release ({str(error).splitlines()[0]})",
        "Restore it from a backup, or open it with the release that wrote it",
    )
