"""Outcomes and preparation: whether each can be computed from what is measured."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from forethought.protocol.checks.check import COLUMNS, reading
from forethought.protocol.checks.criteria import criterion_faults
from forethought.protocol.columns import BEFORE_ALLOCATION, Column, bounds, derived_column, record_columns
from forethought.protocol.imports import Variable
from forethought.protocol.measures import Centre, Composite, Derive, Exclude, Join, Log, Rated, Scale
from forethought.protocol.problems import Fault, KeyPath, one_of, suggestion, unknown_keys
from forethought.protocol.protocol import Protocol


def ratings_have_a_range(protocol: Protocol) -> Iterator[Fault]:
    """A rated outcome's maximum is above its minimum."""
    for index, outcome in enumerate(protocol.outcomes):
        if isinstance(outcome, Rated) and outcome.maximum <= outcome.minimum:
            what = (
                f"`{outcome.id}` has its maximum, {outcome.maximum}, not above its minimum, {outcome.minimum}"
            )
            yield Fault(("outcomes", index, "maximum"), what, "Correct one of the two")


def composites_have_parts(protocol: Protocol) -> Iterator[Fault]:
    """Composites are weighted sums of other outcomes, and never of themselves."""
    for index, outcome in enumerate(protocol.outcomes):
        if isinstance(outcome, Composite):
            at: KeyPath = ("outcomes", index, "weights")
            others = [name for name in protocol.outcomes_by_id if name != outcome.id]
            yield from unknown_keys(at, outcome.weights, others, "other outcome")
            for name, weight in outcome.weights.items():
                if weight == 0:
                    yield Fault((*at, name), f"`{name}` has the weight 0", "Give it a weight, or remove it")
    yield from _circles(protocol)


def _circles(protocol: Protocol) -> Iterator[Fault]:
    parts = {
        outcome.id: [*outcome.weights] if isinstance(outcome, Composite) else []
        for outcome in protocol.outcomes
    }
    try:
        TopologicalSorter(parts).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        index = [*protocol.outcomes_by_id].index(circle[0])
        if len(circle) > 2:
            what = f"the composites {' and '.join(f'`{name}`' for name in circle[1:])} are made of each other"
            yield Fault(("outcomes", index, "weights"), what, "Let one of them be made of measured outcomes")


def scales_have_items(protocol: Protocol) -> Iterator[Fault]:
    """A scale's items are numbers that were measured on the scale's occasion."""
    sessions = [*BEFORE_ALLOCATION, *(session.id for session in protocol.sessions)]
    for index, outcome in enumerate(protocol.outcomes):
        if not isinstance(outcome, Scale):
            continue
        at: KeyPath = ("outcomes", index)
        if outcome.session not in sessions:
            what = f"`{outcome.id}` is measured in `{outcome.session}`, which is no session"
            yield Fault((*at, "session"), what, suggestion(outcome.session, sessions, one_of(sessions)))
            continue
        measured = {one.name: one for one in _measured(protocol, outcome.session)}
        unused = [name for name in measured if name not in outcome.items]
        for place, item in enumerate(outcome.items):
            if item not in measured:
                what = f"`{item}` is no variable of the session `{outcome.session}`"
                yield Fault((*at, "items", place), what, suggestion(item, unused, one_of(measured)))
            elif measured[item].type != "number":
                what = f"`{item}` is no number, and cannot be summed"
                yield Fault(
                    (*at, "items", place), what, "Declare it with `type: number`, and codes for words"
                )


def reversed_items_have_bounds(protocol: Protocol) -> Iterator[Fault]:
    """What is keyed the other way is an item whose lowest and highest number are known.

    They are `minimum` and `maximum` of its variable; without these, the lowest and highest of its codes.
    """
    for index, outcome in enumerate(protocol.outcomes):
        if not isinstance(outcome, Scale):
            continue
        measured = {one.name: one for one in _measured(protocol, outcome.session)}
        for place, item in enumerate(outcome.reverse):
            at: KeyPath = ("outcomes", index, "reverse", place)
            if item not in outcome.items:
                what = f"`{item}` is keyed the other way, and is no item of `{outcome.id}`"
                yield Fault(at, what, suggestion(item, outcome.items, one_of(outcome.items)))
            elif item in measured and bounds(measured[item]) is None:
                what = f"`{item}` is keyed the other way, and has no bounds"
                yield Fault(at, what, "Give its variable a minimum and a maximum, or codes")


def _measured(protocol: Protocol, session: str) -> Iterator[Variable]:
    """The variables of an occasion; recruitment variables are those of `recruitment`."""
    recruits, responses = protocol.imports.recruits, protocol.imports.responses
    if session == "recruitment" and recruits is not None:
        yield from recruits.variables
    if responses is not None:
        yield from (variable for variable in responses.variables if variable.session == session)


def preparation_is_possible(protocol: Protocol) -> Iterator[Fault]:
    """Each step uses variables that are there when it is reached."""
    columns = dict(record_columns(protocol))
    for index, step in enumerate(protocol.preparation):
        at: KeyPath = ("preparation", index)
        if isinstance(step, Exclude):
            yield from criterion_faults((*at, "criterion"), step.criterion, columns)
        else:
            yield from _derivation_faults(at, step, columns)
            columns[step.name] = derived_column(step)


def _derivation_faults(at: KeyPath, step: Derive, columns: dict[str, Column]) -> Iterator[Fault]:
    match step.how:
        case Join(of=sources):
            for place, name in enumerate(sources):
                yield from _source_faults((*at, "how", "of", place), name, columns)
        case Log(of=name) | Centre(of=name):
            yield from _source_faults((*at, "how", "of"), name, columns)
            if name in columns and columns[name].type != "number":
                what = f"`{name}` is no number, and has no {step.how.kind}"
                yield Fault((*at, "how", "of"), what, "Declare it with `type: number`")


def _source_faults(at: KeyPath, name: str, columns: dict[str, Column]) -> Iterator[Fault]:
    if name not in columns:
        what = f"`{name}` is no variable that is there at this step"
        yield Fault(at, what, suggestion(name, columns, one_of([*columns])))


CHECKS = (
    reading(ratings_have_a_range, "outcomes"),
    reading(composites_have_parts, "outcomes"),
    reading(scales_have_items, "outcomes", "sessions", "imports.recruits", "imports.responses"),
    reading(reversed_items_have_bounds, "outcomes", "sessions", "imports.recruits", "imports.responses"),
    reading(preparation_is_possible, *COLUMNS),
)
