"""Who counts towards balance when somebody is allocated, by the registered rule on dropouts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from forethought.protocol.allocation import Design
from forethought.store import standings
from forethought.store.connection import Connection

RETURNED = frozenset({"RETURNED", "TIMED-OUT", "REJECTED", "SCREENED OUT"})
"""What a recruitment service says of people who are not in the study any longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many places count no longer, and how many count again, since the last allocation.

    `changes` names them: participant, and whether the place counts now.
    """

    stopped: int = 0
    again: int = 0
    changes: tuple[tuple[str, bool], ...] = ()


def recount(
    con: Connection, wave: int, design: Design, *, by_sessions: bool, from_arrival: int, now: datetime
) -> Counted:
    """Judge every place of the wave by the rule at `now` (naive, in UTC), and record each change of its standing.

    It holds from the arrival with this number on, which is the next one. A place counts no longer where the rule
    does not have it, or where a correction says so: randomised in error or twice, or a test run. `by_sessions` says that the
    study has sessions: whoever held all of them has completed; otherwise, whoever answered a survey.
    """
    changed = standings.changes(con, wave, _rule(design, now, by_sessions=by_sessions))
    standings.record(con, wave, changed, from_arrival, now)
    again = sum(counts for _, counts, _ in changed)
    told = tuple((person, counts) for person, counts, _ in changed)
    return Counted(stopped=len(changed) - again, again=again, changes=told)


def _rule(design: Design, now: datetime, *, by_sessions: bool) -> standings.Rule:
    dropouts = design.dropouts
    in_progress = dropouts.count == "completed_or_in_progress"
    minutes = dropouts.in_progress_minutes
    return standings.Rule(
        completed_only=dropouts.count == "completed" or (in_progress and minutes is None),
        stale_before=now - timedelta(minutes=minutes) if in_progress and minutes is not None else None,
        returned=RETURNED,
        by_sessions=by_sessions,
    )
