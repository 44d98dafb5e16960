"""A lock or an amendment that is killed, or run eight times at once, loses nothing and goes on."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

Forethought = Callable[..., Any]
Rows = Callable[[Path], dict[str, list[tuple[Any, ...]]]]

DYING = """
import json, os, shutil, signal, sys
from pathlib import Path
import duckdb, rfc8785
import forethought.steps.amend, forethought.steps.lock, forethought.steps.setting
from forethought.cli import entry

base, place, *arguments = sys.argv[1:]
FATAL = {("posix", "fsync"), ("posix", "replace"), ("_duckdb", "executemany"), ("_duckdb", "commit")}

def until(number):
    def watch(frame, event, called):
        nonlocal number
        if event == "c_call" and (called.__module__, called.__name__) in FATAL:
            number -= 1
            if number == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    return watch

def ran(study, number):
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    sys.setprofile(until(number))
    os._exit(entry.run([arguments[0], str(study), *arguments[1:]]))

def text(file):
    return file.read_text() if file.exists() else None

for number in range(1, 100):
    study = Path(place) / str(number)
    shutil.copytree(base, study)
    code = ran(study, number)
    files = study / "registration.json", study / "secrets" / "seeds.json"
    killed = [text(file) for file in files]
    again = ran(study, 0)
    said = {"study": str(study), "code": code, "killed": killed, "again": again, "then": [text(file) for file in files]}
    print(json.dumps(said))
    if code != -signal.SIGKILL:
        break
"""
"""Runs a command in copies of a study, each killed one write later than the one before; then runs it again."""

AT_ONCE = """
import os, sys
import duckdb, rfc8785
import forethought.steps.amend, forethought.steps.lock, forethought.steps.setting
from forethought.cli import entry

started = []
for arguments in (line.split("|") for line in sys.argv[1:]):
    if not (child := os.fork()):
        os._exit(entry.run(arguments))
    started.append(child)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in started])
"""


@pytest.fixture(scope="module")
def planned(forethought: Forethought, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study that is not locked. Tests copy it."""
    study: Path = tmp_path_factory.mktemp("planned") / "study"
    assert forethought("init", study, "--from", "lend_an_ear").code == 0
    return study


@pytest.fixture
def study(planned: Path, tmp_path: Path) -> Path:
    return shutil.copytree(planned, tmp_path / "study")


