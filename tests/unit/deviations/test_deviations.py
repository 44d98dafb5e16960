"""Differences between plan and deed are computed, never typed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forethought.deviations import (
    Deed,
    Deviation,
    DeviationClass,
    Scored,
    WaveDone,
    find,
    planned,
)
from forethought.errors import NotLocked
from forethought.registration import Registration, SeedCommitment

BEFORE, AFTER, UNDECLARED = (
    DeviationClass.DECLARED_BEFORE_DATA,
    DeviationClass.DECLARED_AFTER_DATA,
    DeviationClass.UNDECLARED,
)
Lock = Callable[..., Registration]
Found = Callable[[Registration, Deed], list[tuple[str, str, str]]]
Classes = Callable[[Registration, Deed], list[tuple[str, DeviationClass]]]


def test_a_deed_as_planned_has_no_deviation(found: Found, lock: Lock, as_planned: Deed) -> None:
    assert found(lock(), as_planned) == []


# --- how the study was run ---


def test_an_outcome_before_the_lock_is_a_deviation(found: Found, lock: Lock, as_planned: Deed) -> None:
    locked = lock(locked_at=as_planned.first_outcome_at + timedelta(seconds=1))
    assert found(locked, as_planned) == [
        ("registration", "locked before the first outcome", "locked after the first outcome was imported")
    ]


def waves(first: WaveDone, deed: Deed) -> Deed:
    return replace(deed, waves=(first, *deed.waves[1:]))


def test_a_sample_that_is_not_the_target_is_told_by_wave(found: Found, lock: Lock, as_planned: Deed) -> None:
    deed = waves(WaveDone(number=1, closed=True, completed=97, in_progress=2), as_planned)
    assert found(lock(), deed) == [
        (
            "sample size",
            "wave 1: 100 participants with every session",
            "wave 1: 97 participants with every session, 2 still under way",
        )
    ]


def test_a_sample_that_is_still_growing_is_no_deviation(found: Found, lock: Lock, as_planned: Deed) -> None:
    assert found(lock(), waves(WaveDone(number=1, closed=False, completed=3), as_planned)) == []


def test_sessions_outside_their_windows_are_counted_together(
    found: Found, lock: Lock, as_planned: Deed
) -> None:
    late = tuple(replace(one, outside=5, outside_registered=5) for one in as_planned.sessions)
    assert found(lock(), replace(as_planned, sessions=late)) == [
        ("windows", "every session inside its window", "10 of 300 sessions held outside it")
    ]


def test_a_table_that_changed_after_the_freeze_is_named(found: Found, lock: Lock, as_planned: Deed) -> None:
    assert found(lock(), replace(as_planned, tables_now={"scores": "bb"})) == [
        ("frozen data", "`scores` unchanged after the freeze", "`scores` was changed after the freeze")
    ]


@pytest.mark.parametrize(
    ("software", "done"), [({"scipy": "1.18"}, "scipy 1.18"), ({}, "scipy not installed")]
)
def test_both_versions_of_a_package_are_named(
    found: Found, lock: Lock, as_planned: Deed, software: dict[str, str], done: str
) -> None:
    assert found(lock(), replace(as_planned, software=software)) == [("software", "scipy 1.17", done)]


@pytest.mark.parametrize(
    ("drawn_by", "supplied", "done"),
    [
        ("forethought", True, ["the seed of wave 1 was supplied by a person"]),
        ("statistician", False, ["the seed of wave 1 was drawn by forethought"]),
        ("forethought", False, []),
        ("either", True, []),
    ],
)
def test_a_seed_from_elsewhere_than_planned_is_a_deviation(
    found: Found, lock: Lock, as_planned: Deed, drawn_by: str, supplied: bool, done: list[str]
) -> None:
    seed = SeedCommitment(wave=1, commitment="0" * 64, supplied=supplied)
    locked = lock(lambda data: data["allocation"]["seed"].update(drawn_by=drawn_by), seeds=(seed,))
    assert [said for kind, _, said in found(locked, as_planned) if kind == "seed"] == done


# --- what was measured ---


@pytest.mark.parametrize(
    ("score", "planned_words", "done"),
    [
        (
            Scored(outcome="warmth", scorer="machine", version="rated/1", count=9),
            "`warmth` scored by judge (rated/1)",
            "`warmth` scored by machine (rated/1)",
        ),
        (
            Scored(outcome="overall", scorer="composite", version="composite/2", count=9),
            "`overall` scored by composite (composite/1)",
            "`overall` scored by composite (composite/2)",
        ),
        (
            Scored(outcome="joy", scorer="judge", version="rated/1", count=9),
            "no outcome `joy`",
            "`joy` scored by judge (rated/1)",
        ),
    ],
)
def test_scores_of_another_scorer_or_version_are_told(
    found: Found, lock: Lock, as_planned: Deed, score: Scored, planned_words: str, done: str
) -> None:
    assert found(lock(), replace(as_planned, scores=(score,))) == [("outcome", planned_words, done)]


def test_an_amended_scorer_is_declared(classes: Classes, lock: Lock, amend: Any, as_planned: Deed) -> None:
    amended = amend(lock(), lambda data: data["outcomes"][0].update(scorer="machine"), late=True)
    score = Scored(outcome="warmth", scorer="machine", version="rated/1", count=9)
    assert classes(amended, replace(as_planned, scores=(score,))) == [("outcome", AFTER)]


def test_a_rater_with_another_rubric_is_another_scorer(
    found: Found, classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), materials={"rubric.md": "b" * 64}, scorers={"judge": "b" * 64})
    assert found(amended, as_planned) == [
        (
            "scorer",
            "rater `judge` as locked",
            "rater `judge` changed: what it is, its rubric or its prompt",
        )
    ]
    assert classes(amended, as_planned) == [("scorer", BEFORE)]


def test_a_material_that_was_changed_is_told_and_declared(
    found: Found, classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), materials={"script.md": "b" * 64}, late=True)
    assert found(amended, as_planned) == [("material", "`script.md` as locked", "`script.md` was changed")]
    assert classes(amended, as_planned) == [("material", AFTER)]


# --- the plan and the ids ---


def test_a_plan_that_cannot_be_read_any_more_is_refused(lock: Lock) -> None:
    with pytest.raises(NotLocked, match="the locked protocol cannot be read: `wavess` is no key"):
        planned(lock(lambda data: data.update(wavess=data.pop("waves"))))


def test_a_plan_of_the_first_format_is_read_as_what_it_said(lock: Lock) -> None:
    def change(data: Any) -> None:
        for key in ("recruitment", "blinding", "data_sharing", "raters"):
            del data[key]
        data["format"] = "forethought-protocol/1"

    assert planned(lock(change)).protocol.recruitment.quotas == ()


@given(st.text(), st.text(), st.text())
def test_the_same_deviation_has_the_same_id_whatever_its_class(kind: str, plan: str, done: str) -> None:
    one, other = (
        Deviation(kind=kind, planned=plan, done=done, deviation_class=each) for each in (BEFORE, UNDECLARED)
    )
    assert one.id == other.id


def test_the_same_change_in_two_amendments_is_two_deviations(
    lock: Lock, amend: Any, as_planned: Deed
) -> None:
    registration = lock()
    for title in ("Another", "A small trial", "Another"):
        registration = amend(registration, lambda data, title=title: data["study"].update(title=title))
    ids = [one.id for one in find(planned(registration), as_planned)]
    assert len(set(ids)) == 3
