"""Outcomes, raters, variables, indices, derivations and exclusions, in words."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import assert_never

from forethought.grammar import parse_formula, variables
from forethought.protocol.columns import analysis_columns
from forethought.protocol.estimands import Population
from forethought.protocol.imports import Variable
from forethought.protocol.measures import (
    Centre,
    Composite,
    Derive,
    Exclude,
    Join,
    Log,
    Outcome,
    Rated,
    Rater,
    Scale,
)
from forethought.protocol.protocol import Protocol
from forethought.reports import formatting
from forethought.reports.forms import words
from forethought.reports.forms.form import Plan

RATERS = {
    "language_model": "a language model",
    "person": "a person",
    "panel": "a panel",
    "not_stated": "a rater of whom the protocol does not state the kind",
}
NO_INDEX = "No measures are combined into an index"
NO_TRANSFORMATION = "No variable is transformed, and no category is recoded"
NO_EXCLUSION = "No record is left out for its values: outliers are kept"
LATE = "A session held outside its window is reported as a deviation, and its outcomes are analysed with all others"
ABSENT_FROM = {
    "every_session": "whoever did not hold every session",
    "sessions_in_window": "whoever did not hold every session inside its window",
}
"""Whom a population's rule leaves out."""


def measured(plan: Plan) -> str:
    """The outcomes, who rates them, and the other variables that are read."""
    protocol = plan.protocol
    return words.paragraphs(
        words.bullets("Outcomes", (outcome(name, plan) for name in _outcomes(protocol))),
        words.bullets("Raters", map(_rater, protocol.raters)),
        words.bullets("Variables", variables_read(_read(protocol), plan)),
    )


def _outcomes(protocol: Protocol) -> tuple[str, ...]:
    """The outcomes by their ids; what a model takes for one without its being declared, too."""
    modelled = (name for model in protocol.analysis.models for name in model.outcomes)
    return tuple(dict.fromkeys((*protocol.outcomes_by_id, *modelled)))


def outcome(name: str, plan: Plan) -> str:
    """One outcome and how it is measured."""
    label = plan.names.outcome(name)
    return f"{label if label == name else f'{label} (`{name}`)'}: {measurement(name, plan)}"


def measurement(name: str, plan: Plan) -> str:
    """How an outcome is measured; of an outcome that is a variable, what its values are."""
    found = plan.protocol.outcomes_by_id.get(name)
    if found is None:
        return _of_column(name, plan)
    return f"{_measured(found, plan)}; {found.better} is better"


def _measured(found: Outcome, plan: Plan) -> str:
    match found:
        case Rated():
            return f"each conversation rated from {found.minimum} to {found.maximum} by {found.scorer}"
        case Scale():
            items = f"the sum of {len(found.items)} items" if len(found.items) > 1 else "one item"
            bounds = _bounds_of(found, plan.protocol)
            return f"{items} of the survey, asked at {plan.names.session(found.session)}{bounds}"
        case Composite():
            return f"the index {words.weighted_sum(found.weights)}"
        case _:
            assert_never(found)


def _of_column(name: str, plan: Plan) -> str:
    for step in plan.protocol.preparation:
        if isinstance(step, Derive) and step.name == name:
            return _derived(step)
    for variable in _read(plan.protocol):
        if variable.name == name:
            return _values(variable, plan)
    return "a number of the analysis data set"


def _bounds_of(scale: Scale, protocol: Protocol) -> str:
    """The lowest and highest sum, where the bounds of every item are known."""
    known = {variable.name: variable for variable in _read(protocol)}
    bounds = [_bounds(known[item]) for item in scale.items if item in known]
    low, high = [one[0] for one in bounds], [one[1] for one in bounds]
    if len(bounds) < len(scale.items) or None in low or None in high:
        return ""
    smallest, largest = (formatting.plain(sum(x for x in side if x is not None)) for side in (low, high))
    return f", from {smallest} to {largest}"


def _bounds(variable: Variable) -> tuple[float | None, float | None]:
    codes = variable.codes.values()
    low = variable.minimum if variable.minimum is not None or not codes else min(codes)
    high = variable.maximum if variable.maximum is not None or not codes else max(codes)
    return low, high


def _rater(rater: Rater) -> str:
    facts = [RATERS[rater.kind]]
    facts += [f"model {rater.model}"] if rater.model else []
    facts += [f"temperature {formatting.plain(rater.temperature)}"] if rater.temperature is not None else []
    facts += [f"{rater.repeats} ratings of each conversation"] if rater.repeats > 1 else []
    facts += [f"rubric in {rater.rubric}"] if rater.rubric else []
    facts += [f"prompt in {rater.prompt}"] if rater.prompt else []
    facts += [f"not told the {words.listed(rater.blinded_to, 'or the')}"] if rater.blinded_to else []
    return f"{rater.id} ({', '.join(facts)}): {rater.description}"


def _read(protocol: Protocol) -> tuple[Variable, ...]:
    recruits, responses = protocol.imports.recruits, protocol.imports.responses
    return (*(recruits.variables if recruits else ()), *(responses.variables if responses else ()))


def variables_read(read: Iterable[Variable], plan: Plan) -> Iterator[str]:
    """The variables, those that stand together and have the same values in one item."""
    for values, group in groupby(read, key=lambda one: _values(one, plan)):
        yield f"{words.listed(variable.name for variable in group)}: {values}"


