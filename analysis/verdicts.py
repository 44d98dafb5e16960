"""From a finding to a verdict, by the hypothesis's own criteria: what could not be judged is an answer of its own."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Literal, Self, assert_never

from forethought.grammar import Criterion, evaluate, parse_criterion
from forethought.protocol.analysis import Hypothesis


class Verdict(StrEnum):
    """What the data say of a hypothesis."""

    CORROBORATED = "corroborated"
    FALSIFIED = "falsified"
    INCONCLUSIVE = "inconclusive"
    UNEVALUABLE = "unevaluable"


Direction = Literal["greater", "less", "two_sided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An estimated contrast, its p value after the family's adjustment among its numbers.

    `df` is infinite for normal inference. A number that could not be had is None or NaN.
    """

    estimate: float | None = None
    se: float | None = None
    df: float | None = None
    statistic: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """What speaks for a hypothesis, and what against it."""

    corroborates: Criterion
    falsifies: Criterion

    @classmethod
    def of(cls, hypothesis: Hypothesis) -> Self:
        """The hypothesis's registered criteria."""
        return cls(parse_criterion(hypothesis.corroborate_if), parse_criterion(hypothesis.falsify_if))


def judge(
    evidence: Evidence | None,
    criteria: Criteria,
    *,
    direction: Direction,
    smallest_effect: float,
    alpha: float,
) -> Verdict:
    """Corroborated where the first criterion holds and the second does not, falsified the other way round.

    The criteria see the evidence turned to the predicted side: where less is predicted, estimate, statistic and
    interval are mirrored. Both or neither is inconclusive. A criterion that a missing number leaves open makes the
    verdict unevaluable, whatever the other one says.
    """
    if evidence is None:
        return Verdict.UNEVALUABLE
    values = {**_turned(evidence, direction), "smallest_effect": smallest_effect, "alpha": alpha}
    match evaluate(criteria.corroborates, values), evaluate(criteria.falsifies, values):
        case (None, _) | (_, None):
            return Verdict.UNEVALUABLE
        case True, False:
            return Verdict.CORROBORATED
        case False, True:
            return Verdict.FALSIFIED
    return Verdict.INCONCLUSIVE


def _turned(evidence: Evidence, direction: Direction) -> dict[str, float | None]:
    """The numbers by the names that criteria give them, the predicted side being the positive one."""
    values: dict[str, float | None] = asdict(evidence)
    match direction:
        case "greater" | "two_sided":
            return values
        case "less":
            mirrored = {
                "estimate": evidence.estimate,
                "statistic": evidence.statistic,
                "ci_low": evidence.ci_high,
                "ci_high": evidence.ci_low,
            }
            return values | {name: None if value is None else -value for name, value in mirrored.items()}
        case _:
            assert_never(direction)
