"""Criteria of verdicts as frozen values: comparisons of a finding's numbers, judged with three truth values.

    criterion    = conjunction { "or" conjunction }
    conjunction  = condition { "and" condition }
    condition    = "not" condition | "(" criterion ")" | comparison
    comparison   = term ( "<" | "<=" | ">" | ">=" ) term
    term         = number | name | "-" term

The names are those of `CRITERION_NAMES`. A comparison with a missing number is neither true nor false, and Kleene's
logic carries that on: `a and b` is false as soon as one of them is, `a or b` true as soon as one of them is.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import assert_never

CRITERION_NAMES = (
    "estimate",
    "se",
    "df",
    "statistic",
    "p",
    "p_adjusted",
    "ci_low",
    "ci_high",
    "alpha",
    "smallest_effect",
)
"""The numbers that a criterion may name: those of a finding, and the two that the protocol sets."""

COMPARE: Mapping[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
"""The signs of comparison. There is none of equality: two computed numbers are never equal but by chance."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, without its sign."""

    value: float

    def __str__(self) -> str:
        return str(int(self.value)) if self.value.is_integer() and self.value < 1e15 else repr(self.value)


@dataclass(frozen=True, slots=True)
class Name:
    """One of `CRITERION_NAMES`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Minus:
    """A term with its sign turned."""

    term: "Operand"

    def __str__(self) -> str:
        return f"-{self.term}"


Operand = Number | Name | Minus


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two terms with a sign of comparison between them."""

    left: Operand
    sign: str
    right: Operand

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


@dataclass(frozen=True, slots=True)
class Not:
    """True where the condition is false."""

    condition: "Criterion"

    def __str__(self) -> str:
        return f"not {_bracketed(self.condition, Both, Either)}"


@dataclass(frozen=True, slots=True)
class Both:
    """True where all conditions are; two or more."""

    conditions: tuple["Criterion", ...]

    def __str__(self) -> str:
        return " and ".join(_bracketed(one, Both, Either) for one in self.conditions)


@dataclass(frozen=True, slots=True)
class Either:
    """True where any condition is; two or more."""

    conditions: tuple["Criterion", ...]

    def __str__(self) -> str:
        return " or ".join(_bracketed(one, Either) for one in self.conditions)


Criterion = Comparison | Not | Both | Either


def _bracketed(condition: "Criterion", *kinds: type) -> str:
    return f"({condition})" if isinstance(condition, kinds) else str(condition)


def evaluate(criterion: Criterion, values: Mapping[str, float | None]) -> bool | None:
    """Whether the criterion holds for these values; None where a missing value leaves it open.

    None, NaN and a name that is not in `values` are missing.
    """
    match criterion:
        case Comparison(left, sign, right):
            one, other = _value(left, values), _value(right, values)
            return None if one is None or other is None else COMPARE[sign](one, other)
        case Not(condition):
            inner = evaluate(condition, values)
            return None if inner is None else not inner
        case Both(conditions):
            return _all(evaluate(one, values) for one in conditions)
        case Either(conditions):
            refuted = _all(_turned(evaluate(one, values)) for one in conditions)
            return _turned(refuted)
        case _:
            assert_never(criterion)


def names(criterion: Criterion) -> tuple[str, ...]:
    """The names in the criterion, each once, in order of appearance."""
    return tuple(dict.fromkeys(_names(criterion)))


def _names(part: Criterion | Operand) -> Iterator[str]:
    match part:
        case Name(name):
            yield name
        case Number():
            return
        case Minus(inner) | Not(inner):
            yield from _names(inner)
        case Comparison(left, _, right):
            yield from _names(left)
            yield from _names(right)
        case Both(conditions) | Either(conditions):
            for condition in conditions:
                yield from _names(condition)
        case _:
            assert_never(part)


def _value(term: Operand, values: Mapping[str, float | None]) -> float | None:
    match term:
        case Number(value):
            return value
        case Name(name):
            found = values.get(name)
            return None if found is None or math.isnan(found) else found
        case Minus(inner):
            value_of = _value(inner, values)
            return None if value_of is None else -value_of
        case _:
            assert_never(term)


def _all(answers: Iterator[bool | None]) -> bool | None:
    """Kleene's conjunction: false where one is false, else open where one is open, else true."""
    found = set(answers)
    if False in found:
        return False
    return None if None in found else True


def _turned(answer: bool | None) -> bool | None:
    return None if answer is None else not answer
