"""`simulate` on a study folder: which phase comes next, what it refuses, and what it records."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree

import pandas as pd
import pytest

import forethought.protocols
from forethought.errors import GateClosed, WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.import_file import import_file
from forethought.steps.lock import lock
from forethought.steps.randomize import randomize
from forethought.steps.schedule import schedule
from forethought.steps.setting import study_time
from forethought.steps.simulate import Simulated, simulate
from forethought.store import events, meta, migrations, rows
from forethought.store.connection import reading, writing
from forethought.store.vault import Vault

NOW = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
OPENS = datetime(2025, 3, 25, 9, 0, tzinfo=UTC)
OUTCOME_FILES = ["qualtrics_survey.csv", "conversations.csv", "ratings.csv"]


def made(folder: StudyFolder) -> StudyFolder:
    """A study with its database, its secrets and its inbox."""
    protocol = load(folder.protocol).protocol
    migrations.create(folder, protocol.study.id, protocol.waves, NOW)
    Vault.create(folder)
    folder.inbox.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def study_folder(study: Path, tmp_path: Path) -> StudyFolder:
    copytree(study, tmp_path / "study")
    return made(StudyFolder(tmp_path / "study"))


def played(
    folder: StudyFolder, seed: int = 1, participants: int = 12, now: datetime | None = None
) -> Simulated:
    return simulate(folder, seed=seed, now=now, actor="tester", participants=participants)


def import_all(folder: StudyFolder, files: tuple[Path, ...]) -> None:
    for file in files:
        import_file(folder, file, now=study_time(folder), actor="tester")


def allocated(folder: StudyFolder, *, scheduled: bool = True) -> StudyFolder:
    """The study once its simulated recruits are allocated."""
    lock(folder, now=NOW, actor="tester")
    import_all(folder, played(folder).files)
    randomize(folder, now=study_time(folder), actor="tester")
    if scheduled:
        schedule(folder, now=study_time(folder), actor="tester")
    return folder


def table(folder: StudyFolder, name: str) -> pd.DataFrame:
    with reading(folder) as con:
        return rows.read(con, name)


def test_the_recruits_of_an_empty_study_come_first_and_mark_it_as_simulated(
    study_folder: StudyFolder,
) -> None:
    simulated = played(study_folder)
    assert simulated.phase == "recruits"
    assert [file.name for file in simulated.files] == ["prolific_export_lend_an_ear.csv"]
    assert simulated.files[0].parent == study_folder.inbox
    with reading(study_folder) as con:
        assert meta.is_simulated(con)
        assert meta.clock(con) == simulated.clock


def test_recruitment_opens_when_the_wave_does_and_the_clock_stands_after_the_last_arrival(
    study_folder: StudyFolder,
) -> None:
    simulated = played(study_folder)
    import_all(study_folder, simulated.files)
    arrived = table(study_folder, "participants")["arrived_at"].dt.tz_localize("UTC")
    assert arrived.min() > OPENS
    assert simulated.clock is not None
    assert timedelta(0) < simulated.clock - arrived.max() < timedelta(hours=2)


def test_recruitment_never_opens_before_what_is_recorded_already(study_folder: StudyFolder) -> None:
    locked_at = datetime(2026, 11, 23, 1, 0, 17, tzinfo=UTC)
    lock(study_folder, now=locked_at, actor="tester")
    import_all(study_folder, played(study_folder).files)
    arrived = table(study_folder, "participants")["arrived_at"].dt.tz_localize("UTC")
    assert locked_at < arrived.min() < locked_at + timedelta(hours=1)


def test_the_study_clock_can_be_set_first(study_folder: StudyFolder) -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    import_all(study_folder, played(study_folder, now=now).files)
    assert table(study_folder, "participants")["arrived_at"].min() > now.replace(tzinfo=None)


def test_the_study_clock_cannot_go_back(study_folder: StudyFolder) -> None:
    simulated = played(study_folder)
    import_all(study_folder, simulated.files)
    with pytest.raises(WrongUsage, match="cannot go back"):
        played(study_folder, now=OPENS)


def test_exactly_those_asked_for_can_be_enrolled(study_folder: StudyFolder) -> None:
    assert len(table(allocated(study_folder), "allocations")) == 12


def test_outcomes_come_once_people_are_allocated_and_scheduled(study_folder: StudyFolder) -> None:
    simulated = played(allocated(study_folder))
    assert simulated.phase == "outcomes"
    assert [file.name for file in simulated.files] == OUTCOME_FILES
    import_all(study_folder, simulated.files)
    assert 24 <= len(table(study_folder, "conversations")) <= 36
    assert table(study_folder, "quarantine")["reason"].unique().tolist() == ["survey preview"]


def test_after_the_outcomes_every_session_is_held_or_missed(study_folder: StudyFolder) -> None:
    import_all(study_folder, played(allocated(study_folder)).files)
    schedule(study_folder, now=study_time(study_folder), actor="tester")
    assert "planned" not in set(table(study_folder, "sessions")["status"])


def test_when_all_is_there_nothing_is_done(study_folder: StudyFolder) -> None:
    import_all(study_folder, played(allocated(study_folder)).files)
    before = study_time(study_folder)
    assert played(study_folder) == Simulated(phase="complete", files=(), clock=before)
    assert list(study_folder.inbox.iterdir()) == []


def test_what_waits_in_the_inbox_must_be_imported_first(study_folder: StudyFolder) -> None:
    played(study_folder)
    with pytest.raises(GateClosed, match=r"not imported yet\. Run `forethought launch`\.") as raised:
        played(study_folder)
    assert raised.value.exit_code == 13


def test_recruits_must_be_allocated_first(study_folder: StudyFolder) -> None:
    import_all(study_folder, played(study_folder).files)
    with pytest.raises(GateClosed, match=r"not allocated yet\. Run `forethought launch`\."):
        played(study_folder)


def test_the_allocated_must_be_scheduled_first(study_folder: StudyFolder) -> None:
    allocated(study_folder, scheduled=False)
    with pytest.raises(GateClosed, match="not scheduled yet"):
        played(study_folder)


def test_a_study_with_a_real_row_is_never_simulated(study_folder: StudyFolder) -> None:
    person = pd.DataFrame(
        {
            "participant_id": ["pabcdefghijklmnop"],
            "wave": [1],
            "status": ["eligible"],
            "service_status": ["APPROVED"],
            "arrived_at": [NOW.replace(tzinfo=None)],
        }
    )
    with writing(study_folder) as con:
        rows.append(con, "participants", person)
    with pytest.raises(GateClosed, match="holds real rows"):
        played(study_folder)
    with reading(study_folder) as con:
        assert not meta.is_simulated(con)


def test_a_study_whose_inbox_may_hold_a_real_export_is_not_simulated(study_folder: StudyFolder) -> None:
    (study_folder.inbox / "export.csv").write_text("a,b\n1,2\n")
    with pytest.raises(GateClosed, match="a real export may wait here"):
        played(study_folder)


def test_a_protocol_without_an_assumed_world_cannot_be_played(tmp_path: Path) -> None:
    copytree(Path(forethought.protocols.__file__).parent / "sleepstudy", tmp_path / "sleep")
    with pytest.raises(WrongUsage, match="no `simulation` section"):
        played(made(StudyFolder(tmp_path / "sleep")))


def test_files_that_a_crash_left_unrecorded_are_written_anew(study_folder: StudyFolder) -> None:
    with writing(study_folder) as con:
        meta.mark_simulated(con)
    half = study_folder.inbox / "prolific_export_lend_an_ear.csv"
    half.write_text("half of it")
    assert played(study_folder).files == (half,)
    assert half.read_text().startswith("Submission id")


def test_the_same_seed_in_the_same_state_gives_the_same_bytes(study: Path, tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        copytree(study, tmp_path / name)
        simulated = played(made(StudyFolder(tmp_path / name)), seed=5)
        contents.append(simulated.files[0].read_bytes())
    assert contents[0] == contents[1]


def test_the_ledger_records_the_phase_the_seed_and_the_files_and_no_arm(study_folder: StudyFolder) -> None:
    simulated = played(allocated(study_folder), seed=6)
    with reading(study_folder) as con:
        first, second = events.actions(con, "simulate")
    assert (first.detail["phase"], second.detail["phase"]) == ("recruits", "outcomes")
    assert second.detail["seed"] == 6
    assert set(second.detail["files"]) == {file.name for file in simulated.files}  # type: ignore[call-overload]
    assert not any(arm in json.dumps(dict(second.detail)) for arm in ("control", "video", "coach", "both"))
    assert second.at == simulated.clock
