"""Plan against deed: every difference that the machine can find, classed by when it was declared; and what is missing."""

from forethought.deviations.classing import after_data, find
from forethought.deviations.confirmatory import ChangedAfterData, changed_after_data
from forethought.deviations.records import (
    Analysed,
    ChangedInWave,
    Deed,
    Deviation,
    DeviationClass,
    Examined,
    Excluded,
    Fitted,
    Plan,
    Prepared,
    Pruned,
    Scored,
    SessionDone,
    WaveDone,
    planned,
)
from forethought.deviations.undone import NotDone, not_done

__all__ = [
    "Analysed",
    "ChangedAfterData",
    "ChangedInWave",
    "Deed",
    "Deviation",
    "DeviationClass",
    "Examined",
    "Excluded",
    "Fitted",
    "NotDone",
    "Plan",
    "Prepared",
    "Pruned",
    "Scored",
    "SessionDone",
    "WaveDone",
    "after_data",
    "changed_after_data",
    "find",
    "not_done",
    "planned",
]
