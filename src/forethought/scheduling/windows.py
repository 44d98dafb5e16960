"""One session's window: the instants it opens and closes, and whether what was held lies in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from forethought.protocol.design import Window

Status = Literal["planned", "done", "out_of_window", "missed"]

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The instants between which a session counts, both included, and the one aimed at."""

    opens_at: datetime
    target_at: datetime
    closes_at: datetime


def times(window: Window, anchor: datetime) -> Times:
    """The window's instants, counted in minutes from its anchor."""
    return Times(
        opens_at=anchor + window.opens * _MINUTE,
        target_at=anchor + window.target * _MINUTE,
        closes_at=anchor + window.closes * _MINUTE,
    )


def classify(window: Window, anchor: datetime, held_at: datetime | None, *, now: datetime) -> Status:
    """What became of a session: held in its window or out of it, missed, or still to come.

    It is missed when its window closed before `now` and nothing was held; a session that is found to have been held
    after all (its export came late) is classified by when it was held.
    """
    if held_at is not None:
        return "done" if (held_at - anchor) / _MINUTE in window else "out_of_window"
    return "missed" if (now - anchor) / _MINUTE > window.closes else "planned"
