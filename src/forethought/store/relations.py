"""What foreign keys would enforce: rows that speak of something that is not there."""

# ruff: noqa: S608 -- names of tables and columns are this package's own, never input

from duckdb import DuckDBPyConnection

_REFERENCES = (
    ("exclusions", "participant_id", "participants"),
    ("allocations", "participant_id", "participants"),
    ("sessions", "participant_id", "participants"),
    ("responses", "participant_id", "participants"),
    ("conversations", "participant_id", "participants"),
    ("scores", "participant_id", "participants"),
    ("messages", "conversation_id", "conversations"),
    ("ratings", "conversation_id", "conversations"),
    ("participants", "wave", "waves"),
    ("allocations", "wave", "waves"),
    ("responses", "raw_row_id", "raw_rows"),
    ("payloads", "raw_row_id", "raw_rows"),
    ("quarantine", "raw_row_id", "raw_rows"),
)


def broken(con: DuckDBPyConnection) -> tuple[str, ...]:
    """Each relation that does not hold, as a sentence with the number of rows; empty where all is well."""
    counts = {
        (table, column, parent): con.execute(
            f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL "
            f"AND {column} NOT IN (SELECT {column} FROM {parent})"
        ).fetchall()[0][0]
        for table, column, parent in _REFERENCES
    }
    return tuple(
        f"{count} rows of {table} have a {column} that is not in {parent}"
        for (table, column, parent), count in counts.items()
        if count
    )
