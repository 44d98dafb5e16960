"""The deviations as they were last found: derived from plan and deed, and so replaced as a whole."""

from duckdb import DuckDBPyConnection
from pandas import DataFrame

from forethought.store import rows


def replace(con: DuckDBPyConnection, found: DataFrame) -> int:
    """Keep these in the place of those there were; returns how many they are.

    One that was found before keeps the time when it was first found, whatever has become of its class.
    """
    before = rows.read(con, "deviations").set_index("deviation_id")["detected_at"]
    first = before.reindex(found["deviation_id"]).set_axis(found.index)
    return rows.replace(con, "deviations", found.assign(detected_at=first.fillna(found["detected_at"])))
