"""The CONSORT 2025 flow of participants: from the counts of the record to boxes in words."""

from collections.abc import Iterator

from forethought.protocol.protocol import Protocol
from forethought.reports import formatting
from forethought.reports.content import Block, FlowBox, FlowColumn, FlowDiagram, Notice, Paragraph, Section
from forethought.reports.names import Names
from forethought.reports.record import Flow, Followed, Reason, total
from forethought.reports.results import Results

ALL_TOGETHER = "All arms together"


def flow_section(protocol: Protocol, results: Results, flow: Flow, names: Names) -> Section:
    """The diagram, and every sum of it that does not come out."""
    blocks: list[Block] = []
    if protocol.randomised:
        blocks.append(FlowDiagram(enrolment=tuple(_enrolment(flow)), columns=_arms(flow, names)))
        if results.blinded:
            blocks.append(Paragraph(text="Counts by arm are shown after unblinding."))
    else:
        blocks.append(FlowDiagram(enrolment=tuple(_observed(flow)), columns=()))
    problems = tuple(flow.problems())
    if problems:
        blocks.append(Notice(text=f"The counts do not add up: {'; '.join(problems)}."))
    else:
        blocks.append(Paragraph(text="Checked: every sum in this diagram comes out."))
    return Section(id="flow", title="Flow of participants", blocks=tuple(blocks))


def _enrolment(flow: Flow) -> Iterator[FlowBox]:
    yield FlowBox(stage="Enrolment", text=f"Assessed for eligibility (n = {formatting.count(flow.assessed)})")
    yield _leaving("Enrolment", "Excluded", flow.excluded)
    if flow.awaiting:
        waiting = formatting.count(flow.awaiting)
        yield FlowBox(stage="Enrolment", text=f"Awaiting allocation (n = {waiting})", aside=True)
    yield FlowBox(stage="Allocation", text=f"Randomised (n = {formatting.count(flow.randomised or 0)})")


def _arms(flow: Flow, names: Names) -> tuple[FlowColumn, ...]:
    if not flow.by_arm:
        return (FlowColumn(label=ALL_TOGETHER, boxes=tuple(_followed(flow.together))),)
    return tuple(
        FlowColumn(label=names.arm(one.arm or ALL_TOGETHER), boxes=tuple(_followed(one)))
        for one in flow.by_arm
    )


def _followed(part: Followed) -> Iterator[FlowBox]:
    received = "" if part.received is None else f", received it (n = {formatting.count(part.received)})"
    yield FlowBox(
        stage="Allocation",
        text=f"Allocated (n = {formatting.count(part.allocated)}){received}",
        reasons=_in_words(part.not_received, "not received: "),
    )
    yield FlowBox(
        stage="Follow-up",
        text=f"Did not complete (n = {formatting.count(total(part.lost))})",
        reasons=_in_words(part.lost),
    )
    progress = f"still in progress: {formatting.count(part.in_progress)}"
    yield FlowBox(
        stage="Analysis",
        text=f"Analysed (n = {formatting.count(part.analysed)})",
        reasons=(
            *_in_words(part.not_analysed, "not analysed: "),
            *((progress,) if part.in_progress else ()),
        ),
    )


def _observed(flow: Flow) -> Iterator[FlowBox]:
    """The boxes of a study that is not randomised."""
    part = flow.together
    yield FlowBox(
        stage="Enrolment", text=f"Participants in the data (n = {formatting.count(part.allocated)})"
    )
    if part.not_analysed:
        yield _leaving("Analysis", "Not analysed", part.not_analysed)
    yield FlowBox(stage="Analysis", text=f"Analysed (n = {formatting.count(part.analysed)})")


def _leaving(stage: str, what: str, reasons: tuple[Reason, ...]) -> FlowBox:
    text = f"{what} (n = {formatting.count(total(reasons))})"
    return FlowBox(stage=stage, text=text, reasons=_in_words(reasons), aside=True)


def _in_words(reasons: tuple[Reason, ...], before: str = "") -> tuple[str, ...]:
    return tuple(f"{before}{formatting.count(one.count)} {one.reason}" for one in reasons if one.count)
