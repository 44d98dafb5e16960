"""What was done, counted for the comparison with the plan; no column of arms is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveCount:
    """How far a wave came: `allocated` people, those of them with every session, those with one still to come.

    `observed` counts the people with data of a study that allocates nobody.
    """

    wave: int
    closed: bool
    completed: int
    in_progress: int
    observed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionCount:
    """How many people failed one criterion in one place of the order, and when the last of them was excluded."""

    criterion: str
    position: int
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCount:
    """How many scores of an outcome came from one version of one scorer."""

    outcome: str
    scorer: str
    version: str
    count: int


def waves(con: DuckDBPyConnection) -> tuple[WaveCount, ...]:
    """Every wave, in order. A session counts as held inside its window or not."""
    observed = _observed(con)
    found = con.execute(
        "WITH people AS (SELECT a.participant_id, any_value(a.wave) AS wave, "
        "coalesce(bool_and(s.status IN ('done', 'out_of_window')), false) AS completed, "
        "coalesce(bool_or(s.status = 'planned'), true) AS open "
        "FROM allocations a LEFT JOIN sessions s USING (participant_id) GROUP BY a.participant_id) "
        "SELECT w.wave, w.closed_at IS NOT NULL, count(*) FILTER (completed), count(*) FILTER (open) "
        "FROM waves w LEFT JOIN people p ON p.wave = w.wave GROUP BY ALL ORDER BY w.wave"
    ).fetchall()
    return tuple(
        WaveCount(
            wave=wave,
            closed=closed,
            completed=completed,
            in_progress=in_progress,
            observed=observed.get(wave, 0),
        )
        for wave, closed, completed, in_progress in found
    )


def exclusions(con: DuckDBPyConnection) -> tuple[ExclusionCount, ...]:
    """Every criterion of eligibility, and every quota, that somebody failed first; by the order in which they stand."""
    found = con.execute(
        "SELECT criterion, position, count(*), max(excluded_at) FROM exclusions WHERE stage = 'eligibility' "
        "GROUP BY criterion, position ORDER BY position, criterion"
    ).fetchall()
    return tuple(
        ExclusionCount(criterion=criterion, position=position, count=count, last_at=last.replace(tzinfo=UTC))
        for criterion, position, count, last in found
    )


def scores(con: DuckDBPyConnection) -> tuple[ScoreCount, ...]:
    """Every scorer of every outcome in each version."""
    found = con.execute(
        "SELECT outcome, scorer, version, count(*) FROM scores GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return tuple(
        ScoreCount(outcome=outcome, scorer=scorer, version=version, count=count)
        for outcome, scorer, version, count in found
    )


def _observed(con: DuckDBPyConnection) -> Mapping[int, int]:
    return dict(
        con.execute(
            "SELECT p.wave, count(DISTINCT r.participant_id) FROM responses r JOIN participants p "
            "USING (participant_id) WHERE r.session IS DISTINCT FROM 'recruitment' GROUP BY p.wave"
        ).fetchall()
    )
