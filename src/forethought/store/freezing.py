"""Hashes of tables: what the data were at one moment, so that any later change shows."""

# ruff: noqa: S608 -- names of tables and columns are this package's own, never input

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from forethought.store import catalog

TOLD_AT_UNBLINDING = ("probability", "block", "position")
"""Columns of `allocations` that are filled in when a wave is unblinded, which is no change of the data."""

FIRST_RELEASE: Mapping[str, tuple[str, ...]] = {
    "allocations": (
        "participant_id",
        "wave",
        "arm",
        "probability",
        "stratum",
        "block",
        "position",
        "arrival",
        "algorithm",
        "allocated_at",
    )
}
"""The columns over which the first release hashed a table that has more of them now."""

_CHUNK = 20_000

# Types whose Python values JSON does not know, as text that does not depend on a program's version.
_AS_TEXT = {
    "TIMESTAMP": "strftime(\"{0}\", '%Y-%m-%dT%H:%M:%S.%fZ')",
    "BLOB": 'lower(hex("{0}"))',
}

_PEOPLE = "participant_id IN (SELECT participant_id FROM participants WHERE wave = {wave})"
_CONVERSATIONS = f"conversation_id IN (SELECT conversation_id FROM conversations WHERE {_PEOPLE})"
_RAW_ROWS = f"raw_row_id IN (SELECT raw_row_id FROM payloads WHERE {_PEOPLE})"
_THROUGH = {
    "messages": _CONVERSATIONS,
    "ratings": _CONVERSATIONS,
    "raw_rows": _RAW_ROWS,
    "quarantine": _RAW_ROWS,
}


def hashed_columns(con: DuckDBPyConnection) -> Mapping[str, tuple[str, ...]]:
    """The columns over which this release hashes a table, of those of which it leaves some out."""
    own = catalog.columns(con, "allocations")
    return {"allocations": tuple(name for name in own if name not in TOLD_AT_UNBLINDING)}


def table_hashes(
    con: DuckDBPyConnection,
    tables: Sequence[str] = (),
    *,
    wave: int | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
) -> Mapping[str, str]:
    """Table to the SHA-256 of its rows, of these tables (of every table, if none is named), by name.

    What is hashed is the compact JSON text (UTF-8) of `{"columns": [...], "rows": [[...], ...]}`, rows in the
    order of the primary key; times as `2026-01-31T09:00:00.000000Z`, bytes in hex, numbers in their
    shortest form. The same rows give the same hash, in whatever order they were written. `columns` has the columns of
    the tables of which not all are hashed.

    With a wave, only rows of its people count: of tables that name a participant, of messages and ratings through
    their conversation, of raw rows and quarantine through the payload. Tables that speak of nobody are left out.
    """
    only = columns or {}
    wanted = tables or (catalog.tables(con) if wave is None else tables_of_people(con))
    return {table: table_hash(con, table, only.get(table, ()), wave=wave) for table in wanted}


def table_hash(
    con: DuckDBPyConnection, table: str, columns: Sequence[str] = (), *, wave: int | None = None
) -> str:
    """The hash of one table, or of some columns of it, or of one wave's rows, as `table_hashes` makes it."""
    types = catalog.columns(con, table)
    names = tuple(columns) or tuple(types)
    selected = ", ".join(_AS_TEXT.get(types[name], '"{0}"').format(name) for name in names)
    digest = hashlib.sha256(f'{{"columns":{_json(names)},"rows":['.encode())
    order = catalog.quoted(catalog.primary_key(con, table))
    whose = "" if wave is None else f"WHERE {_THROUGH.get(table, _PEOPLE).format(wave=int(wave))} "
    for part in _rows_as_json(con, f'SELECT {selected} FROM "{table}" {whose}ORDER BY {order}'):
        digest.update(part)
    digest.update(b"]}")
    return digest.hexdigest()


def tables_of_people(con: DuckDBPyConnection) -> tuple[str, ...]:
    """The tables whose rows belong to somebody, by name."""
    return tuple(
        table
        for table in catalog.tables(con)
        if table in _THROUGH or "participant_id" in catalog.columns(con, table)
    )


def close_waves(con: DuckDBPyConnection, now: datetime, wave: int | None = None) -> int:
    """End the enrolment of every wave that is open, or of this one, and return how many these were."""
    which = "" if wave is None else f"AND wave = {int(wave)}"
    closed = con.execute(
        f"UPDATE waves SET closed_at = ? WHERE closed_at IS NULL {which}",
        [now.astimezone(UTC).replace(tzinfo=None)],
    )
    return int(closed.fetchall()[0][0])


def _rows_as_json(con: DuckDBPyConnection, query: str) -> Iterator[bytes]:
    """The rows as the inside of one JSON array, in pieces whose cuts leave no trace."""
    result = con.execute(query)
    separator = ""
    while rows := result.fetchmany(_CHUNK):
        yield (separator + _json(rows)[1:-1]).encode()
        separator = ","


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
