"""Frames into tables and out of them. A frame enters only through its table's Pandera model."""

# ruff: noqa: S608 -- names of tables and columns are this package's own, never input

from functools import cache
from typing import Any

import pandas as pd
from duckdb import DuckDBPyConnection
from pandas import DataFrame

from forethought.errors import DataRefused
from forethought.store import catalog

DERIVED = frozenset({"deviations", "findings", "scores"})
"""Tables that are computed from others, and so may be replaced."""


def append(con: DuckDBPyConnection, table: str, frame: DataFrame) -> int:
    """Add the rows whose primary key is not there yet, and return how many these were.

    Safe to repeat: a row that is there stays as it is. DataRefused where the frame is not what the table
    holds; nothing is written then.
    """
    checked = valid(table, frame)
    key = catalog.quoted(catalog.primary_key(con, table))
    return _insert(con, table, checked, f"ON CONFLICT ({key}) DO NOTHING")


def replace(con: DuckDBPyConnection, table: str, frame: DataFrame, **where: str | float) -> int:
    """Put `frame` in the place of the rows of a derived table whose columns are as in `where` (all rows without it)."""
    if table not in DERIVED:
        raise ValueError(f"{table} is not derived from other tables: its rows are only added to")
    checked = valid(table, frame)
    condition = " AND ".join(f'"{column}" = ?' for column in where) or "true"
    con.execute(f'DELETE FROM "{table}" WHERE {condition}', list(where.values()))
    return _insert(con, table, checked)


def update_sessions(con: DuckDBPyConnection, frame: DataFrame) -> int:
    """Bring planned sessions up to what became of them; returns how many rows were there to change.

    `frame` has every column of `sessions`. The stimulus and the position stay as they were planned.
    """
    checked = valid("sessions", frame)
    con.register("incoming", checked)
    try:
        done = con.execute(
            "UPDATE sessions SET opens_at = incoming.opens_at, target_at = incoming.target_at, "
            "closes_at = incoming.closes_at, status = incoming.status, held_at = incoming.held_at FROM incoming "
            "WHERE sessions.participant_id = incoming.participant_id AND sessions.session = incoming.session"
        )
        return int(done.fetchall()[0][0])
    finally:
        con.unregister("incoming")


def read(con: DuckDBPyConnection, table: str) -> DataFrame:
    """The whole table, ordered by its primary key."""
    order = catalog.quoted(catalog.primary_key(con, table))
    frame = con.execute(f'SELECT * FROM "{table}" ORDER BY {order}').df()
    if table == "payloads":
        return frame.assign(**{column: frame[column].map(bytes) for column in ("nonce", "ciphertext")})
    return frame


def raw_rows_of(con: DuckDBPyConnection, file_sha256: str) -> DataFrame:
    """The rows of the table `raw_rows` that came in one file; none where it was never imported."""
    return con.execute("SELECT * FROM raw_rows WHERE file_sha256 = ? ORDER BY row_number", [file_sha256]).df()


def sealed(con: DuckDBPyConnection, kind: str) -> list[tuple[str, bytes, bytes]]:
    """Participant, nonce and ciphertext of each raw row of this kind that names somebody; the last that came first."""
    return con.execute(
        "SELECT participant_id, nonce, ciphertext FROM payloads JOIN raw_rows USING (raw_row_id) "
        "WHERE kind = ? AND participant_id IS NOT NULL ORDER BY imported_at DESC, row_number DESC",
        [kind],
    ).fetchall()


def count(con: DuckDBPyConnection, table: str) -> int:
    """How many rows the table holds."""
    return int(con.execute(f'SELECT count(*) FROM "{table}"').fetchall()[0][0])


def valid(table: str, frame: DataFrame) -> DataFrame:
    """The frame in the types of its table; DataRefused names table, column and row of what does not fit."""
    import pandera.pandas as pa

    model = _models()[table]
    try:
        checked: DataFrame = model.validate(frame.reset_index(drop=True), lazy=True)
    except pa.errors.SchemaErrors as error:
        raise _refused(table, error.failure_cases) from error
    return checked


@cache
def _models() -> Any:
    from forethought.schemas.tables import TABLES

    return TABLES


def _insert(con: DuckDBPyConnection, table: str, frame: DataFrame, conflict: str = "") -> int:
    if frame.empty:
        return 0
    columns = catalog.quoted(tuple(frame.columns))
    con.register("incoming", frame)
    try:
        done = con.execute(f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM incoming {conflict}')
        return int(done.fetchall()[0][0])
    finally:
        con.unregister("incoming")


def _refused(table: str, failures: DataFrame) -> DataRefused:
    """The first thing that does not fit, as a sentence, with the number of the others."""
    first = failures.iloc[0]
    others = len(failures) - 1
    more = f" (and {others} more like it)" if others else ""
    if first["index"] is None or pd.isna(first["index"]):
        return DataRefused(
            f"table {table}",
            f"its columns are not those of the frame: {first['failure_case']} ({first['check']}){more}",
            "Give each column of the table, and no other",
        )
    return DataRefused(
        f"table {table}, row {int(first['index']) + 1}, column {first['column']}",
        f"`{first['failure_case']}` does not pass {first['check']}{more}",
        "Correct it where it came from",
    )
