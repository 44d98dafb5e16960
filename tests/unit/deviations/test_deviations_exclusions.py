"""Exclusions of people and records that are not of the registered plan are found and counted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from forethought.deviations import (
    Deed,
    DeviationClass,
    Excluded,
    Prepared,
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


def excluded(deed: Deed, *own: Excluded) -> Deed:
    return replace(deed, excluded=own)


def test_an_exclusion_that_is_not_in_the_plan_is_counted(found: Found, lock: Lock, as_planned: Deed) -> None:
    when = as_planned.excluded[0].last_at
    deed = excluded(
        as_planned,
        Excluded(criterion="attentive", position=3, count=4, last_at=when),
        Excluded(criterion="attentive", position=4, count=1, last_at=when),
    )
    assert found(lock(), deed) == [
        ("exclusions", "no criterion `attentive`", "5 people excluded by it"),
    ]


def test_a_criterion_tried_in_another_order_is_a_deviation(
    found: Found, lock: Lock, as_planned: Deed
) -> None:
    when = as_planned.excluded[0].last_at
    deed = excluded(as_planned, Excluded(criterion="known_sex", position=1, count=1, last_at=when))
    assert found(lock(), deed) == [
        (
            "exclusions",
            "`known_sex` tried as number 2",
            "1 person excluded by it, tried as number 1",
        )
    ]


def test_a_new_criterion_before_the_others_is_no_other_order_of_theirs(
    found: Found, classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    when = as_planned.excluded[0].last_at
    new = {
        "id": "fluent",
        "variable": "age",
        "rule": {"test": "at_least", "value": 1},
        "reason": "not fluent",
    }
    amended = amend(lock(), lambda data: data["imports"]["recruits"]["eligibility"].insert(0, new))
    deed = excluded(
        as_planned,
        Excluded(criterion="fluent", position=1, count=2, last_at=when),
        Excluded(criterion="adult", position=2, count=3, last_at=when),
    )
    assert found(amended, deed) == [("exclusions", "no criterion `fluent`", "2 people excluded by it")]
    assert classes(amended, deed) == [("exclusions", BEFORE)]


def test_an_amended_order_declares_the_order(
    classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    when = as_planned.excluded[0].last_at
    amended = amend(lock(), lambda data: data["imports"]["recruits"]["eligibility"].reverse(), late=True)
    deed = excluded(as_planned, Excluded(criterion="adult", position=2, count=3, last_at=when))
    assert classes(amended, deed) == [("exclusions", AFTER)]


@pytest.mark.parametrize(("days", "kinds"), [(0, ["amendment"]), (9, ["exclusions"])])
def test_a_changed_rule_counts_once_somebody_was_excluded_by_it(
    classes: Classes, lock: Lock, amend: Any, as_planned: Deed, days: int, kinds: list[str]
) -> None:
    def change(data: Any) -> None:
        data["imports"]["recruits"]["eligibility"][0]["rule"]["value"] = 21

    when = as_planned.excluded[0].last_at + timedelta(days=days)
    deed = excluded(as_planned, Excluded(criterion="adult", position=1, count=3, last_at=when))
    assert [kind for kind, _ in classes(amend(lock(), change), deed)] == kinds


def test_records_excluded_by_an_amended_preparation_are_counted(
    found: Found, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    def change(data: Any) -> None:
        data["preparation"][0]["criterion"]["rule"]["value"] = 20

    assert found(amend(lock(), change), as_planned) == [
        ("exclusions", "exclusion `too_short` as registered", "4 records excluded by `too_short` as amended")
    ]


def test_an_exclusion_that_was_not_carried_out_is_told(
    found: Found, analysed: Analysed, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["preparation"].pop(0))
    deed = analysed(as_planned, preparation=as_planned.analysis.preparation[1:])
    assert found(amended, deed) == [("exclusions", "exclusion `too_short`", "not carried out")]


def test_records_excluded_in_another_order_are_told(
    found: Found, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["preparation"].reverse())
    assert found(amended, as_planned) == [
        (
            "exclusions",
            "records excluded in the order `too_short`, `not_human`",
            "in the order `not_human`, `too_short`",
        )
    ]


def test_records_that_no_plan_excludes_are_undeclared(
    analysed: Analysed, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["study"].update(title="Another"), declared=[(None, "More.")])
    more = (*as_planned.analysis.preparation, Prepared(reason="they looked odd", records=1))
    (one, *_) = find(planned(amended), analysed(as_planned, preparation=more))
    assert (one.planned, one.done) == ("no such exclusion", "1 record excluded: they looked odd")
    assert one.deviation_class is UNDECLARED


def test_an_exclusion_that_an_amendment_added_is_declared_and_counted(
    found: Found, classes: Classes, analysed: Analysed, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    new = {
        "id": "odd",
        "variable": "words",
        "rule": {"test": "at_most", "value": 9},
        "reason": "they looked odd",
    }
    amended = amend(
        lock(), lambda data: data["preparation"].append({"step": "exclude", "criterion": new}), late=True
    )
    more = (*as_planned.analysis.preparation, Prepared(reason="they looked odd", records=1))
    deed = analysed(as_planned, preparation=more)
    assert found(amended, deed) == [("exclusions", "no exclusion `odd`", "1 record excluded by it")]
    assert classes(amended, deed) == [("exclusions", AFTER)]


def test_an_amended_order_declares_no_criterion_that_was_never_in_a_plan(
    classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["imports"]["recruits"]["eligibility"].reverse())
    when = as_planned.excluded[0].last_at
    deed = excluded(as_planned, Excluded(criterion="attentive", position=3, count=4, last_at=when))
    assert ("exclusions", UNDECLARED) in classes(amended, deed)


def test_a_place_that_a_criterion_has_in_no_plan_is_declared_by_none(
    classes: Classes, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["imports"]["recruits"]["eligibility"].reverse())
    when = as_planned.excluded[0].last_at
    deed = excluded(as_planned, Excluded(criterion="adult", position=3, count=3, last_at=when))
    assert ("exclusions", UNDECLARED) in classes(amended, deed)
