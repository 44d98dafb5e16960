"""Cells judged by a Pandera schema built for the export: which rows stand, and why the others do not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pandera.pandas as pa

from forethought.protocol.imports import Variable
from forethought.schemas.exports.reading import Export

_TIME = r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_LARGEST_INTEGER = 2**31 - 1
_ZONED = r"(?:Z|[+-]\d{2}:?\d{2})$"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parsed:
    """What an export says, row by row; all frames are indexed by row number, or hold it.

    `rows` has the columns of the kind (participant, status, ...), `answers` the text of each variable or
    outcome (missing: NaN) for the same rows, `refused` row_number, column, value (None where it may name
    somebody) and reason. A row is in `rows` or in `refused`, never in both.
    """

    rows: pd.DataFrame
    answers: pd.DataFrame
    refused: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """One column under judgement: its name in the file, its cells, and the checks they must pass."""

    column: str
    cells: pd.Series
    checks: tuple[pa.Check, ...] = field(default=())
    shown: bool = True


def judge(columns: dict[str, Judged]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows in which every cell passes, and what is refused of the others."""
    frame = pd.DataFrame({label: judged.cells for label, judged in columns.items()})
    schema = pa.DataFrameSchema(
        {label: pa.Column(checks=list(judged.checks), nullable=True) for label, judged in columns.items()}
    )
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        refused = _refused(errors.failure_cases, frame, columns)
        return frame.loc[~frame.index.isin(refused["row_number"])], refused
    return frame, refusals([])


def refusals(rows: Iterable[int], *, column: str = "", reason: str = "") -> pd.DataFrame:
    """These rows, refused for one reason; the value is not shown."""
    numbers = np.asarray(list(rows), dtype=np.int64)
    return pd.DataFrame(
        {
            "row_number": numbers,
            "column": pd.Series([column] * len(numbers), dtype="str"),
            "value": pd.Series([None] * len(numbers), dtype="str"),
            "reason": pd.Series([reason] * len(numbers), dtype="str"),
        }
    )


def together(refused: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All refusals by row; of several for one cell, the first."""
    every = pd.concat([refusals([]), *refused], ignore_index=True)
    first = every.drop_duplicates(["row_number", "column"])
    return first.sort_values("row_number", kind="stable", ignore_index=True)


def _refused(failures: pd.DataFrame, frame: pd.DataFrame, columns: dict[str, Judged]) -> pd.DataFrame:
    labels = failures["column"].to_numpy()
    rows = failures["index"].to_numpy().astype(np.int64)
    column, row = frame.columns.get_indexer(pd.Index(labels)), frame.index.get_indexer(pd.Index(rows))
    values = pd.Series(frame.to_numpy(dtype=object)[row, column], dtype="str")
    shown = pd.Series([columns[label].shown for label in labels], dtype=bool)
    refused = pd.DataFrame(
        {
            "row_number": rows,
            "column": pd.Series([columns[label].column for label in labels], dtype="str"),
            "value": values.where(shown),
            "reason": failures["check"].astype("str").to_numpy(),
        }
    )
    return together([refused])


def without(cells: pd.Series, missing: Iterable[str]) -> pd.Series:
    """The cells without the spaces around them; those that mean `missing` become NaN."""
    trimmed = cells.str.strip()
    return trimmed.mask(trimmed.isin(list(missing)))


def variables(export: Export, wanted: Sequence[Variable], missing: Sequence[str]) -> dict[str, Judged]:
    """Each variable's column with the checks that the protocol states for it, by the variable's name."""
    return {variable.name: _variable(export, variable, missing) for variable in wanted}


def _variable(export: Export, variable: Variable, missing: Sequence[str]) -> Judged:
    raw = export.column(variable.column)
    known = without(raw, missing)
    checks: tuple[pa.Check, ...] = ()
    match variable.type:
        case "text":
            known = raw.where(known.notna())
        case "category" if variable.levels:
            checks = (one_of([*variable.levels, *variable.codes]),)
        case "number":
            checks = (number(variable),)
        case _:
            pass
    return Judged(column=export.named(variable.column), cells=known, checks=checks)


def present(reason: str) -> pa.Check:
    """The cell holds something."""
    return pa.Check(lambda cells: cells.notna(), error=reason, ignore_na=False)


def one_of(words: Iterable[str]) -> pa.Check:
    """The cell is one of these words."""
    allowed = list(words)
    return pa.Check(lambda cells: cells.isin(allowed), error=f"not one of: {', '.join(allowed)}")


def number(variable: Variable) -> pa.Check:
    """The cell is a finite number, or a response word that stands for one, in the variable's range."""
    low = -np.inf if variable.minimum is None else variable.minimum
    high = np.inf if variable.maximum is None else variable.maximum
    words = f" or one of: {', '.join(variable.codes)}" if variable.codes else ""

    def holds(cells: pd.Series) -> pd.Series:
        values = numbers(cells, variable)
        return values.abs().lt(np.inf) & values.between(low, high)

    return pa.Check(holds, error=f"not a number{_range(variable.minimum, variable.maximum)}{words}")


def numbers(cells: pd.Series, variable: Variable) -> pd.Series:
    """The cells as numbers, response words by the variable's codes; NaN where a cell is neither."""
    values = _numeric(cells)
    return cells.map(variable.codes).astype("float64").fillna(values) if variable.codes else values


def _numeric(cells: pd.Series) -> pd.Series:
    return pd.to_numeric(cells, errors="coerce").astype("float64")


def whole_number(low: int, high: int | None = None) -> pa.Check:
    """The cell is a whole number in the range, such as `3` or `3.0`."""
    top = _LARGEST_INTEGER if high is None else high

    def holds(cells: pd.Series) -> pd.Series:
        values = _numeric(cells)
        return values.mod(1).eq(0) & values.between(low, top)

    return pa.Check(holds, error=f"not a whole number{_range(low, high)}")


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    if low is not None:
        return f" of {low:g} or more"
    return "" if high is None else f" of {high:g} or less"


def time(zone: str) -> pa.Check:
    """The cell is an ISO 8601 time."""
    return pa.Check(lambda cells: instants(cells, zone).notna(), error="not a time like 2026-10-20T09:00:00Z")


def instants(cells: pd.Series, zone: str) -> pd.Series:
    """The cells as naive UTC, to the microsecond; NaT where a cell is no ISO 8601 time.

    A time without an offset is one in `zone`. Of an hour that a clock shows twice the earlier is meant; a
    time that a clock skipped is moved to the first it showed after.
    """
    readable = cells.where(cells.str.fullmatch(_TIME).fillna(value=False).astype(bool))
    zoned = readable.str.contains(_ZONED, regex=True).fillna(value=False).astype(bool)
    instant = pd.to_datetime(readable, format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None)
    if zone != "UTC" and not zoned.all():
        instant = instant.where(zoned, _in_utc(instant, zone))
    return instant.astype("datetime64[us]")


def _in_utc(wall: pd.Series, zone: str) -> pd.Series:
    earlier = np.ones(len(wall), dtype=bool)
    local: pd.Series = wall.dt.tz_localize(zone, ambiguous=earlier, nonexistent="shift_forward")
    utc: pd.Series = local.dt.tz_convert("UTC").dt.tz_localize(None)
    return utc
