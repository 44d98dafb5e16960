"""What was done is gathered from the study itself: sessions by both windows, waves, and the newest analysis."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from forethought import registration
from forethought.deviations import Deed, DeviationClass, SessionDone, WaveDone, find, planned
from forethought.errors import NotLocked
from forethought.protocol.folder import StudyFolder
from forethought.steps.amend import amend
from forethought.steps.done import deed
from forethought.steps.freeze import freeze
from forethought.steps.randomize import randomize
from forethought.steps.report import report
from forethought.steps.schedule import schedule
from forethought.steps.score import score
from forethought.steps.status import status
from forethought.store import events, rows
from forethought.store.connection import reading

Recruit = Callable[..., list[str]]
Talk = Callable[..., None]


@pytest.fixture
def held(trial: StudyFolder, recruit: Recruit, talk: Talk, now: datetime) -> StudyFolder:
    """Four people; the first session of one 5 minutes after allocation, of one 80, and of one 100 minutes after."""
    people = recruit(range(4))
    randomize(trial, now=now, actor="tester")
    for person, minutes in zip(people, (5, 80, 100), strict=False):
        talk(person, "c1", now + timedelta(minutes=minutes), warmth=4, advice=2)
    talk(people[0], "c2", now + timedelta(minutes=30), warmth=3, advice=1)
    schedule(trial, now=now, actor="tester")
    score(trial, now=now, actor="tester")
    return trial


def gathered(folder: StudyFolder) -> Deed:
    locked = registration.read(folder)
    assert locked is not None
    with reading(folder) as con:
        return deed(con, folder, planned(locked), events.history(con))


def edit(folder: StudyFolder, old: str, new: str) -> None:
    text = folder.protocol.read_text("utf-8")
    assert old in text
    folder.protocol.write_text(text.replace(old, new), "utf-8")


def widen(folder: StudyFolder, now: datetime) -> None:
    """Amend the first window from 60 to 90 minutes, and judge the sessions by it."""
    edit(folder, "closes: 60}", "closes: 90}")
    amend(folder, reason="People were late.", now=now, actor="tester")
    schedule(folder, now=now, actor="tester")


def test_sessions_are_counted_as_the_schedule_judged_them(held: StudyFolder) -> None:
    assert gathered(held).sessions == (
        SessionDone(session="c1", held=3, outside=2, outside_registered=2),
        SessionDone(session="c2", held=1, outside=0, outside_registered=0),
    )


def test_sessions_are_judged_by_the_registered_window_too_once_it_is_amended(
    held: StudyFolder, now: datetime
) -> None:
    widen(held, now)
    assert gathered(held).sessions[0] == SessionDone(session="c1", held=3, outside=1, outside_registered=2)


def test_a_wave_counts_who_held_every_session_until_it_is_closed_by_the_freeze(
    held: StudyFolder, now: datetime
) -> None:
    assert gathered(held).waves[0] == WaveDone(number=1, closed=False, completed=1, in_progress=3)
    freeze(held, now=now, actor="tester")
    assert gathered(held).waves[0].closed


def test_the_scores_of_a_rater_whom_the_plan_does_not_name_any_more_are_not_compared(
    held: StudyFolder, now: datetime
) -> None:
    assert {one.scorer for one in gathered(held).scores} == {"judge", "composite"}
    edit(held, "scorer: judge", "scorer: machine")
    amend(held, reason="Another rater.", now=now, actor="tester")
    assert {one.scorer for one in gathered(held).scores} == {"composite"}


def results(folder: StudyFolder, **changes: Any) -> None:
    """A `results.json` of the plan that stands, as an analysis on the true arms writes it."""
    locked = registration.read(folder)
    assert locked is not None
    finding = {
        "hypothesis": None,
        "model": "registered",
        "outcome": "overall",
        "contrast": "round",
        "estimate": 1.0,
        "ci_level": 0.95,
        "warnings": [],
    }
    model = {"model": "registered", "outcome": "overall", "error": None, "expected": []}
    value = {
        "fingerprint": locked.current_fingerprint,
        "blinded": False,
        "findings": [finding],
        "models": [model],
        "preparation": [],
    }
    folder.results.write_text(json.dumps(value | changes))


def test_an_analysis_counts_where_it_is_of_the_true_arms_and_of_the_plan_that_stands(
    held: StudyFolder,
) -> None:
    assert gathered(held).analysis is None
    results(held)
    analysis = gathered(held).analysis
    assert analysis is not None
    assert [(one.model, one.formula) for one in analysis.models] == [("registered", "y ~ arm * round")]
    assert [one.missing_reason for one in analysis.findings] == [None]


@pytest.mark.parametrize("changes", [{"blinded": True}, {"fingerprint": "0" * 64}])
def test_another_analysis_does_not_count(held: StudyFolder, changes: Mapping[str, Any]) -> None:
    results(held, **changes)
    assert gathered(held).analysis is None


def test_the_class_of_a_deviation_follows_an_amendment_in_the_table_too(
    held: StudyFolder, now: datetime
) -> None:
    def classes() -> list[tuple[str, str, object]]:
        report(held, now=now, actor="tester")
        with reading(held) as con:
            table = rows.read(con, "deviations")
        windows = table[table["kind"] == "windows"]
        return list(windows[["done", "class", "detected_at"]].itertuples(index=False, name=None))

    ((done, undeclared, found),) = classes()
    assert (done, undeclared) == ("2 of 4 sessions held outside it", "undeclared")
    amend(
        held,
        reason="Traffic.",
        declare=["windows: Two came late."],
        now=now + timedelta(days=1),
        actor="tester",
    )
    assert classes() == [(done, "declared before data", found)]


# --- the ledger beside the registration ---


def cut(folder: StudyFolder) -> None:
    """Take the last amendment off the registration, and put the protocol back."""
    data = json.loads(folder.registration.read_text("utf-8"))
    data["amendments"].pop()
    folder.registration.write_text(json.dumps(data))
    edit(folder, "closes: 90}", "closes: 60}")


def test_an_amendment_that_was_cut_off_the_registration_is_told_by_the_status(
    held: StudyFolder, now: datetime
) -> None:
    widen(held, now)
    assert (status(held).amendments, status(held).fits_lock) == (1, True)
    assert any("locked, amended 1 time," in line for line in status(held).lines())
    cut(held)
    told = status(held)
    assert (told.locked, told.fits_lock, told.can_allocate) == (True, False, False)
    assert "amendment 1 of 2025-03-25 is in the ledger, and not here" in str(told.misfit)
    assert any("LOCKED, BUT CHANGED SINCE" in line for line in told.lines())


@pytest.mark.parametrize("step", [report, freeze])
def test_a_step_that_rests_on_the_plan_refuses_a_registration_that_was_cut(
    held: StudyFolder, now: datetime, step: Callable[..., object]
) -> None:
    widen(held, now)
    cut(held)
    with pytest.raises(NotLocked, match="is in the ledger, and not here"):
        step(held, now=now, actor="tester")


def test_the_status_says_how_often_the_plan_was_amended(held: StudyFolder, now: datetime) -> None:
    widen(held, now)
    edit(held, "closes: 90}", "closes: 95}")
    amend(held, reason="Still late.", now=now, actor="tester")
    assert any("locked, amended 2 times" in line for line in status(held).lines())


def test_what_the_table_holds_is_what_is_found(held: StudyFolder, now: datetime) -> None:
    widen(held, now)
    report(held, now=now, actor="tester")
    locked = registration.read(held)
    assert locked is not None
    with reading(held) as con:
        table = rows.read(con, "deviations")
    found = find(planned(locked), gathered(held))
    assert set(table["deviation_id"]) == {one.id for one in found}
    assert DeviationClass.DECLARED_BEFORE_DATA in {one.deviation_class for one in found}
