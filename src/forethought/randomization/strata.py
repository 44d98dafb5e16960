"""The stratum of a participant, from what was known at recruitment."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WHOLE_WAVE = "all"
"""The one stratum of a design without strata."""


_PARTS = re.compile(r"(?:[^|\\]|\\.)+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """A participant who belongs to no stratum, and why."""

    reason: str


def stratum(levels: Mapping[str, Sequence[str]], values: Mapping[str, str]) -> str | Unplaced:
    """The label of the stratum, as `sex=Female|student=Yes`, or why the participant has none.

    `levels` holds each stratum variable, in the protocol's order, with the levels it may have (none: any value).
    """
    if not levels:
        return WHOLE_WAVE
    for name, known in levels.items():
        if name not in values:
            return Unplaced(reason=f"`{name}` has no value")
        if known and values[name] not in known:
            return Unplaced(reason=f"`{name}` has a value that is none of its levels")
    return "|".join(f"{name}={_escaped(values[name])}" for name in levels)


def _escaped(value: str) -> str:
    """The value with its bars marked, so that two different strata never share a label (and a stream)."""
    return value.replace("\\", "\\\\").replace("|", "\\|")


def levels_of(label: str) -> Mapping[str, str]:
    """The variables of a stratum's label and their values; the whole wave has none."""
    if label == WHOLE_WAVE:
        return {}
    found = (part.partition("=") for part in _PARTS.findall(label))
    return {name: _ESCAPED.sub(r"\1", value) for name, _, value in found}
