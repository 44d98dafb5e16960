"""People who should not have been allocated, or were twice: the allocation stays, and who is analysed is said."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pandas as pd
import pytest

from forethought.errors import DataRefused
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.correct import Corrected, correct
from forethought.steps.correctable import (
    RandomisedInError,
    RandomisedTwice,
)
from forethought.steps.freeze import freeze
from forethought.steps.randomize import randomize
from forethought.steps.unblind import unblind
from forethought.store import analysis_frames, flow, outcome_data
from forethought.store.connection import reading

Recruit = Callable[..., list[str]]
Talk = Callable[..., None]
Table = Callable[[str], pd.DataFrame]


@pytest.fixture
def people(six_people: list[str]) -> list[str]:
    return six_people


def say(folder: StudyFolder, person: str, what: Any, now: datetime, **more: str) -> Corrected:
    given = {"by": "Dr Who", "reason": "the form says so"} | more
    return correct(folder, person, what, now=now, actor="tester", **given)


def told(table: Table) -> list[dict[str, Any]]:
    ledger = table("events")
    return [json.loads(text) for text in ledger.loc[ledger["action"] == "correct", "detail"]]


def frame(folder: StudyFolder) -> pd.DataFrame:
    with reading(folder) as con:
        return analysis_frames.sessions(con, load(folder.protocol).protocol)


def test_somebody_randomised_in_error_is_analysed_and_counts_no_longer_from_then_on(
    trial: StudyFolder, people: list[str], recruit: Recruit, table: Table, now: datetime
) -> None:
    before = frame(trial)
    say(trial, people[0], RandomisedInError(), now)
    pd.testing.assert_frame_equal(frame(trial), before)
    assert table("counting").empty
    recruit(range(10, 12))
    randomize(trial, now=now, actor="tester")
    (row,) = table("counting").to_dict("records")
    assert (row["participant_id"], row["from_arrival"], bool(row["counts"])) == (people[0], 7, False)


def test_of_somebody_randomised_twice_the_first_allocation_stands(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    before = table("allocations")
    done = say(trial, people[4], RandomisedTwice(first=people[1]), now)
    assert (done.participant, done.first, done.already) == (people[4], people[1], False)
    assert set(frame(trial)["participant"]) == set(people) - {people[4]}
    pd.testing.assert_frame_equal(table("allocations"), before)
    assert told(table)[0]["first"] == people[1]


def test_the_flow_counts_second_records_apart(trial: StudyFolder, people: list[str], now: datetime) -> None:
    say(trial, people[4], RandomisedTwice(first=people[1]), now)
    with reading(trial) as con:
        together = flow.flow(con).together
    assert (together.allocated, together.analysed, together.randomised_twice) == (6, 5, 1)
    assert (together.in_progress, together.not_analysed) == (0, 0)


def test_a_second_record_is_not_analysed_on_the_true_arms_either(
    trial: StudyFolder, people: list[str], now: datetime
) -> None:
    say(trial, people[4], RandomisedTwice(first=people[1]), now)
    freeze(trial, now=now, actor="tester")
    unblind(trial, now=now, actor="tester", by="Dr Who", reason="over")
    with reading(trial) as con:
        data = outcome_data.outcome_data(con, load(trial.protocol).protocol)
    assert people[4] not in set(data.frame["participant"])
    assert data.frame["arm"].notna().all()


@pytest.mark.parametrize(
    ("second", "first", "what"),
    [
        (4, 4, "it is the same record"),
        (1, 4, "and the first allocation stands"),
        (5, 4, "it is itself a second record"),
        (4, 0, "it is the second record of .* already"),
    ],
)
def test_a_first_record_that_is_none_is_refused(
    trial: StudyFolder, people: list[str], table: Table, now: datetime, second: int, first: int, what: str
) -> None:
    say(trial, people[4], RandomisedTwice(first=people[1]), now)
    with pytest.raises(DataRefused, match=what):
        say(trial, people[second], RandomisedTwice(first=people[first]), now)
    assert len(table("corrections")) == 1


def test_a_second_record_told_again_changes_nothing(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    say(trial, people[4], RandomisedTwice(first=people[1]), now)
    assert say(trial, people[4], RandomisedTwice(first=people[1]), now).already
    assert len(told(table)) == 1
