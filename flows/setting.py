"""What a task needs to call a step: the folder, the time, and who acts."""

import getpass
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forethought.protocol.folder import StudyFolder
from forethought.steps.clock import study_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A study folder, its present time, and the actor whom the ledger names."""

    folder: StudyFolder
    now: datetime
    actor: str


def setting(study: str) -> Setting:
    """The setting of a task, read anew by each: a worker may run it in another process."""
    folder = StudyFolder.open(Path(study))
    return Setting(folder=folder, now=study_time(folder), actor=getpass.getuser())
