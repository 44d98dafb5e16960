"""Means by arm and session: a figure and the table of its numbers."""

import math
from collections.abc import Sequence

from forethought.protocol.protocol import Protocol
from forethought.reports import formatting
from forethought.reports.content import (
    Block,
    Cell,
    Column,
    Means,
    MeansPanel,
    MeansSeries,
    RowGroup,
    Section,
    Table,
)
from forethought.reports.names import Names
from forethought.reports.results import Results, Values

NORMAL_95 = 1.959964
PLACEBO = " (placebo allocation)"

Cells = dict[tuple[str, str], Values]


def means_section(protocol: Protocol, results: Results, names: Names) -> Section | None:
    """Each outcome's mean in each arm and session; None where the study has no arms or no means yet."""
    by_outcome: dict[str, Cells] = {}
    for entry in results.models:
        if entry.cell_means:
            cells = {(row["arm"], row["session"]): row for row in entry.cell_means}
            by_outcome.setdefault(entry.outcome, cells)
    if not by_outcome:
        return None
    arms = [arm.id for arm in protocol.arms]
    sessions = [session.id for session in protocol.sessions]
    blocks: tuple[Block, ...] = (
        _figure(by_outcome, arms, sessions, results, names),
        _table(by_outcome, arms, sessions, results, names),
    )
    return Section(id="means", title="Means by arm and session", blocks=blocks)


def _figure(
    by_outcome: dict[str, Cells], arms: Sequence[str], sessions: Sequence[str], results: Results, names: Names
) -> Means:
    placebo = " The arms are a placebo allocation." if results.blinded else ""
    order = "; ".join(f"{number}, {names.session(one)}" for number, one in enumerate(sessions, start=1))
    return Means(
        id="means-by-arm",
        caption=f"Mean of each outcome by arm and session ({order}), with 95% intervals from each cell's SD "
        f"and n.{placebo}",
        alternative=f"Line charts of {formatting.counted(len(by_outcome), 'outcome')}: "
        f"{formatting.counted(len(arms), 'arm')} over {formatting.counted(len(sessions), 'session')}. "
        f"The table below the figure has its numbers.{placebo}",
        sessions=tuple(names.session(session) for session in sessions),
        panels=tuple(
            MeansPanel(
                title=names.outcome(outcome),
                series=tuple(_series(cells, arm, sessions, results, names) for arm in arms),
            )
            for outcome, cells in by_outcome.items()
        ),
    )


def _series(cells: Cells, arm: str, sessions: Sequence[str], results: Results, names: Names) -> MeansSeries:
    found = [cells.get((arm, session)) for session in sessions]
    return MeansSeries(
        label=_arm(arm, results, names),
        means=tuple(cell["mean"] if cell else None for cell in found),
        margins=tuple(_margin(cell) for cell in found),
    )


def _margin(cell: Values | None) -> float | None:
    if cell is None or cell["sd"] is None:
        return None
    return float(NORMAL_95 * cell["sd"] / math.sqrt(cell["n"]))


def _arm(arm: str, results: Results, names: Names) -> str:
    return f"Placebo: {names.arm(arm)}" if results.blinded else names.arm(arm)


def _table(
    by_outcome: dict[str, Cells], arms: Sequence[str], sessions: Sequence[str], results: Results, names: Names
) -> Table:
    shown = "mean (SD)" if results.blinded else "mean (SD), n of records"
    return Table(
        caption=f"Outcomes by arm and session: {shown}{PLACEBO if results.blinded else ''}",
        columns=(
            Column(label="Session"),
            *(Column(label=_arm(arm, results, names), numeric=True) for arm in arms),
        ),
        groups=tuple(
            RowGroup(
                label=names.outcome(outcome),
                rows=tuple(
                    (
                        Cell(text=names.session(session)),
                        *(Cell(text=_in_words(cells.get((arm, session)), results)) for arm in arms),
                    )
                    for session in sessions
                ),
            )
            for outcome, cells in by_outcome.items()
        ),
    )


def _in_words(cell: Values | None, results: Results) -> str:
    if cell is None or cell["mean"] is None:
        return formatting.ABSENT
    spread = f"{formatting.number(cell['mean'], 2)} ({formatting.number(cell['sd'], 2)})"
    return spread if results.blinded else f"{spread}, {formatting.count(cell['n'])}"
