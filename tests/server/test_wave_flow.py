"""`launch` as a user runs it: a process of its own, against a real Prefect server."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = [pytest.mark.server, pytest.mark.timeout(900)]

PROGRESS = re.compile(r"(Starting Prefect|import|randomize|schedule|score|analysis|report): .+")
"""Every line that a launch may write on stderr."""

NAME = "zqstudy"
"""The study's folder, by a name that stands nowhere else."""

Finished = subprocess.CompletedProcess[str]
Rows = dict[str, list[tuple[Any, ...]]]


def rows(study: Path) -> Rows:
    """All rows of all tables of a study, read with DuckDB and nothing of ours."""
    with duckdb.connect(study / "study.duckdb", read_only=True) as con:
        tables = [name for (name,) in con.execute("SHOW TABLES").fetchall()]
        return {name: con.execute(f'FROM "{name}" ORDER BY ALL').fetchall() for name in tables}


class Wave:
    """A small study that was launched again and again, and how it stood after each launch."""

    def __init__(self, server: Any, practice: Any) -> None:
        self.server, self.practice = server, practice
        self.study: Path = practice.study
        self.told: dict[str, Finished] = {}
        self.rows: dict[str, Rows] = {}
        self.results: dict[str, str] = {}

    def command(self, *arguments: object) -> Finished:
        return self.server.run("forethought", *arguments, cwd=self.study.parent)

    def launch(self, name: str) -> None:
        self.told[name] = self.command("launch", NAME)
        self.rows[name] = rows(self.study)
        results = self.study / "reports" / "results.json"
        self.results[name] = results.read_text("utf-8") if results.is_file() else ""

    def do(self, *arguments: object) -> None:
        told = self.command(*arguments)
        assert told.returncode == 0, told.stderr


@pytest.fixture(scope="module")
def wave(server: Any, practice: Callable[[str], Any]) -> Wave:
    wave = Wave(server, practice(NAME))
    wave.launch("recruits")
    wave.launch("recruits, again")
    wave.do("simulate", NAME, "--seed", 11)
    wave.launch("outcomes")
    wave.launch("outcomes, again")
    wave.do("freeze", NAME)
    wave.do("unblind", NAME, "--by", "A. Person", "--reason", "Everyone has finished")
    wave.launch("unblinded")
    return wave


LAUNCHES = ("recruits", "recruits, again", "outcomes", "outcomes, again", "unblinded")


@pytest.mark.parametrize("launch", LAUNCHES)
def test_the_launch_succeeds(wave: Wave, launch: str) -> None:
    assert wave.told[launch].returncode == 0


@pytest.mark.parametrize("launch", LAUNCHES)
def test_the_launch_prints_the_path_of_its_report_and_nothing_else(wave: Wave, launch: str) -> None:
    assert wave.told[launch].stdout == f"{NAME}/reports/report.html\n"
    assert (wave.study / "reports" / "report.html").is_file()


@pytest.mark.parametrize("launch", LAUNCHES)
def test_the_launch_tells_its_progress_and_nothing_of_the_engines(wave: Wave, launch: str) -> None:
    told = wave.told[launch].stderr.splitlines()
    assert told
    assert [line for line in told if not PROGRESS.fullmatch(line)] == []


@pytest.mark.parametrize("launch", LAUNCHES)
def test_no_line_of_progress_is_told_twice(wave: Wave, launch: str) -> None:
    told = wave.told[launch].stderr.splitlines()
    assert sorted(set(told)) == sorted(told)


def test_the_first_launch_allocates_and_schedules(wave: Wave) -> None:
    found = wave.rows["recruits"]
    assert (len(found["allocations"]), len(found["sessions"]), len(found["scores"])) == (40, 120, 0)


def test_the_first_launch_reports_without_results(wave: Wave) -> None:
    assert wave.results["recruits"] == ""


