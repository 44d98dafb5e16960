"""Rules of allocation that exclude each other, and limits of arms that name nothing."""

from collections.abc import Iterator

from forethought.protocol.allocation import Cap, Minimization, Randomization, Rerandomization
from forethought.protocol.checks.check import reading
from forethought.protocol.problems import Fault, KeyPath, one_of, suggestion
from forethought.protocol.protocol import Protocol

DROPOUTS: KeyPath = ("allocation", "dropouts")


def dropout_rules_fit(protocol: Protocol) -> Iterator[Fault]:
    """Only who counts no longer can be replaced; minutes are of those in progress; clusters never leave."""
    design = protocol.allocation
    if not isinstance(design, Randomization):
        return
    rule = design.dropouts
    counted = rule.count == "completed_or_in_progress"
    if counted and rule.in_progress_minutes is None:
        what = "who is in progress counts towards balance, and nothing says for how long"
        yield Fault((*DROPOUTS, "count"), what, "Add `in_progress_minutes`")
    if not counted and rule.in_progress_minutes is not None:
        what = f"`in_progress_minutes` is of `completed_or_in_progress`, and `{rule.count}` counts"
        yield Fault((*DROPOUTS, "in_progress_minutes"), what, "Remove it, or change `count`")
    if rule.replace != "never" and (rule.count == "everyone_allocated" or _keeps_every_place(design)):
        what = f"everyone allocated keeps the place, and `{rule.replace}` has no place to fill"
        remedy = "Write `never`" if _keeps_every_place(design) else "Write `never`, or count otherwise"
        yield Fault((*DROPOUTS, "replace"), what, remedy)
    if design.unit == "cluster" and rule.count != "everyone_allocated":
        what = f"a cluster stays allocated whoever leaves it, and `{rule.count}` is of people"
        yield Fault((*DROPOUTS, "count"), what, "Write `everyone_allocated`")


def _keeps_every_place(design: Randomization) -> bool:
    """Whether nothing but `everyone_allocated` fits the design."""
    return design.unit == "cluster" or design.drawn == "ahead" or isinstance(design, Rerandomization)


def lists_can_be_drawn_ahead(protocol: Protocol) -> Iterator[Fault]:
    """A list made before anyone comes has a length, and looks at nothing that happens later."""
    design = protocol.allocation
    if not isinstance(design, Randomization):
        return
    if design.drawn == "on_arrival":
        if design.list_length is not None:
            what = "`list_length` is of a list drawn ahead, and arms are drawn on arrival"
            yield Fault(("allocation", "list_length"), what, "Remove it, or write `drawn: ahead`")
        return
    at = ("allocation", "drawn")
    if isinstance(design, Minimization | Rerandomization):
        yield Fault(
            at, f"{design.method} looks at who comes, and cannot be drawn ahead", "Write `on_arrival`"
        )
    elif design.list_length is None:
        yield Fault(at, "the list drawn ahead has no length", "Add `list_length`")
    if design.dropouts.count != "everyone_allocated" and not isinstance(design, Rerandomization):
        what = f"a list drawn ahead cannot know who leaves, and `{design.dropouts.count}` counts"
        yield Fault((*DROPOUTS, "count"), what, "Write `everyone_allocated`, or draw on arrival")
    if design.caps and not isinstance(design, Rerandomization):
        what = "a list drawn ahead has no caps: it would use up its places without them"
        yield Fault(("allocation", "caps"), what, "Remove them, or draw on arrival")


def rerandomisation_is_alone(protocol: Protocol) -> Iterator[Fault]:
    """Batches of people are allocated together, all arms alike: rules for one unit after another do not fit."""
    design = protocol.allocation
    if not isinstance(design, Rerandomization):
        return
    if len(set(design.ratio.values())) > 1:
        what = "rerandomisation compares arms of equal shares, and the ratio has others"
        yield Fault(("allocation", "ratio"), what, "Give every arm the same share")
    if design.unit == "cluster":
        what = "rerandomisation allocates people, and the unit is cluster"
        yield Fault(("allocation", "unit"), what, "Write `participant`")
    if design.caps:
        what = "people are allocated together, and an arm cannot be full for some of them"
        yield Fault(("allocation", "caps"), what, "Remove the caps")
    if design.initial_simple:
        what = "people are allocated together, and none of them comes first"
        yield Fault(("allocation", "initial_simple"), what, "Remove it")
    if design.dropouts.count != "everyone_allocated":
        what = f"a batch is balanced once, and `{design.dropouts.count}` could not change it"
        yield Fault((*DROPOUTS, "count"), what, "Write `everyone_allocated`")


def caps_name_what_is_there(protocol: Protocol) -> Iterator[Fault]:
    """Caps are of arms, in strata of the design's own variables and their levels, each once."""
    design = protocol.allocation
    if not isinstance(design, Randomization):
        return
    recruits = protocol.imports.recruits
    levels = {one.name: one.levels for one in recruits.variables} if recruits else {}
    arms = protocol.arms_by_id
    for index, cap in enumerate(design.caps):
        at: KeyPath = ("allocation", "caps", index)
        if cap.arm not in arms:
            yield Fault((*at, "arm"), f"`{cap.arm}` is no arm", suggestion(cap.arm, arms, one_of(arms)))
        for name, level in cap.stratum.items():
            yield from _stratum_faults((*at, "stratum", name), name, level, design, levels.get(name, ()))
        if any(_alike(cap, other) for other in design.caps[:index]):
            yield Fault(
                at, f"there is another cap of `{cap.arm}` like this one before it", "Keep one of the two"
            )


def _stratum_faults(
    at: KeyPath, name: str, level: str, design: Randomization, levels: tuple[str, ...]
) -> Iterator[Fault]:
    if name not in design.covariates:
        what = f"the cap is of a level of `{name}`, which the allocation does not look at"
        yield Fault(at, what, suggestion(name, design.covariates, one_of(design.covariates)))
    elif levels and level not in levels:
        yield Fault(at, f"`{level}` is no level of `{name}`", suggestion(level, levels, one_of(levels)))


def _alike(one: Cap, other: Cap) -> bool:
    return (one.arm, one.stratum) == (other.arm, other.stratum)


CHECKS = (
    reading(dropout_rules_fit, "allocation"),
    reading(lists_can_be_drawn_ahead, "allocation"),
    reading(rerandomisation_is_alone, "allocation"),
    reading(caps_name_what_is_there, "allocation", "arms", "imports.recruits"),
)
