"""Any allocation in sentences, without their stops: for the report and for the forms of registries.

Numbers by which somebody could tell when an arm is due stand in `sizes` alone, which no form and no blinded report prints.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import assert_never

from forethought.protocol.allocation import (
    BiasedCoin,
    BigStick,
    BlockUrn,
    Cap,
    Complete,
    Design,
    Dropouts,
    Minimization,
    PermutedBlocks,
    Rerandomization,
    Simple,
    Stratified,
)
from forethought.protocol.design import Stimuli

SEALED = "randomly varying, sealed"
"""What is said of block sizes that are kept in `secrets/`."""

KEEPS_THE_BLOCK = "Whoever was allocated keeps the place in the block"
KEEPS_THE_PLACE = "Whoever was allocated keeps the place and counts towards balance"

Label = Callable[[str], str]
"""An arm's id to the name that readers know it by."""


def method(design: Design) -> str:
    """The method's name: `permuted blocks`."""
    match design:
        case Simple():
            return "simple randomisation"
        case Complete():
            return "complete randomisation"
        case PermutedBlocks():
            return "permuted blocks"
        case BiasedCoin():
            return "a biased coin"
        case BigStick():
            return "the big stick"
        case BlockUrn():
            return "the block urn"
        case Minimization():
            return "minimisation"
        case Rerandomization():
            return "rerandomisation"
        case _:
            assert_never(design)


def looked_at(design: Design) -> str:
    """What the draw looks at: `within strata of sex`, `over sex and age group`; nothing where it looks at nobody."""
    match design:
        case Minimization(factors=factors):
            weighted = len({factor.weight for factor in factors}) > 1
            names = [
                f"{_spaced(one.name)} (weight {one.weight})" if weighted else _spaced(one.name)
                for one in factors
            ]
            return f"over {_listed(names)}"
        case Rerandomization(variables=variables):
            return f"on {_listed(map(_spaced, variables))}"
        case Simple():
            return ""
    return f"within strata of {_listed(map(_spaced, design.strata))}" if design.strata else "without strata"


def how(design: Design) -> str | None:
    """How the method decides, as a sentence; None where its name says it all."""
    match design:
        case Simple():
            return "Every arm has its share each time, whatever came before"
        case Complete():
            return "Of a fixed number of units of a stratum, each arm gets its share"
        case PermutedBlocks():
            return None
        case BiasedCoin(chance=chance):
            return f"The arms furthest behind their share have the probability {chance} together"
        case BigStick():
            return "The ratio decides until an arm is too far ahead, which then waits for the others"
        case BlockUrn():
            return "Arms are drawn from an urn without being put back, but for each balanced set once it is complete"
        case Minimization(imbalance=imbalance, chance=chance):
            more = (
                "" if len({*design.ratio.values()}) == 1 else " if its share is the smallest, and more if not"
            )
            return (
                "The arm that would leave the smallest imbalance over these factors, measured by the "
                f"{_spaced(imbalance)}, has the probability {chance}{more}"
            )
        case Rerandomization():
            return _accepted(design)
        case _:
            assert_never(design)


def _accepted(design: Rerandomization) -> str:
    distance = (
        "the sum over arms of the Mahalanobis distance of their means from the mean of all"
        if design.criterion == "mahalanobis"
        else "the largest standardised difference of two arms' means"
    )
    return (
        f"Those who wait are allocated together, anew until {distance} is at most {design.at_most:g}, and by no draw "
        f"where {design.most_draws:,} do not reach it"
    )


def sizes(design: Design) -> str | None:
    """The numbers by which it could be told when an arm is due: `of 4 or 8 (each block's size drawn by chance)`."""
    match design:
        case PermutedBlocks(block_sizes="sealed"):
            return f"of sizes {SEALED}"
        case PermutedBlocks(block_sizes=listed):
            drawn = "each block's size drawn by chance" if len(listed) > 1 else "of one size"
            return f"of {' or '.join(str(size) for size in listed)} ({drawn})"
        case Complete(size=size):
            return f"over {size:,} units"
        case BlockUrn(block_size=size):
            return f"of {size:,} balls"
        case BigStick(tolerance=tolerance):
            return f"with a tolerance of {tolerance:,}"
    return None


