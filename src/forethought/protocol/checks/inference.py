"""Contrasts, hypotheses, families and expected values: whether all that is claimed is tested, and once."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import product

from forethought.protocol.analysis import Hypothesis
from forethought.protocol.checks.check import COLUMNS, reading
from forethought.protocol.checks.models import known_formula
from forethought.protocol.coefficients import Coefficients, coefficients
from forethought.protocol.columns import analysis_columns
from forethought.protocol.problems import Fault, KeyPath, meant, one_of, suggestion
from forethought.protocol.protocol import Protocol

Test = tuple[str, str, str]
"""A model, an outcome and a contrast."""


def contrasts_name_coefficients(protocol: Protocol) -> Iterator[Fault]:
    """Each contrast weighs coefficients of every model that tests it, and some hypothesis tests it."""
    users = _models_by_contrast(protocol)
    fitted = _coefficients_by_model(protocol)
    for index, contrast in enumerate(protocol.analysis.contrasts):
        at: KeyPath = ("analysis", "contrasts", index)
        if contrast.id not in users:
            what = f"no hypothesis tests the contrast `{contrast.id}`"
            yield Fault((*at, "id"), what, "Add it to a hypothesis, or remove it")
        testing = [model for model in users.get(contrast.id, []) if model in fitted]
        for term, weight in contrast.weights.items():
            lacking = next((model for model in testing if term not in fitted[model]), None)
            if lacking is not None:
                what = f"`{term}` is no coefficient of the model `{lacking}`"
                remedy = suggestion(term, fitted[lacking].names, one_of(fitted[lacking].names))
                yield Fault((*at, "weights", term), what, remedy)
            if weight == 0:
                yield Fault(
                    (*at, "weights", term), f"`{term}` has the weight 0", "Give it a weight, or remove it"
                )


def _models_by_contrast(protocol: Protocol) -> dict[str, list[str]]:
    users: dict[str, list[str]] = {}
    known = [contrast.id for contrast in protocol.analysis.contrasts]
    for hypothesis in protocol.analysis.hypotheses:
        for contrast in meant(hypothesis.contrasts, known):
            users.setdefault(contrast, []).extend(hypothesis.models)
    return users


def _coefficients_by_model(protocol: Protocol) -> dict[str, Coefficients]:
    columns = analysis_columns(protocol)
    return {
        model.id: coefficients(formula.fixed, columns)
        for model in protocol.analysis.models
        if (formula := known_formula(model, columns)) is not None
    }


def directions_are_defined(protocol: Protocol) -> Iterator[Fault]:
    """`better` is said of outcomes that have a better side."""
    for index, hypothesis in enumerate(protocol.analysis.hypotheses):
        unsided = [name for name in hypothesis.outcomes if name not in protocol.outcomes_by_id]
        if hypothesis.direction == "better" and unsided and not protocol.randomised:
            what = f"`{unsided[0]}` is a variable, of which neither side is better"
            yield Fault(
                ("analysis", "hypotheses", index, "direction"), what, "Write greater, less or two_sided"
            )


def families_hold_what_is_tested(protocol: Protocol) -> Iterator[Fault]:
    """Each test of a family is a hypothesis's, and is in no other family."""
    tested = {test for hypothesis in protocol.analysis.hypotheses for test in _tests(protocol, hypothesis)}
    seen: dict[Test, str] = {}
    for index, family in enumerate(protocol.analysis.families):
        at: KeyPath = ("analysis", "families", index)
        for outcome, contrast in product(family.outcomes, family.contrasts):
            test = (family.model, outcome, contrast)
            where = (*at, "contrasts", family.contrasts.index(contrast))
            if test not in tested and _known(protocol, test):
                what = f"`{contrast}` of `{outcome}` in the model `{family.model}` is tested by no hypothesis"
                yield Fault(where, what, "Add it to a hypothesis, or take it out of the family")
            if test in seen:
                what = f"`{contrast}` of `{outcome}` is in the family `{seen[test]}` too"
                yield Fault(where, what, "Adjust each test in one family")
            seen.setdefault(test, family.id)


def primary_tests_are_in_families(protocol: Protocol) -> Iterator[Fault]:
    """Every test of a primary hypothesis of a randomised study, in a primary model, belongs to a family."""
    if not protocol.randomised:
        return
    primary = {model.id for model in protocol.analysis.models if model.role == "primary"}
    held = {
        (family.model, outcome, contrast)
        for family in protocol.analysis.families
        for outcome, contrast in product(family.outcomes, family.contrasts)
    }
    for index, hypothesis in enumerate(protocol.analysis.hypotheses):
        for test in _tests(protocol, hypothesis) if hypothesis.role == "primary" else ():
            if test[0] in primary and test not in held and _known(protocol, test):
                what = f"`{test[2]}` of `{test[1]}`, a primary test of `{hypothesis.id}`, is in no family"
                remedy = f"Add it to a family of the model `{test[0]}`; its method may be none"
                yield Fault(("analysis", "hypotheses", index, "contrasts"), what, remedy)


