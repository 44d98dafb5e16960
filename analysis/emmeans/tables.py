"""Tables for reading: columns of numbers with their notes, as plain text and as HTML."""

import math
from collections.abc import Sequence
from html import escape
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from forethought.analysis.emmeans.contrast_families import spelled_level

IN_DATA_UNITS = ("estimate", "se", "ci_low", "ci_high")
"""Columns that have the same decimals, so that a mean can be read against its interval."""

FIXED_DECIMALS = {"df": 1, "statistic": 3}

DIGITS = 3
"""Significant ones of the smallest standard error of a table."""

WIDEST = 12
"""Digits of a number; where a column would need more, its numbers have four significant digits each."""


class Tabled(Protocol):
    """A table with its notes, shown as both in a notebook and on a terminal."""

    @property
    def table(self) -> pd.DataFrame: ...
    @property
    def notes(self) -> tuple[str, ...]: ...


class Shown:
    """A base of what is `Tabled`."""

    def __repr__(self: Tabled) -> str:
        return plain_table(self.table, self.notes)

    def _repr_html_(self: Tabled) -> str:
        return html_table(self.table, self.notes)


def not_estimable(labels: pd.DataFrame, estimable: npt.NDArray[np.bool_]) -> list[str]:
    """The note that names the rows that are not estimable; none where all are."""
    names = [" ".join(map(str, row)) for row in labels[~estimable].itertuples(index=False)]
    return [f"Not estimable: {', '.join(names)}"] if names else []


def plain_table(frame: pd.DataFrame, notes: Sequence[str]) -> str:
    """The table and below it the notes, a line each."""
    return "\n".join([spelled(frame).to_string(index=False), "", *notes])


def html_table(frame: pd.DataFrame, notes: Sequence[str]) -> str:
    """The table and below it the notes, a paragraph each."""
    lines = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return spelled(frame).to_html(index=False, border=0) + lines


def spelled(frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell as a text; the numbers of a column share their decimals, and p has four."""
    decimals = FIXED_DECIMALS | dict.fromkeys(IN_DATA_UNITS, _decimals(frame))
    return pd.DataFrame({str(name): _column(str(name), frame[name], decimals) for name in frame})


def _decimals(frame: pd.DataFrame) -> int:
    """As many as the smallest standard error needs; the largest estimate where there is none."""
    errors = [se for se in frame["se"] if se > 0 and math.isfinite(se)]
    sizes = [abs(value) for value in frame["estimate"] if value and math.isfinite(value)]
    if not (errors or sizes):
        return DIGITS
    return max(0, DIGITS - 1 - math.floor(math.log10(min(errors) if errors else max(sizes))))


def _column(name: str, values: "pd.Series[float]", decimals: dict[str, int]) -> list[str]:
    if name == "p":
        return [_p(value) for value in values]
    if name not in decimals:
        return [spelled_level(value) for value in values]
    form = _form(values, decimals[name])
    missing = "not estimable" if name == "estimate" else ""
    return [missing if math.isnan(value) else form.format(value) for value in values]


def _form(values: "pd.Series[float]", decimals: int) -> str:
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    whole = math.floor(math.log10(largest)) + 1 if largest >= 1 else 0
    return "{:.4g}" if whole + decimals > WIDEST else f"{{:.{decimals}f}}"


def _p(value: float) -> str:
    if math.isnan(value):
        return ""
    return "<.0001" if value < 0.0001 else f"{value:.4f}"
