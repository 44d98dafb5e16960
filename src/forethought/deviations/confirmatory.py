"""Which tests were added or changed once outcomes were there, and so cannot be confirmatory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from forethought.deviations.classing import after_data
from forethought.deviations.records import Plan, planned
from forethought.grammar import parse_formula, variables
from forethought.protocol.analysis import Model
from forethought.protocol.measures import Composite, Derive, Outcome, Rated, Scale
from forethought.protocol.protocol import Protocol
from forethought.registration import Difference, Registration

_WHOLE = (
    "analysis.alpha",
    "analysis.sides",
    "analysis.missing_data",
    "analysis.population",
    "analysis.populations",
    "preparation",
)
"""What every test rests on."""
_WORDS_ONLY = ("label", "note", "assumed")
_ORDERED = ("preparation", "formulas", "arms", "levels", "sessions")
"""Lists whose order decides something: steps, formulas of a pruning rule, sessions; of arms and levels the first is
the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedAfterData:
    """The fields that amendments changed after the first outcome, as differences speak them.

    `hypotheses`, `models` and `outcomes` are those that changed themselves, or something did by which they are
    defined: an estimand; a session's variable, an arm, a window that decides who belongs to a population; a rater or
    the file it rates by, an item of a scale, a part of a composite.
    """

    fields: frozenset[str] = frozenset()
    hypotheses: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    outcomes: frozenset[str] = frozenset()

    def touches(
        self, *, hypothesis: str | None, model: str, outcome: str, contrast: str, family: str | None
    ) -> bool:
        """Whether a test rests on anything that was added or changed then: it cannot be confirmatory."""
        rests_on = (
            *_WHOLE,
            f"analysis.contrasts.{contrast}",
            *((f"analysis.families.{family}",) if family else ()),
        )
        return (
            hypothesis in self.hypotheses
            or model in self.models
            or outcome in self.outcomes
            or any(_changed(one, self.fields) for one in rests_on)
        )


def changed_after_data(registration: Registration, first_outcome: datetime | None) -> ChangedAfterData:
    """What amendments changed once the first outcome was there; nothing where there was no such amendment.

    A change of words for readers (a label, a note, the mark of an assumption), or of the order of a list that has
    none, changes no test.
    """
    late = [one for one in registration.amendments if after_data(one, first_outcome)]
    fields = frozenset(
        difference.field for one in late for difference in one.differences if _matters(difference)
    )
    if not fields:
        return ChangedAfterData()
    plan = planned(registration)
    return ChangedAfterData(
        fields=fields,
        hypotheses=_hypotheses(plan.now, fields),
        models=_models(plan, fields),
        outcomes=_outcomes(plan.now, fields),
    )


def _matters(difference: Difference) -> bool:
    last = difference.field.rpartition(".")[2]
    return last in _ORDERED if difference.change == "moved" else last not in _WORDS_ONLY


def _hypotheses(now: Protocol, fields: frozenset[str]) -> frozenset[str]:
    return frozenset(
        one.id
        for one in now.analysis.hypotheses
        if _changed(f"analysis.hypotheses.{one.id}", fields)
        or _changed(f"analysis.estimands.{one.estimand}", fields)
    )


def _models(plan: Plan, fields: frozenset[str]) -> frozenset[str]:
    return frozenset(
        model.id
        for model in plan.now.analysis.models
        if any(_changed(one, fields) for one in _under(model, plan))
    )


def _under(model: Model, plan: Plan) -> Iterator[str]:
    """The fields that a model's records and columns come from: its own, sessions, arms and variables that are read."""
    now = plan.now
    versions = (plan.protocol, *plan.amended)
    population = now.populations_by_id[model.population or now.analysis.population]
    used = _columns(model, now)
    yield f"analysis.models.{model.id}"
    for session in dict.fromkeys(one.id for version in versions for one in version.sessions):
        yield f"sessions.{session}.id"
        yield from (f"sessions.{session}.variables.{name}" for name in used)
        if population.rule == "sessions_in_window":
            yield f"sessions.{session}.window"
    for arm in dict.fromkeys(one.id for version in versions for one in version.arms):
        yield f"arms.{arm}.id"
        yield f"arms.{arm}.factors"
    for name in used:
        yield from _variable(name)


def _columns(model: Model, now: Protocol) -> frozenset[str]:
    """What the formula names, the outcomes that are columns themselves, and what those were derived from."""
    names = {*variables(parse_formula(model.formula)), *model.outcomes}
    for step in reversed(now.preparation):  # what a step derives may be derived from an earlier one
        if isinstance(step, Derive) and step.name in names:
            names |= {step.how.of} if isinstance(step.how.of, str) else set(step.how.of)
    return frozenset(names)


def _variable(name: str) -> Iterator[str]:
    """Where a variable may be read from."""
    yield from (f"imports.{part}.variables.{name}" for part in ("recruits", "responses"))


def _outcomes(now: Protocol, fields: frozenset[str]) -> frozenset[str]:
    changed = {
        one.id for one in now.outcomes if any(_changed(field, fields) for field in _measured_by(one, now))
    }
    composites = [one for one in now.outcomes if isinstance(one, Composite)]
    for _ in composites:  # a composite may be a part of another: as many rounds reach the last
        changed |= {one.id for one in composites if changed & set(one.weights)}
    return frozenset(changed)


def _measured_by(one: Outcome, now: Protocol) -> Iterator[str]:
    """The fields that define an outcome by itself: of a rated one its rater and the rater's files, of a scale its items."""
    yield f"outcomes.{one.id}"
    if isinstance(one, Rated):
        yield f"raters.{one.scorer}"
        files = ((rater.rubric, rater.prompt) for rater in now.raters if rater.id == one.scorer)
        yield from (f"materials.{file}" for pair in files for file in pair if file is not None)
    if isinstance(one, Scale):
        for item in one.items:
            yield from _variable(item)


def _changed(field: str, fields: frozenset[str]) -> bool:
    """Whether this field, a part of it, or a whole that it is a part of is among the changed ones."""
    return any(f"{one}.".startswith(f"{field}.") or f"{field}.".startswith(f"{one}.") for one in fields)
