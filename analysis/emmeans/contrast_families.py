"""The families of contrasts between marginal means: names and coefficients."""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any, Literal

import numpy as np

from forethought.analysis.designs import Floats
from forethought.analysis.emmeans.adjustments import Adjustment
from forethought.errors import ModelNotFitted

FamilyName = Literal["pairwise", "revpairwise", "trt.vs.ctrl", "poly", "consec", "eff"]
Method = FamilyName | Mapping[str, Sequence[float]]

DEGREES = ("linear", "quadratic", "cubic", "quartic", "degree 5", "degree 6")

OPERATOR = re.compile(r"[-+*/]")
"""A level with one of these would make a contrast's name ambiguous, and gets parentheses."""


@dataclass(frozen=True, slots=True)
class ContrastFamily:
    """names (q,) and coefficients (q, k) of contrasts between k means.

    adjust: the adjustment that goes with them where none is asked for. pairs: whether they are all the pairwise
    differences of one set of means, for which Tukey's method is made.
    """

    names: tuple[str, ...]
    coefficients: Floats
    adjust: Adjustment = "none"
    pairs: bool = False


def contrast_family(method: Method, levels: Sequence[str], reference: str | None = None) -> ContrastFamily:
    """The contrasts of a method between means with these names.

    reference: which of them is the control of trt.vs.ctrl; the first where None.
    Raises ModelNotFitted for an unknown method or reference, and for weights that do not fit the means.
    """
    if not isinstance(method, str):
        return _custom(method, levels)
    if method not in FAMILIES:
        what = f"there is no family of contrasts {method}"
        raise ModelNotFitted("contrasts", what, f"Take {', '.join(FAMILIES)}, or give weights by name")
    if len(levels) < 2:
        what = f"there is one mean, of {levels[0]}, and {method} compares two or more"
        raise ModelNotFitted("contrasts", what, "Compare over another variable, or give weights by name")
    if reference is not None and method != "trt.vs.ctrl":
        what = f"{method} has no reference level"
        raise ModelNotFitted("contrasts", what, "Leave `reference` out, or take trt.vs.ctrl")
    if method == "trt.vs.ctrl":
        return _against_control(levels, reference)
    return FAMILIES[method](levels)


def _pairwise(levels: Sequence[str]) -> ContrastFamily:
    names = _bracketed(levels)
    pairs = list(combinations(range(len(levels)), 2))
    return _differences(names, pairs, "tukey", all_pairs=True)


def _reversed_pairwise(levels: Sequence[str]) -> ContrastFamily:
    pairs = [(later, place) for later in range(1, len(levels)) for place in range(later)]
    return _differences(_bracketed(levels), pairs, "tukey", all_pairs=True)


def _against_control(levels: Sequence[str], reference: str | None) -> ContrastFamily:
    if reference is not None and reference not in levels:
        what = f"there is no mean of {reference} to be the control"
        raise ModelNotFitted("contrasts", what, f"The means are of {', '.join(levels)}")
    control = 0 if reference is None else list(levels).index(reference)
    pairs = [(place, control) for place in range(len(levels)) if place != control]
    return _differences(_bracketed(levels), pairs, "dunnett")


def _consecutive(levels: Sequence[str]) -> ContrastFamily:
    pairs = [(place, place - 1) for place in range(1, len(levels))]
    return _differences(_bracketed(levels), pairs, "mvt")


def _effects(levels: Sequence[str]) -> ContrastFamily:
    k = len(levels)
    names = tuple(f"{name} effect" for name in _bracketed(levels))
    return ContrastFamily(names, np.eye(k) - 1 / k, "BH")


def _polynomials(levels: Sequence[str]) -> ContrastFamily:
    """Orthogonal polynomials in equally spaced levels, as the smallest whole numbers; to the sixth degree."""
    k = len(levels)
    rows = list[list[Fraction]]()
    for degree in range(min(len(DEGREES), k - 1) + 1):
        row = [Fraction(place) ** degree for place in range(k)]
        for lower in rows:
            share = _dot(row, lower) / _dot(lower, lower)
            row = [value - share * other for value, other in zip(row, lower, strict=True)]
        rows.append(row)
    whole = [_smallest_whole(row) for row in rows[1:]]
    return ContrastFamily(DEGREES[: len(whole)], np.array(whole, dtype=float).reshape(len(whole), k))


def _custom(weights: Mapping[str, Sequence[float]], levels: Sequence[str]) -> ContrastFamily:
    if not weights:
        raise ModelNotFitted("contrasts", "no contrast is given", "Give weights by name")
    if not isinstance(weights, Mapping):
        what = f"{weights!r} is no family of contrasts, and does not give weights by name"
        raise ModelNotFitted("contrasts", what, 'Write a dictionary, as {"trained": [-1, 0.5, 0.5]}')
    for name, own in weights.items():
        if isinstance(own, str | Mapping | Set) or not isinstance(own, Collection):
            what = f"the weights of the contrast {name} are of the kind {type(own).__name__}"
            raise ModelNotFitted("contrasts", what, f"List them in the order of {', '.join(levels)}")
        if len(own) != len(levels):
            what = f"the contrast {name} has {len(own)} weights for {len(levels)} means"
            raise ModelNotFitted("contrasts", what, f"Give one for each of {', '.join(levels)}")
        if not any(own) or not np.isfinite(np.asarray(own, dtype=float)).all():
            what = f"the weights of the contrast {name} are all zero, or not finite"
            raise ModelNotFitted("contrasts", what, "Give at least one mean a finite weight")
    return ContrastFamily(tuple(weights), np.array([list(own) for own in weights.values()], dtype=float))


FAMILIES: dict[str, Callable[[Sequence[str]], ContrastFamily]] = {
    "pairwise": _pairwise,
    "revpairwise": _reversed_pairwise,
    "trt.vs.ctrl": lambda levels: _against_control(levels, None),
    "poly": _polynomials,
    "consec": _consecutive,
    "eff": _effects,
}


def _differences(
    names: Sequence[str], pairs: Sequence[tuple[int, int]], adjust: Adjustment, *, all_pairs: bool = False
) -> ContrastFamily:
    coefficients = np.zeros((len(pairs), len(names)))
    for row, (one, other) in enumerate(pairs):
        coefficients[row, one], coefficients[row, other] = 1.0, -1.0
    labels = tuple(f"{names[one]} - {names[other]}" for one, other in pairs)
    return ContrastFamily(labels, coefficients, adjust, all_pairs)


def spelled_level(value: Any, variable: str = "") -> str:
    """A level as text, after its variable's name where that is given; numbers to twelve digits."""
    number = isinstance(value, float) and math.isfinite(value)
    return f"{variable}{value:.12g}" if number else f"{variable}{value}"


def _bracketed(levels: Sequence[str]) -> list[str]:
    return [f"({level})" if OPERATOR.search(level) else level for level in levels]


def _dot(one: Sequence[Fraction], other: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(one, other, strict=True)), Fraction(0))


def _smallest_whole(row: Sequence[Fraction]) -> list[int]:
    common = math.lcm(*(value.denominator for value in row))
    whole = [int(value * common) for value in row]
    divisor = math.gcd(*whole)
    return [value // divisor for value in whole]
