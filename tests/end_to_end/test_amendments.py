"""A locked plan is changed in the open: each amendment is chained, recorded, and what every later step follows."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

Study = Any
Forethought = Callable[..., Any]
Rows = Callable[[Path], dict[str, list[tuple[Any, ...]]]]


@pytest.fixture(scope="module")
def begun(forethought: Forethought, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lend an Ear, locked; nobody has come. Tests copy it."""
    study: Path = tmp_path_factory.mktemp("begun") / "study"
    assert forethought("init", study, "--from", "lend_an_ear").code == 0
    assert forethought("lock", study).code == 0
    return study


@pytest.fixture
def locked(begun: Path, tmp_path: Path) -> Path:
    return shutil.copytree(begun, tmp_path / "locked")


def edit(study: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = study / "protocol.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))
    change(data)
    file.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")


def title(text: str) -> Callable[[dict[str, Any]], object]:
    return lambda data: data["study"].update(title=text)


def registration_of(study: Path) -> Any:
    return json.loads((study / "registration.json").read_text("utf-8"))


def amend_events(rows: Rows, study: Path) -> list[Any]:
    return [json.loads(row[4]) for row in rows(study)["events"] if row[3] == "amend"]


def test_an_amendment_says_what_changed_and_is_recorded(
    forethought: Forethought, rows: Rows, locked: Path
) -> None:
    first = registration_of(locked)["fingerprint"]
    edit(locked, title("Another title"))
    said = forethought("amend", locked, "--reason", "A better title", "--declare", "windows: ten came late")
    assert said.code == 0
    assert said.lines[1] == "Amendment 1, before any data:"
    assert said.lines[2].startswith("study.title was changed from ")
    assert "declared (windows): ten came late" in said.lines
    (event,) = amend_events(rows, locked)
    (amendment,) = registration_of(locked)["amendments"]
    assert (event["number"], event["parent"], event["fingerprint"]) == (1, first, amendment["fingerprint"])
    assert (event["fields"], event["reason"]) == (["study.title"], "A better title")
    assert event["declared"] == [{"kind": "windows", "statement": "ten came late"}]
    assert event["after"] == {"first_allocation": False, "first_outcome": False, "unblinded": False}


def test_an_amendment_is_one_json_value_when_asked(forethought: Forethought, locked: Path) -> None:
    edit(locked, title("Another title"))
    said = forethought("amend", locked, "--reason", "R", "--json").json
    assert (said["format"], said["number"], said["already"]) == ("forethought-amend/1", 1, False)
    assert [one["field"] for one in said["differences"]] == ["study.title"]


@pytest.mark.parametrize(
    ("stage", "after", "words"),
    [
        ("recruited", (False, False, False), "before any data"),
        ("blinded", (True, True, False), "after the first allocation and the first outcome"),
        ("unblinded", (True, True, True), "after the first allocation and the first outcome and the unblinding"),
    ],
)  # fmt: skip
def test_an_amendment_says_what_had_happened_already(
    forethought: Forethought, ear: Study, tmp_path: Path, stage: str, after: tuple[bool, ...], words: str
) -> None:
    study = shutil.copytree(getattr(ear, stage), tmp_path / "study")
    edit(study, title("Another title"))
    said = forethought("amend", study, "--reason", "R")
    assert said.lines[1] == f"Amendment 1, {words}:"
    (amendment,) = registration_of(study)["amendments"]
    assert tuple(amendment["after"].values()) == after


def test_the_arms_cannot_be_amended_once_people_are_allocated(
    forethought: Forethought, ear: Study, tmp_path: Path
) -> None:
    study = shutil.copytree(ear.blinded, tmp_path / "study")
    before = (study / "registration.json").read_bytes()
    edit(study, lambda data: data["allocation"].update(block_sizes=[8]))
    said = forethought("amend", study, "--reason", "R")
    assert said.code == 11
    assert "allocation.block_sizes cannot be amended once somebody is allocated" in said.err
    assert (study / "registration.json").read_bytes() == before


def test_every_step_goes_on_with_the_amended_plan(
    forethought: Forethought, ear: Study, tmp_path: Path
) -> None:
    study = shutil.copytree(ear.recruited, tmp_path / "study")
    edit(study, title("Another title"))
    assert forethought("randomize", study).code == 11
    assert forethought("amend", study, "--reason", "R").code == 0
    assert forethought("randomize", study).code == 0
    assert forethought("schedule", study).code == 0


def test_amended_twice_nothing_changes(forethought: Forethought, rows: Rows, locked: Path) -> None:
    edit(locked, title("Another title"))
    for there in ("", " was there already"):
        said = forethought("amend", locked, "--reason", "R")
        assert said.lines[1] == f"Amendment 1{there}, before any data:"
    before = (locked / "registration.json").read_bytes(), rows(locked)
    assert forethought("amend", locked, "--reason", "R").code == 0
    assert forethought("lock", locked).code == 0
    assert ((locked / "registration.json").read_bytes(), rows(locked)) == before


def test_nothing_changed_and_nothing_declared_is_said(
    forethought: Forethought, rows: Rows, locked: Path
) -> None:
    before = (locked / "registration.json").read_bytes(), rows(locked)
    said = forethought("amend", locked, "--reason", "R")
    assert (said.code, said.lines[1]) == (0, "Nothing was changed or declared: there is nothing to amend.")
    assert ((locked / "registration.json").read_bytes(), rows(locked)) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--reason", " "), "--reason: it is empty"),
        (("--reason", "R", "--declare", " "), "--declare: it says nothing"),
        (("--reason", "R", "--timestamp", "https://example.org"), "Give its PEM file with --timestamp-root"),
        (("--reason", "R", "--timestamp-root", "root.pem"), "no service is named"),
        ((), "--reason"),
    ],
)
def test_an_amendment_without_its_words_is_wrong_usage(
    forethought: Forethought, locked: Path, arguments: tuple[str, ...], said: str
) -> None:
    edit(locked, title("Another title"))
    refused = forethought("amend", locked, *arguments)
    assert refused.code == 2
    assert said in refused.err
    assert "amendments" not in registration_of(locked) or not registration_of(locked)["amendments"]


