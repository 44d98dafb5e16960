"""Bytes to a table of text: the one edge at which an export becomes rows, wholly or not at all."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forethought.errors import DataRefused

_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Export:
    """A CSV file as it came: every cell as text, every row by its number in the file.

    `cells` is indexed by row number, counted from 1 at the first row of data; `lines` holds in the same
    order the line of the file on which each row begins. `aliases` are other names of some columns, and
    `time_zone` is that of times which name none themselves.
    """

    name: str
    sha256: str
    header: tuple[str, ...]
    cells: pd.DataFrame
    lines: NDArray[np.int64]
    aliases: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = "UTC"

    def has(self, column: str) -> bool:
        """Whether the file has this column, under this name or another one."""
        return column in self.header or column in self.aliases

    def named(self, column: str) -> str:
        """The column's name in this file."""
        return column if column in self.header else self.aliases[column]

    def column(self, column: str) -> pd.Series:
        """The column's cells, by row number."""
        return self.cells[self.named(column)]


def read(data: bytes, name: str, *, first: int | None = None) -> Export:
    """The export in `data`; DataRefused says where in the file, and what to do.

    Reads UTF-8 (with a byte order mark or without), commas, quoted cells that may hold commas and line
    breaks, any line ends. Blank lines are no rows. With `first`, it ends after so many records.
    """
    records, lines = _records(_text(data, name), name, first)
    if not records:
        raise DataRefused(name, "the file is empty", "Export it again")
    header = tuple(records[0])
    _check_header(header, name)
    if len(records) == 1:
        raise DataRefused(name, "there is a header and no row of data", "Export it again once there are data")
    _check_widths(records, lines, name)
    cells = pd.DataFrame(records[1:], columns=pd.Index(header), dtype="str")
    return Export(
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        header=header,
        cells=cells.set_axis(row_numbers(len(cells))),
        lines=np.asarray(lines[1:], dtype=np.int64),
    )


def row_numbers(count: int) -> pd.Index:
    """1, 2, ... `count`: the index of an export's rows."""
    return pd.RangeIndex(1, count + 1, name="row_number")


def _text(data: bytes, name: str) -> str:
    remedy = "Save it as CSV in UTF-8"
    if data.startswith(b"PK\x03\x04"):
        raise DataRefused(name, "this is a spreadsheet or an archive, not a CSV file", remedy)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataRefused(f"{name}:1", "byte 1 is not UTF-8: the file is in UTF-16", remedy)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # a byte order mark is left out of the codec's count
        place = data.index(error.object) + error.start
        what = f"byte {place + 1:,} of the file (0x{data[place]:02X}) is not UTF-8"
        raise DataRefused(f"{name}:{_line_of(data, place)}", what, remedy) from error
    if (place := data.find(b"\0")) >= 0:
        what = f"byte {place + 1:,} of the file is zero, which no text holds"
        raise DataRefused(f"{name}:{_line_of(data, place)}", what, remedy)
    return text


def _line_of(data: bytes, place: int) -> int:
    return data.count(b"\n", 0, place) + 1


def _records(text: str, name: str, first: int | None) -> tuple[list[list[str]], list[int]]:
    """Of all records, or the `first`, those that are no blank line, and the line on which each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[list[str]] = []
    lines: list[int] = []
    begins = 1
    try:
        for record in islice(reader, first):
            if record:
                records.append(record)
                lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(error, f"{name}:{begins}", len(records)) from error
    return records, lines


def _unreadable(error: csv.Error, where: str, row: int) -> DataRefused:
    subject = f"row {row}" if row else "the header"
    if "expected after" in str(error):
        what = f"{subject} has text after a closing quotation mark"
        return DataRefused(where, what, "Double each quotation mark inside a quoted cell, or export it again")
    if "field larger" in str(error):
        what = f"{subject} has a cell of more than {csv.field_size_limit():,} characters"
        return DataRefused(where, what, "Most often a quotation mark is not closed there: export it again")
    what = f"{subject} opens a quotation mark that is never closed"
    return DataRefused(where, what, "The file is cut off or was edited: export it again")


def _check_header(header: tuple[str, ...], name: str) -> None:
    for delimiter, plural in _OTHER_DELIMITERS.items():
        if sum(cell.count(delimiter) for cell in header) >= len(header):
            what = f"the header's cells are parted by {plural}"
            raise DataRefused(f"{name}:1", what, "Export it with commas")
    repeated = [column or "(no name)" for column, count in Counter(header).items() if count > 1]
    if repeated:
        what = f"the header has more than one column called {', '.join(repeated)}"
        raise DataRefused(f"{name}:1", what, "Give each column a name of its own")


def _check_widths(records: list[list[str]], lines: list[int], name: str) -> None:
    width = len(records[0])
    ragged = [row for row, record in enumerate(records) if len(record) != width]
    if not ragged:
        return
    first = ragged[0]
    others = f"; so many other rows do not fit either: {len(ragged) - 1:,}" if len(ragged) > 1 else ""
    what = f"cells in row {first}: {len(records[first])}, in the header: {width}{others}"
    remedy = "The file is cut off, or a cell with a comma is not quoted: export it again"
    raise DataRefused(f"{name}:{lines[first]}", what, remedy)
