"""When the things happened that decide what a result may be called."""

from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from forethought.store import events

STUDY = "study"


def first_outcome_at(con: DuckDBPyConnection) -> datetime | None:
    """When the first row of anything but recruits came in, kept or quarantined: from then on data were seen."""
    found = con.execute("SELECT min(imported_at) FROM raw_rows WHERE kind <> 'recruits'").fetchall()
    first = found[0][0]
    return None if first is None else first.replace(tzinfo=UTC)


def unblinded(con: DuckDBPyConnection) -> bool:
    """Whether true arms may meet outcomes: after an `unblind` of the study, or of every one of its waves.

    The scope of an `unblind` event is `study`, `wave N` or `participant ID`; the last opens nothing here.
    """
    scopes = {str(event.detail["scope"]) for event in events.actions(con, "unblind")}
    waves = {f"wave {wave}" for (wave,) in con.execute("SELECT wave FROM waves").fetchall()}
    return STUDY in scopes or (bool(waves) and waves <= scopes)
