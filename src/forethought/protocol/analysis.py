"""Hypotheses, models, contrasts and families: the registered analysis."""

from typing import Annotated, Literal

from pydantic import Field

from forethought.protocol.values import Assumable, Name, Text, Value

Role = Literal["primary", "secondary", "sensitivity", "exploratory"]


class MixedModel(Assumable):
    """A linear mixed model; `y` in the formula stands for each of `outcomes`."""

    kind: Literal["mixed"]
    id: Name
    label: Text
    formula: Text
    outcomes: tuple[Name, ...] = Field(min_length=1)
    role: Role
    estimation: Literal["reml", "ml"] = "reml"
    ddf: Literal["satterthwaite"] = "satterthwaite"
    report_coefficients: bool = Field(
        default=False, description="Each fixed effect is a finding too, where no contrast names it."
    )


class LinearModel(Assumable):
    """Ordinary least squares with CR1 cluster-robust standard errors and z inference."""

    kind: Literal["ols"]
    id: Name
    label: Text
    formula: Text
    outcomes: tuple[Name, ...] = Field(min_length=1)
    role: Role
    cluster: Name
    report_coefficients: bool = False


Model = Annotated[MixedModel | LinearModel, Field(discriminator="kind")]


class Contrast(Assumable):
    """A weighted sum of a model's fixed effects."""

    id: Name
    label: Text
    weights: dict[str, float] = Field(
        min_length=1, description="Coefficient, as the fit names it, to weight."
    )


class Hypothesis(Assumable):
    """A claim, the contrasts that test it, and the smallest effect that would matter."""

    id: Name
    statement: Text
    role: Literal["primary", "secondary", "exploratory"]
    models: tuple[Name, ...] = Field(min_length=1)
    outcomes: tuple[Name, ...] = Field(min_length=1)
    contrasts: tuple[Name, ...] = Field(min_length=1)
    direction: Literal["greater", "less", "better", "two_sided"] = Field(
        description="`better` follows the outcome: greater where higher is better, less where lower is."
    )
    smallest_effect: float = Field(gt=0, description="In the outcome's own units.")
    estimand: Text


class Family(Assumable):
    """Tests whose p values are adjusted together, within one model."""

    id: Name
    label: Text
    model: Name
    contrasts: tuple[Name, ...] = Field(min_length=1)
    outcomes: tuple[Name, ...] = Field(min_length=1)
    scope: Literal["all_outcomes", "within_outcome"]
    method: Literal["none", "holm"]


class Rounding(Value):
    """How a published table was rounded: first to significant digits, then to decimals."""

    significant: int | None = Field(default=None, ge=1, le=15)
    decimals: int = Field(ge=0, le=15)


class ExpectedCoefficient(Value):
    """Published numbers of one fixed effect, as printed."""

    term: Text
    estimate: str | None = None
    se: str | None = None
    df: str | None = None
    statistic: str | None = None
    p: str | None = None


class Expected(Value):
    """Published results of one model, shown beside ours."""

    id: Name
    label: Text
    source: Text
    model: Name
    outcome: Name
    rounding: Rounding
    coefficients: tuple[ExpectedCoefficient, ...] = Field(min_length=1)


class Analysis(Value):
    """The registered analysis as a whole."""

    population: Literal["intention_to_treat", "all_records"]
    missing_data: Text
    alpha: float = Field(default=0.05, gt=0, lt=1)
    models: tuple[Model, ...] = Field(min_length=1)
    contrasts: tuple[Contrast, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    families: tuple[Family, ...] = ()
    expected: tuple[Expected, ...] = ()
