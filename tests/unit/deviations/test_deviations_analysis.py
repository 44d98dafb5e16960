"""The analysis is held against the plan: formulas, alpha, tests that were added and tests that were not run."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from forethought.deviations import (
    Deed,
    DeviationClass,
    Examined,
    Fitted,
    Pruned,
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


SIMPLER = "y ~ arm * round + (1 | participant)"


def with_formula(deed: Deed, formula: str, *pruned: Pruned) -> Deed:
    models = (
        Fitted(model="main", outcome="warmth", formula=formula, pruned=pruned),
        *deed.analysis.models[1:],
    )
    return replace(deed, analysis=replace(deed.analysis, models=models))


def test_a_formula_that_was_not_registered_is_told(found: Found, lock: Lock, as_planned: Deed) -> None:
    assert found(lock(), with_formula(as_planned, SIMPLER)) == [
        (
            "formula",
            "`main` on `warmth`: y ~ arm * round + (round | participant)",
            f"`main` on `warmth`: {SIMPLER}",
        )
    ]


def test_the_spaces_of_a_formula_are_no_difference(found: Found, lock: Lock, as_planned: Deed) -> None:
    assert found(lock(), with_formula(as_planned, "y~arm*round+(round|participant)")) == []


def test_pruning_by_the_registered_rule_was_declared_with_the_plan(lock: Lock, as_planned: Deed) -> None:
    registered = "y ~ arm * round + (round | participant)"
    deed = with_formula(as_planned, SIMPLER, Pruned(formula=registered, reason="singular"))
    (one,) = find(planned(lock()), deed)
    assert (one.kind, one.planned, one.done) == (
        "pruning",
        f"`main` on `warmth`: {registered}",
        f"`main` on `warmth`: {SIMPLER}",
    )
    assert (one.deviation_class, one.reason, one.amendment) == (
        BEFORE,
        "The registered pruning rule: singular",
        None,
    )


def test_pruning_by_no_registered_rule_is_undeclared(classes: Classes, lock: Lock, as_planned: Deed) -> None:
    locked = lock(lambda data: data["analysis"]["models"][0].pop("pruning"))
    registered = "y ~ arm * round + (round | participant)"
    deed = with_formula(as_planned, SIMPLER, Pruned(formula=registered, reason="singular"))
    assert classes(locked, deed) == [("pruning", UNDECLARED)]


def test_pruning_by_a_rule_that_an_amendment_wrote_is_declared_by_it(
    classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    rule = {"when": ["singular"], "formulas": [SIMPLER]}
    locked = lock(lambda data: data["analysis"]["models"][0].pop("pruning"))
    amended = amend(locked, lambda data: data["analysis"]["models"][0].update(pruning=rule), late=True)
    registered = "y ~ arm * round + (round | participant)"
    deed = with_formula(as_planned, SIMPLER, Pruned(formula=registered, reason="singular"))
    assert classes(amended, deed) == [("pruning", AFTER)]


def test_another_alpha_is_told_once(found: Found, analysed: Analysed, lock: Lock, as_planned: Deed) -> None:
    findings = tuple(replace(one, ci_level=0.99) for one in as_planned.analysis.findings)
    assert found(lock(), analysed(as_planned, findings=findings)) == [("alpha", "alpha 0.05", "alpha 0.01")]


EXTRA = Examined(hypothesis="h1", model="main", outcome="overall", contrast="coached_start", ci_level=0.95)


def test_tests_that_were_not_registered_are_told_in_groups(
    found: Found, analysed: Analysed, lock: Lock, as_planned: Deed
) -> None:
    more = (EXTRA, replace(EXTRA, model="plain"), replace(EXTRA, outcome="warmth", model="plain"))
    deed = analysed(as_planned, findings=(*as_planned.analysis.findings, *more))
    assert found(lock(), deed) == [
        (
            "extra tests",
            "no such test",
            "hypothesis `h1`, model `main`: contrast `coached_start` on outcome `overall`",
        ),
        (
            "extra tests",
            "no such test",
            "hypothesis `h1`, model `plain`: contrast `coached_start` on outcomes `overall`, `warmth`",
        ),
    ]


@pytest.mark.parametrize(("reported", "kinds"), [(True, []), (False, ["extra tests"])])
def test_a_coefficient_is_registered_where_its_model_reports_them(
    classes: Classes, analysed: Analysed, lock: Lock, as_planned: Deed, reported: bool, kinds: list[str]
) -> None:
    locked = lock(lambda data: data["analysis"]["models"][0].update(report_coefficients=reported))
    coefficient = replace(EXTRA, hypothesis=None, contrast="round")
    deed = analysed(as_planned, findings=(*as_planned.analysis.findings, coefficient))
    assert [kind for kind, _ in classes(locked, deed)] == kinds


def test_a_registered_test_without_a_finding_was_not_run(
    found: Found, analysed: Analysed, lock: Lock, as_planned: Deed
) -> None:
    findings = [one for one in as_planned.analysis.findings if one.contrast != "coached_start"]
    assert found(lock(), analysed(as_planned, findings=tuple(findings))) == [
        (
            "not done",
            "hypothesis `h1`, model `main`: contrast `coached_start` on outcomes `warmth`, `advice`",
            "not run",
        )
    ]


def test_a_test_that_gave_no_estimate_says_why(
    found: Found, analysed: Analysed, lock: Lock, as_planned: Deed
) -> None:
    findings = tuple(
        replace(one, missing_reason="advice: there are no records.") if one.outcome == "advice" else one
        for one in as_planned.analysis.findings
    )
    assert found(lock(), analysed(as_planned, findings=findings)) == [
        (
            "not done",
            "hypothesis `h1`, model `main`: contrasts `coached_gain`, `coached_start` on outcome `advice`",
            "no result: advice: there are no records",
        )
    ]


def test_a_blinded_analysis_is_not_compared(found: Found, lock: Lock, as_planned: Deed) -> None:
    assert found(lock(), replace(as_planned, analysis=None)) == []


def test_pruning_by_the_rule_of_a_plan_that_was_locked_after_data_was_declared_after_data(
    lock: Lock, as_planned: Deed
) -> None:
    registered = "y ~ arm * round + (round | participant)"
    deed = with_formula(as_planned, SIMPLER, Pruned(formula=registered, reason="singular"))
    first = lock().locked_at - timedelta(days=1)
    _, pruning = find(planned(lock()), replace(deed, first_outcome_at=first))
    assert (pruning.kind, pruning.deviation_class) == ("pruning", AFTER)


def test_what_a_person_says_late_of_the_registered_pruning_does_not_make_it_late(
    classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    registered = "y ~ arm * round + (round | participant)"
    deed = with_formula(as_planned, SIMPLER, Pruned(formula=registered, reason="singular"))
    amended = amend(lock(), late=True, declared=[("pruning", "It was singular.")])
    assert classes(amended, deed) == [("pruning", BEFORE)]


def test_an_outcome_that_a_model_does_not_have_makes_no_test_with_it(
    found: Found, lock: Lock, as_planned: Deed
) -> None:
    locked = lock(lambda data: data["analysis"]["hypotheses"][1]["outcomes"].append("warmth"))
    assert found(locked, as_planned) == []