def families_are_whole(protocol: Protocol) -> Iterator[Fault]:
    """A family that adjusts some contrasts of a hypothesis, in a model and of an outcome, adjusts them all.

    Primary tests that no family holds are named at their hypothesis already.
    """
    held: dict[Test, int] = {}
    for index, family in enumerate(protocol.analysis.families):
        for outcome, contrast in product(family.outcomes, family.contrasts):
            held.setdefault((family.model, outcome, contrast), index)
    demanded = {model.id for model in protocol.analysis.models if model.role == "primary"}
    for hypothesis in protocol.analysis.hypotheses:
        primary = protocol.randomised and hypothesis.role == "primary"
        for model, outcome, contrast in _tests(protocol, hypothesis):
            beside = [held[one] for name in hypothesis.contrasts if (one := (model, outcome, name)) in held]
            left_out = (model, outcome, contrast) not in held and _known(protocol, (model, outcome, contrast))
            if beside and left_out and not (primary and model in demanded):
                family = protocol.analysis.families[beside[0]]
                what = f"`{contrast}` of `{outcome}`, a test of `{hypothesis.id}`, is left out of the family `{family.id}`"
                yield Fault(
                    ("analysis", "families", beside[0], "contrasts"),
                    what,
                    "Add it, or put it in a family of its own",
                )


def primary_hypotheses_have_primary_models(protocol: Protocol) -> Iterator[Fault]:
    """A primary hypothesis is tested by a primary model."""
    primary = {model.id for model in protocol.analysis.models if model.role == "primary"}
    known = {model.id for model in protocol.analysis.models}
    for index, hypothesis in enumerate(protocol.analysis.hypotheses):
        named = set(hypothesis.models)
        if hypothesis.role == "primary" and named <= known and not named & primary:
            what = f"the primary hypothesis `{hypothesis.id}` is tested by no primary model"
            remedy = "Name one, or change the role of the model or hypothesis"
            yield Fault(("analysis", "hypotheses", index, "models"), what, remedy)


def _tests(protocol: Protocol, hypothesis: Hypothesis) -> list[Test]:
    """The tests of a hypothesis: its contrasts, in each of its models, of each of its outcomes that the model has."""
    models = {model.id: model for model in protocol.analysis.models}
    return [
        (name, outcome, contrast)
        for name, outcome, contrast in product(hypothesis.models, hypothesis.outcomes, hypothesis.contrasts)
        if name in models and outcome in models[name].outcomes
    ]


def _known(protocol: Protocol, test: Test) -> bool:
    """Whether all parts of a test exist; where one does not, that is reported already."""
    model, outcome, contrast = test
    outcomes = {one.id: one.outcomes for one in protocol.analysis.models}
    return outcome in outcomes.get(model, ()) and contrast in {one.id for one in protocol.analysis.contrasts}


def expected_values_are_numbers(protocol: Protocol) -> Iterator[Fault]:
    """Published values belong to coefficients of their model and are decimal numbers."""
    fitted = _coefficients_by_model(protocol)
    for index, expected in enumerate(protocol.analysis.expected):
        for place, row in enumerate(expected.coefficients):
            at: KeyPath = ("analysis", "expected", index, "coefficients", place)
            if expected.model in fitted and row.term not in fitted[expected.model]:
                names = fitted[expected.model].names
                what = f"`{row.term}` is no coefficient of the model `{expected.model}`"
                yield Fault((*at, "term"), what, suggestion(row.term, names, one_of(names)))
            for key in ("estimate", "se", "df", "statistic", "p"):
                if (text := getattr(row, key)) is not None and not _is_number(text):
                    what = f"`{text}` is no published number"
                    yield Fault((*at, key), what, 'Write the digits as printed, as "0.051"')


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


CHECKS = (
    reading(
        contrasts_name_coefficients, *COLUMNS, "analysis.models", "analysis.contrasts", "analysis.hypotheses"
    ),
    reading(directions_are_defined, "allocation", "outcomes", "analysis.hypotheses"),
    reading(
        families_hold_what_is_tested,
        "analysis.models",
        "analysis.contrasts",
        "analysis.hypotheses",
        "analysis.families",
    ),
    reading(
        primary_tests_are_in_families,
        "allocation",
        "analysis.models",
        "analysis.contrasts",
        "analysis.hypotheses",
        "analysis.families",
    ),
    reading(
        families_are_whole,
        "allocation",
        "analysis.models",
        "analysis.contrasts",
        "analysis.hypotheses",
        "analysis.families",
    ),
    reading(primary_hypotheses_have_primary_models, "analysis.models", "analysis.hypotheses"),
    reading(expected_values_are_numbers, *COLUMNS, "analysis.models", "analysis.expected"),
)
