"""Tables for reading: columns of numbers with their notes, as plain text and as HTML."""

from collections.abc import Sequence
from html import escape

import pandas as pd

DIGITS = 4


def plain_table(frame: pd.DataFrame, notes: Sequence[str]) -> str:
    return "\n".join([spelled(frame).to_string(index=False), "", *notes])


def html_table(frame: pd.DataFrame, notes: Sequence[str]) -> str:
    lines = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return spelled(frame).to_html(index=False, border=0) + lines


def spelled(frame: pd.DataFrame) -> pd.DataFrame:
    """Every cell as a text; p to four decimals, df to one, other numbers to four significant digits."""
    return pd.DataFrame({str(name): [_cell(str(name), value) for value in frame[name]] for name in frame})


def _cell(name: str, value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if value != value:
        return "not estimable" if name == "estimate" else ""
    if name == "p":
        return "<.0001" if value < 0.0001 else f"{value:.4f}"
    if name in ("df", "den_df"):
        return f"{value:.1f}"
    return f"{value:.{DIGITS}g}"
