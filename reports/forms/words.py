"""Sentences, lists and paragraphs for a form, and the protocol's rules, times and weights in words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from forethought.protocol import rules
from forethought.protocol.design import Window
from forethought.reports import formatting


def listed(items: Iterable[str], word: str = "and") -> str:
    """`a`, `a and b`, or `a, b and c`; where an item is such a list itself, semicolons keep them apart."""
    found = list(items)
    if any(sign in item for item in found for sign in (", ", "; ", f" {word} ")):
        return f"; {word} ".join(["; ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
    return f" {word} ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def labelled(noun: str, items: Sequence[str]) -> str:
    """A noun in its number, and the items: `Outcomes: a and b`."""
    return f"{noun}{'' if len(items) == 1 else 's'}: {listed(items)}"


def sentence(text: str) -> str:
    """The text with a full stop, where it does not end with a stop of its own."""
    text = text.strip()
    return text if text.endswith((".", "!", "?", ":", ".”", '."', ".)")) else f"{text}."


def capital(text: str) -> str:
    """The text with a capital at its beginning, and the rest as it is."""
    return text[:1].upper() + text[1:]


def sentences(*parts: str | None) -> str:
    """What there is of the parts, each as a sentence, in one paragraph."""
    return " ".join(sentence(part) for part in parts if part)


def paragraphs(*parts: str | None) -> str:
    """What there is of the parts, with an empty line between any two."""
    return "\n\n".join(part for part in parts if part)


def bullets(heading: str, items: Iterable[str]) -> str:
    """A heading and its items, one a line; nothing where there is no item."""
    lines = [f"- {sentence(item)}" for item in items]
    return "\n".join([f"{heading}:", *lines]) if lines else ""


def numbered(heading: str, items: Iterable[str]) -> str:
    """A heading and its items, counted from 1; nothing where there is no item."""
    lines = [f"{number}. {sentence(item)}" for number, item in enumerate(items, start=1)]
    return "\n".join([f"{heading}:", *lines]) if lines else ""


def spaced(name: str) -> str:
    """A word of the protocol's vocabulary as it is spoken: `while on treatment`."""
    return name.replace("_", " ")


def rule(criterion: rules.Criterion) -> str:
    """What must be so for the criterion to hold: `age is at least 18`."""
    match criterion.rule:
        case rules.OneOf(values=values):
            test = f"is {listed(map(_quoted, values), 'or')}"
        case rules.NoneOf(values=values) if len(values) == 1:
            test = f"is known and is not {_quoted(values[0])}"
        case rules.NoneOf(values=values):
            test = f"is known and is none of {listed(map(_quoted, values))}"
        case rules.AtLeast(value=bound):
            test = f"is at least {formatting.plain(bound)}"
        case rules.AtMost(value=bound):
            test = f"is at most {formatting.plain(bound)}"
        case rules.Contains(value=part):
            test = f"contains {_quoted(part)}"
        case rules.Missing():
            test = "is missing"
        case _:
            assert_never(criterion.rule)
    return f"{criterion.variable} {test}"


def duration(minutes: int) -> str:
    """Minutes in the largest unit that holds them without a rest: `2 hours`, `90 minutes`, `1 day`."""
    for size, unit in ((1440, "day"), (60, "hour")):
        if minutes and minutes % size == 0:
            return formatting.counted(minutes // size, unit)
    return formatting.counted(minutes, "minute")


def window(planned: Window) -> str:
    """When a session is on time: `within 2 hours of allocation, aimed at 5 minutes after it`."""
    anchor = "allocation" if planned.anchor == "allocation" else "the session before"
    aim = f"aimed at {duration(planned.target)}" if planned.target else "aimed at once"
    if planned.opens == planned.closes:
        return f"{duration(planned.opens)} after {anchor}"
    if not planned.opens:
        return f"within {duration(planned.closes)} of {anchor}, {aim}"
    return f"from {duration(planned.opens)} to {duration(planned.closes)} after {anchor}, {aim}"


def weighted_sum(weights: Mapping[str, float]) -> str:
    """Names with their weights as a formula, what is taken away last: `a + 0.5 × b − c`."""
    text = ""
    for name, weight in sorted(weights.items(), key=lambda item: item[1] < 0):
        size = abs(weight)
        term = name if size == 1 else f"{formatting.plain(size)} × {name}"
        sign = formatting.MINUS if weight < 0 else "+"
        text = f"{text} {sign} {term}" if text else f"{sign}{term}".removeprefix("+")
    return text


def _quoted(text: str) -> str:
    return f"“{text}”"
