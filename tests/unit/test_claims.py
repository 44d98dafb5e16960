"""What a hypothesis predicts, in words: a side, a difference, or that there is none that matters."""

import pytest

from forethought.protocol.analysis import Hypothesis
from forethought.reports.claims import predicted

INSIDE = "ci_low > -smallest_effect and ci_high < smallest_effect"
OUTSIDE = "ci_low > smallest_effect or ci_high < -smallest_effect"


def hypothesis(direction: str, corroborate_if: str, falsify_if: str) -> Hypothesis:
    return Hypothesis.model_validate(
        {
            "id": "h",
            "statement": "A claim.",
            "role": "primary",
            "models": ("main",),
            "outcomes": ("warmth",),
            "contrasts": ("gain",),
            "direction": direction,
            "smallest_effect": 0.2,
            "corroborate_if": corroborate_if,
            "falsify_if": falsify_if,
            "estimand": "gain",
        }
    )


def test_a_difference_to_either_side_is_predicted_where_nothing_would_not_corroborate() -> None:
    one = hypothesis("two_sided", "p_adjusted < alpha and (ci_low > 0 or ci_high < 0)", INSIDE)
    assert predicted(one) == "different from zero"


def test_equivalence_is_not_told_as_a_difference() -> None:
    assert predicted(hypothesis("two_sided", INSIDE, OUTSIDE)) == (
        "nearer to zero than the smallest effect of interest"
    )


@pytest.mark.parametrize(
    ("direction", "said"),
    [
        ("greater", "greater than zero"),
        ("less", "less than zero"),
        ("better", "for the better, whichever way the outcome runs"),
    ],
)
def test_a_predicted_side_is_told_as_it_is(direction: str, said: str) -> None:
    assert predicted(hypothesis(direction, "ci_low > -smallest_effect", "ci_high < 0")) == said
