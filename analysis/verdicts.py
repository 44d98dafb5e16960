"""From an interval to a verdict, by a rule that is total: what could not be judged is an answer of its own."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, assert_never


class Verdict(StrEnum):
    """What the data say of a hypothesis."""

    CORROBORATED = "corroborated"
    FALSIFIED = "falsified"
    INCONCLUSIVE = "inconclusive"
    UNEVALUABLE = "unevaluable"


Direction = Literal["greater", "less", "two_sided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An estimated contrast: its interval, and its p value after the family's adjustment."""

    low: float
    high: float
    p_adjusted: float


def judge(
    evidence: Evidence | None, *, direction: Direction, smallest_effect: float, alpha: float
) -> Verdict:
    """Corroborated: the adjusted test rejects, on the predicted side, and the smallest effect is not excluded.

    Falsified: the interval excludes every effect of the predicted side that is as large as the smallest
    effect of interest, and the test does not show an effect on that side. Everything else is
    inconclusive, an effect that is real but too small to matter included.
    """
    if evidence is None:
        return Verdict.UNEVALUABLE
    rejects = evidence.p_adjusted < alpha
    match direction:
        case "greater":
            shown, too_small = rejects and evidence.low > 0, evidence.high < smallest_effect
        case "less":
            shown, too_small = rejects and evidence.high < 0, evidence.low > -smallest_effect
        case "two_sided":
            shown = rejects and not evidence.low <= 0 <= evidence.high
            too_small = -smallest_effect < evidence.low and evidence.high < smallest_effect
        case _:
            assert_never(direction)
    match shown, too_small:
        case True, False:
            return Verdict.CORROBORATED
        case False, True:
            return Verdict.FALSIFIED
    return Verdict.INCONCLUSIVE