def test_the_outcomes_are_scored_and_analysed_blinded(wave: Wave) -> None:
    assert len(wave.rows["outcomes"]["scores"]) > 40
    assert json.loads(wave.results["outcomes"])["blinded"] is True


def test_the_outcomes_leave_the_allocations_as_they_were(wave: Wave) -> None:
    assert wave.rows["outcomes"]["allocations"] == wave.rows["recruits"]["allocations"]


@pytest.mark.parametrize("launch", ["recruits", "outcomes"])
def test_a_launch_with_nothing_new_changes_no_table_but_the_ledger(wave: Wave, launch: str) -> None:
    before, after = wave.rows[launch], wave.rows[f"{launch}, again"]
    assert [table for table in before if before[table] != after[table]] == ["events"]


def test_a_launch_with_nothing_new_gives_the_same_results_to_the_byte(wave: Wave) -> None:
    assert wave.results["outcomes, again"] == wave.results["outcomes"]


def test_the_launch_after_unblinding_has_the_true_arms(wave: Wave) -> None:
    results = json.loads(wave.results["unblinded"])
    assert results["blinded"] is False
    true = {arm for _, _, arm, *_ in wave.rows["unblinded"]["allocations"]}
    assert set(results["findings"][0]["n_by_arm"]) == true


def test_the_inbox_is_empty_in_the_end(wave: Wave) -> None:
    assert list((wave.study / "inbox").iterdir()) == []


@pytest.mark.parametrize("kind", ["arms", "seed", "ids", "pseudonyms"])
def test_the_server_never_hears_of(wave: Wave, kind: str) -> None:
    """Arms by id or code, the secret seed, and people by the service's id or by pseudonym."""
    known = wave.server.knows()
    assert [word for word in wave.practice.telling()[kind] if word.encode() in known] == []


def test_the_server_knows_the_flow_runs_and_where_the_study_is(wave: Wave) -> None:
    """So that the search above looks in the right place."""
    known = wave.server.knows()
    assert NAME.encode() in known
    assert b"import_outcomes" in known


def test_the_words_searched_for_are_in_the_study(wave: Wave) -> None:
    """The arms and the people were there to be told."""
    told = wave.practice.telling()
    found = repr(wave.rows["unblinded"])
    assert [arm for arm in told["arms"][::2] if arm not in found] == []
    assert told["seed"][0] in found
    assert len(told["pseudonyms"]) > 40


# --- two at once, and mistakes ---


def test_two_launches_at_once_allocate_everyone_once(server: Any, practice: Callable[[str], Any]) -> None:
    study = practice("crowd").study
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    launches = [server.start("forethought", "launch", study, cwd=study.parent, **pipes) for _ in range(2)]
    told = [launch.communicate(timeout=300) for launch in launches]
    assert [launch.returncode for launch in launches] == [0, 0], told
    found = rows(study)
    assert len({row[0] for row in found["allocations"]}) == len(found["allocations"]) == 40
    assert len(found["sessions"]) == 120
    assert [row[3] for row in found["events"]].count("randomize") == 1


def test_a_strange_file_in_the_inbox_stops_the_wave_in_one_line(wave: Wave, tmp_path: Path) -> None:
    study = shutil.copytree(wave.study, tmp_path / "strange")
    (study / "inbox" / "strange.csv").write_text("a,b\n1,2\n")
    before = rows(study)
    told = wave.command("launch", study)
    assert (told.returncode, told.stdout) == (12, "")
    start, error = told.stderr.splitlines()
    assert start.startswith("Starting Prefect: ")
    assert error.startswith(f"{study / 'inbox' / 'strange.csv'}:1: its source is not recognised")
    assert rows(study) == before


def test_a_wave_that_the_protocol_does_not_have_is_wrong_usage(wave: Wave) -> None:
    told = wave.command("launch", NAME, "--wave", 9)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.splitlines()[-1] == "--wave 9: the protocol has no such wave. Choose one of 1."
