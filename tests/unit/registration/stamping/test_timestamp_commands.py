"""`lock --timestamp` and `amend --timestamp`: stamped, recorded, and missed when it is gone."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

Command = Callable[..., int]
Web, Authority = Any, Any


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs one command in this process; its exit code."""
    from forethought.cli.entry import run

    return lambda *arguments: run([str(argument) for argument in arguments])


@pytest.fixture
def study(command: Command, tmp_path: Path) -> Path:
    """Sleepstudy, begun and not locked."""
    assert command("init", tmp_path / "study", "--from", "sleepstudy") == 0
    return tmp_path / "study"


@pytest.fixture
def stamp(web: Web, trusted: Authority) -> list[str]:
    """The options that ask for a timestamp."""
    return ["--timestamp", web.url, "--timestamp-root", str(trusted.root)]


def events(study: Path, action: str) -> list[dict[str, Any]]:
    with duckdb.connect(study / "study.duckdb", read_only=True) as con:
        query = "SELECT detail FROM events WHERE action = ? ORDER BY seq"
        return [json.loads(detail) for (detail,) in con.execute(query, [action]).fetchall()]


def timestamps(study: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((study / "registration.json").read_text())["timestamps"]
    return found


def test_a_lock_is_stamped_and_the_ledger_says_so(
    command: Command, study: Path, stamp: list[str], web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("lock", study, *stamp) == 0
    (one,) = timestamps(study)
    (event,) = events(study, "timestamp")
    assert (event["record"], event["service"]) == (one["record"], web.url)
    assert event["record"] == events(study, "lock")[0]["record"]
    assert "Timestamped 20" in capsys.readouterr().out


def test_a_lock_stamped_again_changes_nothing(
    command: Command, study: Path, stamp: list[str], web: Web
) -> None:
    command("lock", study, *stamp)
    before = (study / "registration.json").read_bytes()
    assert command("lock", study, *stamp) == 0
    assert (study / "registration.json").read_bytes() == before
    assert len(events(study, "timestamp")) == 1
    assert len(web.asked) == 1


def test_an_amendment_is_stamped_and_so_is_one_that_was_not(
    command: Command, study: Path, stamp: list[str]
) -> None:
    command("lock", study)
    assert command("amend", study, "--reason", "R", "--declare", "Late", *stamp) == 0
    assert len(timestamps(study)) == 1
    assert command("amend", study, "--reason", "S", "--declare", "Later") == 0
    assert command("amend", study, "--reason", "S", "--declare", "Later", *stamp) == 0
    assert len(timestamps(study)) == 2
    assert [one["record"] for one in events(study, "amend")] == [one["record"] for one in timestamps(study)]


def test_a_timestamp_that_was_taken_out_shows_in_the_ledger(
    command: Command, study: Path, stamp: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command("lock", study, *stamp)
    data = json.loads((study / "registration.json").read_text())
    (study / "registration.json").write_text(json.dumps({**data, "timestamps": []}))
    assert command("lock", study) == 11
    assert "is in the ledger, and not here" in capsys.readouterr().err


def test_a_service_that_is_not_there_locks_nothing(
    command: Command, study: Path, trusted: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert command("lock", study, "--timestamp", url, "--timestamp-root", trusted.root) == 11
    assert "nothing was written. Try again; or leave out --timestamp now" in capsys.readouterr().err
    assert not (study / "registration.json").exists()
    assert events(study, "lock") == []
