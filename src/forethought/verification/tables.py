"""Frames as CSV and back: written the same everywhere, read as if somebody wished us ill."""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from forethought.verification.records import REQUIRED

_LARGEST_NUMBER = 2**31
_TRUTH = {"true": True, "false": False}


def written(frame: pd.DataFrame) -> bytes:
    """The frame as CSV: no value is an empty cell, a number is the shortest that reads back as itself."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow([_cell(value) for value in row])
    return file.getvalue().encode()


def read(content: bytes, types: Mapping[str, str]) -> pd.DataFrame:
    """The frame of these columns and types; ValueError in words where the file does not hold it."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if not lines or lines[0] != list(types):
        raise ValueError(f"its columns are not {', '.join(types)}")
    if any(len(line) != len(types) for line in lines):
        raise ValueError("a row has another number of cells than the header")
    cells = dict(zip(types, zip(*lines, strict=True), strict=True))
    frame = pd.DataFrame(
        {column: [_value(column, types[column], cell) for cell in cells[column][1:]] for column in types}
    )
    return frame.astype(dict(types))


def _cell(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(float(value)) if isinstance(value, float) else str(value)


def _value(column: str, kind: str, cell: str) -> Any:
    if cell == "":
        if column in REQUIRED:
            raise ValueError(f"{column} is empty in a row")
        return None
    return _READ[kind](cell)


def _whole(cell: str) -> int:
    if not (cell.isascii() and cell.isdigit() and len(cell) < len(str(_LARGEST_NUMBER))):
        raise ValueError("a whole number is expected, and there is something else")
    return int(cell)


def _truth(cell: str) -> bool:
    if cell not in _TRUTH:
        raise ValueError("true or false is expected, and there is something else")
    return _TRUTH[cell]


_READ: Mapping[str, Callable[[str], Any]] = {
    "str": str,
    "int64": _whole,
    "Int64": _whole,
    "float64": float,
    "bool": _truth,
}
