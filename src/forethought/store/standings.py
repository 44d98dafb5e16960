"""Whose place counts towards balance, by a rule and by what was recorded; each change is a row of `counting`."""

# ruff: noqa: S608 -- constant text; the values of a query are parameters

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from duckdb import DuckDBPyConnection

from forethought.store import attendance, rows
from forethought.store.corrections import NOT_COUNTED, RANDOMISED_IN_ERROR, RANDOMISED_TWICE

CORRECTIONS_THAT_STOP = (RANDOMISED_IN_ERROR, RANDOMISED_TWICE, NOT_COUNTED)
"""Of these nobody's place counts, whatever the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who counts. Without `completed_only` and `stale_before` everyone does who was not corrected away.

    `completed_only`: who has completed; `stale_before`: that, or allocated then or later. Those whose service status is
    among `returned` never count then. `by_sessions`: completed is whoever held every planned session; otherwise
    whoever answered a survey. Times are naive, in UTC.
    """

    completed_only: bool
    stale_before: datetime | None
    returned: Collection[str]
    by_sessions: bool


_LATEST = """
LEFT JOIN (SELECT participant_id, arg_max(counts, from_arrival) AS counts FROM counting WHERE wave = $wave
           GROUP BY participant_id) s ON s.participant_id = a.participant_id
LEFT JOIN (SELECT participant_id, first(kind ORDER BY correction_id) AS kind FROM corrections
           WHERE list_contains($kinds, kind) GROUP BY participant_id) c ON c.participant_id = a.participant_id
"""
Change = tuple[str, bool, str]
"""Participant, whether the place counts, and why."""


def changes(con: DuckDBPyConnection, wave: int, rule: Rule) -> list[Change]:
    """Of whom the wave's record says another thing than the rule does now, by participant."""
    everyone = not rule.completed_only and rule.stale_before is None
    if everyone and not _anybody_out(con, wave):
        return []
    named = {"wave": wave, "kinds": list(CORRECTIONS_THAT_STOP)}
    if everyone:
        judged = f"SELECT a.participant_id, s.counts AS was, c.kind AS stops, NULL AS goes_on FROM allocations a {_LATEST}"
    else:
        named |= {
            "returned": list(rule.returned),
            "only": rule.completed_only,
            "stale": rule.stale_before or datetime.max,  # noqa: DTZ901 -- the tables hold naive UTC
        }
        judged = (
            "SELECT a.participant_id, s.counts AS was, CASE WHEN c.kind IS NOT NULL THEN c.kind "
            "WHEN list_contains($returned, upper(p.service_status)) THEN 'returned' "
            "WHEN d.participant_id IS NOT NULL THEN NULL WHEN $only THEN 'not completed' "
            "WHEN a.allocated_at < $stale THEN 'stale start' END AS stops, "
            "CASE WHEN d.participant_id IS NOT NULL THEN 'completed' END AS goes_on "
            f"FROM allocations a JOIN participants p ON p.participant_id = a.participant_id {_LATEST} "
            f"LEFT JOIN ({attendance.completed_query(sessions=rule.by_sessions)}) d ON d.participant_id = a.participant_id"
        )
    return con.execute(
        "SELECT participant_id, stops IS NULL AS counts, coalesce(stops, goes_on, 'counts by the rule') AS reason "
        f"FROM ({judged} WHERE a.wave = $wave) WHERE (stops IS NULL) <> coalesce(was, true) ORDER BY participant_id",
        named,
    ).fetchall()


def _anybody_out(con: DuckDBPyConnection, wave: int) -> bool:
    """Whether anything may have taken somebody's place out of the counts of a rule by which all count."""
    found = con.execute(
        "SELECT (SELECT count(*) FROM counting WHERE wave = ?) + (SELECT count(*) FROM corrections)", [wave]
    ).fetchall()
    return bool(found[0][0])


def record(
    con: DuckDBPyConnection, wave: int, changed: Sequence[Change], from_arrival: int, now: datetime
) -> None:
    """Write the changes, which hold from this arrival of the wave on; `now` is naive, in UTC."""
    if changed:
        told = pd.DataFrame(changed, columns=["participant_id", "counts", "reason"])
        told = told.assign(wave=wave, from_arrival=from_arrival, decided_at=pd.Timestamp(now))
        rows.append(con, "counting", told)


def take_back(con: DuckDBPyConnection, wave: int, from_arrival: int) -> None:
    """Forget, in the transaction that wrote them, the changes that nobody's allocation followed."""
    con.execute("DELETE FROM counting WHERE wave = ? AND from_arrival = ?", [wave, from_arrival])
