"""Amendments class deviations: by what they changed, what they declared, and when they were made."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from forethought.deviations import (
    Deed,
    DeviationClass,
    Examined,
    Scored,
    SessionDone,
    WaveDone,
    find,
    planned,
)
from forethought.registration import Registration

BEFORE, AFTER, UNDECLARED = (
    DeviationClass.DECLARED_BEFORE_DATA,
    DeviationClass.DECLARED_AFTER_DATA,
    DeviationClass.UNDECLARED,
)
Lock = Callable[..., Registration]
Found = Callable[[Registration, Deed], list[tuple[str, str, str]]]
Classes = Callable[[Registration, Deed], list[tuple[str, DeviationClass]]]
Analysed = Callable[..., Deed]


EXTRA = Examined(hypothesis="h1", model="main", outcome="overall", contrast="coached_start", ci_level=0.95)


def waves(first: WaveDone, deed: Deed) -> Deed:
    return replace(deed, waves=(first, *deed.waves[1:]))


def target(value: int) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        data["waves"][0]["target"] = value

    return change


@pytest.mark.parametrize(("late", "expected"), [(False, BEFORE), (True, AFTER)])
def test_an_amended_target_that_was_reached_is_declared(
    lock: Lock, amend: Any, as_planned: Deed, late: bool, expected: DeviationClass
) -> None:
    amended = amend(lock(), target(120), late=late, reason="More came.")
    (one,) = find(planned(amended), waves(WaveDone(number=1, closed=True, completed=120), as_planned))
    assert (one.kind, one.deviation_class, one.reason, one.amendment) == (
        "sample size",
        expected,
        "More came.",
        1,
    )


def test_an_amended_target_that_was_missed_too_is_undeclared(
    lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), target(120))
    deed = waves(WaveDone(number=1, closed=True, completed=97), as_planned)
    sample, _ = find(planned(amended), deed)
    assert sample.deviation_class is UNDECLARED
    assert sample.planned == "wave 1: 100 participants with every session (120 since an amendment)"


def test_a_deviation_that_an_amendment_says_is_declared_with_its_words(
    lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), late=True, declared=[("sample size", "Three left.")], reason="The term ended.")
    deed = waves(WaveDone(number=1, closed=True, completed=97), as_planned)
    (one,) = find(planned(amended), deed)
    assert (one.deviation_class, one.reason) == (AFTER, "Three left. The term ended.")


def test_of_several_amendments_of_one_field_the_last_counts(lock: Lock, amend: Any, as_planned: Deed) -> None:
    amended = amend(amend(lock(), target(120)), target(90), late=True)
    (one,) = find(planned(amended), waves(WaveDone(number=1, closed=True, completed=90), as_planned))
    assert (one.amendment, one.deviation_class) == (2, AFTER)


def test_a_wave_that_an_amendment_added_is_declared(
    found: Found, classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    wave = {"number": 3, "opens": "2026-05-01T09:00:00+00:00", "target": 30}
    amended = amend(lock(), lambda data: data["waves"].append(wave), late=True)
    deed = replace(as_planned, waves=(*as_planned.waves, WaveDone(number=3, closed=True, completed=30)))
    assert found(amended, deed) == [
        (
            "sample size",
            "wave 3: no such wave (30 since an amendment)",
            "wave 3: 30 participants with every session",
        )
    ]
    assert classes(amended, deed) == [("sample size", AFTER)]


def test_a_wider_window_declares_the_sessions_that_it_takes_in_and_no_others(
    lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["sessions"][0]["window"].update(closes=90))
    first = SessionDone(session="first", held=150, outside=2, outside_registered=9)
    deed = replace(as_planned, sessions=(first, *as_planned.sessions[1:]))
    assert [(one.deviation_class, one.done) for one in find(planned(amended), deed)] == [
        (UNDECLARED, "2 of 300 sessions held outside it"),
        (BEFORE, "7 of 150 held outside that, and inside the window as amended"),
    ]


def test_tests_that_an_amendment_added_are_declared_by_it_and_by_nothing_else(
    classes: Classes, analysed: Analysed, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    def change(data: Any) -> None:
        h3 = data["analysis"]["hypotheses"][0] | {"id": "h3", "outcomes": ["overall"]}
        data["analysis"]["hypotheses"].append(h3)

    amended = amend(lock(), change, late=True)
    deed = analysed(as_planned, findings=(*as_planned.analysis.findings, replace(EXTRA, hypothesis="h3")))
    assert classes(amended, deed) == [("extra tests", AFTER)]


def test_a_hypothesis_that_was_taken_out_is_declared_as_not_run(
    classes: Classes, analysed: Analysed, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["analysis"]["hypotheses"].pop(1))
    findings = tuple(one for one in as_planned.analysis.findings if one.hypothesis != "h2")
    deed = analysed(as_planned, findings=findings)
    assert set(classes(amended, deed)) == {("not done", BEFORE)}


def test_a_change_that_no_computed_deviation_covers_is_listed(
    lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["study"].update(title="A larger trial"), reason="It grew.")
    (one,) = find(planned(amended), as_planned)
    assert (one.kind, one.deviation_class, one.reason) == ("amendment", BEFORE, "It grew.")
    assert (one.planned, one.done) == ('study.title: "A small trial"', 'study.title: "A larger trial"')


def test_what_was_added_and_what_was_taken_out_say_so(lock: Lock, amend: Any, as_planned: Deed) -> None:
    def change(data: Any) -> None:
        data["study"]["setting"] = "Online"
        del data["recruitment"]["harms"]

    assert [(one.planned, one.done) for one in find(planned(amend(lock(), change)), as_planned)] == [
        ("study.setting: not there", 'study.setting: "Online"'),
        (
            'recruitment.harms: [{id: "upset", label: "Upset by a conversation", assessed: "Asked after each"}]',
            "recruitment.harms: not there",
        ),
    ]


def test_what_a_person_declared_and_nothing_computed_is_of_is_listed_as_it_is_said(
    lock: Lock, amend: Any, as_planned: Deed
) -> None:
    declared = [(None, "Two people knew each other."), ("room", "We moved.")]
    amended = amend(lock(), declared=declared, reason="For the record.")
    assert [(one.kind, one.done, one.deviation_class) for one in find(planned(amended), as_planned)] == [
        ("declared", "Two people knew each other.", BEFORE),
        ("room", "We moved.", BEFORE),
    ]


def test_the_time_of_the_first_outcome_overrules_what_an_amendment_says_of_its_stage(
    lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["study"].update(title="Another"))
    (one,) = find(planned(amended), replace(as_planned, first_outcome_at=amended.locked_at))
    assert one.deviation_class is AFTER


def test_what_the_machine_alone_found_is_undeclared(lock: Lock, as_planned: Deed) -> None:
    (one,) = find(planned(lock()), waves(WaveDone(number=1, closed=True, completed=97), as_planned))
    assert (one.deviation_class, one.reason, one.amendment) == (UNDECLARED, None, None)


def test_a_kind_is_declared_in_whatever_case_it_is_written(
    classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), declared=[("Sample size", "Three left.")])
    deed = waves(WaveDone(number=1, closed=True, completed=97), as_planned)
    assert classes(amended, deed) == [("sample size", BEFORE)]


def test_a_narrower_window_makes_sessions_late_that_the_registered_one_took_in(
    classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["sessions"][0]["window"].update(closes=30))
    first = SessionDone(session="first", held=150, outside=9, outside_registered=2)
    deed = replace(as_planned, sessions=(first, *as_planned.sessions[1:]))
    assert classes(amended, deed) == [("windows", UNDECLARED), ("amendment", BEFORE)]


@pytest.mark.parametrize(("policy", "expected"), [("either", BEFORE), ("statistician", UNDECLARED)])
def test_an_amended_seed_policy_declares_the_seeds_that_fit_it(
    classes: Classes, lock: Lock, amend: Any, as_planned: Deed, policy: str, expected: DeviationClass
) -> None:
    locked = lock(lambda data: data["allocation"]["seed"].update(drawn_by="statistician"))
    amended = amend(amend(locked, seed_policy("forethought")), seed_policy(policy))
    assert {own for kind, own in classes(amended, as_planned) if kind == "seed"} == {expected}


def seed_policy(drawn_by: str) -> Callable[[Any], None]:
    return lambda data: data["allocation"]["seed"].update(drawn_by=drawn_by)


def test_a_scorer_that_neither_plan_names_is_undeclared(
    classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["outcomes"][0].update(scorer="machine"))
    score = Scored(outcome="warmth", scorer="crowd", version="rated/1", count=9)
    assert ("outcome", UNDECLARED) in classes(amended, replace(as_planned, scores=(score,)))


def test_no_amendment_excuses_a_test_that_was_tried_and_gave_nothing(
    classes: Classes, lock: Lock, amend: Any, analysed: Analysed, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["analysis"]["hypotheses"][0]["contrasts"].append("new"))
    findings = tuple(
        replace(one, missing_reason="no record") if one.outcome == "advice" else one
        for one in as_planned.analysis.findings
    )
    assert ("not done", UNDECLARED) in classes(amended, analysed(as_planned, findings=findings))


def test_a_contrast_that_was_added_with_its_test_is_told_once(
    classes: Classes, lock: Lock, amend: Any, analysed: Analysed, as_planned: Deed
) -> None:
    def change(data: Any) -> None:
        data["analysis"]["contrasts"].append({"id": "late", "label": "L", "weights": {"round": 1.0}})
        data["analysis"]["hypotheses"][0]["contrasts"].append("late")

    late = replace(EXTRA, outcome="warmth", contrast="late")
    deed = analysed(as_planned, findings=(*as_planned.analysis.findings, late))
    assert classes(amend(lock(), change), deed) == [("extra tests", BEFORE)]
