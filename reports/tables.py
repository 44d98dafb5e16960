"""The results in full: each registered model's tests, and how the model was fitted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from forethought.analysis.findings import Finding
from forethought.protocol.analysis import LinearModel, MixedModel, Model, Pruning
from forethought.protocol.protocol import Protocol
from forethought.reports import formatting, standing
from forethought.reports.content import (
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Heading,
    Notice,
    Paragraph,
    RowGroup,
    Section,
    Table,
)
from forethought.reports.names import DDF, Names, family_in_words
from forethought.reports.record import Record
from forethought.reports.results import ModelEntry, Results, Values

PLACEBO = " (placebo allocation)"
WHEN = {"not_converged": "does not converge", "singular": "is singular"}


def results_section(protocol: Protocol, results: Results, record: Record, names: Names) -> Section:
    """Every registered test, model by model, with how the models were fitted."""
    models = {model.id: model for model in protocol.analysis.models}
    blocks: list[Block] = []
    for entries in results.by_model():
        blocks.extend(_model(models[entries[0].model], entries, results, record, names))
    if not blocks:
        blocks.append(Paragraph(text="No model has been fitted yet."))
    return Section(id="results", title="Results", blocks=tuple(blocks))


def _model(
    model: Model,
    entries: Sequence[ModelEntry],
    results: Results,
    record: Record,
    names: Names,
) -> Iterator[Block]:
    findings = [finding for finding in results.findings if finding.model == model.id]
    yield Heading(text=model.label, badges=standing.of_findings(findings, record, assumed=model.assumed))
    yield Facts(items=tuple(_facts(model, entries, names)))
    for entry in entries:
        if entry.error is not None:
            yield Notice(text=f"{names.outcome(entry.outcome)}: not fitted. {entry.error}")
    tests = tuple(_tests(findings, entries))
    placebo = PLACEBO if results.blinded else ""
    if tests:
        yield _tests_table(model, tests, placebo, results, names)
    else:
        yield Paragraph(text="No contrast is registered for this model: its fixed effects are below.")
    fitted = [entry for entry in entries if entry.fit is not None]
    if fitted:
        yield _fits_table(model, fitted, names)


def _facts(model: Model, entries: Sequence[ModelEntry], names: Names) -> Iterator[Fact]:
    pruned = [entry for entry in entries if entry.pruned]
    yield Fact(term="Registered formula" if pruned else "Formula", value=model.formula, code=True)
    for entry in pruned:
        yield Fact(term=f"Fitted, {names.outcome(entry.outcome)}", value=entry.formula or "", code=True)
        for step in entry.pruned:
            yield Fact(term="Gave way", value=f"{step['formula']}: {step['reason']}")
    match model:
        case MixedModel(estimation=estimation, ddf=ddf):
            yield Fact(
                term="Method",
                value=f"linear mixed model, {estimation.upper()}, degrees of freedom by {DDF[ddf]}",
            )
        case LinearModel(cluster=cluster):
            yield Fact(
                term="Method",
                value=f"ordinary least squares, standard errors clustered on {cluster} (CR1), normal inference",
            )
    if isinstance(model, MixedModel) and model.pruning is not None:
        yield Fact(term="Pruning rule", value=_pruning_rule(model.pruning))
    yield Fact(term="Population", value=names.population(model))


def _pruning_rule(rule: Pruning) -> str:
    """What was registered for random effects that the data do not carry."""
    when = " or ".join(WHEN[one] for one in rule.when)
    return f"a fit that {when} gives way to {', then '.join(rule.formulas)}; the last one stands"


def _tests(findings: Sequence[Finding], entries: Sequence[ModelEntry]) -> Iterator[Finding]:
    """The findings that the table of fixed effects does not show already, each contrast once."""
    terms = {entry.outcome: entry.terms for entry in entries}
    seen: set[tuple[str, str]] = set()
    for finding in findings:
        shown = finding.hypothesis is None and finding.contrast in terms.get(finding.outcome, ())
        key = (finding.outcome, finding.contrast)
        if not shown and key not in seen:
            seen.add(key)
            yield finding


@dataclass(frozen=True, slots=True)
class _Field:
    """One column of the tests: its heading, and what a finding has in it."""

    column: Column
    cell: Callable[[Finding], Cell]


def _tests_table(
    model: Model, tests: Sequence[Finding], placebo: str, results: Results, names: Names
) -> Table:
    fields = tuple(_fields(tests, results, names))
    return Table(
        caption=f"{model.label}: registered tests{placebo}",
        columns=tuple(field.column for field in fields),
        groups=tuple(
            RowGroup(
                label=names.outcome(outcome),
                remark=_sizes(group[0], results, names),
                rows=tuple(tuple(field.cell(finding) for field in fields) for finding in group),
            )
            for outcome in dict.fromkeys(finding.outcome for finding in tests)
            if (group := [finding for finding in tests if finding.outcome == outcome])
        ),
        notes=(*_test_notes(tests, names), *_warnings(tests, names)),
    )


def _fields(tests: Sequence[Finding], results: Results, names: Names) -> Iterator[_Field]:
    """The columns that these tests need: df only where there are any, adjusted p only in a family."""
    with_df = any(finding.df is not None for finding in tests)
    decimals = formatting.decimals_for(finding.se for finding in tests)
    yield _Field(Column(label="Contrast"), lambda one: Cell(text=names.contrast(one.contrast)))
    yield _number("Estimate", lambda one: formatting.number(one.estimate, decimals))
    yield _number("SE", lambda one: formatting.number(one.se, decimals))
    if with_df:
        yield _number("df", lambda one: formatting.degrees_of_freedom(one.df))
    yield _number("t" if with_df else "z", lambda one: formatting.statistic(one.statistic))
    yield _number("p", lambda one: formatting.p_value(one.p))
    if names.families_of(tests):
        yield _number("p adjusted", lambda one: formatting.p_value(one.p_adjusted if one.family else None))
    level = formatting.level(tests[0].ci_level)
    yield _number(f"{level} CI", lambda one: formatting.interval(one.ci_low, one.ci_high, decimals))
    yield _number("In SD", lambda one: formatting.number(one.effect_size, 2))
    if not results.blinded:
        yield _Field(Column(label="Verdict"), _verdict)


def _number(label: str, text: Callable[[Finding], str]) -> _Field:
    return _Field(Column(label=label, numeric=True), lambda one: Cell(text=text(one)))


def _verdict(finding: Finding) -> Cell:
    if finding.hypothesis is None:
        return Cell(text="no hypothesis")
    return Cell(text=finding.verdict, verdict=finding.verdict)


def _sizes(finding: Finding, results: Results, names: Names) -> str:
    """How many participants, and in each arm where the arms are the true ones."""
    total = f"n = {formatting.count(finding.n)}"
    if results.blinded or not finding.n_by_arm:
        return total
    arms = (f"{names.arm(arm)} {formatting.count(number)}" for arm, number in finding.n_by_arm.items())
    return f"{total}: {', '.join(arms)}"


def _test_notes(tests: Sequence[Finding], names: Names) -> Iterator[str]:
    yield "n counts participants. In SD: the estimate in standard deviations of the outcome."
    yield from (family_in_words(family) for family in names.families_of(tests))


def _warnings(tests: Sequence[Finding], names: Names) -> Iterator[str]:
    """Each warning once for each outcome that bears it."""
    by_warning: dict[str, list[str]] = {}
    for finding in tests:
        for warning in finding.warnings:
            outcomes = by_warning.setdefault(warning, [])
            if names.outcome(finding.outcome) not in outcomes:
                outcomes.append(names.outcome(finding.outcome))
    for warning, outcomes in by_warning.items():
        yield f"Warning, {', '.join(outcomes)}: {warning.rstrip('.')}."


def _fits_table(model: Model, entries: Sequence[ModelEntry], names: Names) -> Table:
    fits = {entry.outcome: entry.fit for entry in entries if entry.fit is not None}
    groupings = list(dict.fromkeys(group for fit in fits.values() for group in fit["n_groups"]))
    warnings = dict.fromkeys(
        f"Warning, {names.outcome(outcome)}: {warning.rstrip('.')}."
        for outcome, fit in fits.items()
        for warning in fit["warnings"]
    )
    return Table(
        caption=f"{model.label}: how it was fitted",
        columns=(
            Column(label="Outcome"),
            Column(label="Records", numeric=True),
            *(Column(label=f"Groups, {group}", numeric=True) for group in groupings),
            Column(label="Residual SD", numeric=True),
            Column(label="Log likelihood", numeric=True),
            Column(label="Fit"),
        ),
        groups=(RowGroup(rows=tuple(_fit_row(one, fits[one], groupings, names) for one in fits)),),
        notes=(*warnings, *_cross_checks(entries, names)),
    )


def _cross_checks(entries: Sequence[ModelEntry], names: Names) -> Iterator[str]:
    """What a second program found, or why it was not asked; each answer once, with its outcomes."""
    outcomes: dict[str, list[str]] = {}
    for entry in entries:
        if (found := entry.cross_check) is not None:
            text = found["summary"] if found["checked"] else f"none, {found['reason']}"
            outcomes.setdefault(text.rstrip("."), []).append(names.outcome(entry.outcome))
    for text, those in outcomes.items():
        yield f"Second program, {', '.join(those)}: {text}."


def _fit_row(outcome: str, fit: Values, groupings: Sequence[str], names: Names) -> tuple[Cell, ...]:
    sizes = [fit["n_groups"].get(group) for group in groupings]
    state = "converged" if fit["converged"] else "did not converge"
    return (
        Cell(text=names.outcome(outcome)),
        Cell(text=formatting.count(fit["n_obs"])),
        *(Cell(text=formatting.ABSENT if size is None else formatting.count(size)) for size in sizes),
        Cell(text=formatting.number(fit["sigma"], 3)),
        Cell(text=formatting.number(fit["log_likelihood"], 2)),
        Cell(text=f"{state}, singular" if fit["singular"] else state),
    )
