"""A standing connection keeps the file for a moment, and never from others for long."""

import subprocess
import sys
import threading
import time

import duckdb
import pytest

from forethought.protocol.folder import StudyFolder
from forethought.store import meta
from forethought.store.connection import reading, transaction, writing
from forethought.store.standing_connection import IDLE, StandingConnection

ANOTHER = """
import sys
from pathlib import Path
from forethought.protocol.folder import StudyFolder
from forethought.store import meta
from forethought.store.connection import writing
for number in range(3):
    with writing(StudyFolder(Path(sys.argv[1])), 30.0) as con:
        meta.put(con, f"another {number}", "was here")
"""


def note(connection: StandingConnection, key: str) -> None:
    with connection.attached() as con, transaction(con):
        meta.put(con, key, "noted")


def note_with_a_fault(connection: StandingConnection) -> None:
    with connection.attached() as con, transaction(con):
        meta.put(con, "half", "done")
        con.execute("SELECT error('a fault in the middle')")


def kept(folder: StudyFolder) -> set[str]:
    with reading(folder) as con:
        return {key for (key,) in con.execute("SELECT key FROM meta").fetchall()}


def another_process(folder: StudyFolder) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", ANOTHER, str(folder.path)], text=True, stderr=subprocess.PIPE
    )


def test_the_file_is_free_a_moment_after_the_last_transaction(study: StudyFolder) -> None:
    connection = StandingConnection(study)
    note(connection, "first")
    time.sleep(3 * IDLE)
    with writing(study, 0.0) as con:  # waits for nobody
        meta.put(con, "second", "noted")
    note(connection, "third")
    connection.close()
    assert {"first", "second", "third"} <= kept(study)


def test_what_failed_gives_the_file_back_at_once_and_leaves_nothing(study: StudyFolder) -> None:
    connection = StandingConnection(study)
    with pytest.raises(duckdb.Error, match="in the middle"):
        note_with_a_fault(connection)
    with writing(study, 0.0):
        pass
    connection.close()
    assert "half" not in kept(study)


def test_another_process_gets_its_turn_while_one_never_pauses(study: StudyFolder) -> None:
    connection, over = StandingConnection(study), threading.Event()
    written: list[str] = []

    def write_without_a_pause() -> None:
        while not over.is_set():
            written.append(f"note {len(written)}")
            note(connection, written[-1])

    busy = threading.Thread(target=write_without_a_pause)
    busy.start()
    other = another_process(study)
    complaint = other.communicate(timeout=60)[1]
    over.set()
    busy.join()
    connection.close()
    assert (other.returncode, complaint) == (0, "")
    assert {"another 0", "another 1", "another 2", *written} <= kept(study)


def test_a_closed_connection_leaves_the_file_free(study: StudyFolder) -> None:
    connection = StandingConnection(study)
    note(connection, "last")
    connection.close()
    with writing(study, 0.0):
        pass
    assert "last" in kept(study)
