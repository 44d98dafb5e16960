"""Recruitment: quotas that can be counted, and a stopping rule that this release can follow."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from forethought.protocol.checks.check import reading
from forethought.protocol.problems import Fault, KeyPath, one_of, suggestion
from forethought.protocol.protocol import Protocol
from forethought.protocol.recruitment import GroupSequential

STOPPING: KeyPath = ("recruitment", "sample_size", "stopping")
WITH_PARAMETER = ("hwang_shih_decani", "kim_demets")
"""Ways to spend the significance level that have a parameter."""


def quotas_can_be_counted(protocol: Protocol) -> Iterator[Fault]:
    """A quota limits a listed level of a category that recruitment gives, and no other limits the same."""
    recruits = protocol.imports.recruits
    known = {one.name: one for one in recruits.variables} if recruits else {}
    limited: set[tuple[str, str]] = set()
    for index, quota in enumerate(protocol.recruitment.quotas):
        at: KeyPath = ("recruitment", "quotas", index)
        name, value = quota.variable, quota.value
        if recruits is None:
            what = f"the quota `{quota.id}` counts recruits, and imports has none"
            yield Fault(at, what, "Add imports.recruits, or remove the quota")
        elif name not in known:
            what = f"the quota `{quota.id}` is of `{name}`, which is none of imports.recruits.variables"
            yield Fault((*at, "variable"), what, suggestion(name, known, one_of(known)))
        elif known[name].type != "category" or not known[name].levels:
            what = f"the quota `{quota.id}` is of `{name}`, which is no category with levels"
            yield Fault((*at, "variable"), what, "List its levels in imports.recruits.variables")
        elif value not in known[name].levels:
            levels = known[name].levels
            what = f"`{value}` is no level of `{name}`"
            yield Fault((*at, "value"), what, suggestion(value, levels, one_of(levels)))
        if (name, value) in limited:
            what = f"there is another quota of `{value}` before this one"
            yield Fault((*at, "value"), what, "Keep one of the two")
        limited.add((name, value))


def looks_add_up(protocol: Protocol) -> Iterator[Fault]:
    """Looks come one after another, the last with all the information; some ways of spending have a parameter."""
    stopping = protocol.recruitment.sample_size.stopping
    if not isinstance(stopping, GroupSequential):
        return
    yield from _order_faults(stopping.looks)
    takes = stopping.spending in WITH_PARAMETER
    if takes and stopping.parameter is None:
        what = f"`{stopping.spending}` spends the significance level by a parameter, and none is given"
        yield Fault((*STOPPING, "spending"), what, "Add `parameter`")
    if not takes and stopping.parameter is not None:
        what = f"`{stopping.spending}` has no parameter"
        yield Fault((*STOPPING, "parameter"), what, "Remove it")
    what = f"group-sequential looks (`{stopping.spending}`) are not in this release; it has one analysis, at the end"
    yield Fault((*STOPPING, "rule"), what, "Write `rule: fixed`")


def _order_faults(looks: Sequence[float]) -> Iterator[Fault]:
    for index, (before, look) in enumerate(pairwise(looks), start=1):
        if look <= before:
            what = f"the look at {look:g} does not come after the one at {before:g}"
            yield Fault((*STOPPING, "looks", index), what, "List the looks in their order")
    if looks[-1] != 1:
        what = f"the last look is at {looks[-1]:g} of the information"
        yield Fault((*STOPPING, "looks", len(looks) - 1), what, "End with 1")


CHECKS = (
    reading(quotas_can_be_counted, "recruitment", "imports.recruits"),
    reading(looks_add_up, "recruitment"),
)
