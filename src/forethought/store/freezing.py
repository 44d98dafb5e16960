"""Hashes of tables: what the data were at one moment, so that any later change shows."""

# ruff: noqa: S608 -- names of tables and columns are this package's own, never input

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from forethought.store import catalog

_CHUNK = 20_000

# Types whose Python values JSON does not know, as text that does not depend on a program's version.
_AS_TEXT = {
    "TIMESTAMP": "strftime(\"{0}\", '%Y-%m-%dT%H:%M:%S.%fZ')",
    "BLOB": 'lower(hex("{0}"))',
}


def table_hashes(con: DuckDBPyConnection, tables: Sequence[str] = ()) -> Mapping[str, str]:
    """Table to the SHA-256 of its rows, of these tables (of every table, if none is named), by name.

    What is hashed is the compact JSON text (UTF-8) of `{"columns": [...], "rows": [[...], ...]}`, rows in the
    order of the primary key; times as `2026-01-31T09:00:00.000000Z`, bytes in hex, numbers in their
    shortest form. The same rows give the same hash, in whatever order they were written.
    """
    return {table: table_hash(con, table) for table in tables or catalog.tables(con)}


def table_hash(con: DuckDBPyConnection, table: str, columns: Sequence[str] = ()) -> str:
    """The hash of one table, or of some columns of it, as `table_hashes` makes it."""
    types = catalog.columns(con, table)
    names = tuple(columns) or tuple(types)
    selected = ", ".join(_AS_TEXT.get(types[name], '"{0}"').format(name) for name in names)
    digest = hashlib.sha256(f'{{"columns":{_json(names)},"rows":['.encode())
    order = catalog.quoted(catalog.primary_key(con, table))
    for part in _rows_as_json(con, f'SELECT {selected} FROM "{table}" ORDER BY {order}'):
        digest.update(part)
    digest.update(b"]}")
    return digest.hexdigest()


def close_waves(con: DuckDBPyConnection, now: datetime) -> int:
    """End the enrolment of every wave that is open, and return how many these were."""
    closed = con.execute(
        "UPDATE waves SET closed_at = ? WHERE closed_at IS NULL", [now.astimezone(UTC).replace(tzinfo=None)]
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
