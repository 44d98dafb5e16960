"""Hypotheses, models, contrasts and families: the registered analysis."""

from typing import Annotated, Literal

from pydantic import Field

from forethought.protocol.estimands import Estimand, Population
from forethought.protocol.values import Assumable, Name, Text, Value

Role = Literal["primary", "secondary", "sensitivity", "exploratory"]


class Pruning(Assumable):
    """What replaces a mixed model whose random effects the data do not carry: tried in order, each reported."""

    when: tuple[Literal["not_converged", "singular"], ...] = Field(
        min_length=1, description="What makes a fit give way to the next formula."
    )
    formulas: tuple[Text, ...] = Field(
        min_length=1, description="Simpler formulas with the same fixed effects; the last one stands."
    )


class MixedModel(Assumable):
    """A linear mixed model; `y` in the formula stands for each of `outcomes`."""

    kind: Literal["mixed"] = Field(
        description="A linear mixed model.",
        json_schema_extra={"later": ["glm", "glmm", "gee", "ordinal", "survival", "bayesian"]},
    )
    id: Name = Field(description="The model's name.")
    label: Text = Field(description="Its name for readers.")
    formula: Text = Field(description="As lme4 writes it: `y ~ arm * round + (1 | participant)`.")
    outcomes: tuple[Name, ...] = Field(min_length=1, description="What is modelled, one fit each.")
    role: Role = Field(description="What its results may be taken for.")
    population: Name | None = Field(
        default=None, description="One of analysis.populations, where it is not the analysis's own."
    )
    estimation: Literal["reml", "ml"] = Field(default="reml", description="The criterion.")
    ddf: Literal["satterthwaite", "kenward_roger"] = Field(
        default="satterthwaite",
        description="The degrees of freedom; Kenward and Roger's method, of REML alone, adjusts standard errors too.",
    )
    pruning: Pruning | None = Field(
        default=None, description="What is done if it cannot be fitted as written."
    )
    leaves_out: dict[Name, Text] = Field(
        default_factory=dict,
        description="Waves, strata and other variables balanced at allocation that the formula leaves out, each with the reason.",
    )
    report_coefficients: bool = Field(
        default=False, description="Each fixed effect is a finding too, where no contrast names it."
    )


class LinearModel(Assumable):
    """Ordinary least squares with CR1 cluster-robust standard errors and z inference."""

    kind: Literal["ols"] = Field(description="A linear regression.")
    id: Name = Field(description="The model's name.")
    label: Text = Field(description="Its name for readers.")
    formula: Text = Field(description="As `y ~ arm * round`, without random terms.")
    outcomes: tuple[Name, ...] = Field(min_length=1, description="What is modelled, one fit each.")
    role: Role = Field(description="What its results may be taken for.")
    population: Name | None = Field(
        default=None, description="One of analysis.populations, where it is not the analysis's own."
    )
    cluster: Name = Field(description="The variable whose records are dependent, such as `participant`.")
    leaves_out: dict[Name, Text] = Field(
        default_factory=dict,
        description="Waves, strata and other variables balanced at allocation that the formula leaves out, each with the reason.",
    )
    report_coefficients: bool = Field(
        default=False, description="Each fixed effect is a finding too, where no contrast names it."
    )


Model = Annotated[MixedModel | LinearModel, Field(discriminator="kind")]


class Contrast(Assumable):
    """A weighted sum of a model's fixed effects."""

    id: Name = Field(description="The contrast's name.")
    label: Text = Field(description="Its name for readers.")
    weights: dict[str, float] = Field(
        min_length=1, description="Coefficient, as the fit names it, to weight."
    )


class Hypothesis(Assumable):
    """A claim, the contrasts that test it, and what would speak for it and against it.

    The criteria are judged for each contrast and outcome by itself. They compare, with `<`, `<=`, `>`, `>=`, `and`,
    `or`, `not` and parentheses, numbers and: estimate, se, df, statistic, p, p_adjusted, ci_low, ci_high, alpha,
    smallest_effect. Estimate, statistic and interval are turned so that the predicted side is positive. A verdict
    is corroborated where the first holds alone, falsified where the second does, and inconclusive otherwise.
    """

    id: Name = Field(description="The hypothesis's name.")
    statement: Text = Field(description="The claim, in a sentence.")
    role: Literal["primary", "secondary", "exploratory"] = Field(description="How much rests on it.")
    models: tuple[Name, ...] = Field(min_length=1, description="The models that test it.")
    outcomes: tuple[Name, ...] = Field(min_length=1, description="The outcomes that it speaks of.")
    contrasts: tuple[Name, ...] = Field(min_length=1, description="The contrasts that test it.")
    direction: Literal["greater", "less", "better", "two_sided"] = Field(
        description="`better` follows the outcome: greater where higher is better, less where lower is."
    )
    smallest_effect: float = Field(
        gt=0, description="The smallest effect of interest, in the outcome's own units."
    )
    corroborate_if: Text = Field(description="The criterion that speaks for it.")
    falsify_if: Text = Field(description="The criterion that speaks against it.")
    estimand: Name = Field(description="One of analysis.estimands.")


