"""Fixed effects, beside the published numbers where the protocol has them, and random effects."""

from collections.abc import Iterator, Mapping, Sequence

from forethought.reports import formatting
from forethought.reports.content import (
    Block,
    Cell,
    Column,
    Heading,
    Paragraph,
    Published,
    RowGroup,
    Section,
    Table,
)
from forethought.reports.names import Names
from forethought.reports.results import ModelEntry, Results, Values

PLACEBO = " (placebo allocation)"

PublishedCells = Mapping[tuple[str, str], Published]


def coefficients_section(results: Results, names: Names) -> Section:
    """Every coefficient and variance component of every fitted model."""
    blocks: list[Block] = []
    placebo = PLACEBO if results.blinded else ""
    for entries in results.by_model():
        fitted = [entry for entry in entries if entry.fit is not None]
        if not fitted:
            continue
        blocks.append(Heading(text=fitted[0].label))
        blocks.append(_fixed(fitted, placebo, results, names))
        if any(len(_components(entry)) > 1 for entry in fitted):
            blocks.append(_random(fitted, placebo, names))
    if not blocks:
        blocks.append(Paragraph(text="No model has been fitted yet."))
    return Section(id="coefficients", title="Coefficients", blocks=tuple(blocks))


def _fixed(entries: Sequence[ModelEntry], placebo: str, results: Results, names: Names) -> Table:
    rows = [row for entry in entries for row in entry.coefficients]
    with_df = any(row["df"] is not None for row in rows)
    decimals = formatting.decimals_for(row["se"] for row in rows)
    compared = any(entry.expected for entry in entries)
    return Table(
        caption=f"{entries[0].label}: fixed effects{', beside the published numbers' if compared else ''}{placebo}",
        columns=(
            Column(label="Term"),
            Column(label="Estimate", numeric=True),
            Column(label="SE", numeric=True),
            *((Column(label="df", numeric=True),) if with_df else ()),
            Column(label="t" if with_df else "z", numeric=True),
            Column(label="p", numeric=True),
            Column(label="95% CI", numeric=True),
        ),
        groups=tuple(
            RowGroup(
                label=names.outcome(entry.outcome),
                rows=tuple(
                    _fixed_row(row, decimals, with_df, _published(entry, results))
                    for row in entry.coefficients
                ),
            )
            for entry in entries
        ),
        notes=tuple(note for entry in entries for note in _comparison_notes(entry, results)),
    )


def _published(entry: ModelEntry, results: Results) -> PublishedCells:
    """The published numbers of a model by term and column; where two sources have one, the first."""
    found: dict[tuple[str, str], Published] = {}
    for expected in entry.expected:
        for row in expected["rows"]:
            agrees = row["agrees"] if results.comparable else None
            published = Published(text=formatting.as_printed(row["published"]), agrees=agrees)
            found.setdefault((row["term"], row["column"]), published)
    return found


def _fixed_row(row: Values, decimals: int, with_df: bool, published: PublishedCells) -> tuple[Cell, ...]:
    texts = {
        "estimate": formatting.number(row["estimate"], decimals),
        "se": formatting.number(row["se"], decimals),
        **({"df": formatting.degrees_of_freedom(row["df"])} if with_df else {}),
        "statistic": formatting.statistic(row["statistic"]),
        "p": formatting.p_value(row["p"]),
    }
    return (
        Cell(text=row["term"], code=True),
        *(Cell(text=text, published=published.get((row["term"], column))) for column, text in texts.items()),
        Cell(text=formatting.interval(row["ci_low"], row["ci_high"], decimals)),
    )


def _comparison_notes(entry: ModelEntry, results: Results) -> Iterator[str]:
    fitted = entry.terms
    for expected in entry.expected:
        rows = expected["rows"]
        if not results.comparable:
            why = "the data are simulated" if results.simulated else "the allocation is a placebo"
            yield f"{expected['label']} ({expected['source']}): beside ours to compare with; {why}."
            continue
        agree = sum(row["agrees"] for row in rows)
        yield (
            f"{expected['label']} ({expected['source']}): {agree} of "
            f"{formatting.counted(len(rows), 'published number')} agree. {_rounding(expected['rounding'])}"
        )
        absent = dict.fromkeys(row["term"] for row in rows if row["term"] not in fitted)
        if absent:
            yield f"Published, but not in our model: {', '.join(absent)}."


def _rounding(rounding: Mapping[str, int | None]) -> str:
    decimals = formatting.counted(rounding["decimals"] or 0, "decimal")
    if rounding["significant"] is None:
        first = f"rounded to {decimals}"
    else:
        digits = formatting.counted(rounding["significant"], "significant digit")
        first = f"rounded to {digits} first and then to {decimals}"
    return (
        f"A number of ours agrees when, {first}, it has every digit of the published one; "
        "half-way between two, it goes to the even digit."
    )


def _components(entry: ModelEntry) -> Sequence[Values]:
    return tuple(entry.fit["variance_components"]) if entry.fit else ()


def _random(entries: Sequence[ModelEntry], placebo: str, names: Names) -> Table:
    return Table(
        caption=f"{entries[0].label}: random effects{placebo}",
        columns=(
            Column(label="Group"),
            Column(label="Effect"),
            Column(label="Variance or covariance", numeric=True),
            Column(label="SD", numeric=True),
            Column(label="Correlation", numeric=True),
        ),
        groups=tuple(
            RowGroup(
                label=names.outcome(entry.outcome),
                rows=tuple(_component_row(component) for component in _components(entry)),
            )
            for entry in entries
        ),
    )


def _component_row(component: Values) -> tuple[Cell, ...]:
    first, second, size = component["term1"], component["term2"], component["sd_or_correlation"]
    pair = second is not None
    return (
        Cell(text=component["group"]),
        Cell(text=f"{first} with {second}" if pair else first or formatting.ABSENT),
        Cell(text=formatting.number(component["variance_or_covariance"], 4)),
        Cell(text=formatting.ABSENT if pair else formatting.number(size, 4)),
        Cell(text=formatting.correlation(size) if pair else formatting.ABSENT),
    )
