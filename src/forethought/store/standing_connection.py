"""A database opened many times by one process: DuckDB stays, and the study's file is with it for a moment at a time.

To start DuckDB costs more than all that one allocation does. So it is started once, and the file attached for each
transaction: meanwhile nobody else has it, and before and after everybody may.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from forethought.protocol.folder import StudyFolder
from forethought.store.connection import CONFIG, DEFAULT_WAIT, existing, patiently, reading, turn

_SETTINGS = {**CONFIG, "threads": 1, "force_compression": "uncompressed"}
"""What is small is written as it is: to try every compression takes longer than the rest of the commit."""


class StandingConnection:
    """One study's database, for many short transactions of one process. Threads take turns."""

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._con = duckdb.connect(":memory:", config=_SETTINGS)
        self._seen: tuple[int, int] | None = None

    @contextmanager
    def attached(self, wait: float = DEFAULT_WAIT) -> Iterator[DuckDBPyConnection]:
        """The database, to read and write, until the block ends; no transaction is begun. Errors as in `writing`."""
        path = existing(self._folder)
        self._look_at(path, wait)
        with turn(path, wait):
            quoted = str(path).replace("'", "''")
            patiently(lambda: self._con.execute(f"ATTACH '{quoted}' AS study"), path, wait)
            try:
                self._con.execute("USE study")
                yield self._con
            finally:
                self._con.execute("USE memory")
                self._con.execute("DETACH study")

    def close(self) -> None:
        """End DuckDB; the file is free already."""
        self._con.close()

    def _look_at(self, path: Path, wait: float) -> None:
        """A file that was not seen before is opened once as any other, which migrates or refuses it."""
        found = path.stat()
        if self._seen != (found.st_dev, found.st_ino):
            with reading(self._folder, wait):
                self._seen = (found.st_dev, found.st_ino)
