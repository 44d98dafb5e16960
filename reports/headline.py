"""The first section: each registered hypothesis, what the data say of it, and how far the effects reach."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from forethought.analysis.findings import Finding
from forethought.analysis.verdicts import Verdict
from forethought.protocol.analysis import Hypothesis
from forethought.protocol.protocol import Protocol
from forethought.reports import formatting, standing
from forethought.reports.claims import claims_in_words, estimand_blocks, rule_in_words
from forethought.reports.content import (
    Block,
    Bullets,
    Cell,
    Column,
    Forest,
    ForestRow,
    HypothesisCard,
    Notice,
    Paragraph,
    RowGroup,
    Section,
    Table,
)
from forethought.reports.names import Names, family_in_words, tally
from forethought.reports.record import Record
from forethought.reports.results import Results

CARDS_AT_A_GLANCE = 2
NOT_JUDGED = "Not judged while the study is blinded: the estimates are those of a placebo allocation."
NO_RESULT = "Unevaluable: the registered analysis gave no estimate."


def headline(protocol: Protocol, results: Results, record: Record, names: Names) -> Section:
    """Every registered hypothesis with its verdict, whatever came out."""
    hypotheses = protocol.analysis.hypotheses
    blocks: list[Block] = []
    if not results.models:
        blocks.append(Notice(text="The registered analysis has not been run yet."))
    if not hypotheses:
        blocks.append(
            Paragraph(text="The protocol states no hypothesis: this study estimates, it does not test.")
        )
    if len(hypotheses) > CARDS_AT_A_GLANCE:
        blocks.append(_overview(hypotheses, results))
    blocks.extend(_card(one, protocol, results, record, names) for one in hypotheses)
    comparisons = tuple(_comparisons(results, names)) if results.comparable else ()
    if comparisons:
        blocks.append(Bullets(items=comparisons))
    if hypotheses and not results.blinded:
        blocks.append(Paragraph(text=rule_in_words(protocol.analysis), small=True))
    blocks.extend(estimand_blocks(protocol.analysis))
    return Section(id="findings", title="Findings", blocks=tuple(blocks))


def _overview(hypotheses: Sequence[Hypothesis], results: Results) -> Table:
    """All hypotheses in one screen, each leading to its card."""
    placebo = " of a placebo allocation" if results.blinded else ""
    return Table(
        caption="The hypotheses at a glance",
        columns=(
            Column(label="Hypothesis"),
            Column(label="What the data say"),
            Column(label=f"Estimates{placebo}", numeric=True),
            Column(label="Smallest effect", numeric=True),
        ),
        groups=(RowGroup(rows=tuple(_overview_row(hypothesis, results) for hypothesis in hypotheses)),),
    )


def _overview_row(hypothesis: Hypothesis, results: Results) -> tuple[Cell, ...]:
    main = _main(results.of_hypothesis(hypothesis.id), results)
    judged = main and not results.blinded
    return (
        Cell(text=hypothesis.statement, href=_card_id(hypothesis)),
        Cell(text=_answer(main, results), verdict=_verdict(main, results))
        if judged
        else Cell(text="Not judged yet."),
        Cell(text=_reach(main)),
        Cell(text=formatting.plain(hypothesis.smallest_effect)),
    )


def _reach(main: Sequence[Finding]) -> str:
    """The estimates, from the lowest to the highest."""
    known = sorted(finding.estimate for finding in main if finding.estimate is not None)
    decimals = formatting.decimals_for(finding.se for finding in main)
    ends = dict.fromkeys(formatting.number(value, decimals) for value in (known[:1] + known[-1:]))
    return " to ".join(ends) or formatting.ABSENT


def _card_id(hypothesis: Hypothesis) -> str:
    return f"hypothesis-{hypothesis.id}"


def _verdict(main: Sequence[Finding], results: Results) -> Verdict | None:
    """The verdict that all the tests share; None where they differ, or are not judged."""
    verdicts = {finding.verdict for finding in main}
    return verdicts.pop() if len(verdicts) == 1 and not results.blinded else None


def _card(
    hypothesis: Hypothesis, protocol: Protocol, results: Results, record: Record, names: Names
) -> HypothesisCard:
    findings = results.of_hypothesis(hypothesis.id)
    main = _main(findings, results)
    return HypothesisCard(
        id=_card_id(hypothesis),
        statement=hypothesis.statement,
        badges=standing.of_findings(main, record, assumed=hypothesis.assumed),
        verdict=_verdict(main, results),
        answer=_answer(main, results),
        sentences=tuple(_sentences(main, findings, results, names)),
        details=(
            *claims_in_words(hypothesis, protocol.analysis),
            *(family_in_words(family) for family in names.families_of(main)),
        ),
        forest=_forest(hypothesis, main, results, names) if main else None,
        table=_table(main, results, names),
    )


def _main(findings: Sequence[Finding], results: Results) -> tuple[Finding, ...]:
    """The findings that answer the hypothesis: those of sensitivity and exploratory models stand apart."""
    roles = {entry.model: entry.role for entry in results.models}
    answering = [one for one in findings if roles.get(one.model) in ("primary", "secondary")]
    return tuple(answering or findings)


def _answer(main: Sequence[Finding], results: Results) -> str:
    if not main:
        return NO_RESULT if results.models else "No result yet."
    return NOT_JUDGED if results.blinded else tally(finding.verdict for finding in main)


def _sentences(
    main: Sequence[Finding], findings: Sequence[Finding], results: Results, names: Names
) -> Iterator[str]:
    if len(main) == 1 and main[0].estimate is not None:
        yield _in_words(main[0], names, placebo=results.blinded)
    if not results.blinded:
        yield from _other_models(findings, main, names)


def _in_words(finding: Finding, names: Names, *, placebo: bool) -> str:
    decimals = formatting.decimals_for([finding.se])
    interval = formatting.interval(finding.ci_low, finding.ci_high, decimals)
    test = formatting.test_in_words(finding.statistic, finding.df, finding.p)
    return (
        f"{names.contrast(finding.contrast)}, {names.outcome(finding.outcome)}"
        f"{' (placebo allocation)' if placebo else ''}: {formatting.number(finding.estimate, decimals)}, "
        f"{formatting.level(finding.ci_level)} CI {interval}, {test}."
    )


def _other_models(findings: Sequence[Finding], main: Sequence[Finding], names: Names) -> Iterator[str]:
    verdicts = {(one.outcome, one.contrast): one.verdict for one in main}
    for model, group in groupby([one for one in findings if one not in main], key=lambda one: one.model):
        others = list(group)
        same = sum(one.verdict == verdicts.get((one.outcome, one.contrast)) for one in others)
        tests = formatting.counted(len(others), "test")
        yield f"{names.model(model)}: the same verdict in {same} of {tests}."


def _group(finding: Finding, main: Sequence[Finding], names: Names) -> str | None:
    """What the rows of one outcome (and model, where several answer) stand under; None where one outcome is all."""
    outcomes, models = ({getattr(one, name) for one in main} for name in ("outcome", "model"))
    parts = (
        *((names.outcome(finding.outcome),) if len(outcomes) > 1 else ()),
        *((names.model(finding.model),) if len(models) > 1 else ()),
    )
    return ", ".join(parts) or None


def _forest(hypothesis: Hypothesis, main: Sequence[Finding], results: Results, names: Names) -> Forest:
    placebo = " Placebo allocation." if results.blinded else ""
    level = formatting.level(main[0].ci_level)
    smallest = formatting.plain(hypothesis.smallest_effect)
    beyond = sum(_beyond(finding, hypothesis.smallest_effect) for finding in main)
    known = [finding for finding in main if finding.estimate is not None]
    zero = sum(
        one.ci_low <= 0 <= one.ci_high for one in known if one.ci_low is not None and one.ci_high is not None
    )
    return Forest(
        id=f"forest-{hypothesis.id}",
        caption=f"Estimates with {level} intervals. The band holds effects smaller than {smallest}.{placebo}",
        alternative=f"Forest plot of {formatting.counted(len(known), 'estimate')} with {level} intervals: {beyond} "
        f"wholly beyond the band of effects smaller than {smallest}, {zero} holding zero. "
        f"The table with this figure has its numbers.{placebo}",
        axis=_axis(main, names),
        smallest_effect=hypothesis.smallest_effect,
        rows=tuple(
            ForestRow(
                group=_group(finding, main, names),
                label=names.contrast(finding.contrast),
                estimate=finding.estimate,
                low=finding.ci_low,
                high=finding.ci_high,
                verdict=finding.verdict,
            )
            for finding in main
        ),
    )


def _beyond(finding: Finding, smallest: float) -> bool:
    if finding.ci_low is None or finding.ci_high is None:
        return False
    return finding.ci_low >= smallest or finding.ci_high <= -smallest


def _axis(main: Sequence[Finding], names: Names) -> str:
    outcomes = {finding.outcome for finding in main}
    return names.outcome(outcomes.pop()) if len(outcomes) == 1 else "Difference, in each outcome's own units"


def _table(main: Sequence[Finding], results: Results, names: Names) -> Table:
    adjusted = bool(names.families_of(main))
    level = formatting.level(main[0].ci_level) if main else "95%"
    decimals = formatting.decimals_for(finding.se for finding in main)
    columns = (
        Column(label="Contrast"),
        *(() if results.blinded else (Column(label="Verdict"),)),
        Column(label="Estimate", numeric=True),
        Column(label=f"{level} CI", numeric=True),
        Column(label="p, adjusted" if adjusted else "p", numeric=True),
    )
    return Table(
        caption="Estimates of the placebo allocation" if results.blinded else "Estimates and verdicts",
        columns=columns,
        groups=tuple(
            RowGroup(label=label, rows=tuple(_row(one, decimals, results, names) for one in group))
            for label, group in groupby(main, key=lambda one: _group(one, main, names))
        ),
    )


def _row(finding: Finding, decimals: int, results: Results, names: Names) -> tuple[Cell, ...]:
    verdict = finding.verdict
    return (
        Cell(text=names.contrast(finding.contrast)),
        *(() if results.blinded else (Cell(text=verdict, verdict=verdict),)),
        Cell(text=formatting.number(finding.estimate, decimals)),
        Cell(text=formatting.interval(finding.ci_low, finding.ci_high, decimals)),
        Cell(text=formatting.p_value(finding.p_adjusted if finding.p_adjusted is not None else finding.p)),
    )


def _comparisons(results: Results, names: Names) -> Iterator[str]:
    for entry in results.models:
        for expected in entry.expected:
            agree, rows = sum(row["agrees"] for row in expected["rows"]), len(expected["rows"])
            yield (
                f"{expected['label']}: {agree} of {formatting.counted(rows, 'published number')} agree with ours "
                f"({names.model(entry.model)}, {names.outcome(entry.outcome)})."
            )
