"""What the database says of itself: its study, whether it is simulated, and the study's clock."""

from datetime import UTC, datetime

from duckdb import DuckDBPyConnection


def put(con: DuckDBPyConnection, key: str, value: str) -> None:
    """Set one entry, replacing what it was."""
    con.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value])


def get(con: DuckDBPyConnection, key: str) -> str | None:
    """One entry, or None."""
    found = con.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchall()
    return str(found[0][0]) if found else None


def study_id(con: DuckDBPyConnection) -> str:
    """The id that the study had when its database was made."""
    return get(con, "study_id") or ""


def is_simulated(con: DuckDBPyConnection) -> bool:
    """Whether the study's participants are played by `simulate`."""
    return get(con, "simulated") == "true"


def mark_simulated(con: DuckDBPyConnection) -> None:
    """Mark the study as simulated, for ever; the caller has seen that it holds no real row."""
    put(con, "simulated", "true")


def clock(con: DuckDBPyConnection) -> datetime | None:
    """The study's clock, aware and in UTC; None in a real study, which lives by the world's."""
    found = get(con, "clock")
    return datetime.fromisoformat(found).astimezone(UTC) if found else None


def set_clock(con: DuckDBPyConnection, now: datetime) -> None:
    """Move the study's clock; it never goes back (ValueError)."""
    current = clock(con)
    if current is not None and now < current:
        raise ValueError(f"the study's clock stands at {current.isoformat()} and cannot go back")
    put(con, "clock", now.astimezone(UTC).isoformat())