def withheld(design: Design) -> str | None:
    """That these numbers are not told, as a sentence; None where there are none."""
    if isinstance(design, PermutedBlocks) and design.block_sizes == "sealed":
        return f"Block sizes: {SEALED}"
    what = _WITHHELD.get(design.method)
    return f"{what} withheld until the end, so that no allocation can be guessed" if what else None


_WITHHELD = {
    "permuted_blocks": "The sizes of the blocks are",
    "complete": "That number of units is",
    "block_urn": "How much the urn holds is",
    "big_stick": "How far ahead is",
}


def unit(design: Design) -> str:
    """What is allocated: `participant`, or `cluster (all people of one site)`."""
    if design.cluster is None:
        return design.unit
    return f"{design.unit} (all people of one {_spaced(design.cluster)})"


def course(design: Design) -> str:
    """In which order units are allocated."""
    return "in batches" if isinstance(design, Rerandomization) else "in the order of arrival"


def rules(design: Design, label: Label) -> Iterator[str]:
    """What else holds for the draws: clusters, a first phase by the ratio alone, caps, a list drawn ahead."""
    if design.unit == "cluster":
        yield "Whoever comes first of a cluster draws its arm, and all others of it get the same"
    if design.initial_simple:
        whole = not isinstance(design, Stratified) or not design.strata
        several = design.initial_simple > 1
        first = f"{design.initial_simple:,} {design.unit}s are" if several else f"{design.unit} is"
        yield f"The first {first} drawn by the ratio alone, in each {'wave' if whole else 'stratum'}"
    yield from (_cap(cap, design.unit, label) for cap in design.caps)
    if design.drawn == "ahead":
        yield "The list is drawn at the lock and sealed one record at a time, its hash in the registration"


def _cap(cap: Cap, counted: str, label: Label) -> str:
    where = _listed(f"{_spaced(name)} is {level}" for name, level in cap.stratum.items())
    units = f"{cap.at_most:,} {counted}{'s' if cap.at_most > 1 else ''}"
    return f"{label(cap.arm)} takes at most {units} in a wave{f', where {where}' if where else ''}"


def dropouts(design: Design) -> str:
    """Whose place counts, and what becomes of one that counts no longer."""
    rule = design.dropouts
    if rule.count == "everyone_allocated":
        keeps = KEEPS_THE_BLOCK if isinstance(design, PermutedBlocks) else KEEPS_THE_PLACE
        return f"{keeps}, and nobody is replaced"
    return f"{_counted(rule)}; {_REPLACED[rule.replace]}"


def _counted(rule: Dropouts) -> str:
    if rule.count == "completed":
        return "Towards balance counts who has completed"
    return (
        "Towards balance counts who has completed, or was allocated no more than "
        f"{rule.in_progress_minutes} minutes ago and has not left"
    )


_REPLACED = {
    "never": "nobody is replaced",
    "reopen_place": "a place that counts no longer is drawn anew among the open places of its stratum",
    "next_arrival": "the next arrival of its stratum takes a place that counts no longer",
}


def order(stimuli: Stimuli) -> str:
    """The order in which a person meets the stimuli: `in random order without repetition`."""
    return _ORDERS[stimuli.order]


_ORDERS = {
    "random_without_repetition": "in random order without repetition",
    "latin_square": "in the order of a row of a Latin square, the rows in permuted blocks by arrival",
    "williams": "in the order of a row of a Williams design, the rows in permuted blocks by arrival",
    "fixed": "in this order",
}


def _listed(items: Iterable[str]) -> str:
    found = list(items)
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def _spaced(name: str) -> str:
    return name.replace("_", " ")
