"""The gate opens for the study, for a wave, or, in an emergency, for one person; each tells nothing of the rest."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from forethought import registration
from forethought.deviations import Deviation, DeviationClass, find, planned
from forethought.errors import DataRefused, GateClosed
from forethought.protocol.folder import StudyFolder
from forethought.steps.amend import amend
from forethought.steps.done import deed
from forethought.steps.freeze import freeze
from forethought.steps.randomize import randomize
from forethought.steps.status import status
from forethought.steps.unblind import Unblinded, unblind
from forethought.store import events, milestones
from forethought.store.connection import reading, writing

Recruit = Callable[..., list[str]]
Table = Callable[[str], pd.DataFrame]


@pytest.fixture
def people(trial: StudyFolder, recruit: Recruit, now: datetime) -> tuple[list[str], list[str]]:
    """Six people of the first wave and four of the second, allocated."""
    found = recruit(range(6)), recruit(range(4), wave=2)
    for wave in (1, 2):
        randomize(trial, now=now, actor="tester", wave=wave)
    return found


def open_gate(folder: StudyFolder, now: datetime, scope: str, **more: str) -> Unblinded:
    given = {"by": "Dr Who", "reason": "because"} | more
    return unblind(folder, now=now, actor="tester", scope=scope, **given)


def close(folder: StudyFolder, now: datetime, wave: int | None = None) -> None:
    freeze(folder, now=now, actor="tester", wave=wave)


def opened(folder: StudyFolder) -> tuple[frozenset[int], bool]:
    with reading(folder) as con:
        return milestones.unblinded_waves(con), milestones.unblinded(con)


def details(table: Table) -> list[dict[str, Any]]:
    ledger = table("events")
    return [json.loads(text) for text in ledger.loc[ledger["action"] == "unblind", "detail"]]


def deviations_of(folder: StudyFolder) -> dict[str, Deviation]:
    locked = registration.read(folder)
    assert locked is not None
    plan = planned(locked)
    with reading(folder) as con:
        return {one.kind: one for one in find(plan, deed(con, folder, plan, events.history(con)))}


def test_a_wave_is_not_opened_while_its_enrolment_goes_on(
    trial: StudyFolder, people: object, table: Table, now: datetime
) -> None:
    close(trial, now, wave=2)
    with pytest.raises(GateClosed, match=r"wave 1: its enrolment is still open\. Close it first"):
        open_gate(trial, now, "wave 1")
    assert details(table) == []


@pytest.mark.parametrize("wave", [2, None])
def test_a_wave_is_opened_once_it_is_closed_or_the_study_frozen(
    trial: StudyFolder, people: object, now: datetime, wave: int | None
) -> None:
    close(trial, now, wave=wave)
    done = open_gate(trial, now, "wave 2")
    assert (done.scope, done.waves, done.already, done.arm) == ("wave 2", (2,), False, None)
    assert opened(trial) == (frozenset({2}), False)


def test_the_unblinding_of_a_wave_reveals_the_seed_of_that_wave_alone(
    trial: StudyFolder, people: object, table: Table, now: datetime
) -> None:
    close(trial, now, wave=1)
    open_gate(trial, now, "wave 1")
    (detail,) = details(table)
    assert detail["waves"] == {"1": registration.revealed(trial, 1)}
    assert registration.seed(trial, 2).hex() not in json.dumps(table("events")["detail"].tolist())


def test_probability_block_and_position_are_told_of_that_wave_alone(
    trial: StudyFolder, people: object, table: Table, now: datetime
) -> None:
    columns = ["probability", "block", "position"]
    assert table("allocations")[columns].isna().all(axis=None)
    close(trial, now, wave=1)
    open_gate(trial, now, "wave 1")
    by_wave = table("allocations").set_index("wave")[columns]
    assert by_wave.loc[1].notna().all(axis=None)
    assert by_wave.loc[2].isna().all(axis=None)
    female = table("allocations").query("wave == 1 and stratum == 'sex=Female'").sort_values("arrival")
    assert female["position"].tolist() == [1, 2, 3, 4]
    assert female["probability"].iloc[0] == 0.5


def test_an_arm_that_the_seed_does_not_give_is_told_nothing_of(
    trial: StudyFolder, people: tuple[list[str], list[str]], table: Table, now: datetime
) -> None:
    close(trial, now, wave=1)
    with writing(trial) as con:
        con.execute(
            "UPDATE allocations SET arm = CASE arm WHEN 'control' THEN 'coached' ELSE 'control' END "
            "WHERE participant_id = ?",
            [people[0][3]],
        )
    open_gate(trial, now, "wave 1")
    untold = table("allocations").query("wave == 1 and probability.isna()")
    assert untold["participant_id"].tolist() == [people[0][3]]


def test_the_study_after_a_wave_reveals_the_rest(
    trial: StudyFolder, people: object, table: Table, now: datetime
) -> None:
    close(trial, now, wave=1)
    open_gate(trial, now, "wave 1")
    with pytest.raises(GateClosed, match="enrolment is still open"):
        open_gate(trial, now, "study")
    close(trial, now)
    assert open_gate(trial, now, "study").waves == (2,)
    assert [list(one["waves"]) for one in details(table)] == [["1"], ["2"]]
    assert opened(trial) == (frozenset({1, 2}), True)
    assert table("allocations")["probability"].notna().all()


def test_every_wave_alone_opens_the_study(trial: StudyFolder, people: object, now: datetime) -> None:
    close(trial, now)
    open_gate(trial, now, "wave 1")
    open_gate(trial, now, "wave 2")
    assert opened(trial) == (frozenset({1, 2}), True)
    assert status(trial).unblinded


@pytest.mark.parametrize(("first", "again"), [("wave 1", "wave:1"), ("study", "study"), ("study", "wave 2")])
def test_what_is_open_is_not_opened_again(
    trial: StudyFolder, people: object, table: Table, now: datetime, first: str, again: str
) -> None:
    close(trial, now)
    done = open_gate(trial, now, first)
    ledger = table("events")
    repeated = open_gate(trial, now + timedelta(days=1), again, by="someone else")
    assert (repeated.already, repeated.by, repeated.at) == (True, "Dr Who", done.at)
    pd.testing.assert_frame_equal(table("events"), ledger)


def test_an_amendment_after_one_wave_was_opened_is_after_the_unblinding(
    trial: StudyFolder, people: object, now: datetime
) -> None:
    close(trial, now, wave=1)
    open_gate(trial, now, "wave 1")
    made = amend(trial, reason="Late.", declare=["windows: Two came late."], now=now, actor="tester")
    assert "the unblinding" in made.after


def test_an_amendment_after_an_emergency_is_not_after_the_unblinding(
    trial: StudyFolder, people: tuple[list[str], list[str]], now: datetime
) -> None:
    open_gate(trial, now, f"participant {people[0][0]}")
    made = amend(trial, reason="Late.", declare=["windows: Two came late."], now=now, actor="tester")
    assert "the unblinding" not in made.after


def test_the_status_says_which_wave_is_open(trial: StudyFolder, people: object, now: datetime) -> None:
    close(trial, now, wave=1)
    open_gate(trial, now, "wave 1")
    told = status(trial)
    assert (told.unblinded, told.unblinded_waves) == (False, (1,))
    assert "arms        blinded, wave 1 unblinded" in list(told.lines())


def test_an_emergency_opens_one_arm_at_any_time_after_allocation(
    trial: StudyFolder, people: tuple[list[str], list[str]], table: Table, now: datetime
) -> None:
    person = people[0][2]
    done = open_gate(trial, now, f"participant {person}", reason="an allergy")
    arm = table("allocations").set_index("participant_id")["arm"][person]
    label, code = {"control": ("Control", "C0"), "coached": ("Coached", "C1")}[arm]
    assert done.arm is not None
    assert (done.arm.participant, done.arm.id, done.arm.label, done.arm.code) == (person, arm, label, code)
    assert next(done.lines()) == f"{person}: {label} (arm {arm}, code {code})."
    assert opened(trial) == (frozenset(), False)
    assert table("allocations")["probability"].isna().all()


def test_the_event_of_an_emergency_has_neither_arm_nor_seed(
    trial: StudyFolder, people: tuple[list[str], list[str]], table: Table, now: datetime
) -> None:
    person = people[0][2]
    open_gate(trial, now, f"participant:{person}", reason="an allergy")
    assert details(table) == [
        {"scope": f"participant {person}", "by": "Dr Who", "reason": "an allergy", "waves": {}}
    ]


def test_an_emergency_is_one_event_and_the_arm_is_told_again(
    trial: StudyFolder, people: tuple[list[str], list[str]], table: Table, now: datetime
) -> None:
    wanted = f"participant {people[0][0]}"
    first = open_gate(trial, now, wanted)
    again = open_gate(trial, now + timedelta(hours=1), wanted, by="the nurse")
    assert (again.already, again.by, again.arm) == (True, "Dr Who", first.arm)
    assert len(details(table)) == 1


def test_a_person_may_be_named_as_the_recruitment_service_does(
    trial: StudyFolder, people: tuple[list[str], list[str]], table: Table, now: datetime
) -> None:
    done = open_gate(trial, now, "participant service-1-0002")
    assert done.arm is not None
    assert done.arm.participant == people[0][2]
    assert "service-1-0002" not in json.dumps(details(table))


@pytest.mark.parametrize(
    ("file", "labels"),
    [("protocol.yaml", {"Control", "Coached"}), ("registration.json", {"control", "coached"})],
)
def test_an_emergency_does_not_wait_for_a_file_that_is_broken(
    trial: StudyFolder, people: tuple[list[str], list[str]], now: datetime, file: str, labels: set[str]
) -> None:
    (trial.path / file).write_text("format: [", "utf-8")
    done = open_gate(trial, now, f"participant {people[0][0]}")
    assert done.arm is not None
    assert done.arm.label in labels


def test_an_emergency_in_an_open_wave_is_none(
    trial: StudyFolder, people: tuple[list[str], list[str]], table: Table, now: datetime
) -> None:
    close(trial, now, wave=1)
    open_gate(trial, now, "wave 1")
    done = open_gate(trial, now, f"participant {people[0][0]}")
    assert (done.already, done.scope, done.arm is not None) == (True, "wave 1", True)
    assert len(details(table)) == 1


def test_somebody_unknown_has_no_emergency(
    trial: StudyFolder, people: object, table: Table, now: datetime
) -> None:
    with pytest.raises(DataRefused, match="the study knows nobody of this name"):
        open_gate(trial, now, "participant nobody")
    assert details(table) == []


def test_somebody_without_an_arm_has_no_emergency(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    (person,) = recruit([0])
    with pytest.raises(GateClosed, match="this person is not allocated"):
        open_gate(trial, now, f"participant {person}")
    assert details(table) == []


def test_an_emergency_is_counted_and_is_a_deviation(
    trial: StudyFolder, people: tuple[list[str], list[str]], now: datetime
) -> None:
    assert "emergency unblinding" not in deviations_of(trial)
    for person in people[0][:2]:
        open_gate(trial, now, f"participant {person}")
    told = status(trial)
    assert (told.emergencies, told.unblinded) == (2, False)
    assert any("2 unblinded alone, in an emergency" in line for line in told.lines())
    assert deviations_of(trial)["emergency unblinding"].done == (
        "the arm of 2 participants opened before that, in an emergency"
    )


def test_an_emergency_that_somebody_declared_is_a_declared_deviation(
    trial: StudyFolder, people: tuple[list[str], list[str]], now: datetime
) -> None:
    open_gate(trial, now, f"participant {people[0][0]}")
    amend(trial, reason="An allergy.", declare=["emergency unblinding: One arm."], now=now, actor="tester")
    one = deviations_of(trial)["emergency unblinding"]
    assert (one.deviation_class, one.reason) == (
        DeviationClass.DECLARED_BEFORE_DATA,
        "One arm. An allergy.",
    )


def test_an_emergency_leaves_no_arm_in_the_status_or_the_log(
    trial: StudyFolder, people: tuple[list[str], list[str]], table: Table, now: datetime
) -> None:
    open_gate(trial, now, f"participant {people[0][0]}")
    shown = "\n".join([*status(trial).lines(), *table("events")["detail"]])
    assert re.search(r"\b(control|coached|C0|C1)\b", shown) is None
