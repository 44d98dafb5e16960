"""The waves of the plan, as the database holds them."""

from collections.abc import Sequence
from datetime import UTC

from duckdb import DuckDBPyConnection

from forethought.protocol.study import Wave


def put(con: DuckDBPyConnection, waves: Sequence[Wave]) -> None:
    """Add the waves that are not there, and bring the others to what the plan says; who is closed stays closed."""
    con.executemany(
        "INSERT INTO waves (wave, opens_at, target) VALUES (?, ?, ?) "
        "ON CONFLICT (wave) DO UPDATE SET opens_at = excluded.opens_at, target = excluded.target",
        [[wave.number, wave.opens.astimezone(UTC).replace(tzinfo=None), wave.target] for wave in waves],
    )