def test_an_invalid_protocol_cannot_be_amended(forethought: Forethought, locked: Path) -> None:
    edit(locked, lambda data: data["study"].update(titel="T"))
    assert forethought("amend", locked, "--reason", "R").code == 10


def test_an_unlocked_study_cannot_be_amended(forethought: Forethought, tmp_path: Path) -> None:
    forethought("init", tmp_path / "study", "--from", "lend_an_ear")
    said = forethought("amend", tmp_path / "study", "--reason", "R")
    assert said.code == 11
    assert "the study is not locked, so there is nothing to amend" in said.err


def test_an_amendment_cut_off_the_registration_shows_in_the_ledger(
    forethought: Forethought, locked: Path
) -> None:
    before = (locked / "registration.json").read_bytes()
    edit(locked, title("Another title"))
    forethought("amend", locked, "--reason", "R")
    (locked / "registration.json").write_bytes(before)
    for command in (("amend", locked, "--reason", "R"), ("lock", locked)):
        said = forethought(*command)
        assert said.code == 11
        assert "is in the ledger, and not here. Restore registration.json from a backup" in said.err
    assert (locked / "registration.json").read_bytes() == before


def test_a_last_amendment_that_was_edited_shows_in_the_ledger(forethought: Forethought, locked: Path) -> None:
    edit(locked, title("Another title"))
    forethought("amend", locked, "--reason", "R")
    file = locked / "registration.json"
    file.write_text(file.read_text("utf-8").replace('"reason": "R"', '"reason": "Another"'), "utf-8")
    said = forethought("lock", locked)
    assert said.code == 11
    assert "amendment 1 is not the one that the ledger has" in said.err


