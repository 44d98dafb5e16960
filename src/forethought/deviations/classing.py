"""Every deviation, classed by who declared it and when."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from forethought.deviations.computed import Computed
from forethought.deviations.conduct import of_conduct
from forethought.deviations.exclusions import of_exclusions
from forethought.deviations.records import AMENDMENT, Deed, Deviation, DeviationClass, Plan
from forethought.deviations.scoring import of_scoring
from forethought.deviations.testing import of_analysis
from forethought.protocol.wording import orders, pair, shown
from forethought.registration import Amendment, Difference

DECLARED = "declared"
"""The kind of what a person declared without naming a kind."""


def find(plan: Plan, deed: Deed) -> tuple[Deviation, ...]:
    """Every deviation of the deed from the plan as it was locked, in a fixed order.

    An amendment declares a computed deviation where it changed a field that the deviation comes from and the deed is
    as the amended plan says, or where it says so of the deviation's kind; of several amendments the last counts. What
    else amendments changed or say stands after the computed ones, each by itself.

    Before and after data: the first outcome row divides them. What was declared when any outcome row was in the
    database, kept or quarantined, is declared after data, whoever had looked at it. What no amendment declares is
    undeclared, whenever it happened; but a model that gave way by the locked plan's own pruning rule was declared
    with that plan.
    """
    computed = tuple(_computed(plan, deed))
    classed = [_classed(one, plan, deed.first_outcome_at) for one in computed]
    covered = {
        (amendment.number, difference.field, str(difference.change))
        for one in computed
        for amendment, difference in _touching(one, plan.registration.amendments)
    }
    kinds = {one.kind for one in computed}
    found = (
        *classed,
        *_other_differences(plan, covered, deed.first_outcome_at),
        *_said(plan, kinds, deed.first_outcome_at),
    )
    return tuple({one.id: one for one in found}.values())


def after_data(amendment: Amendment, first_outcome: datetime | None) -> bool:
    """Whether an outcome row was there when the amendment was made: by its own record, or by the two times."""
    return amendment.after.first_outcome or (
        first_outcome is not None and amendment.amended_at > first_outcome
    )


def _computed(plan: Plan, deed: Deed) -> Iterator[Computed]:
    yield from of_conduct(plan, deed)
    yield from of_exclusions(plan, deed)
    yield from of_scoring(plan, deed)
    yield from of_analysis(plan, deed)


def _classed(one: Computed, plan: Plan, first_outcome: datetime | None) -> Deviation:
    deviation = Deviation(kind=one.kind, planned=one.planned, done=one.done)
    amendments = plan.registration.amendments
    numbers = {amendment.number for amendment, _ in _touching(one, amendments)}
    for amendment in reversed(amendments):
        said = tuple(each.statement for each in amendment.declared if _is_kind(each.kind, one.kind))
        if amendment.number in numbers or (said and one.foreseen is None):
            return _declared(deviation, amendment, first_outcome, said)
    if one.foreseen is not None:
        late = first_outcome is not None and plan.registration.locked_at > first_outcome
        return _with(deviation, late=late, reason=one.foreseen, amendment=None)
    return deviation


def _declared(
    deviation: Deviation, amendment: Amendment, first_outcome: datetime | None, said: Sequence[str] = ()
) -> Deviation:
    reason = " ".join((*(f"{statement.rstrip('.')}." for statement in said), amendment.reason))
    late = after_data(amendment, first_outcome)
    return _with(deviation, late=late, reason=reason, amendment=amendment.number)


def _with(deviation: Deviation, *, late: bool, reason: str, amendment: int | None) -> Deviation:
    return Deviation(
        kind=deviation.kind,
        planned=deviation.planned,
        done=deviation.done,
        deviation_class=DeviationClass.DECLARED_AFTER_DATA if late else DeviationClass.DECLARED_BEFORE_DATA,
        reason=reason,
        amendment=amendment,
    )


def _touching(one: Computed, amendments: Sequence[Amendment]) -> Iterator[tuple[Amendment, Difference]]:
    for amendment in amendments:
        for difference in amendment.differences:
            if any(_touches(difference, field) for field in one.fields):
                yield amendment, difference


def _touches(difference: Difference, field: str) -> bool:
    """Whether the difference is of the field, of a part of it, or of a whole that it is a part of."""
    if difference.change == "moved":
        return field == f"{difference.field}.order"
    theirs, ours = f"{difference.field}.", f"{field}."
    return theirs.startswith(ours) or ours.startswith(theirs)


def _other_differences(
    plan: Plan, covered: set[tuple[int, str, str]], first_outcome: datetime | None
) -> Iterator[Deviation]:
    for amendment in plan.registration.amendments:
        for difference in amendment.differences:
            if (amendment.number, difference.field, str(difference.change)) not in covered:
                before, after = _in_words(difference)
                plain = Deviation(
                    kind=AMENDMENT,
                    planned=f"{difference.field}: {before}",
                    done=f"{difference.field}: {after}",
                )
                yield _declared(plain, amendment, first_outcome)


def _in_words(difference: Difference) -> tuple[str, str]:
    """What the field said before and after, short."""
    match difference.change, difference.before, difference.after:
        case "added", _, after:
            return "not there", shown(after)
        case "removed", before, _:
            return shown(before), "not there"
        case "moved", list(before), list(after):
            return orders(before, after)
        case _, before, after:
            return pair(before, after)


def _said(plan: Plan, kinds: set[str], first_outcome: datetime | None) -> Iterator[Deviation]:
    """What a person declared and no computed deviation is of, in the person's words."""
    for amendment in plan.registration.amendments:
        for one in amendment.declared:
            if not any(_is_kind(one.kind, kind) for kind in kinds):
                plain = Deviation(kind=one.kind or DECLARED, planned="as registered", done=one.statement)
                yield _declared(plain, amendment, first_outcome)


def _is_kind(said: str | None, kind: str) -> bool:
    return said is not None and said.strip().casefold() == kind