def program(text: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text, *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def edit(study: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = study / "protocol.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))
    change(data)
    file.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")


def with_a_second_wave(data: dict[str, Any]) -> None:
    data["waves"].append({**data["waves"][0], "number": 2, "opens": "2027-03-01T09:00:00+00:00"})
    first, *others = data["analysis"]["models"]
    by_wave = {**deepcopy(first), "id": "by_wave", "label": "By wave", "role": "sensitivity"}
    by_wave["formula"] += " + arm:wave + wave"
    for model in (first, *others):
        model["leaves_out"] = {**model.get("leaves_out", {}), "wave": "The model by_wave has it"}
    data["analysis"]["models"] = [first, *others, by_wave]
    data["wave_pooling"] = {"method": "together", "statement": "One protocol", "heterogeneity": "by_wave"}


def registration_of(study: Path) -> Any:
    return json.loads((study / "registration.json").read_text("utf-8"))


def actions(rows: Rows, study: Path) -> list[str]:
    return [row[3] for row in sorted(rows(study)["events"])]


def deaths(base: Path, place: Path, *command: str) -> Iterator[dict[str, Any]]:
    """What was there after each death, and after the same command was run again; the last one lived."""
    place.mkdir()
    for line in program(DYING, base, place, *command).splitlines():
        yield json.loads(line)


def check_each(forethought: Forethought, rows: Rows, found: Sequence[dict[str, Any]], *expected: str) -> None:
    """Each run after a death ended well, kept the seeds and the record that were there, and the ledger is whole."""
    assert found[-1]["code"] == 0
    assert {one["code"] for one in found[:-1]} == {-9}
    for one in found:
        assert one["again"] == 0
        (registration, seeds), (registered, kept) = one["killed"], one["then"]
        if (
            registration is not None
            and len(json.loads(registration).get("amendments", ())) == len(expected) - 2
        ):
            assert registered == registration
        left = json.loads(seeds)["waves"] if seeds else {}
        assert left.items() <= json.loads(kept)["waves"].items()
        assert actions(rows, Path(one["study"])) == list(expected)
        assert forethought("log", one["study"]).code == 0
        assert forethought("status", one["study"], "--json").json["fits_lock"]


@pytest.fixture(scope="module")
def dead_locks(planned: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """A lock that was killed at each of its writes, and then run again."""
    return list(deaths(planned, tmp_path_factory.mktemp("dead") / "locks", "lock"))


def test_a_lock_killed_at_any_write_is_finished_by_the_next(
    forethought: Forethought, rows: Rows, dead_locks: list[dict[str, Any]]
) -> None:
    check_each(forethought, rows, dead_locks, "init", "lock")
    assert {tuple(part is not None for part in one["killed"]) for one in dead_locks} == {
        (False, False),
        (False, True),
        (True, True),
    }


def test_an_amendment_killed_at_any_write_is_finished_by_the_next(
    forethought: Forethought, rows: Rows, study: Path, tmp_path: Path
) -> None:
    assert forethought("lock", study).code == 0
    edit(study, with_a_second_wave)
    (tmp_path / "seed.txt").write_text("5a" * 32)
    command = ("amend", "--reason", "R", "--seed-file", str(tmp_path / "seed.txt"))
    found = list(deaths(study, tmp_path / "dead", *command))
    check_each(forethought, rows, found, "init", "lock", "amend")
    assert {
        (len(json.loads(one["killed"][0])["amendments"]), len(json.loads(one["killed"][1])["waves"]))
        for one in found
    } == {(0, 1), (0, 2), (1, 2)}


def test_an_amendment_that_the_ledger_lacks_is_seen_until_it_is_recorded(
    forethought: Forethought, study: Path, tmp_path: Path
) -> None:
    assert forethought("lock", study).code == 0
    edit(study, lambda data: data["study"].update(title="Another title"))
    broken_off = shutil.copytree(study, tmp_path / "broken_off")
    assert forethought("amend", study, "--reason", "R").code == 0
    shutil.copy(study / "registration.json", broken_off)
    said = forethought("status", broken_off, "--json").json
    assert "amendment 1 was broken off before the ledger had it" in said["misfit"]
    assert forethought("freeze", broken_off).code == 11
    assert forethought("lock", broken_off).code == 0
    assert forethought("status", broken_off, "--json").json["misfit"] is None


def test_of_eight_locks_at_once_one_does(forethought: Forethought, rows: Rows, study: Path) -> None:
    assert program(AT_ONCE, *[f"lock|{study}|--wait|60"] * 8).splitlines()[-1] == str([0] * 8)
    assert actions(rows, study) == ["init", "lock"]
    assert forethought("status", study, "--json").json["fits_lock"]


def test_of_locks_with_other_seeds_at_once_the_late_ones_are_refused(
    rows: Rows, study: Path, tmp_path: Path
) -> None:
    for digit in "1234":
        (tmp_path / digit).write_text(digit * 64)
    codes = json.loads(
        program(AT_ONCE, *(f"lock|{study}|--wait|60|--seed-file|{tmp_path / digit}" for digit in "1234"))
        .splitlines()[-1]
    )  # fmt: skip
    assert sorted(codes) == [0, 2, 2, 2]
    kept = json.loads((study / "secrets" / "seeds.json").read_text())["waves"]["1"]["seed"]
    assert kept == "1234"[codes.index(0)] * 64
    assert actions(rows, study) == ["init", "lock"]


def test_amendments_made_at_once_are_all_in_the_chain(
    forethought: Forethought, rows: Rows, study: Path
) -> None:
    assert forethought("lock", study).code == 0
    edit(study, lambda data: data["study"].update(title="Another title"))
    commands = [f"amend|{study}|--wait|60|--reason|R{each}|--declare|{each}" for each in range(8)]
    assert program(AT_ONCE, *commands).splitlines()[-1] == str([0] * 8)
    made = registration_of(study)["amendments"]
    assert sorted(one["reason"] for one in made) == [f"R{each}" for each in range(8)]
    assert [len(one["differences"]) for one in made] == [1] + [0] * 7
    assert actions(rows, study) == ["init", "lock", *["amend"] * 8]
    assert forethought("status", study, "--json").json["fits_lock"]


def test_other_seeds_for_a_locked_study_are_refused(
    forethought: Forethought, study: Path, tmp_path: Path
) -> None:
    for digit in "12":
        (tmp_path / digit).write_text(digit * 64)
    assert forethought("lock", study, "--seed-file", tmp_path / "1").code == 0
    assert forethought("lock", study, "--seed-file", tmp_path / "1").code == 0
    said = forethought("lock", study, "--seed-file", tmp_path / "2")
    assert said.code == 2
    assert "it does not hold the seeds that were committed to" in said.err
    assert "2" * 64 not in said.err


def test_a_ledger_that_was_edited_with_the_registration_is_seen(
    forethought: Forethought, study: Path
) -> None:
    import duckdb

    assert forethought("lock", study).code == 0
    with duckdb.connect(study / "study.duckdb") as con:
        con.execute(
            "UPDATE events SET detail = replace(detail, '\"record\"', '\"other\"') WHERE action = 'lock'"
        )
    file = study / "registration.json"
    file.write_text(file.read_text("utf-8").replace('"locked_at": "2', '"locked_at": "1'), "utf-8")
    for command in ("status", "lock", "freeze"):
        said = forethought(command, study)
        assert said.code == 20
        assert "it is not the event that was recorded" in said.err
