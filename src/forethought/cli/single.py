"""`fit`: one mixed model, no study needed."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from forethought.cli.output import AsJson, show

DdfName = Literal["satterthwaite", "kenward-roger", "normal"]
TestName = Literal["1", "2", "3"]
IntervalName = Literal["wald", "profile"]
ContrastsName = Literal["pairwise", "revpairwise", "trt.vs.ctrl", "poly", "consec", "eff"]
AdjustName = Literal[
    "none",
    "tukey",
    "sidak",
    "bonferroni",
    "holm",
    "hochberg",
    "hommel",
    "BH",
    "BY",
    "scheffe",
    "dunnett",
    "mvt",
]

TEST_TYPES: dict[TestName, Literal[1, 2, 3]] = {"1": 1, "2": 2, "3": 3}

Ml = Annotated[bool, typer.Option("--ml", help="Maximum likelihood instead of REML.")]
Ddf = Annotated[DdfName, typer.Option("--ddf", help="How degrees of freedom are found; normal: infinite.")]
Weights = Annotated[
    str | None,
    typer.Option("--weights", metavar="COLUMN", help="Residual variance is sigma^2 / weight."),
]
Coding = Annotated[
    list[str] | None,
    typer.Option("--coding", metavar="FACTOR=CODING", help="treatment, sum, helmert or poly; repeatable."),
]
Reference = Annotated[
    list[str] | None,
    typer.Option("--reference", metavar="FACTOR=LEVEL", help="The level that comes first; repeatable."),
]
Anova = Annotated[TestName | None, typer.Option("--anova", help="Test the terms, by tests of this type.")]
Intervals = Annotated[
    IntervalName | None,
    typer.Option("--intervals", help="95 % intervals; profile: of the standard deviations too."),
]
Emmeans = Annotated[
    list[str] | None,
    typer.Option(
        "--emmeans", metavar="VARIABLES", help="Marginal means of their combinations: a,b or repeated."
    ),
]
By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="VARIABLES", help="The means within the levels of these: a,b or repeated."),
]
At = Annotated[
    list[str] | None,
    typer.Option("--at", metavar="VARIABLE=VALUES", help="Values to take the means at: x=1,2; repeatable."),
]
ContrastsOf = Annotated[
    ContrastsName | None,
    typer.Option("--contrasts", help="Compare the means; with trt.vs.ctrl each with the first."),
]
Adjust = Annotated[
    AdjustName | None,
    typer.Option(
        "--adjust", help="How p and intervals allow for many contrasts; as in emmeans where not given."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command()(fit)


def fit(
    data: Annotated[Path, typer.Argument(help="A CSV file with a header.", metavar="DATA.csv")],
    formula: Annotated[str, typer.Argument(help='Such as "y ~ x + (1 | g)".')],
    ml: Ml = False,
    ddf: Ddf = "satterthwaite",
    weights: Weights = None,
    coding: Coding = None,
    reference: Reference = None,
    anova: Anova = None,
    intervals: Intervals = None,
    means: Emmeans = None,
    by: By = None,
    at: At = None,
    contrasts: ContrastsOf = None,
    adjust: Adjust = None,
    as_json: AsJson = False,
) -> None:
    """Fit one linear mixed model; test its terms, and compare marginal means.

    Rows with a missing value (an empty field, NA, NaN or NULL) in a column of the model are left out and counted.

    For instance: forethought fit data.csv "y ~ arm * age + (1 | person)" --emmeans arm --at age=20,60 --by age
    --contrasts pairwise --adjust holm
    """
    from forethought.cli.fit_options import means_of, pairs
    from forethought.cli.fit_text import lines
    from forethought.steps.fit import Model, Questions
    from forethought.steps.fit import fit as fit_step

    wanted = means_of(means, by, at, contrasts, adjust)
    model = Model(
        formula=formula,
        reml=not ml,
        ddf=ddf,
        weights=weights,
        codings=pairs("--coding", coding),
        references=pairs("--reference", reference),
    )
    test_type = None if anova is None else TEST_TYPES[anova]
    fitted = fit_step(data, model, Questions(anova=test_type, intervals=intervals, means=wanted))
    show("fit", fitted.as_json(), lines(fitted), as_json=as_json)
