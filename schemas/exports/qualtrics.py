"""Qualtrics CSV exports: three header rows (names, labels, import ids), or two in the legacy format."""

import json
import zoneinfo
from dataclasses import replace

import pandas as pd

from forethought.errors import DataRefused
from forethought.protocol.imports import Responses
from forethought.schemas.exports import table
from forethought.schemas.exports.checking import Parsed, refusals, together
from forethought.schemas.exports.reading import Export, row_numbers

PREVIEW = "survey preview"
"""Why a row is refused that the survey's author made while trying it out."""

_PREVIEW_STATUS = ("survey preview", "1")
_PREVIEW_CHANNEL = ("preview",)
_LEGACY = {
    "ResponseID": "ResponseId",
    "IPAddress": "IPAddress",
    "Status": "Status",
    "StartDate": "StartDate",
    "EndDate": "EndDate",
    "Finished": "Finished",
}
"""What the second row of a legacy export calls V1, V2, ... to what the present format calls them."""


def recognises(header: tuple[str, ...], second_row: tuple[str, ...]) -> bool:
    """Whether the first two rows are those of a Qualtrics export, present or legacy."""
    return _is_present(header) or _is_legacy(header, second_row)


def _is_present(header: tuple[str, ...]) -> bool:
    return {"StartDate", "EndDate", "Finished", "ResponseId"} <= set(header)


def _is_legacy(header: tuple[str, ...], second_row: tuple[str, ...]) -> bool:
    return header[0] == "V1" and "ResponseID" in second_row


def prepare(export: Export) -> Export:
    """The export without its label and import-id rows, in the time zone that the latter states.

    A legacy export states none: its times are taken as UTC.
    """
    labels = _row(export, 1)
    rest = len(export.cells) - 1
    if _is_legacy(export.header, labels):
        names = dict(zip(labels, export.header, strict=True))
        aliases = {present: names[legacy] for legacy, present in _LEGACY.items() if legacy in names}
        return _data(replace(export, aliases=aliases), header_rows=1)
    if rest < 1 or not any(cell.startswith('{"ImportId":') for cell in _row(export, 2)):
        what = "the third row does not hold Qualtrics's import ids"
        remedy = "Export it from Qualtrics as CSV and leave its three header rows in place"
        raise DataRefused(f"{export.name}:{export.lines[min(1, rest)]}", what, remedy)
    return _data(replace(export, time_zone=_zone(export)), header_rows=2)


def parse(export: Export, mapping: Responses) -> Parsed:
    """Survey answers; previews are refused, unfinished surveys keep the answers they hold."""
    column, previews = _previews(export)
    cells = export.cells.drop(index=previews)
    if cells.empty:
        parsed = table.responses(export, mapping)
        return Parsed(
            rows=parsed.rows.iloc[:0],
            answers=parsed.answers.iloc[:0],
            refused=refusals(previews, column=column, reason=PREVIEW),
        )
    parsed = table.responses(replace(export, cells=cells), mapping)
    refused = together([refusals(previews, column=column, reason=PREVIEW), parsed.refused])
    return replace(parsed, refused=refused)


def _row(export: Export, number: int) -> tuple[str, ...]:
    return tuple(export.cells.loc[number])


def _data(export: Export, *, header_rows: int) -> Export:
    cells = export.cells.iloc[header_rows:]
    if cells.empty:
        what = "there are header rows and no row of data"
        raise DataRefused(export.name, what, "Export it again once there are data")
    return replace(export, cells=cells.set_axis(row_numbers(len(cells))), lines=export.lines[header_rows:])


def _zone(export: Export) -> str:
    where = f"{export.name}:{export.lines[1]}"
    for cell in _row(export, 2):
        try:
            stated = json.loads(cell).get("timeZone") if "timeZone" in cell else None
        except (ValueError, AttributeError):
            continue
        if isinstance(stated, str):
            return _known_zone(stated, where)
    return "UTC"


def _known_zone(name: str, where: str) -> str:
    try:
        return zoneinfo.ZoneInfo(name).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        what = f"`{name}` is not a time zone of the IANA database"
        raise DataRefused(
            where, what, "Export the survey again with a time zone such as America/Denver"
        ) from error


def _previews(export: Export) -> tuple[str, pd.Index]:
    """The column that tells previews, and the rows that are previews."""
    for column, marks in (("Status", _PREVIEW_STATUS), ("DistributionChannel", _PREVIEW_CHANNEL)):
        if export.has(column):
            cells = export.column(column).str.strip().str.lower()
            if cells.isin(marks).any():
                return export.named(column), cells.index[cells.isin(marks)]
    return "", export.cells.index[:0]
