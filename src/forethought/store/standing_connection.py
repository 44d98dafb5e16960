"""A database opened many times by one process: DuckDB stays, and the study's file is with it for a moment at a time.

To start DuckDB, and to take the file and give it back, costs more than all that one allocation does. So DuckDB is
started once, and the file is kept for a moment after each transaction, in case the next comes at once; never for long,
so that other processes get their turn.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from forethought.protocol.folder import StudyFolder
from forethought.store.connection import CONFIG, DEFAULT_WAIT, existing, patiently, reading, turn

_SETTINGS = {**CONFIG, "threads": 1, "force_compression": "uncompressed"}
"""What is small is written as it is: to try every compression takes longer than the rest of the commit."""

IDLE, LONGEST, REST = 0.1, 0.5, 0.1
"""Seconds: the file is given back so long after the last transaction, or so long after it was taken, and is taken again
only so much later then."""


class StandingConnection:
    """One study's database, for many short transactions of one process. Threads take turns."""

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._con = duckdb.connect(":memory:", config=_SETTINGS)
        self._seen: tuple[int, int] | None = None
        self._guard = threading.Lock()
        self._held: ExitStack | None = None
        self._taken_at = self._used_at = self._rested_at = 0.0

    @contextmanager
    def attached(self, wait: float = DEFAULT_WAIT) -> Iterator[DuckDBPyConnection]:
        """The database, to read and write, until the block ends; no transaction is begun. Errors as in `writing`."""
        with self._guard:
            if self._held is None:
                self._take(wait)
            try:
                yield self._con
            except BaseException:
                self._give_back()
                raise
            self._used_at = time.monotonic()
            if self._used_at - self._taken_at > LONGEST:
                self._give_back()
                self._rested_at = self._used_at + REST
            else:
                later = threading.Timer(IDLE, self._give_back_if_idle)
                later.daemon = True
                later.start()

    def close(self) -> None:
        """End DuckDB, and give the file back."""
        with self._guard:
            self._give_back()
            self._con.close()

    def _take(self, wait: float) -> None:
        time.sleep(max(0.0, self._rested_at - time.monotonic()))
        path = existing(self._folder)
        self._look_at(path, wait)
        with ExitStack() as held:
            held.enter_context(turn(path, wait))
            quoted = str(path).replace("'", "''")
            patiently(lambda: self._con.execute(f"ATTACH '{quoted}' AS study"), path, wait)
            held.callback(self._con.execute, "DETACH study")
            held.callback(self._con.execute, "USE memory")
            self._con.execute("USE study")
            self._held = held.pop_all()
        self._taken_at = time.monotonic()

    def _give_back(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            held.close()

    def _give_back_if_idle(self) -> None:
        with self._guard:
            if time.monotonic() - self._used_at >= IDLE:
                self._give_back()

    def _look_at(self, path: Path, wait: float) -> None:
        """A file that was not seen before is opened once as any other, which migrates or refuses it."""
        found = path.stat()
        if self._seen != (found.st_dev, found.st_ino):
            with reading(self._folder, wait):
                self._seen = (found.st_dev, found.st_ino)
