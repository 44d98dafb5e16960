"""Allocations that are allowed and seldom wise: what lets an arm be guessed, or leaves arms out of balance."""

from collections.abc import Iterator
from fractions import Fraction
from math import prod

from forethought.protocol.allocation import (
    BiasedCoin,
    BlockUrn,
    Cap,
    Complete,
    Minimization,
    PermutedBlocks,
    Randomization,
    Simple,
    Stratified,
    exact,
)
from forethought.protocol.analysis import LinearModel
from forethought.protocol.checks.models import formula_of, predictors
from forethought.protocol.problems import Fault, KeyPath
from forethought.protocol.protocol import Protocol

ALL_BUT_CERTAIN = Fraction(95, 100)
DROPOUTS: KeyPath = ("allocation", "dropouts")


def allocation_cautions(protocol: Protocol, design: Randomization) -> Iterator[Fault]:
    """Every warning about an allocation without a fault, but those about what models leave out."""
    yield from _guessable(protocol, design)
    yield from _who_counts(design)
    yield from _strata_are_too_many(protocol, design)
    yield from _too_little_room(protocol, design)


def _guessable(protocol: Protocol, design: Randomization) -> Iterator[Fault]:
    """Arms that somebody can tell beforehand."""
    fixed = (
        isinstance(design, PermutedBlocks) and design.block_sizes != "sealed" and len(design.block_sizes) == 1
    )
    if fixed and not protocol.blinding.deliverers:
        what = "every block has the same size, and who delivers the arms knows them: the last arm of a block is certain"
        yield Fault(("allocation", "block_sizes"), what, "List several sizes, or write `sealed`")
    if isinstance(design, BiasedCoin | Minimization) and exact(design.chance) > ALL_BUT_CERTAIN:
        what = f"with a chance of {design.chance}, whoever knows the numbers so far is all but certain of the next arm"
        yield Fault(("allocation", "chance"), what, "Write a smaller one, as 0.8")
    if design.dropouts.replace != "never" and not protocol.blinding.deliverers:
        first = design.dropouts.replace == "next_arrival"
        who = "whoever left" if first else "whoever left, where only one place of the stratum is open"
        what = f"the next arrival takes the arm of {who}, so that who knows that arm knows the next one"
        yield Fault(
            (*DROPOUTS, "replace"), what, "Write `never`, or hide the arms from those who deliver them"
        )


def _who_counts(design: Randomization) -> Iterator[Fault]:
    """Balance that lags behind those who are still on their way."""
    if design.dropouts.count == "completed" and (design.caps or not isinstance(design, Simple)):
        what = "only who has completed counts towards balance: of many who come at once nobody does, and arms may drift apart"
        yield Fault(
            (*DROPOUTS, "count"), what, "Write `completed_or_in_progress`, with `in_progress_minutes`"
        )


def _strata_are_too_many(protocol: Protocol, design: Randomization) -> Iterator[Fault]:
    """Strata so many, or blocks so large, that a wave leaves most of them unfinished."""
    target = min(wave.target for wave in protocol.waves)
    if not isinstance(design, Stratified) or design.unit == "cluster":
        return
    strata, size = _strata(protocol, design), _size(design)
    if strata * size <= target:
        return
    at: KeyPath = ("allocation", "strata" if design.strata else _SIZES.get(design.method, "method"))
    blocks = f"{strata:,} strata with {size:,} units each" if design.strata else f"{size:,} units"
    what = (
        f"the arms are balanced over {blocks}, and a wave has {target:,} people: most of it stays unfinished"
    )
    yield Fault(at, what, "Use fewer strata or smaller numbers, or minimisation")


def _too_little_room(protocol: Protocol, design: Randomization) -> Iterator[Fault]:
    """Caps, or a list drawn ahead, that hold fewer people than a wave aims at."""
    if design.unit == "cluster":
        return
    target = max(wave.target for wave in protocol.waves)
    limits = [_limit(protocol, design, arm) for arm in design.ratio]
    if None not in limits and (room := sum(one or 0 for one in limits)) < target:
        what = f"the caps leave room for {room:,} people, and a wave aims at {target:,}"
        yield Fault(("allocation", "caps"), what, "Raise them, or lower the target")
    if design.list_length is not None and (room := _strata(protocol, design) * design.list_length) < target:
        what = f"the list has room for {room:,} people, and a wave aims at {target:,}"
        yield Fault(
            ("allocation", "list_length"), what, "Make it longer: a stratum may get most of the people"
        )


def clusters_left_out(protocol: Protocol) -> Iterator[Fault]:
    """Models that claim something and take the people of one cluster for independent."""
    design = protocol.allocation
    if not isinstance(design, Randomization) or design.cluster is None:
        return
    for index, model in enumerate(protocol.analysis.models):
        formula = formula_of(model)
        if model.role not in ("primary", "secondary") or formula is None:
            continue
        if isinstance(model, LinearModel):
            known, remedy = model.cluster == design.cluster, f"Write `cluster: {design.cluster}`"
        else:
            known, remedy = design.cluster in predictors(formula), f"Add `(1 | {design.cluster})`"
        if not known:
            what = (
                f"the {model.role} model `{model.id}` takes the people of one `{design.cluster}` for independent, "
                "but its arm was drawn once for all of them"
            )
            yield Fault(("analysis", "models", index, "formula"), what, remedy)


def stimuli_that_nobody_meets(protocol: Protocol) -> Iterator[Fault]:
    """Items at the end of a fixed order, which no session comes to."""
    stimuli = protocol.stimuli
    if stimuli is not None and stimuli.order == "fixed" and len(stimuli.items) > len(stimuli.sessions):
        unmet = stimuli.items[len(stimuli.sessions) :]
        what = f"in the fixed order nobody meets {', '.join(f'`{item}`' for item in unmet)}"
        yield Fault(("stimuli", "items"), what, "Remove them, or choose another order")


_SIZES = {"permuted_blocks": "block_sizes", "block_urn": "block_size", "complete": "size"}


def _strata(protocol: Protocol, design: Randomization) -> int:
    """How many strata there can be."""
    recruits = protocol.imports.recruits
    levels = {one.name: len(one.levels) for one in recruits.variables} if recruits else {}
    return prod(levels.get(name, 1) for name in design.covariates)


def _size(design: Stratified) -> int:
    """The units over which a stratum is balanced; for sealed blocks, the smallest that they can be."""
    match design:
        case PermutedBlocks(block_sizes="sealed"):
            return sum(design.ratio.values())
        case PermutedBlocks(block_sizes=sizes):
            return max(size for size in sizes if isinstance(size, int))
        case BlockUrn(block_size=size) | Complete(size=size):
            return size
    return len(design.ratio)


def _limit(protocol: Protocol, design: Randomization, arm: str) -> int | None:
    """How many people the caps let into an arm; None where nothing limits it as a whole."""
    own = [cap for cap in design.caps if cap.arm == arm]
    found = [cap.at_most for cap in own if not cap.stratum]
    found += [one for name in design.covariates if (one := _over(protocol, own, name)) is not None]
    return min(found, default=None)


def _over(protocol: Protocol, caps: list[Cap], name: str) -> int | None:
    """What caps of every level of one variable sum to; None where some level has none."""
    recruits = protocol.imports.recruits
    levels = next((one.levels for one in recruits.variables if one.name == name), ()) if recruits else ()
    limits = [next((cap.at_most for cap in caps if cap.stratum == {name: level}), None) for level in levels]
    return sum(one for one in limits if one is not None) if levels and None not in limits else None
