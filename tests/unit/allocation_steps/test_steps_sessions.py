"""The steps `schedule` and `score`: planned, held, scored; the same however often they run."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pandas as pd
import pytest

from forethought.errors import DataRefused, NotLocked
from forethought.protocol.folder import StudyFolder
from forethought.steps.freeze import freeze
from forethought.steps.randomize import randomize
from forethought.steps.schedule import Scheduled, schedule
from forethought.steps.score import Scored, score
from forethought.store.connection import writing

Recruit = Callable[..., list[str]]
Table = Callable[[str], pd.DataFrame]
Talk = Callable[..., None]


@pytest.fixture
def people(trial: StudyFolder, recruit: Recruit, now: datetime) -> list[str]:
    """Six people, allocated."""
    arrived = recruit(range(6))
    randomize(trial, now=now, actor="tester")
    return arrived


def plan(folder: StudyFolder, now: datetime, minutes: float = 0) -> Scheduled:
    return schedule(folder, now=now + timedelta(minutes=minutes), actor="tester")


def statuses(table: Table) -> dict[tuple[str, str], str]:
    sessions = table("sessions")
    return dict(
        zip(
            zip(sessions["participant_id"], sessions["session"], strict=True), sessions["status"], strict=True
        )
    )


def test_every_allocated_person_gets_every_session_with_its_own_material(
    trial: StudyFolder, people: list[str], recruit: Recruit, table: Table, now: datetime
) -> None:
    recruit(range(10, 12))
    assert plan(trial, now) == Scheduled(planned=12, updated=0)
    sessions = table("sessions")
    assert set(sessions["participant_id"]) == set(people)
    assert sessions.groupby("participant_id")["stimulus"].nunique().eq(2).all()
    assert set(sessions["stimulus"]) == {"job", "dad", "mom"}
    assert set(sessions["target_at"]) == {pd.Timestamp("2025-03-25 10:10"), pd.Timestamp("2025-03-25 10:30")}


def test_scheduled_twice_nothing_changes(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    plan(trial, now)
    sessions, ledger = table("sessions"), table("events")
    assert plan(trial, now) == Scheduled(planned=0, updated=0)
    pd.testing.assert_frame_equal(table("sessions"), sessions)
    pd.testing.assert_frame_equal(table("events"), ledger)


def test_the_schedule_is_the_same_whatever_the_arms(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    plan(trial, now)
    sessions = table("sessions")
    with writing(trial) as con:
        con.execute("DELETE FROM sessions")
        con.execute("UPDATE allocations SET arm = 'coached'")
    plan(trial, now)
    pd.testing.assert_frame_equal(table("sessions"), sessions)


def test_what_was_held_moves_the_next_session(
    trial: StudyFolder, people: list[str], talk: Talk, table: Table, now: datetime
) -> None:
    plan(trial, now)
    talk(people[0], "c1", now + timedelta(minutes=40))
    talk(people[1], "c1", now + timedelta(minutes=61))
    assert plan(trial, now, minutes=70) == Scheduled(planned=0, updated=4 + 4)
    found = statuses(table)
    assert found[people[0], "c1"] == "done"
    assert found[people[1], "c1"] == "out_of_window"
    assert found[people[2], "c1"] == "missed"
    assert {found[person, "c2"] for person in people} == {"planned"}
    sessions = table("sessions").set_index(["participant_id", "session"])
    assert sessions.loc[(people[0], "c2"), "target_at"] == pd.Timestamp("2025-03-25 11:00")
    assert sessions.loc[(people[0], "c1"), "held_at"] == pd.Timestamp("2025-03-25 10:40")


def test_a_session_held_twice_was_held_at_the_first(
    trial: StudyFolder, people: list[str], talk: Talk, table: Table, now: datetime
) -> None:
    plan(trial, now)
    talk(people[0], "c1", now + timedelta(minutes=30))
    with writing(trial) as con:
        con.execute(
            "INSERT INTO conversations SELECT 'again', participant_id, session, stimulus, "
            "started_at - INTERVAL 10 MINUTE, ended_at, messages FROM conversations"
        )
    plan(trial, now, minutes=40)
    held = table("sessions").set_index(["participant_id", "session"]).loc[(people[0], "c1"), "held_at"]
    assert held == pd.Timestamp("2025-03-25 10:20")


def test_in_a_frozen_study_the_time_stands_still(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    plan(trial, now)
    freeze(trial, now=now + timedelta(minutes=5), actor="tester")
    assert plan(trial, now, minutes=10_000) == Scheduled(planned=0, updated=0)
    assert set(statuses(table).values()) == {"planned"}


def test_nobody_allocated_schedules_nothing(trial: StudyFolder, table: Table, now: datetime) -> None:
    assert plan(trial, now) == Scheduled(planned=0, updated=0)
    assert "schedule" not in set(table("events")["action"])


@pytest.mark.parametrize("step", [schedule, score])
def test_an_unlocked_trial_is_neither_scheduled_nor_scored(
    unlocked: StudyFolder, step: Callable[..., object], now: datetime
) -> None:
    with pytest.raises(NotLocked):
        step(unlocked, now=now, actor="tester")


def test_ratings_become_scores_once(
    trial: StudyFolder, people: list[str], talk: Talk, table: Table, now: datetime
) -> None:
    talk(people[0], "c1", now, warmth=4, advice=1)
    talk(people[1], "c1", now, warmth=2)
    assert score(trial, now=now, actor="tester") == Scored(new=4, already=0)
    scores, ledger = table("scores"), table("events")
    found = scores[scores["participant_id"] == people[0]].set_index("outcome")["value"].to_dict()
    assert found == {"warmth": 4, "advice": 1, "overall": 3}
    assert score(trial, now=now, actor="tester") == Scored(new=0, already=4)
    pd.testing.assert_frame_equal(table("scores"), scores)
    pd.testing.assert_frame_equal(table("events"), ledger)


def test_a_composite_is_added_when_its_last_part_comes(
    trial: StudyFolder, people: list[str], talk: Talk, table: Table, now: datetime
) -> None:
    talk(people[0], "c1", now, warmth=4)
    score(trial, now=now, actor="tester")
    talk(people[0], "c1", now, advice=2)
    assert score(trial, now=now, actor="tester") == Scored(new=2, already=1)
    assert table("scores").set_index("outcome")["value"].to_dict() == {"warmth": 4, "advice": 2, "overall": 2}


def test_a_rating_out_of_range_stops_all_scoring(
    trial: StudyFolder, people: list[str], talk: Talk, table: Table, now: datetime
) -> None:
    talk(people[0], "c1", now, warmth=4)
    talk(people[1], "c1", now, warmth=6)
    with pytest.raises(DataRefused, match="outside 1 to 5"):
        score(trial, now=now, actor="tester")
    assert table("scores").empty


def test_the_events_tell_nothing_of_arms_or_values(
    trial: StudyFolder, people: list[str], talk: Talk, table: Table, now: datetime
) -> None:
    plan(trial, now)
    talk(people[0], "c1", now, warmth=4, advice=1)
    score(trial, now=now, actor="tester")
    details = {
        action: json.loads(detail) for action, detail in table("events")[["action", "detail"]].to_numpy()
    }
    assert details["schedule"] == {"planned": 12, "updated": 0}
    assert details["score"] == {"new": 3, "versions": ["composite/1", "rated/1"]}
