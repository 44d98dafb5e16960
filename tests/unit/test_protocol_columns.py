"""What is known of variables and outcomes from the protocol alone."""

from pathlib import Path
from typing import Any

import pytest

from forethought.protocol.columns import analysis_columns, bounds, planned_sessions
from forethought.protocol.imports import Variable
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load(Path(__file__).parent / "protocol_faults" / "whole.yaml").protocol


def variable(**given: Any) -> Variable:
    return Variable(name="mood", column="m", type="number", **given)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"minimum": 1, "maximum": 7}, (1, 7)),
        ({"codes": {"low": 1, "high": 5}}, (1, 5)),
        ({"minimum": 0, "maximum": 9, "codes": {"low": 1, "high": 5}}, (0, 9)),
        ({"minimum": 0, "codes": {"low": 1, "high": 5}}, (1, 5)),
        ({"minimum": 0}, None),
        ({}, None),
    ],
)
def test_bounds_are_the_variables_own_or_those_of_its_codes(
    given: dict[str, Any], found: tuple[float, float] | None
) -> None:
    assert bounds(variable(**given)) == found


@pytest.mark.parametrize(
    ("outcome", "sessions"),
    [
        ("warmth", {"before", "after"}),
        ("kindness", {"before", "after"}),
        ("mood", {"after"}),
        ("trait", set()),
    ],
)
def test_an_outcome_is_measured_where_its_parts_are(
    protocol: Protocol, outcome: str, sessions: set[str]
) -> None:
    assert planned_sessions(protocol.outcomes_by_id[outcome], protocol) == sessions


def test_the_analysis_data_set_has_recruitment_outcomes_sessions_and_stimuli(protocol: Protocol) -> None:
    found = analysis_columns(protocol)
    assert {*found} == {
        "sex", "age", "town", "warmth", "tact", "kindness", "mood", "trait", "round", "scenario", "participant",
        "session", "arm", "wave",
    }  # fmt: skip
    assert found["arm"].levels == ("control", "training")
