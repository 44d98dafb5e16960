"""Where, when and by whom a step is taken: made once at the edge, and handed to the step."""

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from forethought.protocol.folder import StudyFolder
from forethought.store import meta
from forethought.store.connection import DEFAULT_WAIT, reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A study folder, its present time (aware, in UTC), and the actor whom the ledger names."""

    folder: StudyFolder
    now: datetime
    actor: str


def setting(study: Path, *, wait: float = DEFAULT_WAIT) -> Setting:
    """The setting of the next step; WrongUsage where the folder is no study."""
    folder = StudyFolder.open(study)
    return Setting(folder=folder, now=study_time(folder, wait=wait), actor=actor())


def study_time(folder: StudyFolder, *, wait: float = DEFAULT_WAIT) -> datetime:
    """The clock of a simulated study; the world's for any other."""
    if folder.database.is_file():
        with reading(folder, wait) as con:
            clock = meta.clock(con)
        if clock is not None:
            return clock
    return wall_clock()


def wall_clock() -> datetime:
    """The present time, in UTC."""
    return datetime.now(UTC)


def actor() -> str:
    """The user's name."""
    return getpass.getuser()
