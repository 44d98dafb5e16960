"""Mean and SD of each outcome by arm and session."""

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from forethought.analysis.findings import finite
from forethought.protocol.protocol import Protocol

CellMean = Mapping[str, str | int | float | None]
"""arm, session, n, mean (None of no value) and sd (None of fewer than two), in the outcome's own units."""


def cell_means(
    protocol: Protocol, records: pd.DataFrame, outcomes: Iterable[str]
) -> Mapping[str, tuple[CellMean, ...]]:
    """Each outcome's cells, in the protocol's order of arms and sessions; none where the study has no arms."""
    if "arm" not in records:
        return dict.fromkeys(outcomes, ())
    cells = [
        (arm.id, session.id, records[(records["arm"] == arm.id) & (records["session"] == session.id)])
        for arm in protocol.arms
        for session in protocol.sessions
    ]
    return {outcome: tuple(_of(outcome, cells)) if outcome in records else () for outcome in outcomes}


def _of(outcome: str, cells: Iterable[tuple[str, str, pd.DataFrame]]) -> Iterator[CellMean]:
    for arm, session, here in cells:
        values = here[outcome].dropna()
        yield {
            "arm": arm,
            "session": session,
            "n": len(values),
            "mean": finite(float(values.mean())) if len(values) else None,
            "sd": finite(float(values.std())) if len(values) > 1 else None,
        }
