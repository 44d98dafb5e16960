"""Which service wrote an export and what it holds, told from its header and the protocol's mapping."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from forethought.errors import DataRefused, WrongUsage
from forethought.protocol.imports import Conversations, Imports, Ratings, Recruits, Responses
from forethought.protocol.problems import nearest
from forethought.schemas.exports import prolific, qualtrics
from forethought.schemas.exports.reading import Export

SIMULATION_COLUMN = "forethought_simulation"
"""In the header of every export that `simulate` wrote, and of no other."""

KINDS = ("recruits", "responses", "conversations", "ratings")
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "prolific": "Prolific",
        "qualtrics": "Qualtrics",
        "redcap": "REDCap",
        "mturk": "MTurk",
        "csv": "plain CSV",
    }
)
NOT_READ_YET = ("redcap", "mturk")

Mapped = Recruits | Responses | Conversations | Ratings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recognised:
    """An export with its source, its kind and the mapping by which it is read."""

    export: Export
    source: str
    kind: str
    mapping: Mapped


def recognise(
    export: Export, imports: Imports, *, source: str | None = None, kind: str | None = None
) -> Recognised:
    """The export's source and kind, as given or guessed; every column of its mapping is there.

    DataRefused: not recognised, ambiguous, not read yet, or a column missing. WrongUsage: the protocol has
    no such import.
    """
    chosen = _source(export, source)
    prepared = _prepare(export, chosen)
    candidates = _candidates(imports, chosen, kind, export.name, any_source=source is not None)
    fitting = [name for name, mapping in candidates.items() if not _absent(prepared, mapping)]
    if len(fitting) > 1:
        what = f"its columns fit {' and '.join(fitting)}"
        raise DataRefused(export.name, what, f"Say which with --as {' or --as '.join(fitting)}")
    if not fitting:
        raise _does_not_fit(prepared, candidates, chosen)
    name = fitting[0]
    return Recognised(export=prepared, source=chosen, kind=name, mapping=candidates[name])


def sources_of(export: Export) -> tuple[str, ...]:
    """Every service whose mark the header bears; none for a plain CSV file."""
    second_row = tuple(export.cells.iloc[0])
    marks = {
        "prolific": prolific.recognises(export.header),
        "qualtrics": qualtrics.recognises(export.header, second_row),
        "redcap": _is_redcap(export.header),
        "mturk": {"HITId", "AssignmentId", "WorkerId"} <= set(export.header),
    }
    return tuple(name for name, found in marks.items() if found)


def columns_of(mapping: Mapped) -> tuple[str, ...]:
    """Every column that the mapping names, in its order."""
    match mapping:
        case Recruits() | Responses(finished=None):
            named: tuple[str | None, ...] = tuple(variable.column for variable in mapping.variables)
            own: tuple[str | None, ...] = (mapping.participant,)
            if isinstance(mapping, Recruits):
                own = (mapping.participant, mapping.status, mapping.arrived)
        case Responses():
            named = tuple(variable.column for variable in mapping.variables)
            own = (mapping.participant, mapping.finished)
        case Conversations():
            own = (
                mapping.conversation,
                mapping.participant,
                mapping.session,
                mapping.stimulus,
                mapping.number,
            )
            named = (mapping.role, mapping.text, mapping.sent, mapping.received, *mapping.sealed)
        case Ratings():
            own, named = (mapping.conversation, mapping.rater), tuple(mapping.outcomes.values())
    return tuple(dict.fromkeys(column for column in (*own, *named) if column is not None))


def _source(export: Export, given: str | None) -> str:
    marks = sources_of(export)
    if given is None and len(marks) > 1:
        names = " and ".join(SOURCES[mark] for mark in marks)
        raise DataRefused(export.name, f"its header is that of {names}", "Say which with --source")
    chosen = given or (marks[0] if marks else "csv")
    if chosen not in SOURCES:
        raise WrongUsage("--source", f"there is no source `{chosen}`", f"Choose one of {', '.join(SOURCES)}")
    if chosen in NOT_READ_YET:
        what = f"this release does not read {SOURCES[chosen]} exports yet"
        raise DataRefused(export.name, what, "Map its columns in the protocol as csv and say --source csv")
    if given is not None and given != "csv" and given not in marks:
        what = f"its header is not that of a {SOURCES[given]} export"
        raise DataRefused(export.name, what, "Leave --source out to have it guessed, or say --source csv")
    return chosen


def _is_redcap(header: tuple[str, ...]) -> bool:
    structural = any(column.startswith("redcap_") for column in header)
    forms = any(column.endswith("_complete") for column in header)
    checkboxes = any(re.fullmatch(r".+___\w+", column) for column in header)
    return structural or (forms and (checkboxes or header[0] == "record_id"))


def _prepare(export: Export, source: str) -> Export:
    match source:
        case "prolific":
            return prolific.prepare(export)
        case "qualtrics":
            return qualtrics.prepare(export)
    return export


def _candidates(
    imports: Imports, source: str, kind: str | None, name: str, *, any_source: bool
) -> dict[str, Mapped]:
    """The protocol's mappings that could read this source; all of its kind when the user names the kind."""
    expected: dict[str, Mapped] = {
        each: mapping for each in KINDS if (mapping := getattr(imports, each)) is not None
    }
    if kind is not None:
        if kind not in expected:
            what = f"the protocol imports no {kind}"
            raise WrongUsage(f"--as {kind}", what, f"It imports {', '.join(expected) or 'nothing'}")
        expected = {kind: expected[kind]}
    readable = {
        each: mapping
        for each, mapping in expected.items()
        if mapping.source == source or (source == "csv" and any_source)
    }
    if not readable:
        wanted = ", ".join(f"{each} from {SOURCES[mapping.source]}" for each, mapping in expected.items())
        what = f"it is {SOURCES[source]}, and the protocol expects {wanted or 'no import'}"
        raise DataRefused(
            name, what, "Give such an export, or say --source csv to read it by the mapping alone"
        )
    return readable


def _absent(export: Export, mapping: Mapped) -> list[str]:
    return [column for column in columns_of(mapping) if not export.has(column)]


def _does_not_fit(export: Export, candidates: dict[str, Mapped], source: str) -> DataRefused:
    """Names the missing columns of the mapping that fits best; a header that fits none is not recognised."""
    absent = {kind: _absent(export, mapping) for kind, mapping in candidates.items()}
    shares = {kind: len(absent[kind]) / len(columns_of(candidates[kind])) for kind in candidates}
    nearest = min(shares, key=lambda kind: shares[kind])
    if len(candidates) > 1 and shares[nearest] > 0.5:
        what = f"its source is not recognised: its header fits none of {', '.join(candidates)}"
        return DataRefused(
            f"{export.name}:1", what, "Give an export that the protocol describes, or say --as"
        )
    subject = "column" if len(absent[nearest]) == 1 else "columns"
    listed = ", ".join(f"`{column}`{_did_you_mean(column, export.header)}" for column in absent[nearest])
    what = f"read as {nearest} ({SOURCES[source]}), it lacks the {subject} {listed}"
    return DataRefused(f"{export.name}:1", what, "Export it with the columns that the protocol names")


def _did_you_mean(column: str, header: tuple[str, ...]) -> str:
    near = nearest(column, header)
    return "" if near is None else f" (did you mean `{near}`?)"
