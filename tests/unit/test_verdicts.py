"""A verdict is a total function of the evidence, the two criteria, the direction and the smallest effect."""

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forethought.analysis.verdicts import Criteria, Direction, Evidence, Verdict, judge
from forethought.grammar import CRITERION_NAMES, parse_criterion

ONE_SIDE = ("p_adjusted < alpha and ci_low > 0", "ci_high < smallest_effect")
EITHER_SIDE = (
    "p_adjusted < alpha and (ci_low > 0 or ci_high < 0)",
    "ci_low > -smallest_effect and ci_high < smallest_effect",
)
SHIPPED: dict[Direction, tuple[str, str]] = {"greater": ONE_SIDE, "less": ONE_SIDE, "two_sided": EITHER_SIDE}
"""What the shipped protocols register, and what a protocol of format 1 is read as."""


def criteria(corroborates: str, falsifies: str) -> Criteria:
    return Criteria(parse_criterion(corroborates), parse_criterion(falsifies))


def evidence(low: float | None, high: float | None, p: float | None, **more: float | None) -> Evidence:
    return Evidence(ci_low=low, ci_high=high, p_adjusted=p, **more)


def verdict(
    found: Evidence | None, direction: Direction = "greater", rules: tuple[str, str] | None = None
) -> Verdict:
    return judge(
        found,
        criteria(*(rules or SHIPPED[direction])),
        direction=direction,
        smallest_effect=0.2,
        alpha=0.05,
    )


def rule_of_the_first_release(low: float, high: float, p: float, direction: Direction) -> Verdict:
    """The rule that was fixed before hypotheses had criteria of their own, word for word."""
    rejects = p < 0.05
    match direction:
        case "greater":
            shown, too_small = rejects and low > 0, high < 0.2
        case "less":
            shown, too_small = rejects and high < 0, low > -0.2
        case "two_sided":
            shown = rejects and not low <= 0 <= high
            too_small = low > -0.2 and high < 0.2
    match shown, too_small:
        case True, False:
            return Verdict.CORROBORATED
        case False, True:
            return Verdict.FALSIFIED
    return Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("direction", "low", "high", "p", "expected"),
    [
        ("greater", 0.10, 0.50, 0.001, Verdict.CORROBORATED),
        ("greater", 0.10, 0.50, 0.060, Verdict.INCONCLUSIVE),  # the family's adjustment took it away
        ("greater", 0.02, 0.15, 0.001, Verdict.INCONCLUSIVE),  # real, but too small to matter
        ("greater", -0.10, 0.15, 0.700, Verdict.FALSIFIED),
        ("greater", -0.50, -0.10, 0.001, Verdict.FALSIFIED),  # an effect on the other side
        ("greater", -0.10, 0.50, 0.300, Verdict.INCONCLUSIVE),
        ("less", -0.50, -0.10, 0.001, Verdict.CORROBORATED),
        ("less", 0.10, 0.50, 0.001, Verdict.FALSIFIED),
        ("less", -0.10, 0.10, 0.900, Verdict.FALSIFIED),
        ("two_sided", -0.50, -0.10, 0.001, Verdict.CORROBORATED),
        ("two_sided", 0.10, 0.50, 0.001, Verdict.CORROBORATED),
        ("two_sided", -0.10, 0.10, 0.900, Verdict.FALSIFIED),
        ("two_sided", 0.01, 0.10, 0.010, Verdict.INCONCLUSIVE),
        ("two_sided", -0.30, 0.10, 0.500, Verdict.INCONCLUSIVE),
    ],
)
def test_a_verdict_follows_the_interval_the_test_and_the_direction(
    direction: Direction, low: float, high: float, p: float, expected: Verdict
) -> None:
    assert verdict(evidence(low, high, p), direction) is expected


EDGES = st.sampled_from([-0.2, 0.0, 0.2, -math.inf, math.inf]) | st.floats(-2, 2)


