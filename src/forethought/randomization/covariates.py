"""What rerandomisation balances, read from the strata's labels: whole numbers, the same on every machine."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from forethought.randomization.strata import levels_of

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A number for each person: what the variable, or the indicator of one of its levels, is above its mean.

    A positive factor of the column's own makes them whole. They are not all zero, and their sum is zero.
    """

    variable: str
    numbers: tuple[int, ...]


def columns(labels: Sequence[str], variables: Sequence[str], *, every_level: bool) -> tuple[Column, ...]:
    """The columns of these people's variables; a variable that is the same for all of them has none.

    A variable is a number if each of its values here is written as one, and a category otherwise: an indicator for
    each of its levels but the last, or for `every_level` where there are more than two.
    """
    people = zip(*(values(label, variables) for label in labels), strict=True)
    return tuple(
        Column(variable=variable, numbers=numbers)
        for variable, texts in zip(variables, people, strict=True)
        for numbers in _numbers(texts, every_level=every_level)
    )


def values(label: str, variables: Sequence[str]) -> tuple[str, ...]:
    """What a stratum's label, such as `score=31|sex=Female`, says of each variable."""
    levels = levels_of(label)
    if list(levels) != list(variables):
        raise ValueError(f"a stratum's label does not name {', '.join(variables)}")
    return tuple(levels.values())


def _numbers(texts: Sequence[str], *, every_level: bool) -> list[tuple[int, ...]]:
    levels = sorted(set(texts))
    if len(levels) < 2:
        return []
    if all(_NUMBER.fullmatch(text) for text in texts):
        numbers = _above_mean([Fraction(text) for text in texts])
        return [numbers] if any(numbers) else []
    shown = levels if every_level and len(levels) > 2 else levels[:-1]
    return [_above_mean([Fraction(text == level) for text in texts]) for level in shown]


def _above_mean(numbers: Sequence[Fraction]) -> tuple[int, ...]:
    """Each number less the mean of all, times whatever makes them whole numbers without a common factor."""
    multiple = lcm(*(number.denominator for number in numbers))
    whole = [int(number * multiple) for number in numbers]
    above = [len(whole) * number - sum(whole) for number in whole]
    common = gcd(*above) or 1
    return tuple(number // common for number in above)
