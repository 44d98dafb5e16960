"""Export files as the services write them: CSV in UTF-8, times as text."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Instants = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A file for the inbox: its name, its bytes, and how many rows of data they hold."""

    name: str
    content: bytes
    rows: int


def csv_file(
    name: str, columns: Mapping[str, Sequence[object]], above: Iterable[Sequence[str]] = ()
) -> ExportFile:
    """A CSV file of equally long columns; the rows of `above` stand between the header and the data."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(above)
    rows = list(zip(*columns.values(), strict=True))
    writer.writerows(rows)
    return ExportFile(name=name, content=text.getvalue().encode(), rows=len(rows))


def iso_times(instants: Instants) -> list[str]:
    """Times as `2026-03-02T14:00:00.000000Z`; blank where there is none."""
    texts = np.datetime_as_string(instants, unit="us", timezone="UTC")
    found: list[str] = np.where(np.isnat(instants), "", texts).tolist()
    return found
