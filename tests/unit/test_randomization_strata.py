"""Strata from recruitment values."""

import pytest

from forethought.randomization.strata import Unplaced, levels_of, stratum

LEVELS = {"sex": ("Female", "Male"), "student": ("Yes", "No")}


def test_the_label_follows_the_order_of_the_protocol() -> None:
    assert stratum(LEVELS, {"student": "No", "sex": "Female", "age": "31"}) == "sex=Female|student=No"


def test_a_design_without_strata_has_one() -> None:
    assert stratum({}, {"sex": "Female"}) == "all"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"sex": "Female"}, "`student` has no value"),
        ({}, "`sex` has no value"),
        ({"sex": "female", "student": "Yes"}, "`sex` has a value that is none of its levels"),
    ],
)
def test_who_has_no_stratum_is_told_why(values: dict[str, str], reason: str) -> None:
    assert stratum(LEVELS, values) == Unplaced(reason=reason)


def test_a_variable_without_levels_takes_any_value() -> None:
    assert stratum({"site": ()}, {"site": "Oxford"}) == "site=Oxford"


def test_different_strata_never_share_a_label() -> None:
    free: dict[str, tuple[str, ...]] = {"a": (), "b": ()}
    labels = {
        stratum(free, {"a": "x|b=y", "b": "z"}),
        stratum(free, {"a": "x", "b": "y|b=z"}),
        stratum(free, {"a": "x\\", "b": "y"}),
        stratum(free, {"a": "x", "b": "\\y"}),
    }
    assert len(labels) == 4


@pytest.mark.parametrize(
    "values",
    [
        {"sex": "Female", "student": "No"},
        {"sex": "a=b", "student": "="},
        {"sex": "a|student=b", "student": "c"},
        {"sex": "\\", "student": "\\|\\\\|"},
        {"sex": "two\nlines", "student": " "},
    ],
)
def test_a_label_gives_its_levels_back(values: dict[str, str]) -> None:
    label = stratum({"sex": (), "student": ()}, values)
    assert levels_of(str(label)) == values


def test_the_whole_wave_has_no_levels() -> None:
    assert levels_of("all") == {}