def test_a_lost_registration_is_not_made_anew(forethought: Forethought, locked: Path) -> None:
    (locked / "registration.json").unlink()
    said = forethought("lock", locked)
    assert said.code == 11
    assert "and its registration is gone" in said.err
    assert not (locked / "registration.json").exists()


@pytest.mark.parametrize("then", ["amend", "lock"])
def test_a_crash_between_registration_and_ledger_is_made_good_by_the_next_run(
    forethought: Forethought, rows: Rows, locked: Path, then: str
) -> None:
    edit(locked, title("Another title"))
    program = (
        "import os, signal, sys\n"
        "from forethought.registration import amending\n"
        "from forethought.cli.entry import main\n"
        "write = amending.write\n"
        "def then_die(*arguments):\n"
        "    write(*arguments)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "amending.write = then_die\n"
        "main(sys.argv[1:])\n"
    )
    amend = ("amend", str(locked), "--reason", "R")
    killed = subprocess.run(
        [sys.executable, "-c", program, *amend], env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert killed.returncode == -9
    assert amend_events(rows, locked) == []
    written = (locked / "registration.json").read_bytes()
    for _ in range(2):
        assert forethought(*(amend if then == "amend" else ("lock", locked))).code == 0
        assert [event["number"] for event in amend_events(rows, locked)] == [1]
    assert (locked / "registration.json").read_bytes() == written


def test_no_seed_reaches_the_ledger_or_the_registration(
    forethought: Forethought, everything: Callable[[Path], bytes], locked: Path, tmp_path: Path
) -> None:
    add_a_wave(locked)
    (tmp_path / "seed.txt").write_text(f"{'5a' * 32}\n")
    assert forethought("amend", locked, "--reason", "R", "--seed-file", tmp_path / "seed.txt").code == 0
    kept = json.loads((locked / "secrets" / "seeds.json").read_text())
    assert kept["waves"]["2"]["seed"] == "5a" * 32
    shown = everything(locked)
    for wave in kept["waves"].values():
        assert wave["seed"].encode() not in shown
        assert wave["nonce"].encode() not in shown


def add_a_wave(study: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["waves"].append(
            {**data["waves"][0], "number": 2, "opens": "2027-03-01T09:00:00+00:00", "target": 100}
        )
        model = {
            **deepcopy(data["analysis"]["models"][0]),
            "id": "by_wave",
            "label": "By wave",
            "role": "sensitivity",
        }
        model["formula"] += " + arm:wave + wave"
        data["analysis"]["models"].append(model)
        for each in data["analysis"]["models"][:-1]:
            each["leaves_out"] = {**each.get("leaves_out", {}), "wave": "The model by_wave has it"}
        data["wave_pooling"] = {"method": "together", "statement": "One protocol", "heterogeneity": "by_wave"}

    edit(study, change)


def test_a_new_wave_is_allocated_from_its_own_seed(
    forethought: Forethought, rows: Rows, ear: Study, tmp_path: Path
) -> None:
    study = shutil.copytree(ear.recruited, tmp_path / "study")
    assert forethought("randomize", study).code == 0
    add_a_wave(study)
    said = forethought("amend", study, "--reason", "A second wave is paid for")
    assert said.code == 0, said.err
    assert "1 new seed is committed." in said.lines
    assert [row[0] for row in rows(study)["waves"]] == [1, 2]
    assert len(json.loads((study / "secrets" / "seeds.json").read_text())["waves"]) == 2
    assert forethought("randomize", study, "--wave", 2).code == 0


def test_a_frozen_study_gets_no_new_wave(forethought: Forethought, ear: Study, tmp_path: Path) -> None:
    study = shutil.copytree(ear.frozen, tmp_path / "study")
    before = (study / "registration.json").read_bytes()
    add_a_wave(study)
    said = forethought("amend", study, "--reason", "R")
    assert said.code == 13
    assert "wave 2: enrolment is closed" in said.err
    assert (study / "registration.json").read_bytes() == before
