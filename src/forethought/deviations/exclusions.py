"""Who was left out, against the plan: eligibility, quotas, and records that the preparation takes out."""

from collections.abc import Iterator, Mapping, Sequence

from forethought.deviations.computed import Computed, named
from forethought.deviations.records import Deed, Excluded, Plan
from forethought.protocol.measures import Exclude
from forethought.protocol.protocol import Protocol
from forethought.protocol.recruitment import Quota
from forethought.protocol.rules import Criterion

ELIGIBILITY = "imports.recruits.eligibility"
QUOTAS = "recruitment.quotas"


def of_exclusions(plan: Plan, deed: Deed) -> Iterator[Computed]:
    """Every exclusion that is not of the registered plan, of people and then of records."""
    yield from _people(plan, deed)
    yield from _records(plan, deed)


def _people(plan: Plan, deed: Deed) -> Iterator[Computed]:
    registered = _rules(plan.protocol)
    strange: dict[str, int] = {}
    for one in deed.excluded:
        if one.criterion not in registered:
            strange[one.criterion] = strange.get(one.criterion, 0) + one.count
    for name, count in strange.items():
        yield Computed(
            kind="exclusions",
            planned=f"no criterion `{name}`",
            done=f"{_counted(count, 'person', 'people')} excluded by it",
            fields=tuple(f"{where}.{name}.id" for where in (ELIGIBILITY, QUOTAS)),
        )
    for one in deed.excluded:
        if one.criterion in registered:
            yield from _place(plan, one)
            yield from _changed_rule(plan, one)


def _rules(protocol: Protocol) -> Mapping[str, Criterion | Quota]:
    """Criteria of eligibility and then quotas, by their ids, in the order in which they are tried."""
    recruits = protocol.imports.recruits
    found: dict[str, Criterion | Quota] = {one.id: one for one in (recruits.eligibility if recruits else ())}
    return found | {one.id: one for one in protocol.recruitment.quotas}


def _place(plan: Plan, one: Excluded) -> Iterator[Computed]:
    """Another place is another order, unless a criterion that was added or removed only moved it up or down."""
    registered = list(_rules(plan.protocol))
    place = registered.index(one.criterion) + 1
    orders = [order for version in plan.amended if _has(order := list(_rules(version)), one)]
    if one.position == place or any(_in_order(order, registered) for order in orders):
        return
    yield Computed(
        kind="exclusions",
        planned=f"`{one.criterion}` tried as number {place}",
        done=f"{_counted(one.count, 'person', 'people')} excluded by it, tried as number {one.position}",
        fields=(f"{ELIGIBILITY}.order", f"{QUOTAS}.order") if orders else (),
    )


def _has(order: Sequence[str], one: Excluded) -> bool:
    return one.position <= len(order) and order[one.position - 1] == one.criterion


def _in_order(order: Sequence[str], registered: Sequence[str]) -> bool:
    """Whether those of the registered criteria that are in this order stand in it as they were registered."""
    return [name for name in order if name in registered] == [name for name in registered if name in order]


def _changed_rule(plan: Plan, one: Excluded) -> Iterator[Computed]:
    """A criterion of the same name that tests something else; where somebody was excluded after the amendment."""
    before = _rules(plan.protocol)[one.criterion]
    for amendment, version in zip(plan.registration.amendments, plan.amended, strict=True):
        now = _rules(version).get(one.criterion)
        if now is not None and _tests(now) != _tests(before) and one.last_at >= amendment.amended_at:
            where = QUOTAS if isinstance(now, Quota) else ELIGIBILITY
            yield Computed(
                kind="exclusions",
                planned=f"`{one.criterion}` as registered",
                done=f"people excluded by `{one.criterion}` as amended",
                fields=tuple(f"{where}.{one.criterion}.{part}" for part in _tests(now)),
            )
            return


def _tests(rule: Criterion | Quota) -> Mapping[str, object]:
    """What a rule tests, without its words."""
    if isinstance(rule, Quota):
        return {"variable": rule.variable, "value": rule.value, "at_most": rule.at_most}
    return {"variable": rule.variable, "rule": rule.rule}


def _records(plan: Plan, deed: Deed) -> Iterator[Computed]:
    """The analysis prepares its records as the plan that stands says; so that plan is held against the locked one."""
    if deed.analysis is None:
        return
    registered, now = _excluding(plan.protocol), _excluding(plan.now)
    taken: dict[str, int] = {}
    for step in deed.analysis.preparation:
        taken[step.reason] = taken.get(step.reason, 0) + step.records
    yield from _changed_exclusions(registered, now, taken)
    if not _in_order(list(now), list(registered)):
        yield Computed(
            kind="exclusions",
            planned=f"records excluded in the order {named(list(registered))}",
            done=f"in the order {named(list(now))}",
            fields=("preparation.order",),
        )
    known = {criterion.reason for criterion in now.values()}
    for reason in (reason for reason in taken if reason not in known):
        yield Computed(
            kind="exclusions",
            planned="no such exclusion",
            done=f"{_counted(taken[reason], 'record', 'records')} excluded: {reason}",
        )


def _changed_exclusions(
    registered: Mapping[str, Criterion], now: Mapping[str, Criterion], taken: Mapping[str, int]
) -> Iterator[Computed]:
    """Exclusions that were added, changed or left out; `taken` is the number of records by their reason."""
    for name in dict.fromkeys((*now, *registered)):
        before, criterion = registered.get(name), now.get(name)
        if before is not None and criterion is not None and _tests(before) == _tests(criterion):
            continue
        count = _counted(taken.get(criterion.reason, 0) if criterion else 0, "record", "records")
        if criterion is None:
            planned, done = f"exclusion `{name}`", "not carried out"
        elif before is None:
            planned, done = f"no exclusion `{name}`", f"{count} excluded by it"
        else:
            planned, done = f"exclusion `{name}` as registered", f"{count} excluded by `{name}` as amended"
        yield Computed(
            kind="exclusions", planned=planned, done=done, fields=(f"preparation.{name}.criterion",)
        )


def _excluding(protocol: Protocol) -> Mapping[str, Criterion]:
    return {step.criterion.id: step.criterion for step in protocol.preparation if isinstance(step, Exclude)}


def _counted(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"
