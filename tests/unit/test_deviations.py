"""Differences between plan and deed are computed, never typed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forethought.deviations import Deed, Deviation, DeviationClass, Plan, find

LOCKED = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = Plan(locked_at=LOCKED, target=100, software={"scipy": "1.17"})
DEED = Deed(
    first_outcome_at=datetime(2026, 2, 1, tzinfo=UTC),
    completed=100,
    sessions_by_status={"done": 300},
    software={"scipy": "1.17"},
    frozen_tables={"scores": "aa"},
    tables_now={"scores": "aa"},
)


def test_a_deed_as_planned_has_no_deviation() -> None:
    assert find(PLAN, DEED) == ()


@pytest.mark.parametrize(
    ("deed", "kind", "done"),
    [
        (replace(DEED, completed=97), "sample size", "97 participants with every session"),
        (
            replace(DEED, sessions_by_status={"done": 290, "out_of_window": 10}),
            "windows",
            "10 of 300 sessions held outside it",
        ),
        (replace(DEED, tables_now={"scores": "bb"}), "frozen data", "`scores` was changed after the freeze"),
        (replace(DEED, software={"scipy": "1.18"}), "software", "scipy 1.18"),
        (replace(DEED, software={}), "software", "scipy not installed"),
        (
            replace(DEED, first_outcome_at=datetime(2025, 12, 1, tzinfo=UTC)),
            "registration",
            "locked after the first outcome was imported",
        ),
    ],
)
def test_each_difference_is_found_and_named(deed: Deed, kind: str, done: str) -> None:
    assert [(one.kind, one.done) for one in find(PLAN, deed)] == [(kind, done)]


def test_a_sample_that_is_still_growing_is_no_deviation() -> None:
    assert find(PLAN, replace(DEED, completed=3, frozen_tables={}, tables_now={})) == ()


def test_what_the_machine_alone_found_is_undeclared() -> None:
    (found,) = find(PLAN, replace(DEED, completed=97))
    assert found.deviation_class is DeviationClass.UNDECLARED


@given(st.text(), st.text(), st.text())
def test_the_same_deviation_has_the_same_id(kind: str, planned: str, done: str) -> None:
    one, other = (Deviation(kind=kind, planned=planned, done=done) for _ in range(2))
    assert one.id == other.id
