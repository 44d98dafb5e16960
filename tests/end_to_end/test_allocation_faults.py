"""Allocation by processes that are killed at any moment, or run a hundred at once: each person once, nothing lost."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from forethought import registration
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.randomize import randomize
from forethought.steps.registering import complete
from forethought.store import migrations
from forethought.store.connection import writing
from forethought.store.vault import Vault

NOW = datetime(2025, 3, 25, 10, 0, tzinfo=UTC)
PLAN = Path(__file__).parents[1] / "unit" / "allocation_steps" / "small_trial.yaml"
PEOPLE = 240

COMMON = """
import json, os, random, shutil, signal, sys, threading, time
from datetime import UTC, datetime
from pathlib import Path
from forethought import registration
from forethought.ledger import verify_chain
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.randomization.replay import differences
from forethought.randomization.words import Words
from forethought.schemas.tables import TABLES
from forethought.steps.allocator import Allocated, Allocator
from forethought.steps.drawn import drawn_wave
from forethought.steps.randomize import randomize
from forethought.store import allocations, events, relations, rows
from forethought.store.connection import reading

NOW = datetime(2025, 3, 25, 10, 0, tzinfo=UTC)
folder = StudyFolder(Path(sys.argv[1]))
people = json.loads(sys.argv[2])

# What is imported or built once is so before the first fork, so that the children spend their time on allocating.
loaded = load(folder.protocol)
locked = registration.require(folder, loaded)
Words(bytes(32), "warm").at(0, 1)
TABLES["allocations"].to_schema()

def forked(work, *given):
    # Nobody opens a database here, so that a fork holds no thread of it.
    sys.stdout.flush()
    if child := os.fork():
        return child
    try:
        code = work(*given) or 0
    except BaseException as error:
        print(json.dumps({"fault": repr(error)}), flush=True)
        code = 1
    os._exit(code)

def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def report(**more):
    # What the study holds: who has which arm, in order, whether the ledger verifies and the seed gives these arms.
    with reading(folder, 120) as con:
        verify_chain(events.history(con))
        wave = drawn_wave(con, folder, loaded.protocol, locked, 1)
        numbered = [line for line in relations.broken(con) if "arrivals" in line]
    found = wave.recorded[["participant_id", "arm", "arrival"]].to_numpy().tolist()
    wrong = len(differences(wave.design, wave.source, wave.recorded, wave.counting)) if found else 0
    print(json.dumps({"rows": found, "wrong": wrong, "numbered": numbered, **more}), flush=True)
"""

KILLED = (
    COMMON
    + """
base, kills, how = Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5]

def steps(begins):
    # Goes on where the one before was killed, and repeats its last call, of which nobody knows whether it ended.
    with reading(folder, 120) as con:
        done = rows.count(con, "allocations")
    for first in range(max(0, done - 3), len(people), 3):
        begins()
        randomize(folder, now=NOW, actor="tester", participants=people[first : first + 3])

