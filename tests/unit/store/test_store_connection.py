"""One process writes at a time, waits its turn, and writes all of a transaction or nothing of it."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from forethought.errors import DatabaseInUse, WrongUsage
from forethought.ledger import verify_chain
from forethought.protocol.folder import StudyFolder
from forethought.store import events, meta, rows
from forethought.store.connection import reading, writing

Started = Callable[[str], subprocess.Popen[str]]

HOLD = """
with {opening}(folder) as con:
    print("open", flush=True)
    time.sleep({seconds})
"""

WRITE_FOREVER = """
for number in range(1_000_000):
    with writing(folder) as con:
        frame = pd.DataFrame({{"record_id": [f"{{number}}/{{i}}" for i in range(50)], "item": "x", "participant_id": None,
                              "session": None, "value": "1", "raw_row_id": "f:1"}})
        rows.append(con, "responses", frame)
        events.record(con, now=now, actor="writer", action="import", detail={{"rows": 50}})
    print("committed", flush=True)
"""


@pytest.fixture
def other_process(study: StudyFolder) -> Iterator[Started]:
    """Start Python in a second process, on the same study; it is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str) -> subprocess.Popen[str]:
        prelude = f"""
            import time
            from datetime import UTC, datetime
            from pathlib import Path
            import pandas as pd
            from forethought.protocol.folder import StudyFolder
            from forethought.store import events, rows
            from forethought.store.connection import reading, writing
            folder, now = StudyFolder(Path({str(study.path)!r})), datetime(2026, 11, 1, tzinfo=UTC)
        """
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(prelude) + program], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() in {"open", "committed"}
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_a_study_without_a_database_is_wrong_usage(tmp_path: Path) -> None:
    for opening in (reading, writing):
        with pytest.raises(WrongUsage, match="this study has no database"), opening(StudyFolder(tmp_path)):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_wrong_usage(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.database.write_text("not a database" * 1000)
    with pytest.raises(WrongUsage, match="cannot be read as a database of this release"), reading(folder):
        pass


def test_a_database_without_tables_sends_back_to_init(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    duckdb.connect(folder.database).close()
    with pytest.raises(WrongUsage, match="forethought init"), reading(folder):
        pass


def test_what_was_written_is_there_for_the_next_reader(study: StudyFolder) -> None:
    with writing(study) as con:
        meta.put(con, "colour", "blue")
    with reading(study) as con:
        assert meta.get(con, "colour") == "blue"


def test_an_exception_rolls_everything_back(study: StudyFolder) -> None:
    def write_and_fail() -> None:
        with writing(study) as con:
            meta.put(con, "colour", "blue")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        write_and_fail()
    with reading(study) as con:
        assert meta.get(con, "colour") is None


def test_a_reader_cannot_write(study: StudyFolder) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="read-only"), reading(study) as con:
        meta.put(con, "colour", "blue")


@pytest.mark.parametrize(
    ("holding", "opening"), [("writing", reading), ("writing", writing), ("reading", writing)]
)
def test_a_database_that_another_process_holds_is_named_with_that_process(
    study: StudyFolder, other_process: Started, holding: str, opening: Callable[..., object]
) -> None:
    holder = other_process(HOLD.format(opening=holding, seconds=60))
    with pytest.raises(DatabaseInUse) as refused, opening(study, wait=0.2):  # type: ignore[attr-defined]
        pass
    assert str(refused.value) == (
        f"study.duckdb: process {holder.pid} holds the database. "
        "Wait for it to finish, or give --wait more seconds."
    )
    assert refused.value.exit_code == 14


def test_two_processes_read_at_once(study: StudyFolder, other_process: Started) -> None:
    other_process(HOLD.format(opening="reading", seconds=60))
    with reading(study, wait=0.2) as con:
        assert meta.study_id(con) == "small"


def test_a_writer_waits_until_the_other_process_is_done(study: StudyFolder, other_process: Started) -> None:
    other_process(HOLD.format(opening="writing", seconds=1))
    began = time.monotonic()
    with writing(study, wait=10) as con:
        meta.put(con, "colour", "blue")
    assert 0.3 < time.monotonic() - began < 5


def test_threads_of_one_process_take_turns(study: StudyFolder) -> None:
    def count_up() -> None:
        for _ in range(5):
            with writing(study) as con:
                meta.put(con, "count", str(int(meta.get(con, "count") or 0) + 1))
            with reading(study) as con:
                assert meta.get(con, "count") is not None

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(study) as con:
        assert meta.get(con, "count") == "20"


def test_opening_twice_in_one_process_is_refused_and_does_not_hang(study: StudyFolder) -> None:
    with writing(study), pytest.raises(DatabaseInUse, match="this process holds"), reading(study, wait=0.1):
        pass


@pytest.mark.parametrize("delay", [0.0, 0.017, 0.041])
def test_a_killed_writer_leaves_whole_transactions_and_an_unbroken_ledger(
    study: StudyFolder, other_process: Started, delay: float
) -> None:
    writer = other_process(WRITE_FOREVER.format())
    time.sleep(0.2 + delay)
    writer.send_signal(signal.SIGKILL)
    acknowledged = 1 + writer.communicate()[0].count("committed")
    with reading(study) as con:
        history, responses = events.history(con), rows.count(con, "responses")
    verify_chain(history)
    assert acknowledged <= len(history) <= acknowledged + 1
    assert responses == 50 * len(history)
    with writing(study) as con:
        rows.append(con, "responses", rows.read(con, "responses"))
    with reading(study) as con:
        assert rows.count(con, "responses") == responses
