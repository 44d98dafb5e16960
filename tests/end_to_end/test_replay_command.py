"""`replay` and `monitor` as people run them: on a study at each stage, and on the record that a stranger gets."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

PEOPLE = 160


def changed(study: Path, place: Path, statement: str) -> Path:
    """A copy of the study, one statement later."""
    copy = shutil.copytree(study, place / "copy")
    with duckdb.connect(copy / "study.duckdb") as con:
        con.execute(statement)
    return copy


def allocated(study: Path) -> list[tuple[str, str]]:
    with duckdb.connect(study / "study.duckdb", read_only=True) as con:
        return con.execute("SELECT participant_id, arm FROM allocations ORDER BY arrival").fetchall()


def moved(study: Path, place: Path, row: int) -> tuple[Path, str]:
    """A copy in which one person has another arm, and who it is."""
    person, arm = allocated(study)[row]
    other = "video" if arm != "video" else "coach"
    statement = f"UPDATE allocations SET arm = '{other}' WHERE participant_id = '{person}'"  # noqa: S608
    return changed(study, place, statement), person


def test_nothing_can_be_replayed_before_unblinding(forethought: Callable[..., Any], ear: Any) -> None:
    for stage in (ear.blinded, ear.frozen):
        said = forethought("replay", stage)
        assert said.code == 13
        assert "no wave is unblinded yet" in said.err
        assert "Wave 1: not unblinded yet, so its seed is secret." in said.lines


def test_every_allocation_agrees_after_unblinding(forethought: Callable[..., Any], ear: Any) -> None:
    said = forethought("replay", ear.unblinded)
    assert (said.code, said.err) == (0, "")
    assert said.lines == [
        "The ledger is whole, and the registration agrees with it.",
        f"Wave 1: all {PEOPLE} allocations are what the revealed seed gives.",
    ]


def test_the_answer_as_json(forethought: Callable[..., Any], ear: Any) -> None:
    said = forethought("replay", ear.unblinded, "--json")
    (wave,) = said.json["replayed"]["waves"]
    assert said.json["format"] == "forethought-replay/1"
    assert (said.json["agreed"], said.json["revealed"]) == (True, True)
    assert (wave["answer"], wave["allocations"], wave["differences"]) == ("agreed", PEOPLE, [])


def test_an_arm_that_was_changed_is_named(forethought: Callable[..., Any], ear: Any, tmp_path: Path) -> None:
    study, person = moved(ear.unblinded, tmp_path, 70)
    said = forethought("replay", study)
    assert said.code == 20
    assert f"Wave 1: 1 of {PEOPLE} allocations DIFFER from what the seed gives." in said.lines
    assert next(line for line in said.lines if person in line).strip().startswith(f"wave 1, {person}: arm is")
    assert "1 allocation is not what the seeds give" in said.err


def test_a_probability_that_was_changed_is_named(
    forethought: Callable[..., Any], ear: Any, tmp_path: Path
) -> None:
    study = changed(ear.unblinded, tmp_path, "UPDATE allocations SET probability = 0.123 WHERE arrival = 9")
    said = forethought("replay", study)
    assert said.code == 20
    assert any("probability is 0.123" in line for line in said.lines)


def test_a_material_that_was_changed_is_named(
    forethought: Callable[..., Any], ear: Any, tmp_path: Path
) -> None:
    study = changed(
        ear.unblinded, tmp_path, "UPDATE sessions SET stimulus = 'nothing' WHERE session = 'conversation_2'"
    )
    said = forethought("replay", study)
    assert said.code == 20
    assert sum("material of conversation_2 is nothing" in line for line in said.lines) == PEOPLE


def test_a_row_that_was_deleted_is_missed(forethought: Callable[..., Any], ear: Any, tmp_path: Path) -> None:
    last = f"DELETE FROM allocations WHERE arrival = {PEOPLE}"  # noqa: S608
    said = forethought("replay", changed(ear.unblinded, tmp_path, last))
    assert said.code == 20
    assert f"the ledger speaks of {PEOPLE} allocations, and the record has {PEOPLE - 1}" in said.out


def test_an_event_that_was_changed_is_found_before_any_seed_is_revealed(
    forethought: Callable[..., Any], ear: Any, tmp_path: Path
) -> None:
    study = changed(ear.blinded, tmp_path, "UPDATE events SET actor = 'somebody else' WHERE seq = 3")
    said = forethought("replay", study)
    assert said.code == 20
    assert "ledger, event 3" in said.out


@pytest.fixture(scope="module")
def saved(forethought: Callable[..., Any], ear: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "record.zip"
    said = forethought("replay", ear.unblinded, "--save", path)
    assert (said.code, said.lines[-1]) == (0, str(path))
    return path


def test_a_stranger_gets_the_same_answer_from_the_saved_record(
    forethought: Callable[..., Any], saved: Path
) -> None:
    said = forethought("replay", saved)
    assert (said.code, said.lines[-1]) == (
        0,
        f"Wave 1: all {PEOPLE} allocations are what the revealed seed gives.",
    )


def test_saved_again_it_has_the_same_bytes(
    forethought: Callable[..., Any], ear: Any, saved: Path, tmp_path: Path
) -> None:
    forethought("replay", ear.unblinded, "--save", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == saved.read_bytes()


def test_the_saved_record_names_nobody(ear: Any, saved: Path) -> None:
    recruits = ear.export("prolific").read_text().splitlines()
    ids = {cell for line in recruits[1:] for cell in line.split(",")[:2]}
    with zipfile.ZipFile(saved) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert len(ids) > PEOPLE
    assert [one for one in ids if one in content] == []


def test_nothing_is_saved_before_unblinding(
    forethought: Callable[..., Any], ear: Any, tmp_path: Path
) -> None:
    said = forethought("replay", ear.frozen, "--save", tmp_path / "record.zip")
    assert said.code == 13
    assert list(tmp_path.iterdir()) == []


def test_a_record_that_was_edited_is_found(
    forethought: Callable[..., Any], saved: Path, tmp_path: Path
) -> None:
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(saved) as archive, zipfile.ZipFile(forged, "w") as made:
        for name in archive.namelist():
            text = archive.read(name).decode()
            if name == "allocations.csv":
                header, first, *rest = text.splitlines()
                cells = first.split(",")
                cells[2] = "video" if cells[2] != "video" else "coach"
                text = "\n".join([header, ",".join(cells), *rest]) + "\n"
            made.writestr(name, text)
    said = forethought("replay", forged)
    assert said.code == 20
    assert "1 allocation is not what the seeds give" in said.err


@pytest.mark.parametrize(
    ("what", "code"),
    [("missing", 2), ("words", 12), ("a folder without a study", 2), ("a zip of something", 12)],
)
def test_what_is_no_study_and_no_record_is_refused_in_a_sentence(
    forethought: Callable[..., Any], tmp_path: Path, what: str, code: int
) -> None:
    path = tmp_path / "record.zip"
    if what == "words":
        path.write_text("words")
    elif what == "a folder without a study":
        path.mkdir()
    elif what == "a zip of something":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("../../etc/passwd", "root")
    said = forethought("replay", path)
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith(str(path))
    assert "Traceback" not in said.err


def test_a_study_that_is_not_randomised_has_nothing_to_replay(
    forethought: Callable[..., Any], tmp_path: Path
) -> None:
    study = tmp_path / "sleep"
    forethought("init", study, "--from", "sleepstudy")
    assert forethought("replay", study).code == 11
    forethought("lock", study)
    for command in ("replay", "monitor"):
        said = forethought(command, study)
        assert (said.code, "not randomised" in said.err) == (13, True)


def test_the_blinded_study_can_be_watched(forethought: Callable[..., Any], ear: Any) -> None:
    said = forethought("monitor", ear.blinded)
    assert said.code == 0
    for line in (
        f"Wave 1: {PEOPLE} allocated.",
        "Wave 1: every allocation is what the secret seed gives: yes.",
        "Wave 1: every stratum is within the design's exact bounds: yes.",
    ):
        assert line in said.lines


def test_watching_shows_no_arm_and_no_seed_of_a_blinded_study(
    forethought: Callable[..., Any], ear: Any
) -> None:
    shown = forethought("monitor", ear.blinded).out + forethought("monitor", ear.blinded, "--json").out
    people = [person for person, _ in allocated(ear.blinded)]
    for secret in (ear.seed, "control", "video", "coach", *people):
        assert secret not in shown


def test_watching_writes_nothing(
    forethought: Callable[..., Any], ear: Any, content: Callable[[Path], dict[str, str]]
) -> None:
    before = content(ear.blinded)
    forethought("monitor", ear.blinded, "--burst", 150)
    assert content(ear.blinded) == before


def test_an_arm_that_was_changed_stops_the_blinded_study(
    forethought: Callable[..., Any], ear: Any, tmp_path: Path
) -> None:
    study, person = moved(ear.blinded, tmp_path, 30)
    said = forethought("monitor", study)
    assert said.code == 20
    assert "Wave 1: every allocation is what the secret seed gives: NO." in said.lines
    assert person not in said.out + said.err


def test_the_burst_check_runs_before_the_lock(forethought: Callable[..., Any], tmp_path: Path) -> None:
    study = tmp_path / "study"
    forethought("init", study, "--from", "lend_an_ear")
    said = forethought("monitor", study, "--burst", 300)
    assert said.code == 0
    assert (
        "Wave 1: 300 arrivals in one minute, 20 times: never all in one arm or one order: yes." in said.lines
    )
    value = json.loads(forethought("monitor", study, "--burst", 300, "--json").out)
    assert (value["checks"], value["bursts"][0]["arrivals"], value["bursts"][0]["spread"]) == (
        None,
        300,
        True,
    )


def test_the_report_tells_what_was_checked(ear: Any) -> None:
    page = (ear.unblinded / "reports" / "report.html").read_text()
    assert "Checks of the allocation" in page
    assert "all agree" in page
    blinded = (ear.blinded / "reports" / "report.html").read_text()
    assert "not revealed yet" in blinded
    assert "whoever knew all arms so far" not in blinded
