"""Windows in minutes, anchored at allocation or at the session before."""

from datetime import datetime, timedelta

import pandas as pd
import pytest

from forethought.errors import ProtocolInvalid
from forethought.protocol.design import Session, Stimuli, Window
from forethought.scheduling.plan import COLUMNS, follow, plan
from forethought.scheduling.windows import classify, times

ALLOCATED = datetime(2025, 3, 25, 12, 0)  # noqa: DTZ001 - the tables hold naive UTC
LATER = ALLOCATED + timedelta(days=30)


def minutes(number: float) -> datetime:
    return ALLOCATED + timedelta(minutes=number)


def session(name: str, anchor: str, opens: int, target: int, closes: int) -> Session:
    window = Window.model_validate({"anchor": anchor, "opens": opens, "target": target, "closes": closes})
    return Session(id=name, label=name, window=window)


SESSIONS = (
    session("c1", "allocation", 0, 10, 60),
    session("c2", "previous_session", 5, 20, 120),
    session("c3", "previous_session", 5, 20, 120),
)
STIMULI = Stimuli(
    name="scenario", items=("job", "dad", "mom"), order="random_without_repetition", sessions=("c1", "c3")
)
ORDERS = {"pa": ("dad", "job"), "pb": ("job", "mom")}


def allocations(**more: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"participant_id": ["pb", "pa"], "allocated_at": [minutes(3), minutes(0)], **more})


@pytest.fixture
def planned() -> pd.DataFrame:
    return plan(SESSIONS, STIMULI, ORDERS, allocations())


def row(frame: pd.DataFrame, participant: str, name: str) -> "pd.Series[object]":
    return frame.set_index(["participant_id", "session"]).loc[(participant, name)]


def test_everyone_has_every_session_in_order(planned: pd.DataFrame) -> None:
    assert list(planned.columns) == list(COLUMNS)
    assert list(zip(planned["participant_id"], planned["session"], planned["position"], strict=True)) == [
        *(("pa", f"c{number}", number) for number in (1, 2, 3)),
        *(("pb", f"c{number}", number) for number in (1, 2, 3)),
    ]
    assert set(planned["status"]) == {"planned"}
    assert planned["held_at"].isna().all()


@pytest.mark.parametrize(
    ("name", "opens", "target", "closes"), [("c1", 0, 10, 60), ("c2", 15, 30, 130), ("c3", 35, 50, 150)]
)
def test_a_window_after_the_previous_session_counts_from_its_target(
    planned: pd.DataFrame, name: str, opens: int, target: int, closes: int
) -> None:
    due = row(planned, "pa", name)
    assert due["opens_at"] == minutes(opens)
    assert due["target_at"] == minutes(target)
    assert due["closes_at"] == minutes(closes)


def test_only_the_sessions_that_have_materials_get_them_in_the_participants_order(
    planned: pd.DataFrame,
) -> None:
    materials = planned.pivot_table(
        index="participant_id", columns="session", values="stimulus", aggfunc="first"
    )
    assert materials.loc["pa"].to_dict() == {"c1": "dad", "c3": "job"}
    assert materials.loc["pb"].to_dict() == {"c1": "job", "c3": "mom"}


def test_the_plan_is_never_a_function_of_the_arm(planned: pd.DataFrame) -> None:
    for arms in (["control", "coach"], ["coach", "control"]):
        pd.testing.assert_frame_equal(plan(SESSIONS, STIMULI, ORDERS, allocations(arm=arms)), planned)
        followed = follow(SESSIONS, planned, allocations(arm=arms), {}, minutes(0))
        pd.testing.assert_frame_equal(followed, planned)


def test_nobody_allocated_plans_nothing() -> None:
    nobody = allocations().head(0)
    assert plan(SESSIONS, STIMULI, {}, nobody).empty
    assert list(plan(SESSIONS, None, {}, nobody).columns) == list(COLUMNS)


def test_a_study_without_materials_has_none() -> None:
    assert plan(SESSIONS, None, {}, allocations())["stimulus"].isna().all()


def test_a_first_session_has_none_before_it_to_count_from() -> None:
    with pytest.raises(ProtocolInvalid, match="no session before it"):
        plan(SESSIONS[1:], None, {}, allocations())


def test_once_held_a_session_is_what_the_next_counts_from(planned: pd.DataFrame) -> None:
    now = follow(SESSIONS, planned, allocations(), {("pa", "c1"): minutes(40)}, minutes(41))
    assert row(now, "pa", "c1")["status"] == "done"
    assert row(now, "pa", "c1")["held_at"] == minutes(40)
    assert row(now, "pa", "c2")["target_at"] == minutes(60)
    assert row(now, "pa", "c3")["target_at"] == minutes(80)
    assert row(now, "pb", "c2")["target_at"] == minutes(33)


def test_a_session_held_out_of_its_window_still_moves_the_next(planned: pd.DataFrame) -> None:
    held = {("pa", "c1"): minutes(90), ("pa", "c2"): minutes(100)}
    now = follow(SESSIONS, planned, allocations(), held, minutes(101))
    assert row(now, "pa", "c1")["status"] == "out_of_window"
    assert row(now, "pa", "c2")["status"] == "done"
    assert row(now, "pa", "c2")["target_at"] == minutes(110)


def test_materials_stay_as_planned(planned: pd.DataFrame) -> None:
    now = follow(SESSIONS, planned, allocations(), {("pa", "c1"): minutes(4)}, LATER)
    pd.testing.assert_series_equal(now["stimulus"], planned["stimulus"])


def test_what_was_missed_is_found_held_when_its_export_comes_late(planned: pd.DataFrame) -> None:
    missed = follow(SESSIONS, planned, allocations(), {}, LATER)
    assert set(missed["status"]) == {"missed"}
    found = follow(SESSIONS, missed, allocations(), {("pa", "c1"): minutes(60)}, LATER)
    assert row(found, "pa", "c1")["status"] == "done"


def test_following_twice_changes_nothing(planned: pd.DataFrame) -> None:
    held = {("pa", "c1"): minutes(40), ("pb", "c1"): minutes(400)}
    once = follow(SESSIONS, planned, allocations(), held, minutes(70))
    pd.testing.assert_frame_equal(follow(SESSIONS, once, allocations(), held, minutes(70)), once)


@pytest.mark.parametrize(
    ("held", "status"),
    [
        (4.99, "out_of_window"),
        (5, "done"),
        (20, "done"),
        (120, "done"),
        (120.01, "out_of_window"),
        (-9, "out_of_window"),
    ],
)
def test_both_ends_of_a_window_belong_to_it(held: float, status: str) -> None:
    assert classify(SESSIONS[1].window, ALLOCATED, minutes(held), now=LATER) == status


@pytest.mark.parametrize(("now", "status"), [(0, "planned"), (120, "planned"), (120.01, "missed")])
def test_a_session_is_missed_only_when_its_window_has_closed(now: float, status: str) -> None:
    assert classify(SESSIONS[1].window, ALLOCATED, None, now=minutes(now)) == status


def test_the_instants_of_a_window_are_minutes_after_its_anchor() -> None:
    due = times(SESSIONS[1].window, ALLOCATED)
    assert (due.opens_at, due.target_at, due.closes_at) == (minutes(5), minutes(20), minutes(120))
