"""Every part of the protocol that is marked `assumed: true`, found by walking it, wherever it stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from forethought.protocol.protocol import Protocol
from forethought.protocol.values import Assumable
from forethought.reports import formatting
from forethought.reports.content import Cell, Column, Paragraph, RowGroup, Section, Table

IDENTIFYING = ("id", "name", "number", "outcome", "file")
APART = ("assumed", "note", "label", "reason", "statement", *IDENTIFYING)
WITHHELD = ("block_sizes", "block_size", "size", "tolerance")
"""By these it could be told when an arm is due: who enrols reads this table too."""
LONGEST = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One assumed part: where it stands in the protocol, what it says, and why it was assumed."""

    path: str
    says: str
    note: str


def assumptions(protocol: Protocol) -> tuple[Assumption, ...]:
    """The assumed parts, in the protocol's order."""
    return tuple(_walk(protocol, ""))


def assumptions_section(protocol: Protocol) -> Section:
    """The table of what was assumed."""
    found = assumptions(protocol)
    title = "What was assumed"
    if not found:
        text = "Nothing: every part of the protocol rests on its source."
        return Section(id="assumptions", title=title, blocks=(Paragraph(text=text),))
    rows = tuple((Cell(text=one.path, code=True), Cell(text=one.says), Cell(text=one.note)) for one in found)
    table = Table(
        caption="Parts of the protocol that its source does not state",
        columns=tuple(Column(label=label) for label in ("Part of the protocol", "Assumed", "Note")),
        groups=(RowGroup(rows=rows),),
    )
    return Section(id="assumptions", title=title, blocks=(table,))


def _walk(value: object, path: str) -> Iterator[Assumption]:
    if isinstance(value, BaseModel):
        if isinstance(value, Assumable) and value.assumed:
            yield Assumption(path=path, says=_says(value), note=value.note or formatting.ABSENT)
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(item, f"{path}.{key}")
    elif isinstance(value, tuple):
        for position, item in enumerate(value, start=1):
            yield from _walk(item, f"{path}[{_name(item, position)}]")


def _name(value: object, position: int) -> str:
    return next((str(getattr(value, name)) for name in IDENTIFYING if hasattr(value, name)), str(position))


def _says(value: BaseModel) -> str:
    """The part's label, or its own plain values in words, cut where they would fill the page."""
    for name in ("label", "reason", "statement"):
        if hasattr(value, name):
            return str(getattr(value, name))
    parts = [
        f"{name.replace('_', ' ')} {text}"
        for name in type(value).model_fields
        if name in value.model_fields_set and name not in (*APART, *WITHHELD)
        if (text := _plain(getattr(value, name)))
    ]
    words = "; ".join(parts) or formatting.ABSENT
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"


def _plain(value: object) -> str:
    """A value without parts of its own, in words; the empty text for all else."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return formatting.plain(value)
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return ", ".join(filter(None, map(_plain, value)))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {text}" for key, item in value.items() if (text := _plain(item)))
    return ""