class Family(Assumable):
    """Tests whose p values are adjusted together, within one model."""

    id: Name = Field(description="The family's name.")
    label: Text = Field(description="Its name for readers.")
    model: Name = Field(description="The model whose tests they are.")
    contrasts: tuple[Name, ...] = Field(min_length=1, description="The contrasts.")
    outcomes: tuple[Name, ...] = Field(min_length=1, description="The outcomes.")
    scope: Literal["all_outcomes", "within_outcome"] = Field(
        description="One adjustment over all outcomes, or one for each."
    )
    method: Literal["none", "holm"] = Field(
        description="How the p values are adjusted.",
        json_schema_extra={
            "later": [
                "bonferroni",
                "hochberg",
                "hommel",
                "benjamini_hochberg",
                "benjamini_yekutieli",
                "fixed_sequence",
                "gatekeeping",
                "graphical",
                "dunnett",
                "tukey",
            ]
        },
    )


class MissingData(Assumable):
    """What is assumed of missing outcomes, and what is done about them."""

    assumption: Literal["mcar", "mar", "mnar", "not_stated"] = Field(
        description="Missing completely at random, at random, or not at random. `not_stated` is of format 1."
    )
    method: Literal["available_records"] = Field(
        description="Each model uses every record that has its outcome and predictors.",
        json_schema_extra={"later": ["multiple_imputation", "delta_adjusted"]},
    )
    statement: Text = Field(
        description="Why this is right for the study, and what would show that it is not."
    )


class Exploration(Assumable):
    """A question that the data may be asked without a prediction; its answers are exploratory."""

    id: Name = Field(description="The question's name.")
    question: Text = Field(description="What is asked.")
    how: Text = Field(description="How it is to be looked at.")


class Rounding(Value):
    """How a published table was rounded: first to significant digits, then to decimals."""

    significant: int | None = Field(default=None, ge=1, le=15, description="Significant digits, if any.")
    decimals: int = Field(ge=0, le=15, description="Digits after the point.")


class ExpectedCoefficient(Value):
    """Published numbers of one fixed effect, as printed."""

    term: Text = Field(description="The coefficient, as the fit names it.")
    estimate: str | None = Field(default=None, description="The estimate's digits.")
    se: str | None = Field(default=None, description="The standard error's digits.")
    df: str | None = Field(default=None, description="The degrees of freedom's digits.")
    statistic: str | None = Field(default=None, description="The t or z statistic's digits.")
    p: str | None = Field(default=None, description="The p value's digits.")


class Expected(Value):
    """Published results of one model, shown beside ours."""

    id: Name = Field(description="The table's name.")
    label: Text = Field(description="Its name for readers.")
    source: Text = Field(description="Where it was published.")
    model: Name = Field(description="The model.")
    outcome: Name = Field(description="Its outcome.")
    rounding: Rounding = Field(description="How its numbers were rounded.")
    coefficients: tuple[ExpectedCoefficient, ...] = Field(min_length=1, description="The numbers.")


class Analysis(Value):
    """The registered analysis as a whole."""

    population: Name = Field(description="The population of every model that names none.")
    populations: tuple[Population, ...] = Field(min_length=1, description="The populations analysed.")
    missing_data: MissingData = Field(description="What is done about missing outcomes.")
    alpha: float = Field(default=0.05, gt=0, lt=1, description="The significance level, two-sided.")
    sides: Literal["two"] = Field(
        default="two",
        description="Tests and intervals have two sides; a direction is judged by the interval.",
        json_schema_extra={"later": ["one"]},
    )
    estimands: tuple[Estimand, ...] = Field(default=(), description="What the hypotheses are about.")
    models: tuple[Model, ...] = Field(min_length=1, description="The models, confirmatory and other.")
    contrasts: tuple[Contrast, ...] = Field(default=(), description="The contrasts that are tested.")
    hypotheses: tuple[Hypothesis, ...] = Field(default=(), description="The claims.")
    families: tuple[Family, ...] = Field(default=(), description="What is adjusted together.")
    expected: tuple[Expected, ...] = Field(default=(), description="Published results to compare with.")
    exploratory: tuple[Exploration, ...] = Field(default=(), description="Questions without a prediction.")
