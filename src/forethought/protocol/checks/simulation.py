"""The assumed world: whether it is the world of this study, and whether it adds up."""

import math
from collections.abc import Iterator

from forethought.protocol.checks.check import COLUMNS, reading
from forethought.protocol.checks.models import known_formula
from forethought.protocol.coefficients import coefficients
from forethought.protocol.columns import analysis_columns
from forethought.protocol.measures import Rated
from forethought.protocol.problems import Fault, KeyPath, exact_keys, one_of, suggestion
from forethought.protocol.protocol import Protocol

FLOW: KeyPath = ("simulation", "flow")
OUTCOMES: KeyPath = ("simulation", "outcomes")


def simulated_studies_are_randomised(protocol: Protocol) -> Iterator[Fault]:
    """Only the people of a randomised study can be played."""
    if protocol.simulation is not None and not protocol.randomised:
        what = "this release plays randomised studies only, and allocation is none"
        yield Fault(("simulation",), what, "Remove the simulation")


def flow_adds_up(protocol: Protocol) -> Iterator[Fault]:
    """Shares leave someone, and each session has its own loss."""
    if protocol.simulation is None:
        return
    flow = protocol.simulation.flow
    leaving = flow.returned + flow.timed_out + flow.ineligible
    if leaving >= 1:
        what = f"returned, timed_out and ineligible sum to {leaving:g}, and leave nobody"
        yield Fault(FLOW, what, "Let them sum to less than 1")
    at: KeyPath = (*FLOW, "lost_before")
    yield from exact_keys(at, flow.lost_before, [session.id for session in protocol.sessions], "session")
    for name, share in flow.lost_before.items():
        if not 0 <= share < 1:
            yield Fault(
                (*at, name), f"{share:g} is no share of people", "Write a number from 0 to less than 1"
            )


def stimulus_shifts_balance(protocol: Protocol) -> Iterator[Fault]:
    """Shifts are of the stimuli and sum to zero, so that they move no cell's mean."""
    if protocol.simulation is None or not protocol.simulation.outcomes.stimulus_shifts:
        return
    shifts, at = protocol.simulation.outcomes.stimulus_shifts, (*OUTCOMES, "stimulus_shifts")
    items = protocol.stimuli.items if protocol.stimuli else ()
    yield from exact_keys(at, shifts, items, "stimulus")
    total = math.fsum(shifts.values())
    if abs(total) > 1e-9:
        yield Fault(at, f"the shifts sum to {total:g}", "Let them sum to 0, so that they move no mean")


def published_models_are_those_simulated(protocol: Protocol) -> Iterator[Fault]:
    """There is a published model for each rated outcome, with the coefficients of the study's own model."""
    if protocol.simulation is None:
        return
    rated = [outcome.id for outcome in protocol.outcomes if isinstance(outcome, Rated)]
    seen: set[str] = set()
    for index, published in enumerate(protocol.simulation.outcomes.published):
        at: KeyPath = (*OUTCOMES, "published", index)
        name = published.outcome
        if name not in rated:
            what = f"`{name}` is no rated outcome"
            yield Fault((*at, "outcome"), what, suggestion(name, rated, one_of(rated)))
        elif name in seen:
            yield Fault((*at, "outcome"), f"`{name}` was published above already", "Keep one of the two")
        else:
            names = _coefficient_names(protocol, name)
            given = published.coefficients if names else {}
            needed = [each for each in names if each in given or _is_played(protocol, each)]
            yield from exact_keys((*at, "coefficients"), given, needed, "coefficient")
        seen.add(name)
    for name in rated:
        if name not in seen:
            what = f"there is no published model for the rated outcome `{name}`"
            yield Fault((*OUTCOMES, "published"), what, "Add it")


def _coefficient_names(protocol: Protocol, outcome: str) -> list[str]:
    """The coefficients of the first model of this outcome; none where they cannot be known."""
    columns = analysis_columns(protocol)
    for model in protocol.analysis.models:
        formula = known_formula(model, columns)
        if outcome in model.outcomes and formula is not None:
            found = coefficients(formula.fixed, columns)
            return [*found.names] if found.all_known else []
    return []


def _is_played(protocol: Protocol, name: str) -> bool:
    """Whether people are played by it: by arm and session alone, so that a covariate may be left out."""
    played = {"Intercept", *(f"arm[T.{arm.id}]" for arm in protocol.arms[1:])}
    played |= {variable for session in protocol.sessions for variable in session.variables}
    return {*name.split(":")} <= played


CHECKS = (
    reading(simulated_studies_are_randomised, "simulation", "allocation"),
    reading(flow_adds_up, "simulation", "sessions"),
    reading(stimulus_shifts_balance, "simulation", "stimuli"),
    reading(published_models_are_those_simulated, *COLUMNS, "simulation", "analysis.models"),
)