def _values(variable: Variable, plan: Plan) -> str:
    when = f", asked at {plan.names.session(variable.session)}" if variable.session else ""
    if variable.type == "text":
        return f"a text{when}"
    if variable.type == "category":
        levels = words.listed((f"“{level}”" for level in variable.levels), "or")
        return f"{levels}{when}" if levels else f"a category{when}"
    if variable.codes:
        codes = sorted(variable.codes.items(), key=lambda item: item[1])
        coded = (f"{word} = {formatting.plain(code)}" for word, code in codes)
        return f"a number, from the words {words.listed(coded)}{when}"
    return f"a number{_range(variable)}{when}"


def _range(variable: Variable) -> str:
    match variable.minimum, variable.maximum:
        case float(low), float(high):
            return f" from {formatting.plain(low)} to {formatting.plain(high)}"
        case float(low), None:
            return f" of at least {formatting.plain(low)}"
        case None, float(high):
            return f" of at most {formatting.plain(high)}"
    return ""


def indices(plan: Plan) -> str:
    """The formula of each composite and scale, with the items that are keyed the other way."""
    found = [_index(one) for one in plan.protocol.outcomes if not isinstance(one, Rated)]
    return words.bullets("Indices", found) or words.sentence(NO_INDEX)


def _index(one: Scale | Composite) -> str:
    if isinstance(one, Composite):
        formula, part = words.weighted_sum(one.weights), "part"
    else:
        formula, part = words.weighted_sum(dict.fromkeys(one.items, 1.0)), "item"
    reverse = (
        f". Keyed the other way, as minimum + maximum {formatting.MINUS} x: {words.listed(one.reverse)}"
        if isinstance(one, Scale) and one.reverse
        else ""
    )
    return f"{one.label} (`{one.id}`) = {formula}; missing where any {part} is missing{reverse}"


def transformations(plan: Plan) -> str:
    """The derived variables, by the step of the preparation, and how categories are coded in the models."""
    steps = [
        f"Step {number}: {step.name} is {_derived(step)}"
        for number, step in enumerate(plan.protocol.preparation, start=1)
        if isinstance(step, Derive)
    ]
    coded = list(_coding(plan.protocol))
    text = words.paragraphs(
        words.bullets("Derived variables, in the order of the preparation of the data", steps),
        words.bullets("Categories are coded as indicators against a reference", coded),
    )
    return text or words.sentence(NO_TRANSFORMATION)


def _derived(step: Derive) -> str:
    match step.how:
        case Log(of=name):
            return f"the natural logarithm of {name}, missing where {name} is zero or less"
        case Centre(of=name):
            return f"{name} less its mean over the records that are there at this step"
        case Join(of=names):
            return f"the values of {words.listed(names)} joined into one label"
        case _:
            assert_never(step.how)


def _coding(protocol: Protocol) -> Iterator[str]:
    """The reference of each category that stands among the fixed effects of a model."""
    columns = analysis_columns(protocol)
    formulas = (parse_formula(model.formula) for model in protocol.analysis.models)
    used = dict.fromkeys(name for formula in formulas for name in variables(formula).fixed)
    for name in used:
        if name in columns and columns[name].type == "category":
            levels = columns[name].levels
            reference = f"“{levels[0]}”" if levels else "the first of its levels in the alphabet"
            yield f"{name}: {reference}"


def exclusions(plan: Plan, *, reasons: bool = True) -> str:
    """Which records leave, in their order, and why; what is kept."""
    steps = [
        f"Step {number}: records whose {words.rule(step.criterion)}"
        + (f" ({step.criterion.reason})" if reasons else "")
        for number, step in enumerate(plan.protocol.preparation, start=1)
        if isinstance(step, Exclude)
    ]
    return words.paragraphs(
        words.bullets("Records that leave the analysis, in the order of the preparation of the data", steps)
        or words.sentence(NO_EXCLUSION),
        words.sentence("Nothing else is left out, and outliers are kept") if steps else None,
        words.sentences(*_late(plan, reasons=reasons)),
    )


def _late(plan: Plan, *, reasons: bool) -> Iterator[str]:
    """What becomes of a late session; in one line, without the reasons, where a population is of the punctual."""
    punctual = [one.id for one in _restricting(plan) if one.rule == "sessions_in_window"]
    if punctual and not reasons:
        names = words.listed(f"`{name}`" for name in punctual)
        leave = "leaves" if len(punctual) == 1 else "leave"
        yield f"A session outside its window is a deviation; {names} alone {leave} out its participant"
    elif plan.protocol.sessions:
        yield LATE
        yield from _left_out(plan)


def _left_out(plan: Plan) -> Iterator[str]:
    """Whom each population leaves out, where it does not hold everyone."""
    for one in _restricting(plan):
        yield f"The population “{one.label}” leaves out {ABSENT_FROM[one.rule]}"


def _restricting(plan: Plan) -> Iterator[Population]:
    """The populations that a model is fitted to and that do not hold everyone."""
    analysis = plan.protocol.analysis
    used = {model.population or analysis.population for model in analysis.models}
    return (one for one in analysis.populations if one.id in used and one.rule in ABSENT_FROM)
