"""What each hypothesis claims, in words: its prediction, its two criteria, and the estimands that they are about."""

from collections.abc import Iterator
from typing import assert_never

from forethought.analysis.estimands import attributes
from forethought.analysis.verdicts import Criteria, Evidence, Verdict, judge
from forethought.grammar import Criterion, parse_criterion
from forethought.grammar.criteria import Both, Comparison, Either, Minus, Name, Not, Number, Operand
from forethought.protocol.analysis import Analysis, Hypothesis
from forethought.reports import formatting
from forethought.reports.content import Block, Fact, Facts, Heading, Paragraph

DIRECTIONS = {
    "greater": "greater than zero",
    "less": "less than zero",
    "better": "for the better, whichever way the outcome runs",
    "two_sided": "different from zero",
}
EQUIVALENCE = "nearer to zero than the smallest effect of interest"
NUMBERS = {
    "estimate": "the estimate",
    "se": "the standard error",
    "df": "the degrees of freedom",
    "statistic": "the test statistic",
    "p": "p",
    "p_adjusted": "the adjusted p",
    "ci_low": "the interval's lower end",
    "ci_high": "the interval's upper end",
    "smallest_effect": "the smallest effect of interest",
}
SIGNS = {"<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least"}


def claims_in_words(hypothesis: Hypothesis, analysis: Analysis) -> Iterator[str]:
    """What was predicted, the smallest effect that would matter, and what speaks for it and against it."""
    smallest = formatting.plain(hypothesis.smallest_effect)
    yield (
        f"Predicted: {predicted(hypothesis)}. Smallest effect of interest: {smallest}, "
        f"in the outcome's own units. Estimand: {name_in_words(hypothesis.estimand)}, below."
    )
    for verdict, registered in (
        ("Corroborated", hypothesis.corroborate_if),
        ("Falsified", hypothesis.falsify_if),
    ):
        said = criterion_in_words(parse_criterion(registered), analysis.alpha)
        yield f"{verdict} if {said}. The protocol says: {' '.join(registered.split())}"


def predicted(hypothesis: Hypothesis) -> str:
    """What is predicted of a contrast. Without a side that is a difference, or equivalence where none corroborates it."""
    equivalence = hypothesis.direction == "two_sided" and _null_corroborates(hypothesis)
    return EQUIVALENCE if equivalence else DIRECTIONS[hypothesis.direction]


def _null_corroborates(hypothesis: Hypothesis) -> bool:
    """Whether an effect of nothing at all, known exactly, would speak for the hypothesis."""
    nothing = Evidence(
        estimate=0.0, se=0.0, df=1e6, statistic=0.0, p=1.0, p_adjusted=1.0, ci_low=0.0, ci_high=0.0
    )
    verdict = judge(
        nothing,
        Criteria.of(hypothesis),
        direction="two_sided",
        smallest_effect=hypothesis.smallest_effect,
        alpha=0.05,
    )
    return verdict is Verdict.CORROBORATED


def rule_in_words(analysis: Analysis) -> str:
    """How criteria become a verdict."""
    return (
        "How a verdict is reached. Each hypothesis has a criterion that speaks for it and one that speaks against it, "
        "and each test is judged by both. Corroborated: the first holds and the second does not. Falsified: the second "
        "holds and the first does not. Inconclusive: neither holds, or both, as where an effect is there but too small. "
        "Unevaluable: there is no estimate, or a number that a criterion needs is missing. Estimate, test statistic and interval are turned so "
        "that the predicted side is positive. Tests and intervals have two sides; "
        f"alpha is {formatting.plain(analysis.alpha)}. The adjusted p of a test that is in no family is its p."
    )


def estimand_blocks(analysis: Analysis) -> Iterator[Block]:
    """The attributes of each estimand, once."""
    for estimand in analysis.estimands:
        yield Heading(text=f"Estimand: {name_in_words(estimand.id)}")
        yield Facts(items=tuple(Fact(term=name, value=f"{text}.") for name, text in attributes(estimand)))
        if estimand.assumed:
            yield Paragraph(text=_assumed(estimand.note), small=True)


def _assumed(note: str | None) -> str:
    return f"Assumed. {note}" if note else "Assumed: the study's source does not state it."


def name_in_words(name: str) -> str:
    """An id as a reader reads it: `change_in_empathy` as `change in empathy`."""
    return name.replace("_", " ")


def criterion_in_words(criterion: Criterion, alpha: float) -> str:
    """A criterion as part of a sentence: `the adjusted p is below 0.05 and ...`."""
    match criterion:
        case Comparison(left, sign, right):
            return f"{_term(left, alpha)} {SIGNS[sign]} {_term(right, alpha)}"
        case Not(condition):
            return f"it is not so that {_enclosed(condition, alpha)}"
        case Both(conditions):
            return " and ".join(_enclosed(one, alpha) for one in conditions)
        case Either(conditions):
            return " or ".join(_enclosed(one, alpha) for one in conditions)
        case _:
            assert_never(criterion)


def _enclosed(condition: Criterion, alpha: float) -> str:
    words = criterion_in_words(condition, alpha)
    return words if isinstance(condition, Comparison) else f"({words})"


def _term(term: Operand, alpha: float) -> str:
    match term:
        case Number(value):
            return formatting.plain(value)
        case Name("alpha"):
            return f"alpha ({formatting.plain(alpha)})"
        case Name(name):
            return NUMBERS[name]
        case Minus(Number(value)):
            return formatting.plain(-value)
        case Minus(inner):
            return f"minus {_term(inner, alpha)}"
        case _:
            assert_never(term)
