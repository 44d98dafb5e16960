"""Adjusted p values, against R's p.adjust and against statsmodels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from forethought.analysis.families import Comparison, adjusted, members
from forethought.analysis.multiplicity import adjust, holm
from forethought.protocol.analysis import Family

P_VALUES = (0.01, 0.04, 0.03, 0.005, 0.2)
HOLM_IN_R = (0.04, 0.09, 0.09, 0.025, 0.2)  # p.adjust(c(.01, .04, .03, .005, .2), "holm"), R 4.2.2


def family(scope: str, method: str = "holm") -> Family:
    return Family(
        id="pairs",
        label="Pairs",
        model="registered",
        contrasts=("a", "b"),
        outcomes=("x", "y"),
        scope=scope,  # type: ignore[arg-type]
        method=method,  # type: ignore[arg-type]
    )


def test_holm_agrees_with_r() -> None:
    assert holm(P_VALUES) == pytest.approx(HOLM_IN_R, abs=1e-15)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_agrees_with_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


@given(st.lists(st.floats(0, 1), max_size=30))
def test_an_adjusted_p_is_never_smaller_than_the_raw_one(p_values: list[float]) -> None:
    assert all(new >= old for new, old in zip(holm(p_values), p_values, strict=True))


def test_the_method_none_leaves_p_values_as_they_are() -> None:
    assert adjust(P_VALUES, "none") == P_VALUES


def test_a_family_over_all_outcomes_adjusts_every_test_together() -> None:
    assert [len(group) for group in members(family("all_outcomes"))] == [4]


def test_a_family_within_outcome_adjusts_each_outcome_apart() -> None:
    assert [len(group) for group in members(family("within_outcome"))] == [2, 2]


def test_a_test_that_could_not_be_run_still_counts_in_its_family() -> None:
    one = Comparison("registered", "x", "a")
    assert adjusted((family("all_outcomes"),), {one: 0.01})[one] == ("pairs", pytest.approx(0.04))


def test_a_test_without_a_p_value_keeps_its_family_and_has_no_adjusted_p() -> None:
    run, not_run = Comparison("registered", "x", "a"), Comparison("registered", "y", "b")
    found = adjusted((family("all_outcomes"),), {run: 0.01})
    assert found[not_run] == ("pairs", None)


def test_every_registered_test_of_a_family_is_in_it_and_no_other_is() -> None:
    found = adjusted((family("within_outcome", "none"),), {Comparison("other", "x", "a"): 0.01})
    assert set(found) == {test for group in members(family("within_outcome")) for test in group}
