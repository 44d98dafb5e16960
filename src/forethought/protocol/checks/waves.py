"""Waves: whether they count up, and how several become one analysis."""

from collections.abc import Iterator

from forethought.grammar import ModelFormula
from forethought.protocol.checks.check import reading
from forethought.protocol.checks.models import formula_of
from forethought.protocol.problems import Fault, KeyPath, one_of, suggestion
from forethought.protocol.protocol import Protocol

POOLING: KeyPath = ("wave_pooling",)


def waves_count_up(protocol: Protocol) -> Iterator[Fault]:
    """Waves are numbered 1, 2, 3 and so on: their numbers are part of the random streams."""
    for index, wave in enumerate(protocol.waves):
        if wave.number != index + 1:
            what = f"wave {index + 1} of the list has the number {wave.number}"
            yield Fault(("waves", index, "number"), what, "Number the waves 1, 2, 3 in their order")


def pooling_has_waves(protocol: Protocol) -> Iterator[Fault]:
    """Only several waves of allocated people are pooled. That they must be is a rule of the format."""
    if protocol.wave_pooling is None:
        return
    if len(protocol.waves) == 1:
        yield Fault(POOLING, "wave_pooling is of several waves, and there is one", "Remove it, or add a wave")
    elif not protocol.randomised:
        what = "wave_pooling is of arms in several waves, but allocation is none"
        yield Fault(POOLING, what, "Remove it")


def heterogeneity_is_modelled(protocol: Protocol) -> Iterator[Fault]:
    """The model that shows how waves differ exists, claims nothing, and has an interaction of arm and wave."""
    if protocol.wave_pooling is None or len(protocol.waves) == 1 or not protocol.randomised:
        return
    name, at = protocol.wave_pooling.heterogeneity, (*POOLING, "heterogeneity")
    models = {model.id: model for model in protocol.analysis.models}
    if name not in models:
        yield Fault(at, f"`{name}` is no model", suggestion(name, models, one_of(models)))
        return
    if models[name].role not in ("sensitivity", "exploratory"):
        what = f"the model `{name}` is {models[name].role}, and shows only how the waves differ"
        yield Fault(at, what, "Name a model of the role sensitivity or exploratory")
    formula = formula_of(models[name])
    if formula is not None and not _interacts(formula, "arm", "wave"):
        what = f"the formula of `{name}` has no interaction of arm and wave"
        yield Fault(at, what, "Name a model with one, as `y ~ arm * wave`")


def _interacts(formula: ModelFormula, *names: str) -> bool:
    """Whether some fixed term holds all of these variables."""
    return any(
        set(names) <= {name for factor in term.factors for name in factor.variables}
        for term in formula.fixed.terms
    )


CHECKS = (
    reading(waves_count_up, "waves"),
    reading(pooling_has_waves, "waves", "wave_pooling", "allocation"),
    reading(heterogeneity_is_modelled, "waves", "wave_pooling", "allocation", "analysis.models"),
)
