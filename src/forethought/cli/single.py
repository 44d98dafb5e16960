"""`fit`: one mixed model, no study needed."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from forethought.cli.output import AsJson


def add_to(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command()(fit)


def fit(
    data: Annotated[Path, typer.Argument(help="A CSV file with a header.", metavar="DATA.csv")],
    formula: Annotated[str, typer.Argument(help='Such as "y ~ x + (1 | g)".')],
    ml: Annotated[bool, typer.Option("--ml", help="Maximum likelihood instead of REML.")] = False,
    ddf: Annotated[
        Literal["satterthwaite"], typer.Option("--ddf", help="How degrees of freedom are found.")
    ] = "satterthwaite",
    as_json: AsJson = False,
) -> None:
    """Fit one linear mixed model, with Satterthwaite degrees of freedom."""
    from forethought.steps.fit import fit as fit_step

    fitted = fit_step(data, formula, reml=not ml, ddf=ddf)
    if as_json:
        print(json.dumps(fitted.as_json, ensure_ascii=False, indent=2, allow_nan=False))
        return
    for line in _lines(fitted.as_json):
        print(line)


def _lines(value: dict[str, Any]) -> list[str]:
    groups = ", ".join(f"{levels} {name}" for name, levels in value["n_groups"].items())
    head = [
        value["formula"],
        f"{value['n_obs']:,} rows; {groups}; log-likelihood {value['log_likelihood']:.4f}",
    ]
    table = [f"{'term':<32}{'estimate':>12}{'SE':>12}{'df':>10}{'t':>9}{'p':>11}"]
    for row in value["coefficients"]:
        df = "" if row["df"] is None else f"{row['df']:.2f}"
        table.append(
            f"{row['term']:<32}{row['estimate']:>12.6f}{row['se']:>12.6f}{df:>10}"
            f"{row['statistic']:>9.3f}{row['p']:>11.3g}"
        )
    random = [
        f"{row['group']:<16}{row['term1'] or '':<16}{row['term2'] or '':<16}{row['sd_or_correlation']:>12.6f}"
        for row in value["variance_components"]
    ]
    return [*head, "", *table, "", "SD or correlation of the random effects", *random, *value["warnings"]]
