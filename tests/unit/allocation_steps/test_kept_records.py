"""`monitor` sees what was done to tables beside the allocations: corrections and the sealed list."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from forethought import registration
from forethought.errors import NotLocked, VerificationFailed
from forethought.protocol.folder import StudyFolder
from forethought.steps.correct import correct
from forethought.steps.correctable import NotCounted
from forethought.steps.init_study import init_study
from forethought.steps.kept_records import kept_otherwise
from forethought.steps.lock import lock
from forethought.steps.monitor import Monitored, monitor
from forethought.steps.randomize import randomize
from forethought.store import events
from forethought.store.connection import reading, writing

Recruit = Callable[..., list[str]]


def problems(done: Monitored) -> tuple[str, ...]:
    assert done.checks is not None
    return done.checks.problems


def change(folder: StudyFolder, statement: str) -> None:
    with writing(folder) as con:
        con.execute(statement)


@pytest.fixture
def corrected(trial: StudyFolder, recruit: Recruit, now: datetime) -> StudyFolder:
    people = recruit(range(4))
    randomize(trial, now=now, actor="tester")
    correct(trial, people[0], NotCounted(), now=now, actor="tester", by="Dr Who", reason="a test run")
    return trial


def test_a_correction_as_it_was_told_is_no_problem(corrected: StudyFolder) -> None:
    assert problems(monitor(corrected)) == ()


def test_a_correction_that_was_taken_out_is_found(corrected: StudyFolder) -> None:
    change(corrected, "DELETE FROM corrections")
    done = monitor(corrected)
    assert problems(done) == ("corrections: 1 that the ledger tells of are not kept as they were told",)
    with pytest.raises(VerificationFailed):
        done.require()


def test_a_correction_that_was_written_by_hand_is_found(corrected: StudyFolder) -> None:
    change(corrected, "INSERT INTO corrections SELECT * REPLACE ('x/1' AS correction_id) FROM corrections")
    assert problems(monitor(corrected)) == ("corrections: 1 are kept that the ledger does not tell of",)


def test_other_words_of_a_correction_are_found_on_both_sides(corrected: StudyFolder) -> None:
    change(corrected, "UPDATE corrections SET reason = 'another'")
    assert len(problems(monitor(corrected))) == 2


def test_a_registration_that_is_gone_is_not_taken_for_a_study_before_its_lock(trial: StudyFolder) -> None:
    trial.registration.unlink()
    with pytest.raises(NotLocked, match="its registration is gone"):
        monitor(trial)


@pytest.fixture
def listed(tmp_path: Path) -> StudyFolder:
    """A study whose list is drawn at the lock."""
    now, folder = datetime(2026, 11, 1, 9, 30, tzinfo=UTC), StudyFolder(tmp_path / "listed")
    init_study(folder.path, "lend_an_ear", now=now, actor="tester")
    data = yaml.safe_load(folder.protocol.read_text("utf-8"))
    data["allocation"].update(drawn="ahead", list_length=10)
    folder.protocol.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")
    lock(folder, now=now, actor="tester")
    return folder


def of_the_list(folder: StudyFolder) -> tuple[str, ...]:
    """What `monitor` says, without the rest of its work."""
    locked = registration.read(folder)
    assert locked is not None
    with reading(folder) as con:
        return kept_otherwise(con, locked, events.history(con))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sealed_list SET ciphertext = nonce WHERE place = 2",
        "UPDATE sealed_list SET stratum = 'sex=Other' WHERE place = 2 AND stratum = 'sex=Male'",
        "DELETE FROM sealed_list WHERE place = 10",
        "DELETE FROM sealed_list",
    ],
)
def test_a_sealed_list_that_was_changed_is_found(listed: StudyFolder, statement: str) -> None:
    assert of_the_list(listed) == ()
    change(listed, statement)
    assert of_the_list(listed) == ("wave 1: the sealed list is not the one whose hash was registered",)


SWAP = (
    "UPDATE allocations SET participant_id = CASE participant_id WHEN '{0}' THEN '{1}' ELSE '{0}' END "
    "WHERE participant_id IN ('{0}', '{1}')"
)


def test_two_people_who_were_exchanged_are_found_before_any_freeze(
    trial: StudyFolder, recruit: Recruit, now: datetime
) -> None:
    people = recruit(range(6))
    randomize(trial, now=now, actor="tester")
    assert monitor(trial).checks is not None
    monitor(trial).require()
    change(trial, SWAP.format(people[0], people[1]))
    with pytest.raises(VerificationFailed):
        monitor(trial).require()


def test_a_row_of_counting_that_was_written_ahead_is_found(
    trial: StudyFolder, recruit: Recruit, now: datetime
) -> None:
    recruit(range(4))
    randomize(trial, now=now, actor="tester")
    change(
        trial,
        "INSERT INTO counting SELECT participant_id, 1, 5, false, 'left', allocated_at FROM allocations "
        "WHERE arrival = 1",
    )
    with pytest.raises(VerificationFailed):
        monitor(trial).require()
