"""What keys would enforce: rows that speak of something that is not there, and numbers with a gap."""

# ruff: noqa: S608 -- names of tables and columns are this package's own, never input

from duckdb import DuckDBPyConnection

_REFERENCES = (
    ("exclusions", "participant_id", "participants"),
    ("allocations", "participant_id", "participants"),
    ("counting", "participant_id", "allocations"),
    ("counting", "wave", "waves"),
    ("sealed_list", "wave", "waves"),
    ("corrections", "participant_id", "participants"),
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
    found = [
        f"{count} rows of {table} have a {column} that is not in {parent}"
        for (table, column, parent), count in counts.items()
        if count
    ]
    return (*found, *_misnumbered(con))


def _misnumbered(con: DuckDBPyConnection) -> list[str]:
    """The waves whose arrivals are not 1, 2, ..., each once."""
    waves = con.execute(
        "SELECT wave FROM allocations GROUP BY wave "
        "HAVING min(arrival) <> 1 OR max(arrival) <> count(*) OR count(DISTINCT arrival) <> count(*) ORDER BY wave"
    ).fetchall()
    return [
        f"the arrivals of wave {wave} in allocations are not numbered from 1 without a gap"
        for (wave,) in waves
    ]