def group_commits(begins):
    # Twelve threads of one allocator, each with its own people in order; each repeats its last call.
    with reading(folder, 120) as con:
        placed = allocations.arms(con, people)
    allocator = Allocator(folder, actor="tester")
    def ask(own):
        done = sum(person in placed for person in own)
        for person in own[max(0, done - 1):]:
            begins()
            allocator.allocate(person, NOW)
    threads = [threading.Thread(target=ask, args=(people[number::12],)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

work, together = {"steps": (steps, 1), "group_commits": (group_commits, 12)}[how]
draw = random.Random(20250325)

def killed():
    # At any moment of one of its first calls. It tells when a call begins: on a busy machine all takes longer, and a
    # moment by the clock would always be before the first.
    heard, told = os.pipe()
    began, calls = time.monotonic(), draw.randint(1, 4 * together)
    child = forked(work, lambda: os.write(told, b"."))
    os.close(told)
    for _ in range(calls):
        if not os.read(heard, 1):
            break  # all were allocated before
    time.sleep(draw.uniform(0, (time.monotonic() - began) * together / calls))
    os.kill(child, signal.SIGKILL)
    os.close(heard)
    return ended(child)

for number in range(kills):
    code = killed()
    checked = ended(forked(lambda: report(code=code)))
    if code == 0:  # all were allocated before it could be killed: begin again
        shutil.rmtree(folder.path)
        shutil.copytree(base, folder.path)
ended(forked(work, int))
ended(forked(lambda: report(code="end")))
"""
)

AT_ONCE = (
    COMMON
    + """
def ask(number):
    person = people[0] if number % 2 else people[1 + number // 2]
    if number % 4 < 2:
        done = randomize(folder, now=NOW, actor="tester", participants=[person], wait=300)
        said = {"new": done.allocated, "already": done.already}
    else:
        answer = Allocator(folder, actor="tester", wait=300).allocate(person, NOW)
        assert isinstance(answer, Allocated)
        said = {"new": int(not answer.already), "already": int(answer.already), "arm": answer.arm}
    print(json.dumps({"person": person, **said}), flush=True)

children = [forked(ask, number) for number in range(100)]
codes = [ended(child) for child in children]
ended(forked(lambda: report(codes=codes)))
"""
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    """A locked trial in which 240 people wait. Tests copy it."""
    folder = StudyFolder(tmp_path_factory.mktemp("waiting") / "trial")
    folder.materials.mkdir(parents=True)
    folder.reports.mkdir()
    shutil.copyfile(PLAN, folder.protocol)
    loaded = load(folder.protocol)
    Vault.create(folder)
    migrations.create(folder, loaded.protocol.study.id, loaded.protocol.waves, NOW)
    seeds = {1: bytes(range(32)), 2: bytes(range(1, 33))}
    registration.lock(folder, loaded, now=NOW, by="tester", seeds=seeds, supplied=True)
    with writing(folder) as con:
        complete(con, folder, loaded.protocol, now=NOW, actor="tester")
        con.execute(
            "INSERT INTO participants SELECT format('p{:04d}', i), 1, 'eligible', 'APPROVED', "
            "TIMESTAMP '2025-03-25 09:00:00' + INTERVAL (i) SECOND FROM range(?) people(i)",
            [PEOPLE],
        )
        con.execute(
            "INSERT INTO responses SELECT participant_id || '/recruitment', 'sex', participant_id, 'recruitment', "
            "CASE WHEN hash(participant_id) % 3 = 0 THEN 'Male' ELSE 'Female' END, repeat('0', 16) || ':1' "
            "FROM participants"
        )
    return folder


@pytest.fixture
def study(base: StudyFolder, tmp_path: Path) -> StudyFolder:
    return StudyFolder(Path(shutil.copytree(base.path, tmp_path / "trial")))


@pytest.fixture(scope="module")
def people() -> list[str]:
    """Everyone, in order of arrival."""
    return [f"p{number:04d}" for number in range(PEOPLE)]


@pytest.fixture(scope="module")
def undisturbed(base: StudyFolder, tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """Who gets which arm as which arrival where nobody is killed."""
    folder = StudyFolder(Path(shutil.copytree(base.path, tmp_path_factory.mktemp("undisturbed") / "trial")))
    randomize(folder, now=NOW, actor="tester")
    with duckdb.connect(folder.database, read_only=True) as con:
        found = con.execute(
            "SELECT participant_id, arm, arrival FROM allocations ORDER BY arrival"
        ).fetchall()
    return [list(row) for row in found]


def program(text: str, folder: StudyFolder, people: list[str], *arguments: object) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", text, folder.path, json.dumps(people), *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_steps_killed_at_a_hundred_points_leave_a_beginning_of_the_undisturbed_run(
    base: StudyFolder, study: StudyFolder, people: list[str], undisturbed: list[list[Any]]
) -> None:
    found = program(KILLED, study, people, base.path, 100, "steps")
    assert [one.get("fault") for one in found] == [None] * 101
    assert {one["code"] for one in found} <= {-9, 0, "end"}
    assert Counter(one["code"] for one in found)[-9] >= 80
    for one in found:
        assert one["rows"] == undisturbed[: len(one["rows"])]
        assert (one["wrong"], one["numbered"]) == (0, [])
    assert len({len(one["rows"]) for one in found}) > 10
    assert found[-1]["rows"] == undisturbed


def test_group_commits_killed_at_a_hundred_points_lose_nobody_and_use_no_place_twice(
    base: StudyFolder, study: StudyFolder, people: list[str]
) -> None:
    found = program(KILLED, study, people, base.path, 100, "group_commits")
    assert [one.get("fault") for one in found] == [None] * 101
    assert Counter(one["code"] for one in found)[-9] >= 20
    before: list[list[Any]] = []
    for one in found:
        assert one["rows"][: len(before)] == before
        assert (one["wrong"], one["numbered"]) == (0, [])
        assert len({person for person, _, _ in one["rows"]}) == len(one["rows"])
        before = [] if one["code"] == 0 else one["rows"]
    assert len({len(one["rows"]) for one in found}) > 10
    assert {person for person, _, _ in found[-1]["rows"]} == set(people)


def test_a_hundred_processes_at_once_give_one_allocation_each_and_none_fails(
    study: StudyFolder, people: list[str]
) -> None:
    *answers, whole = program(AT_ONCE, study, people)
    assert whole["codes"] == [0] * 100
    assert len(answers) == 100
    assert Counter(one["person"] for one in answers)[people[0]] == 50
    arms = {person: arm for person, arm, _ in whole["rows"]}
    assert set(arms) == set(people[:51])
    assert len(whole["rows"]) == sum(one["new"] for one in answers) == 51
    assert all(one["arm"] == arms[one["person"]] for one in answers if "arm" in one)
    assert (whole["wrong"], whole["numbered"]) == (0, [])
