"""What time it is for a study: the world's time, or a simulated study's own clock."""

from datetime import UTC, datetime

from forethought.protocol.folder import StudyFolder
from forethought.store import meta
from forethought.store.connection import DEFAULT_WAIT, reading


def study_time(folder: StudyFolder, wall: datetime | None = None, *, wait: float = DEFAULT_WAIT) -> datetime:
    """The study's clock where it has one, else `wall`, else the present; aware, in UTC."""
    if folder.database.is_file():
        with reading(folder, wait) as con:
            clock = meta.clock(con)
        if clock is not None:
            return clock
    return wall or datetime.now(UTC)
