"""What is allowed and seldom wise: warnings, which refuse nothing."""

from collections.abc import Iterator

from forethought.protocol.allocation import Minimization, Randomization, Rerandomization
from forethought.protocol.checks.allocation_cautions import (
    allocation_cautions,
    clusters_left_out,
    stimuli_that_nobody_meets,
)
from forethought.protocol.checks.estimands import BY_SESSIONS
from forethought.protocol.checks.models import formula_of, predictors
from forethought.protocol.columns import planned_sessions
from forethought.protocol.formats import NOT_TOLD_APART
from forethought.protocol.measures import Derive, Exclude, Join
from forethought.protocol.problems import Fault, KeyPath, listed
from forethought.protocol.protocol import Protocol

CLAIMING = ("primary", "secondary")
"""The roles of models whose results count as answers."""


def cautions(protocol: Protocol) -> Iterator[Fault]:
    """Every warning about a protocol without a fault."""
    if isinstance(protocol.allocation, Randomization):
        yield from allocation_cautions(protocol, protocol.allocation)
    yield from clusters_left_out(protocol)
    yield from stimuli_that_nobody_meets(protocol)
    yield from models_leave_strata_out(protocol)
    yield from exclusions_look_behind_the_allocation(protocol)
    yield from nothing_tells_which_sessions_were_held(protocol)


def models_leave_strata_out(protocol: Protocol) -> Iterator[Fault]:
    """Models that claim something without what the allocation was balanced by, and do not say why."""
    design = protocol.allocation
    if not isinstance(design, Randomization):
        return
    how = _balancing(design)
    balanced = [(name, how.format(name=name)) for name in design.covariates]
    balanced += [("wave", "`wave`, within which arms are allocated")] if len(protocol.waves) > 1 else []
    for index, model in enumerate(protocol.analysis.models):
        formula = formula_of(model)
        if model.role not in CLAIMING or formula is None:
            continue
        for name, noun in balanced:
            if name not in predictors(formula) and name not in model.leaves_out:
                what = f"the {model.role} model `{model.id}` leaves out {noun}"
                remedy = "Add it to the formula, or give the reason under `leaves_out`"
                yield Fault(("analysis", "models", index, "formula"), what, remedy)


def _balancing(design: Randomization) -> str:
    """What a variable that the draw looks at does for the allocation."""
    if isinstance(design, Minimization):
        return "the factor `{name}`, by which arms are balanced"
    if isinstance(design, Rerandomization):
        return "`{name}`, by which arms are balanced"
    return "the stratum `{name}`, within which arms are allocated"


def exclusions_look_behind_the_allocation(protocol: Protocol) -> Iterator[Fault]:
    """Exclusions by what happened after allocation, where some estimand counts people whatever happened."""
    counted = [
        estimand.id
        for estimand in protocol.analysis.estimands
        if any(
            event.strategy == "treatment_policy" and event.handling != NOT_TOLD_APART
            for event in estimand.intercurrent_events
        )
    ]
    if not protocol.randomised or not counted:
        return
    after = _measured_after_allocation(protocol)
    for index, step in enumerate(protocol.preparation):
        if isinstance(step, Derive):
            sources = step.how.of if isinstance(step.how, Join) else (step.how.of,)
            after |= {step.name} if after & set(sources) else set()
        elif isinstance(step, Exclude) and step.criterion.variable in after:
            at: KeyPath = ("preparation", index, "criterion", "variable")
            what = (
                f"the exclusion `{step.criterion.id}` uses `{step.criterion.variable}`, known only after allocation, "
                f"but by treatment policy everyone counts in {listed(counted)}"
            )
            yield Fault(
                at, what, "Exclude by what was known before, or choose another strategy for that event"
            )


def nothing_tells_which_sessions_were_held(protocol: Protocol) -> Iterator[Fault]:
    """Populations by sessions where no conversations come in: they are what marks a session held."""
    if protocol.imports.conversations is not None:
        return
    for index, population in enumerate(protocol.analysis.populations):
        if population.rule in BY_SESSIONS:
            what = (
                f"nobody will be in the population `{population.id}`: this release learns from conversations alone "
                "that a session was held, and none are imported"
            )
            yield Fault(("analysis", "populations", index, "rule"), what, "Write randomised")


def _measured_after_allocation(protocol: Protocol) -> set[str]:
    """The variables that planned sessions give."""
    planned = {session.id for session in protocol.sessions}
    responses = protocol.imports.responses
    return {
        *(outcome.id for outcome in protocol.outcomes if planned_sessions(outcome, protocol)),
        *(one.name for one in (responses.variables if responses else ()) if one.session in planned),
        *(name for session in protocol.sessions for name in session.variables),
    }
