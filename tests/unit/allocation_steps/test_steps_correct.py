"""A correction is told beside what was recorded: nothing is deleted, and analyses use what is true."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from forethought import registration
from forethought.deviations import find, planned
from forethought.errors import DataRefused, GateClosed, WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.correct import Corrected, correct
from forethought.steps.correctable import (
    NotCounted,
    RandomisedInError,
    RandomisedTwice,
    WrongValue,
)
from forethought.steps.done import deed
from forethought.steps.freeze import freeze
from forethought.steps.randomize import randomize
from forethought.steps.status import status
from forethought.steps.unblind import unblind
from forethought.store import analysis_frames, corrections, events, outcome_data, rows
from forethought.store.connection import reading

Recruit = Callable[..., list[str]]
Talk = Callable[..., None]
Table = Callable[[str], pd.DataFrame]
MALE = WrongValue(item="sex", value="Male")


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


def sex_of(folder: StudyFolder, person: str) -> set[str]:
    found = frame(folder)
    return set(found.loc[found["participant"] == person, "sex"])


def deviations_of(folder: StudyFolder) -> dict[str, str]:
    locked = registration.read(folder)
    assert locked is not None
    plan = planned(locked)
    with reading(folder) as con:
        return {one.kind: one.done for one in find(plan, deed(con, folder, plan, events.history(con)))}


# --- a wrong value ---


def test_a_wrong_value_keeps_allocation_stratum_and_record_and_analyses_use_the_true_one(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    before = table("allocations"), table("responses")
    assert sex_of(trial, people[0]) == {"Female"}
    say(trial, people[0], MALE, now)
    assert sex_of(trial, people[0]) == {"Male"}
    assert sex_of(trial, people[1]) == {"Female"}
    pd.testing.assert_frame_equal(table("allocations"), before[0])
    pd.testing.assert_frame_equal(table("responses"), before[1])


def test_the_row_has_the_values_and_the_event_has_salted_hashes_of_them(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    say(trial, people[0], MALE, now, by=" Dr Who ")
    (row,) = table("corrections").to_dict("records")
    assert row["corrected_at"] == pd.Timestamp("2025-03-25 10:00")
    names = ("participant_id", "kind", "item", "original", "corrected", "made_by", "reason")
    assert [row[name] for name in names] == [
        people[0], "wrong_value", "sex", "Female", "Male", "Dr Who", "the form says so",
    ]  # fmt: skip
    (detail,) = told(table)
    assert {len(detail.pop("original")), len(detail.pop("corrected"))} == {64}
    assert detail == {
        "participant": people[0], "kind": "wrong_value", "item": "sex", "by": "Dr Who", "reason": "the form says so",
    }  # fmt: skip
    assert "Male" not in json.dumps(told(table))


def test_the_hashes_of_one_value_of_two_people_differ(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    for person in people[:2]:
        say(trial, person, MALE, now)
    assert len({one["corrected"] for one in told(table)}) == 2


def test_of_several_corrections_the_last_holds(trial: StudyFolder, people: list[str], now: datetime) -> None:
    say(trial, people[0], MALE, now)
    back = say(trial, people[0], WrongValue(item="sex", value="Female"), now)
    assert not back.already
    assert sex_of(trial, people[0]) == {"Female"}
    assert not say(trial, people[0], MALE, now).already
    assert sex_of(trial, people[0]) == {"Male"}


def test_the_eleventh_correction_is_after_the_second(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    for number in range(11):
        say(trial, people[0], WrongValue(item="sex", value=("Male", "Female")[number % 2]), now)
    assert len(table("corrections")) == 11
    assert sex_of(trial, people[0]) == {"Male"}


@pytest.mark.parametrize("what", [MALE, RandomisedInError(), NotCounted()])
def test_the_same_correction_again_changes_nothing(
    trial: StudyFolder, people: list[str], table: Table, now: datetime, what: Any
) -> None:
    assert not say(trial, people[0], what, now).already
    before = table("corrections"), table("events")
    assert say(trial, people[0], what, now + timedelta(days=1), by="another", reason="again").already
    pd.testing.assert_frame_equal(table("corrections"), before[0])
    pd.testing.assert_frame_equal(table("events"), before[1])


def test_a_value_that_is_recorded_already_is_not_wrong(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    with pytest.raises(DataRefused, match="`sex` is recorded with this value already"):
        say(trial, people[0], WrongValue(item="sex", value="Female"), now)
    assert table("corrections").empty


def test_a_value_that_was_missing_can_be_given(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    (person,) = recruit([0], sexes=[""])
    assert randomize(trial, now=now, actor="tester").refused == ((person, "`sex` has no value"),)
    say(trial, person, MALE, now)
    assert table("corrections")["original"].isna().all()
    assert randomize(trial, now=now, actor="tester").allocated == 1
    assert table("allocations")["stratum"].tolist() == ["sex=Male"]


def test_before_allocation_the_true_value_decides_the_stratum(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    (person,) = recruit([0])
    say(trial, person, MALE, now)
    randomize(trial, now=now, actor="tester")
    assert table("allocations")["stratum"].tolist() == ["sex=Male"]


@pytest.mark.parametrize(
    ("item", "value", "what"),
    [
        ("age", "3", r"--item age: it is no recruitment variable\. The protocol has: sex"),
        ("sex", "Other", r"--value Other: `sex` must be one of: Female, Male"),
        ("sex", " ", r"`sex` must be one of"),
    ],
)
def test_a_variable_or_value_that_the_protocol_does_not_have_is_refused(
    trial: StudyFolder, people: list[str], table: Table, now: datetime, item: str, value: str, what: str
) -> None:
    with pytest.raises(WrongUsage, match=what):
        say(trial, people[0], WrongValue(item=item, value=value), now)
    assert table("corrections").empty


# --- who may be corrected, and what else it moves ---


@pytest.mark.parametrize("what", [RandomisedInError(), NotCounted(), RandomisedTwice(first="p")])
def test_somebody_without_an_arm_cannot_have_been_randomised_in_error(
    trial: StudyFolder, recruit: Recruit, now: datetime, what: Any
) -> None:
    (person,) = recruit([0])
    with pytest.raises(GateClosed, match="this person is not allocated"):
        say(trial, person, what, now)


def test_somebody_unknown_cannot_be_corrected(trial: StudyFolder, people: list[str], now: datetime) -> None:
    with pytest.raises(DataRefused, match="the study knows nobody of this name"):
        say(trial, "nobody", NotCounted(), now)


@pytest.mark.parametrize("option", ["by", "reason"])
def test_a_correction_says_by_whom_and_why(
    trial: StudyFolder, people: list[str], now: datetime, option: str
) -> None:
    with pytest.raises(WrongUsage, match=f"--{option}: it is empty"):
        say(trial, people[0], MALE, now, **{option: " "})


def test_corrections_are_part_of_the_data_that_were_analysed(
    trial: StudyFolder, people: list[str], now: datetime
) -> None:
    def data_hash() -> str:
        with reading(trial) as con:
            return outcome_data.data_hash(con)

    before = data_hash()
    say(trial, people[0], MALE, now)
    assert data_hash() != before


def test_a_correction_after_the_freeze_is_a_change_of_frozen_data(
    trial: StudyFolder, people: list[str], now: datetime
) -> None:
    freeze(trial, now=now, actor="tester")
    say(trial, people[0], NotCounted(), now)
    found = deviations_of(trial)
    assert found["frozen data"] == "`corrections` was changed after the freeze"
    assert "correction after unblinding" not in found


@pytest.mark.parametrize(("what", "late"), [(MALE, True), (NotCounted(), False)])
def test_what_changes_the_analysis_after_the_unblinding_is_a_deviation_of_its_own(
    trial: StudyFolder, people: list[str], now: datetime, what: Any, late: bool
) -> None:
    say(trial, people[1], MALE, now)
    freeze(trial, now=now, actor="tester")
    unblind(trial, now=now, actor="tester", by="Dr Who", reason="over")
    say(trial, people[0], what, now)
    found = deviations_of(trial).get("correction after unblinding")
    assert found == ("1 correction of it made afterwards" if late else None)


def test_the_status_counts_corrections(trial: StudyFolder, people: list[str], now: datetime) -> None:
    assert not any(line.startswith("corrections") for line in status(trial).lines())
    say(trial, people[0], MALE, now)
    assert status(trial).corrections == 1
    assert "corrections 1" in list(status(trial).lines())


def test_true_values_stand_in_the_place_of_wrong_responses(
    trial: StudyFolder, people: list[str], now: datetime
) -> None:
    with reading(trial) as con:
        responses = rows.read(con, "responses")
        pd.testing.assert_frame_equal(corrections.on_top(con, responses), responses)
    say(trial, people[0], MALE, now)
    with reading(trial) as con:
        found = corrections.on_top(con, responses).set_index("participant_id")
    assert found.loc[people[0], "value"] == "Male"
    assert len(found) == len(responses)
    assert found.loc[people[1], "value"] == "Female"
