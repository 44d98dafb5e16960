"""Any design in a transaction: who is refused and why, who counts, whose place is filled again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from forethought import registration
from forethought.protocol.allocation import Cap, Design, Dropouts, Minimization, Rerandomization, Simple
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.randomization.replay import differences
from forethought.steps.placing import Given, WavePlan, place, plan_of
from forethought.steps.randomize import randomize
from forethought.store import allocations, corrections
from forethought.store.connection import reading, writing
from forethought.store.waiting import waiting

Recruit = Callable[..., list[str]]
Table = Callable[[str], pd.DataFrame]


@pytest.fixture
def plan(trial: StudyFolder) -> WavePlan:
    """The plan of the trial's first wave, whose design a test changes."""
    loaded = load(trial.protocol)
    return plan_of(trial, loaded.protocol, registration.require(trial, loaded), 1)


def with_design(plan: WavePlan, algorithm: str, kind: type[Any], **fields: object) -> WavePlan:
    shared = {name: getattr(plan.design, name) for name in ("ratio", "dropouts", "seed", "concealment")}
    design: Design = kind(**(shared | fields))
    return replace(plan, design=design, source=replace(plan.source, algorithm=algorithm))


def given(plan: WavePlan, now: datetime, only: list[str] | None = None) -> Given:
    with writing(plan.folder) as con:
        return place(con, plan, waiting(con, 1, plan.design, plan.levels, only), now)


def replayed(plan: WavePlan) -> int:
    """How many recorded values the seed does not give."""
    with reading(plan.folder) as con:
        return len(
            differences(plan.design, plan.source, allocations.recorded(con, 1), allocations.counting(con, 1))
        )


