"""Derivations and exclusions are carried out in the protocol's order and counted."""

import math

import pandas as pd
import pytest

from forethought.analysis.preparation import prepare
from forethought.errors import DataRefused
from forethought.protocol.measures import Centre, Derive, Exclude, Join, Log
from forethought.protocol.rules import AtLeast, Criterion, Missing, OneOf, Test

RECORDS = pd.DataFrame(
    {
        "participant": ["p1", "p1", "p2", "p3"],
        "kind": ["IDS", "train", None, "ADS"],
        "stimulus": [1.0, 2.0, 3.0, 4.0],
        "time": [math.e, 1.0, 2.0, 0.0],
    }
)


def leave_out(variable: str, rule: Test) -> Exclude:
    return Exclude(
        step="exclude",
        criterion=Criterion(id="rule", variable=variable, rule=rule, reason=f"{variable} is ruled out"),
    )


def test_an_exclusion_removes_the_records_for_which_its_rule_holds() -> None:
    records, _ = prepare(RECORDS, [leave_out("kind", OneOf(test="one_of", values=("train",)))])
    assert list(records["stimulus"]) == [1.0, 3.0, 4.0]


def test_a_missing_value_is_excluded_only_by_the_rule_for_missing_values() -> None:
    records, _ = prepare(RECORDS, [leave_out("kind", Missing(test="missing"))])
    assert list(records["stimulus"]) == [1.0, 2.0, 4.0]


def test_each_step_counts_records_before_and_after_and_the_people_left() -> None:
    _, steps = prepare(
        RECORDS,
        [
            leave_out("kind", Missing(test="missing")),
            leave_out("stimulus", AtLeast(test="at_least", value=4)),
        ],
    )
    assert [(s.records_before, s.records_after, s.participants_after) for s in steps] == [
        (4, 3, 2),
        (3, 2, 1),
    ]


def test_a_mean_is_taken_over_the_records_that_remain_at_that_step() -> None:
    steps = [
        leave_out("stimulus", AtLeast(test="at_least", value=3)),
        Derive(step="derive", name="centred", how=Centre(kind="centre", of="stimulus")),
    ]
    records, _ = prepare(RECORDS, steps)
    assert list(records["centred"]) == [-0.5, 0.5]


def test_the_logarithm_of_zero_is_missing_and_not_infinite() -> None:
    records, _ = prepare(RECORDS, [Derive(step="derive", name="log", how=Log(kind="log", of="time"))])
    assert records["log"].iloc[0] == pytest.approx(1.0)
    assert math.isnan(records["log"].iloc[3])


def test_a_joined_label_writes_whole_numbers_without_a_point() -> None:
    how = Join(kind="join", of=("stimulus", "kind"))
    records, _ = prepare(RECORDS.iloc[[0]], [Derive(step="derive", name="item", how=how)])
    assert list(records["item"]) == ["1_IDS"]


def test_the_records_handed_in_are_not_changed() -> None:
    before = RECORDS.copy(deep=True)
    prepare(RECORDS, [Derive(step="derive", name="log", how=Log(kind="log", of="time"))])
    pd.testing.assert_frame_equal(RECORDS, before)


def test_an_unknown_variable_is_refused_by_name() -> None:
    with pytest.raises(DataRefused, match="there is no variable `age`"):
        prepare(RECORDS, [leave_out("age", Missing(test="missing"))])
