"""One wave is closed while the others go on; what changes afterwards in the rows of its people is a deviation."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pandas as pd
import pytest

from forethought import registration
from forethought.deviations import find, planned
from forethought.errors import GateClosed, NotLocked, WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.steps.done import deed
from forethought.steps.freeze import closed, freeze
from forethought.steps.import_file import import_file
from forethought.steps.randomize import randomize
from forethought.steps.status import status
from forethought.steps.unblind import unblind
from forethought.store import events, freezing
from forethought.store.connection import reading, writing
from forethought.store.vault import Vault

Recruit = Callable[..., list[str]]
Talk = Callable[..., None]
Table = Callable[[str], pd.DataFrame]


@pytest.fixture
def waves(trial: StudyFolder, recruit: Recruit, talk: Talk, now: datetime) -> tuple[list[str], list[str]]:
    """Four people of the first wave and three of the second, allocated; the first of each has talked."""
    people = recruit(range(4)), recruit(range(3), wave=2)
    for wave in (1, 2):
        randomize(trial, now=now, actor="tester", wave=wave)
    for person in (people[0][0], people[1][0]):
        talk(person, "c1", now + timedelta(minutes=5), warmth=4, advice=2)
    return people


def close(folder: StudyFolder, wave: int, now: datetime) -> object:
    return freeze(folder, now=now, actor="tester", wave=wave)


def frozen_data(folder: StudyFolder) -> list[str]:
    """What the deviations say of data that were frozen or closed."""
    locked = registration.read(folder)
    assert locked is not None
    plan = planned(locked)
    with reading(folder) as con:
        found = find(plan, deed(con, folder, plan, events.history(con)))
    return [one.done for one in found if one.kind == "frozen data"]


def test_closing_a_wave_ends_the_enrolment_of_that_wave_alone(
    trial: StudyFolder, waves: object, recruit: Recruit, table: Table, now: datetime
) -> None:
    close(trial, 1, now)
    assert table("waves")["closed_at"].isna().tolist() == [False, True]
    recruit(range(10, 12)), recruit(range(10, 12), wave=2)
    with pytest.raises(GateClosed, match="the wave was closed on 2025-03-25"):
        randomize(trial, now=now, actor="tester", wave=1)
    assert randomize(trial, now=now, actor="tester", wave=2).allocated == 2


def test_the_event_hashes_the_rows_of_the_waves_people(
    trial: StudyFolder, waves: tuple[list[str], list[str]], table: Table, now: datetime
) -> None:
    done = freeze(trial, now=now, actor="tester", wave=2)
    with reading(trial) as con:
        con.execute("CREATE TEMP TABLE theirs AS SELECT * FROM participants WHERE wave = 2")
        assert freezing.table_hash(con, "ratings", wave=2) == done.tables["ratings"]
        assert freezing.table_hash(con, "ratings") != done.tables["ratings"]
    detail = json.loads(table("events")["detail"].iloc[-1])
    assert (table("events")["action"].iloc[-1], detail["wave"]) == ("close", 2)
    assert detail["tables"] == done.tables
    assert {"participants", "allocations", "messages", "ratings", "raw_rows", "sessions"} <= set(done.tables)
    assert {"waves", "events", "meta", "findings", "sealed_list"}.isdisjoint(done.tables)


def test_the_rows_of_another_wave_do_not_move_the_hash(
    trial: StudyFolder, waves: object, recruit: Recruit, talk: Talk, now: datetime
) -> None:
    def hashes() -> dict[str, str]:
        with reading(trial) as con:
            return dict(freezing.table_hashes(con, wave=1))

    before = hashes()
    (person,) = recruit([20], wave=2)
    randomize(trial, now=now, actor="tester", wave=2)
    talk(person, "c1", now, warmth=1)
    assert hashes() == before
    (person,) = recruit([20])
    after = hashes()
    assert {table for table in before if after[table] != before[table]} == {"participants", "responses"}


def test_closed_twice_the_first_close_stands(
    trial: StudyFolder, waves: object, table: Table, now: datetime
) -> None:
    first = freeze(trial, now=now, actor="tester", wave=1)
    ledger = table("events")
    again = freeze(trial, now=now + timedelta(days=1), actor="another", wave=1)
    assert (first.already, again.already, again.wave) == (False, True, 1)
    assert (again.at, again.tables) == (first.at, first.tables)
    pd.testing.assert_frame_equal(table("events"), ledger)


def test_a_wave_of_a_frozen_study_is_closed_already(trial: StudyFolder, waves: object, now: datetime) -> None:
    whole = freeze(trial, now=now, actor="tester")
    done = freeze(trial, now=now, actor="tester", wave=2)
    assert (done.already, done.wave, done.at) == (True, None, whole.at)


def test_the_study_is_frozen_after_a_wave_was_closed(
    trial: StudyFolder, waves: object, table: Table, now: datetime
) -> None:
    close(trial, 1, now)
    assert not freeze(trial, now=now + timedelta(days=1), actor="tester").already
    assert table("waves")["closed_at"].tolist() == [
        pd.Timestamp("2025-03-25 10:00"),
        pd.Timestamp("2025-03-26 10:00"),
    ]


def test_what_closes_a_wave_is_its_own_close_or_the_freeze(
    trial: StudyFolder, waves: object, now: datetime
) -> None:
    close(trial, 1, now)
    freeze(trial, now=now, actor="tester")
    with reading(trial) as con:
        history = events.history(con)
    ends = [closed(history, wave) for wave in (1, 2)]
    assert [end.action for end in ends if end is not None] == ["close", "freeze"]
    assert closed(history[:-2], 1) is None


def test_a_wave_that_the_protocol_does_not_have_is_refused(trial: StudyFolder, now: datetime) -> None:
    with pytest.raises(WrongUsage, match=r"--wave 3: the protocol has no such wave\. Choose one of 1, 2"):
        close(trial, 3, now)


def test_an_unlocked_trial_closes_no_wave(unlocked: StudyFolder, now: datetime) -> None:
    with pytest.raises(NotLocked):
        close(unlocked, 1, now)


def test_the_status_tells_which_waves_are_closed(trial: StudyFolder, waves: object, now: datetime) -> None:
    close(trial, 2, now)
    told = status(trial)
    assert (told.closed_waves, told.frozen) == ((2,), False)
    assert (told.can_allocate_in(1), told.can_allocate_in(2)) == (True, False)
    assert "arms        blinded, wave 2 closed" in list(told.lines())


# --- what changes afterwards ---


def test_what_changes_in_a_closed_wave_is_a_deviation(
    trial: StudyFolder, waves: tuple[list[str], list[str]], talk: Talk, now: datetime
) -> None:
    close(trial, 1, now)
    assert frozen_data(trial) == []
    talk(waves[1][0], "c2", now, warmth=1)
    assert frozen_data(trial) == []
    talk(waves[0][0], "c2", now, warmth=1)
    assert frozen_data(trial) == [
        f"`{table}` of wave 1 was changed after the wave was closed" for table in ("conversations", "ratings")
    ]


def test_the_unblinding_of_a_closed_wave_is_no_change_of_its_data(
    trial: StudyFolder, waves: object, table: Table, now: datetime
) -> None:
    close(trial, 1, now)
    unblind(trial, now=now, actor="tester", by="Dr Who", reason="over", scope="wave 1")
    assert table("allocations")["probability"].notna().sum() == 4
    assert frozen_data(trial) == []


def test_the_unblinding_of_a_frozen_study_is_no_change_of_its_data(
    trial: StudyFolder, waves: object, table: Table, now: datetime
) -> None:
    freeze(trial, now=now, actor="tester")
    unblind(trial, now=now, actor="tester", by="Dr Who", reason="over")
    assert table("allocations")["probability"].notna().all()
    assert frozen_data(trial) == []


def test_an_arm_that_was_changed_after_the_freeze_is_a_deviation(
    trial: StudyFolder, waves: tuple[list[str], list[str]], now: datetime
) -> None:
    freeze(trial, now=now, actor="tester")
    change(trial, "UPDATE allocations SET arm = 'other' WHERE participant_id = ?", waves[0][0])
    assert frozen_data(trial) == ["`allocations` was changed after the freeze"]


def change(folder: StudyFolder, statement: str, *values: object) -> None:
    with writing(folder) as con:
        con.execute(statement, list(values))


@pytest.fixture
def frozen_by_the_first_release(trial: StudyFolder, waves: object, now: datetime) -> StudyFolder:
    """Its freeze hashed ten columns of `allocations`, told already, and knew fewer tables."""
    names = ("participant_id", "wave", "arm", "probability", "stratum", "block", "position", "arrival")
    columns = (*names, "algorithm", "allocated_at")
    with writing(trial) as con:
        con.execute("UPDATE allocations SET probability = 0.5, block = 1, position = arrival")
        plain = freezing.table_hash(con, "allocations", columns)
        hashes = {
            table: freezing.table_hash(con, table)
            for table in ("conversations", "participants", "ratings", "responses", "scores")
        }
        hashes["allocations"] = Vault.open(trial).row_hash(plain.encode())
        events.record(con, now=now, actor="tester", action="freeze", detail={"tables": hashes})
    return trial


def test_a_freeze_of_the_first_release_is_compared_over_its_own_columns_and_tables(
    frozen_by_the_first_release: StudyFolder,
) -> None:
    assert frozen_data(frozen_by_the_first_release) == []


@pytest.mark.parametrize("column", ["probability = 0.25", "arm = 'other'", "block = 2"])
def test_a_change_after_a_freeze_of_the_first_release_is_a_deviation(
    frozen_by_the_first_release: StudyFolder, column: str
) -> None:
    change(frozen_by_the_first_release, f"UPDATE allocations SET {column} WHERE arrival = 2")  # noqa: S608
    assert frozen_data(frozen_by_the_first_release) == ["`allocations` was changed after the freeze"]


# --- recruits of a closed wave ---

EXPORT = "Submission id,Participant id,Status,Started at,Sex\ns{0},5f00000000000000000000{0},APPROVED,2025-03-25T09:30:00Z,Male\n"


def bring(folder: StudyFolder, number: int, wave: int, now: datetime) -> int:
    file = folder.path / f"recruits_{number}.csv"
    file.write_text(EXPORT.format(number), "utf-8")
    return import_file(folder, file, now=now, actor="tester", wave=wave).new


def test_recruits_of_a_closed_wave_are_refused_and_those_of_another_come_in(
    trial: StudyFolder, table: Table, now: datetime
) -> None:
    assert bring(trial, 10, 1, now) == 1
    close(trial, 1, now)
    with pytest.raises(GateClosed, match="the enrolment of wave 1 was closed on 2025-03-25"):
        bring(trial, 11, 1, now)
    assert len(table("raw_rows")) == 1
    assert bring(trial, 12, 2, now) == 1


def test_nobody_is_recruited_into_a_frozen_study(trial: StudyFolder, now: datetime) -> None:
    freeze(trial, now=now, actor="tester")
    with pytest.raises(GateClosed, match="the study was frozen on 2025-03-25"):
        bring(trial, 10, 2, now)