def test_each_of_those_asked_for_is_allocated_already_there_or_refused_with_the_reason(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    first, unplaced, odd, out, good = recruit(range(5), sexes=("Female", "", "male", "Male", "Female"))
    (other,) = recruit([0], wave=2)
    randomize(trial, now=now, actor="tester", participants=[first])
    with writing(trial) as con:
        con.execute("UPDATE participants SET status = 'excluded' WHERE participant_id = ?", [out])
        con.execute(
            "INSERT INTO exclusions VALUES (?, 'eligibility', 1, 'adult', 'Under 18', TIMESTAMP '2025-03-25')",
            [out],
        )
    done = randomize(
        trial, now=now, actor="tester", participants=[first, unplaced, odd, out, good, other, "nobody"]
    )
    assert (done.allocated, done.already) == (1, 1)
    assert dict(done.refused) == {
        unplaced: "`sex` has no value",
        odd: "`sex` has a value that is none of its levels",
        out: "is not eligible (excluded by `adult`: Under 18)",
        other: "belongs to wave 2",
        "nobody": "the study knows nobody of this name",
    }
    assert set(table("allocations")["participant_id"]) == {first, good}


def test_nobody_asked_for_is_nobody_allocated(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    recruit(range(3))
    assert randomize(trial, now=now, actor="tester", participants=[]).allocated == 0
    assert table("allocations").empty


@pytest.mark.parametrize("by_name", [False, True])
def test_a_value_that_was_corrected_before_allocation_gives_the_stratum(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime, *, by_name: bool
) -> None:
    (person,) = recruit([0], sexes=("Female",))
    with writing(trial) as con:
        for value in ("Female", "Male"):
            corrections.add(
                con,
                person,
                now=now,
                kind="wrong_value",
                item="sex",
                corrected=value,
                made_by="pi",
                reason="typo",
            )
    randomize(trial, now=now, actor="tester", participants=[person] if by_name else None)
    assert table("allocations")["stratum"].tolist() == ["sex=Male"]


def test_where_every_arm_is_full_people_are_refused_and_the_others_go_on(
    plan: WavePlan, recruit: Recruit, now: datetime
) -> None:
    people = recruit(range(7))
    caps = tuple(Cap(arm=arm, at_most=2) for arm in plan.design.ratio)
    capped = with_design(plan, "simple/1", Simple, method="simple", caps=caps)
    done = given(capped, now)
    assert done.allocated == 4
    assert done.refused == tuple((person, "every arm is full") for person in people[4:])
    assert given(capped, now).allocated == 0
    assert replayed(capped) == 0


def test_of_a_cluster_whoever_comes_later_gets_the_clusters_arm(
    plan: WavePlan, recruit: Recruit, table: Table, now: datetime
) -> None:
    recruit(range(12), sexes=("a", "b", "c", "d"))
    clustered = with_design(plan, "simple/1", Simple, method="simple", unit="cluster", cluster="sex")
    given(clustered, now)
    recruit(range(20, 28), sexes=("a", "b", "c", "d"))
    given(clustered, now)
    found = table("allocations")
    assert found.groupby("unit")["arm"].nunique().tolist() == [1, 1, 1, 1]
    assert found.groupby("unit").size().tolist() == [5, 5, 5, 5]
    assert replayed(clustered) == 0


def test_who_has_no_cluster_is_refused(plan: WavePlan, recruit: Recruit, now: datetime) -> None:
    people = recruit(range(2), sexes=("a", ""))
    clustered = with_design(plan, "simple/1", Simple, method="simple", unit="cluster", cluster="sex")
    assert given(clustered, now).refused == ((people[1], "`sex` has no value"),)


def test_rerandomisation_allocates_those_who_wait_together_and_refuses_too_few(
    plan: WavePlan, recruit: Recruit, table: Table, now: datetime
) -> None:
    together = with_design(
        plan, "rerandomization/1", Rerandomization,
        method="rerandomization", variables=("sex",), criterion="standardized_difference", at_most=3.0,
    )  # fmt: skip
    few = recruit(range(3))
    done = given(together, now)
    assert done.allocated == 0
    assert [person for person, _ in done.refused] == few
    assert "needs 4 people together" in done.refused[0][1]
    recruit(range(3, 9))
    assert given(together, now).allocated == 9
    assert set(table("allocations")["batch"]) == {1}
    assert replayed(together) == 0


@pytest.mark.parametrize("replace_by", ["reopen_place", "next_arrival"])
def test_the_place_of_a_stale_start_is_filled_again_and_the_replay_agrees(
    plan: WavePlan, recruit: Recruit, table: Table, now: datetime, replace_by: str
) -> None:
    rule = Dropouts(
        count="completed_or_in_progress", in_progress_minutes=60, replace=replace_by, statement="Why not."
    )  # type: ignore[arg-type]
    refilled = with_design(plan, "simple/1", Simple, method="simple", dropouts=rule)
    first = recruit(range(4))
    given(refilled, now)
    recruit(range(10, 14))
    later = given(refilled, now + timedelta(minutes=61))
    assert later.counted.stopped == 4
    counting = table("counting")
    assert set(counting["participant_id"]) == set(first)
    assert set(zip(counting["from_arrival"], counting["counts"], counting["reason"], strict=True)) == {
        (5, False, "stale start")
    }
    found = table("allocations").sort_values("arrival")
    assert set(found["replaces"].dropna()) == set(first)
    arms = dict(zip(found["participant_id"], found["arm"], strict=True))
    assert all(arms[row.participant_id] == arms[row.replaces] for row in found.tail(4).itertuples())
    assert replayed(refilled) == 0


def test_who_completes_late_counts_again(
    plan: WavePlan, recruit: Recruit, table: Table, now: datetime
) -> None:
    rule = Dropouts(count="completed", replace="never", statement="Why not.")
    strict = with_design(
        plan, "minimization/1", Minimization,
        method="minimization", factors=({"name": "sex"},), imbalance="range", chance="4/5", dropouts=rule,
    )  # fmt: skip
    (person, *_) = recruit(range(3))
    given(strict, now)
    recruit(range(3, 5))
    assert given(strict, now).counted.stopped == 3
    with writing(plan.folder) as con:
        con.execute(
            "INSERT INTO sessions SELECT ?, s, 1, NULL, now(), now(), now(), 'done', now() FROM (VALUES ('c1'), ('c2')) v(s)",
            [person],
        )
    recruit(range(5, 6))
    assert given(strict, now).counted.again == 1
    assert table("counting").query("counts")[["participant_id", "reason"]].to_numpy().tolist() == [
        [person, "completed"]
    ]
    assert replayed(strict) == 0


@pytest.mark.parametrize("kind", ["randomised_in_error", "randomised_twice", "not_counted"])
def test_who_was_corrected_away_counts_no_longer_even_where_everyone_does(
    plan: WavePlan, recruit: Recruit, table: Table, now: datetime, kind: str
) -> None:
    people = recruit(range(4))
    given(plan, now)
    with writing(plan.folder) as con:
        corrections.add(con, people[0], now=now, kind=kind, made_by="pi", reason="a mistake")
    recruit(range(4, 6))
    assert given(plan, now).counted.stopped == 1
    assert table("counting")[["participant_id", "reason"]].to_numpy().tolist() == [[people[0], kind]]


def test_where_nobody_is_allocated_no_change_of_who_counts_is_recorded(
    plan: WavePlan, recruit: Recruit, table: Table, now: datetime
) -> None:
    caps = tuple(Cap(arm=arm, at_most=1) for arm in plan.design.ratio)
    full = with_design(plan, "simple/1", Simple, method="simple", caps=caps)
    people = recruit(range(3))
    given(full, now)
    with writing(plan.folder) as con:
        corrections.add(con, people[0], now=now, kind="not_counted", made_by="pi", reason="a test run")
        con.execute("UPDATE participants SET status = 'excluded' WHERE participant_id = ?", [people[2]])
    assert given(full, now).counted.stopped == 0
    assert table("counting").empty
