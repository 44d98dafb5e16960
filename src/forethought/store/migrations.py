"""Making a study's database."""

from collections.abc import Sequence
from datetime import UTC, datetime

from forethought.protocol.folder import StudyFolder
from forethought.protocol.study import Wave
from forethought.store import meta, schema
from forethought.store.connection import DEFAULT_WAIT, creating
from forethought.store.waves import put


def create(
    folder: StudyFolder, study_id: str, waves: Sequence[Wave], now: datetime, wait: float = DEFAULT_WAIT
) -> bool:
    """Make `study.duckdb` with all its tables and the protocol's waves; False where it was made before.

    Whole or not at all: a crash in the middle leaves an empty file, which the next call fills.
    """
    with creating(folder, wait) as con:
        if schema.version(con):
            return False
        schema.create_tables(con)
        meta.put(con, "study_id", study_id)
        meta.put(con, "created_at", now.astimezone(UTC).isoformat())
        meta.put(con, "simulated", "false")
        put(con, waves)
    return True