@given(EDGES, EDGES, st.sampled_from([0.0, 0.05, 1.0]) | st.floats(0, 1), st.sampled_from(list(SHIPPED)))
def test_the_shipped_criteria_judge_as_the_first_release_did(
    one: float, other: float, p: float, direction: Direction
) -> None:
    low, high = sorted((one, other))
    expected = rule_of_the_first_release(low, high, p, direction)
    assert verdict(evidence(low, high, p), direction) is expected


def test_no_evidence_is_unevaluable_and_never_inconclusive() -> None:
    assert verdict(None) is Verdict.UNEVALUABLE


@pytest.mark.parametrize(
    ("corroborates", "falsifies", "expected"),
    [
        ("p < 1", "p > 1", Verdict.CORROBORATED),
        ("p > 1", "p < 1", Verdict.FALSIFIED),
        ("p < 1", "p < 1", Verdict.INCONCLUSIVE),
        ("p > 1", "p > 1", Verdict.INCONCLUSIVE),
        ("df > 1", "p < 1", Verdict.UNEVALUABLE),
        ("p < 1", "df > 1", Verdict.UNEVALUABLE),
        ("df > 1", "df > 1", Verdict.UNEVALUABLE),
        ("df > 1 or p < 1", "df > 1 and p > 1", Verdict.CORROBORATED),  # decided without what is missing
    ],
)
def test_each_pair_of_answers_has_its_verdict(corroborates: str, falsifies: str, expected: Verdict) -> None:
    assert verdict(Evidence(p=0.5), rules=(corroborates, falsifies)) is expected


@pytest.mark.parametrize("missing", ["p_adjusted", "ci_low", "ci_high"])
@pytest.mark.parametrize("value", [None, math.nan])
def test_a_missing_number_of_the_shipped_criteria_is_unevaluable(missing: str, value: float | None) -> None:
    corroborated = evidence(0.1, 0.5, 0.001)
    assert verdict(corroborated) is Verdict.CORROBORATED
    assert verdict(replace(corroborated, **{missing: value})) is Verdict.UNEVALUABLE


WHOLE = Evidence(
    estimate=-0.3, se=0.1, df=40.0, statistic=-3.0, p=0.01, p_adjusted=0.02, ci_low=-0.5, ci_high=-0.1
)


def test_the_evidence_and_the_protocol_hold_every_number_that_a_criterion_may_name() -> None:
    of_protocol = {"alpha", "smallest_effect"}
    assert {field.name for field in fields(Evidence)} == set(CRITERION_NAMES) - of_protocol


@pytest.mark.parametrize(
    "criterion",
    [
        "estimate > 0.25", "estimate < 0.35", "statistic > 2.9", "ci_low > 0.05", "ci_low < 0.15", "ci_high > 0.45",
        "ci_high < 0.55", "se > 0", "df > 0", "p > 0", "p_adjusted > 0.015", "alpha < 0.06", "smallest_effect > 0.1",
    ],
)  # fmt: skip
def test_where_less_is_predicted_signed_numbers_are_mirrored_and_the_others_are_not(criterion: str) -> None:
    assert verdict(WHOLE, "less", (criterion, "p > 1")) is Verdict.CORROBORATED


@pytest.mark.parametrize("direction", ["greater", "two_sided"])
def test_in_other_directions_the_numbers_are_as_they_are(direction: Direction) -> None:
    as_they_are = "estimate < -0.2 and statistic < -2 and ci_low < -0.4 and ci_high > -0.2"
    assert verdict(WHOLE, direction, (as_they_are, "p > 1")) is Verdict.CORROBORATED


@given(st.floats(-2, 2), st.floats(0, 2), st.floats(0, 1))
def test_a_mirrored_interval_has_the_mirrored_verdict(low: float, width: float, p: float) -> None:
    high = low + width
    assert verdict(evidence(low, high, p), "greater") is verdict(evidence(-high, -low, p), "less")


@given(st.floats(-2, 2), st.floats(0, 2), st.floats(0.05, 1))
def test_a_test_that_does_not_reject_corroborates_nothing(low: float, width: float, p: float) -> None:
    for direction in SHIPPED:
        assert verdict(evidence(low, low + width, p), direction) is not Verdict.CORROBORATED
