"""Plan against deed: every deviation with its class, and what was registered and not done."""

from collections.abc import Sequence

from forethought.reports.content import Block, Cell, Column, Paragraph, RowGroup, Section, Table
from forethought.reports.formatting import ABSENT
from forethought.reports.record import DeviationRow, NotDoneRow, Record
from forethought.reports.results import Results

NO_PLAN = "Without a registration there is no plan to hold the deeds against, but for the protocol's own."
NOT_YET = "The analysis is held against the plan once it has been run on the true arms."
AS_PLANNED = (
    "None found: the lock, seeds, sample size, sessions, exclusions, scoring{analysis}, frozen data and software are "
    "as registered."
)
CLASSES = (
    "Declared before data: an amendment said so before the first outcome was there. Declared after data: an "
    "amendment said so later. Undeclared: found by the machine alone. A model that gave way by the registered "
    "pruning rule was declared with the plan."
)
NOTHING_PROMISED = "Nothing was registered."
TOO_EARLY = "What was not done can be said once the analysis has been run on the true arms."
ALL_DONE = "Everything that was registered was done."


def deviations_section(record: Record, results: Results) -> Section:
    """Every difference between plan and deed that was found or declared."""
    blocks: list[Block] = []
    analysed = _analysed(results)
    if record.registration is None:
        blocks.append(Paragraph(text=f"None found. {NO_PLAN}"))
    elif record.deviations:
        blocks.append(_table(record.deviations))
    else:
        analysis = ", models, tests, alpha" if analysed else ""
        blocks.append(Paragraph(text=AS_PLANNED.format(analysis=analysis)))
    if record.registration is not None and not analysed:
        blocks.append(Paragraph(text=NOT_YET))
    return Section(id="deviations", title="Deviations", blocks=tuple(blocks))


def _analysed(results: Results) -> bool:
    """Whether there is an analysis on the true arms: that of a blinded study says nothing of what was done."""
    return bool(results.models) and not results.blinded


def _table(rows: Sequence[DeviationRow]) -> Table:
    labels = ("Kind", "Planned", "Done", "Class", "Reason")
    return Table(
        caption="Differences between plan and deed",
        columns=tuple(Column(label=label) for label in labels),
        groups=(
            RowGroup(
                rows=tuple(
                    tuple(
                        Cell(text=text)
                        for text in (one.kind, one.planned, one.done, one.declared, _reason(one))
                    )
                    for one in rows
                )
            ),
        ),
        notes=(CLASSES,),
    )


def _reason(one: DeviationRow) -> str:
    if one.reason is None:
        return ABSENT
    return one.reason if one.amendment is None else f"Amendment {one.amendment}: {one.reason}"


def not_done_section(record: Record, results: Results) -> Section:
    """What was registered and not done; nothing before it can be said."""
    blocks: list[Block]
    if record.registration is None:
        blocks = [Paragraph(text=NOTHING_PROMISED)]
    elif not _analysed(results):
        blocks = [Paragraph(text=TOO_EARLY)]
    else:
        promises = [one for one in record.not_done if one.promised]
        questions = [one for one in record.not_done if not one.promised]
        blocks = [_list("Registered, and not done", promises) if promises else Paragraph(text=ALL_DONE)]
        if questions:
            blocks.append(_list("Exploratory questions without a recorded result", questions))
    return Section(id="not-done", title="Registered, but not done", blocks=tuple(blocks))


def _list(caption: str, rows: Sequence[NotDoneRow]) -> Table:
    return Table(
        caption=caption,
        columns=(Column(label="What was registered"), Column(label="What became of it")),
        groups=(RowGroup(rows=tuple((Cell(text=one.what), Cell(text=one.why)) for one in rows)),),
    )
