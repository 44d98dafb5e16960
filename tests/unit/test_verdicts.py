"""A verdict is a total function of the evidence, the direction and the smallest effect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forethought.analysis.verdicts import Evidence, Verdict, judge


def verdict(low: float, high: float, p: float, direction: str = "greater") -> Verdict:
    return judge(
        Evidence(low=low, high=high, p_adjusted=p),
        direction=direction,  # type: ignore[arg-type]
        smallest_effect=0.2,
        alpha=0.05,
    )


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
    direction: str, low: float, high: float, p: float, expected: Verdict
) -> None:
    assert verdict(low, high, p, direction) is expected


def test_no_evidence_is_unevaluable_and_never_inconclusive() -> None:
    assert judge(None, direction="greater", smallest_effect=0.2, alpha=0.05) is Verdict.UNEVALUABLE


@given(st.floats(-2, 2), st.floats(0, 2), st.floats(0, 1))
def test_a_mirrored_interval_has_the_mirrored_verdict(low: float, width: float, p: float) -> None:
    high = low + width
    assert verdict(low, high, p, "greater") is verdict(-high, -low, p, "less")


@given(st.floats(-2, 2), st.floats(0, 2), st.floats(0.05, 1))
def test_a_test_that_does_not_reject_corroborates_nothing(low: float, width: float, p: float) -> None:
    for direction in ("greater", "less", "two_sided"):
        assert verdict(low, low + width, p, direction) is not Verdict.CORROBORATED
