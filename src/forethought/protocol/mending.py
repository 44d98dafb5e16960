"""What was probably meant: faulty data made whole, so that one fault does not hide the others.

A mend is a guess that is only ever used to look for more faults; the file is refused all the same. Where nothing can
be guessed, the whole section is set aside, and what the other sections say of it is left unjudged.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from forethought.protocol.formats import FIRST, upgraded
from forethought.protocol.paths import NOT_THERE, value_at
from forethought.protocol.problems import Fault, KeyPath

INNER = ("analysis", "imports")
"""Sections large enough to be set aside in parts."""

PROSE = ("label", "statement", "description", "reason", "title", "summary", "question", "how")
"""Texts for people, which no other part of a protocol refers to: any text can stand for a missing one."""


@dataclass(frozen=True, slots=True)
class Mend:
    """One guess: the value at `at`, or without a value its absence; `instead_of` is a key that was misspelt."""

    at: KeyPath
    value: object = NOT_THERE
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class Mendable(Fault):
    """A fault of which it can be guessed what was meant."""

    mend: Mend


def mended(data: Mapping[str, object], mends: Iterable[Mend]) -> dict[str, object]:
    """The data as they were probably meant."""
    whole = copy.deepcopy(dict(data))
    for mend in mends:
        around: Any = value_at(whole, mend.at[:-1])
        key: Any = mend.at[-1]
        if mend.instead_of is not None and isinstance(around, dict) and mend.instead_of in around:
            around[key] = around.pop(mend.instead_of)
        elif mend.value is NOT_THERE and isinstance(around, dict):
            around.pop(key, None)
        elif isinstance(
            around, list if isinstance(key, int) else dict
        ):  # an older format may say it otherwise
            around[key] = copy.deepcopy(mend.value)
    return whole


def section(at: KeyPath) -> str:
    """The section that the path is in: `waves`, or a part of a large one as `analysis.models`."""
    depth = 2 if at[0] in INNER else 1
    return ".".join(str(step) for step in at[:depth])


def set_aside(data: Mapping[str, object], sections: Iterable[str]) -> dict[str, object]:
    """Current data in which something sound stands for each of these sections; nobody may look at it."""
    whole = copy.deepcopy(dict(data))
    for named in sorted(sections):
        at = tuple(named.split("."))
        around: Any = value_at(whole, at[:-1])
        stand_in = value_at(_blank(), at)
        if stand_in is NOT_THERE:
            around.pop(at[-1], None)
        else:
            around[at[-1]] = copy.deepcopy(stand_in)
    return whole


@cache
def _blank() -> Mapping[str, object]:
    """The smallest sound protocol."""
    text = {"id": "blank", "title": "-", "summary": "-", "authors": [{"name": "-"}], "ethics": "-"}
    model = {
        "id": "blank", "kind": "ols", "label": "-", "formula": "y ~ 1", "outcomes": ["blank"], "role": "exploratory",
        "cluster": "participant",
    }  # fmt: skip
    variable = {"name": "blank", "column": "blank", "type": "number"}
    return upgraded(
        {
            "format": FIRST,
            "study": text,
            "waves": [{"number": 1, "opens": "2000-01-01T00:00:00+00:00", "target": 1}],
            "allocation": "none",
            "imports": {"responses": {"source": "csv", "participant": "-", "variables": [variable]}},
            "analysis": {"population": "all_records", "missing_data": "-", "models": [model]},
        }
    )
