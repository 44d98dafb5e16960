"""Models: whether each can be fitted to the analysis data set."""

from collections.abc import Iterator, Mapping

from forethought.errors import InvalidFormula
from forethought.grammar import ModelFormula, parse_formula, variables
from forethought.protocol.analysis import LinearModel, MixedModel, Model
from forethought.protocol.checks.check import COLUMNS, reading
from forethought.protocol.columns import Column, analysis_columns, planned_sessions
from forethought.protocol.problems import Fault, KeyPath, one_of, suggestion
from forethought.protocol.protocol import Protocol

OUTCOME = "y"
"""What stands in a formula for each of the model's outcomes."""


def formulas_fit_the_data(protocol: Protocol) -> Iterator[Fault]:
    """Formulas parse, suit the model's kind, and use columns that exist."""
    columns = analysis_columns(protocol)
    for index, model in enumerate(protocol.analysis.models):
        at: KeyPath = ("analysis", "models", index, "formula")
        try:
            formula = parse_formula(model.formula)
        except InvalidFormula as error:
            yield unparsed(at, error)
            continue
        yield from _kind_faults(at, model, formula)
        yield from variable_faults(at, model, formula, columns)


def unparsed(at: KeyPath, error: InvalidFormula) -> Fault:
    """A formula or criterion that does not parse, with the column where it stops to make sense."""
    place = error.where.rsplit("\n", 1)[-1]
    return Fault(at, f"{place}: {error.what}", error.remedy)


def formula_of(model: Model) -> ModelFormula | None:
    """The model's formula; None where it does not parse, which is reported elsewhere."""
    try:
        return parse_formula(model.formula)
    except InvalidFormula:
        return None


def known_formula(model: Model, columns: Mapping[str, Column]) -> ModelFormula | None:
    """The model's formula; None where it does not parse or uses what is not there, which is reported elsewhere."""
    formula = formula_of(model)
    return formula if formula is not None and predictors(formula) <= set(columns) else None


def predictors(formula: ModelFormula) -> frozenset[str]:
    """Every variable on the right side of a formula, in its fixed and random effects and its groups."""
    used = variables(formula)
    return frozenset((*used.fixed, *used.random, *used.groups))


def _kind_faults(at: KeyPath, model: Model, formula: ModelFormula) -> Iterator[Fault]:
    if formula.response.text != OUTCOME:
        what = f"the formula of `{model.id}` begins with `{formula.response}`"
        yield Fault(at, what, "Begin it with `y ~`, where y stands for each of the model's outcomes")
    match model:
        case MixedModel() if not formula.random:
            what = f"the mixed model `{model.id}` has no random term"
            yield Fault(at, what, "Add one, as `+ (1 | participant)`, or write `kind: ols`")
        case LinearModel() if formula.random:
            what = f"`{model.id}` is a linear model and has a random term"
            yield Fault(at, what, "Remove it, or write `kind: mixed`")
        case _:
            pass


def variable_faults(
    at: KeyPath, model: Model, formula: ModelFormula, columns: Mapping[str, Column]
) -> Iterator[Fault]:
    """Predictors that the analysis data set does not have, or has only as free text."""
    used = variables(formula)
    for name in dict.fromkeys((*used.fixed, *used.random, *used.groups)):
        if name == OUTCOME or name in model.outcomes:
            what = f"the formula of `{model.id}` uses its outcome as a predictor"
            yield Fault(at, what, f"Remove `{name}` from the right side")
        elif name not in columns:
            what = f"`{name}` in the formula of `{model.id}` is no variable of the analysis data set"
            yield Fault(at, what, suggestion(name, columns, one_of(columns)))
        elif columns[name].type == "text" and name not in used.groups:
            yield Fault(
                at, f"`{name}` in the formula of `{model.id}` is free text", "Declare it as a category"
            )


def kenward_roger_has_reml(protocol: Protocol) -> Iterator[Fault]:
    """Kenward and Roger's method is one for restricted maximum likelihood."""
    for index, model in enumerate(protocol.analysis.models):
        if isinstance(model, MixedModel) and model.ddf == "kenward_roger" and model.estimation == "ml":
            what = (
                f"`{model.id}` asks for Kenward and Roger's degrees of freedom of a fit by maximum likelihood"
            )
            yield Fault(
                ("analysis", "models", index, "ddf"),
                what,
                "Write `estimation: reml`, or `ddf: satterthwaite`",
            )


def clusters_exist(protocol: Protocol) -> Iterator[Fault]:
    """The clusters of a linear model are a column."""
    columns = analysis_columns(protocol)
    for index, model in enumerate(protocol.analysis.models):
        if isinstance(model, LinearModel) and model.cluster not in columns:
            what = f"the cluster `{model.cluster}` of `{model.id}` is no variable of the analysis data set"
            remedy = suggestion(model.cluster, columns, one_of(columns))
            yield Fault(("analysis", "models", index, "cluster"), what, remedy)


def modelled_outcomes_exist(protocol: Protocol) -> Iterator[Fault]:
    """A model's outcomes are numbers that its records hold."""
    columns = analysis_columns(protocol)
    possible = [name for name, column in columns.items() if column.type == "number"]
    if protocol.randomised:
        possible = [*protocol.outcomes_by_id]
    for index, model in enumerate(protocol.analysis.models):
        for place, name in enumerate(model.outcomes):
            at: KeyPath = ("analysis", "models", index, "outcomes", place)
            if name not in possible:
                noun = "outcome" if protocol.randomised else "number of the analysis data set"
                what = f"`{name}` of the model `{model.id}` is no {noun}"
                yield Fault(at, what, suggestion(name, possible, one_of(possible)))
            elif protocol.randomised and not planned_sessions(protocol.outcomes_by_id[name], protocol):
                what = (
                    f"`{name}` is measured in no planned session, so that `{model.id}` has no records of it"
                )
                yield Fault(at, what, "Model an outcome that a session measures")


CHECKS = (
    reading(formulas_fit_the_data, *COLUMNS, "analysis.models"),
    reading(kenward_roger_has_reml, "analysis.models"),
    reading(clusters_exist, *COLUMNS, "analysis.models"),
    reading(modelled_outcomes_exist, *COLUMNS, "analysis.models"),
)
