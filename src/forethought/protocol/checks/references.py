"""References of the analysis: whether the models, outcomes and contrasts that are named are there."""

from collections.abc import Iterator, Mapping, Sequence

from forethought.protocol.analysis import Analysis, Model
from forethought.protocol.checks.check import COLUMNS, reading
from forethought.protocol.columns import analysis_columns
from forethought.protocol.problems import Fault, KeyPath, nearest, one_of, suggestion
from forethought.protocol.protocol import Protocol

Reference = tuple[KeyPath, str, Sequence[str], str]
"""Where a name is written, the name, the names that there are, and what they name."""


def references_exist(protocol: Protocol) -> Iterator[Fault]:
    """What hypotheses, families and expected values refer to exists.

    A name that a model has misspelt is the model's fault alone.
    """
    analysis = protocol.analysis
    there = {*protocol.outcomes_by_id, *analysis_columns(protocol)}
    for at, name, known, noun in (
        *_of_hypotheses(analysis),
        *_of_families(analysis),
        *_of_expected(analysis),
    ):
        misspelt = [one for one in known if one not in there] if noun.startswith("outcome") else []
        if name not in known and not (name in there and nearest(name, misspelt)):
            yield Fault(at, f"`{name}` is no {noun}", suggestion(name, known, one_of(known)))


def hypotheses_use_their_models(protocol: Protocol) -> Iterator[Fault]:
    """Each model of a hypothesis has one of its outcomes, or it would test nothing of it."""
    models = _models(protocol.analysis)
    there = {*protocol.outcomes_by_id, *analysis_columns(protocol)}
    for index, hypothesis in enumerate(protocol.analysis.hypotheses):
        for place, name in enumerate(hypothesis.models):
            outcomes = set(models[name].outcomes) if name in models else set()
            if outcomes and outcomes <= there and not outcomes & set(hypothesis.outcomes):
                what = f"the model `{name}` has none of the outcomes of the hypothesis `{hypothesis.id}`"
                at = ("analysis", "hypotheses", index, "models", place)
                yield Fault(at, what, "Remove it here, or add the outcome to the model")


def _of_hypotheses(analysis: Analysis) -> Iterator[Reference]:
    models, contrasts = _models(analysis), [contrast.id for contrast in analysis.contrasts]
    for index, hypothesis in enumerate(analysis.hypotheses):
        at: KeyPath = ("analysis", "hypotheses", index)
        yield from _each((*at, "models"), hypothesis.models, [*models], "model")
        yield from _each((*at, "contrasts"), hypothesis.contrasts, contrasts, "contrast")
        if outcomes := _outcomes_of(hypothesis.models, models):
            yield from _each((*at, "outcomes"), hypothesis.outcomes, outcomes, "outcome of its models")


def _of_families(analysis: Analysis) -> Iterator[Reference]:
    models, contrasts = _models(analysis), [contrast.id for contrast in analysis.contrasts]
    for index, family in enumerate(analysis.families):
        at: KeyPath = ("analysis", "families", index)
        yield (*at, "model"), family.model, [*models], "model"
        yield from _each((*at, "contrasts"), family.contrasts, contrasts, "contrast")
        if outcomes := _outcomes_of([family.model], models):
            yield from _each((*at, "outcomes"), family.outcomes, outcomes, "outcome of its model")


def _of_expected(analysis: Analysis) -> Iterator[Reference]:
    models = _models(analysis)
    for index, expected in enumerate(analysis.expected):
        at: KeyPath = ("analysis", "expected", index)
        yield (*at, "model"), expected.model, [*models], "model"
        if outcomes := _outcomes_of([expected.model], models):
            yield (*at, "outcome"), expected.outcome, outcomes, "outcome of its model"


def _models(analysis: Analysis) -> Mapping[str, Model]:
    return {model.id: model for model in analysis.models}


def _outcomes_of(names: Sequence[str], models: Mapping[str, Model]) -> list[str]:
    """The outcomes of these models; none where no model is known, which is reported by itself."""
    return [*dict.fromkeys(one for name in names if name in models for one in models[name].outcomes)]


def _each(at: KeyPath, names: Sequence[str], known: Sequence[str], noun: str) -> Iterator[Reference]:
    return (((*at, place), name, known, noun) for place, name in enumerate(names))


CHECKS = (
    reading(
        references_exist,
        *COLUMNS,
        "analysis.models",
        "analysis.contrasts",
        "analysis.hypotheses",
        "analysis.families",
        "analysis.expected",
    ),
    reading(hypotheses_use_their_models, *COLUMNS, "analysis.models", "analysis.hypotheses"),
)
