"""Each method's own numbers: whether blocks hold the ratio, and whether a chance balances."""

from collections.abc import Iterator
from fractions import Fraction

from forethought.protocol.allocation import (
    BiasedCoin,
    BlockUrn,
    Complete,
    Minimization,
    PermutedBlocks,
    Randomization,
    exact,
)
from forethought.protocol.checks.check import reading
from forethought.protocol.problems import Fault
from forethought.protocol.protocol import Protocol

FINEST = 1 << 62
"""A chance's denominator times the squared sum of the shares stays below it, so that weights are 64-bit numbers."""


def blocks_hold_the_ratio(protocol: Protocol) -> Iterator[Fault]:
    """Block sizes are multiples of the ratio's sum, each once; an urn is one too."""
    design = protocol.allocation
    total = _total(protocol)
    if not total:
        return
    if isinstance(design, BlockUrn) and design.block_size % total:
        what = f"an urn of {design.block_size} cannot hold the ratio, whose shares sum to {total}"
        yield Fault(("allocation", "block_size"), what, f"Use a multiple of {total}")
    if not isinstance(design, PermutedBlocks) or design.block_sizes == "sealed":
        return
    for index, size in enumerate(design.block_sizes):
        at = ("allocation", "block_sizes", index)
        if size % total:
            what = f"blocks of {size} cannot hold the ratio, whose shares sum to {total}"
            yield Fault(at, what, f"Use multiples of {total}")
        if size in design.block_sizes[:index]:
            yield Fault(at, f"block size {size} is listed twice", "List it once; sizes are equally likely")


def fixed_numbers_reach_every_arm(protocol: Protocol) -> Iterator[Fault]:
    """The units over which the numbers are fixed are as many as the arms, or some arm would get none of them."""
    design = protocol.allocation
    if isinstance(design, Complete) and design.size < len(design.ratio):
        what = f"of {design.size} units, one of the {len(design.ratio)} arms gets none"
        yield Fault(
            ("allocation", "size"),
            what,
            f"Write {len(design.ratio)} or more; best a multiple of the ratio's sum",
        )


def chances_balance(protocol: Protocol) -> Iterator[Fault]:
    """The favoured arms have at least the part that the ratio alone gives them, and a chance that can be reckoned with."""
    design, at = protocol.allocation, ("allocation", "chance")
    total = _total(protocol)
    if not isinstance(design, BiasedCoin | Minimization) or not total:
        return
    chance = exact(design.chance)
    if chance.denominator * total**2 >= FINEST:
        what = (
            f"the chance {design.chance} and the ratio, whose shares sum to {total:,}, have too many digits"
        )
        yield Fault(at, what, 'Write a fraction of small numbers, as "4/5"')
    fair, who = Fraction(min(design.ratio.values()), total), "the best arm has"
    if isinstance(design, BiasedCoin):
        fair = 1 - fair
        who = "the arm behind has up to" if len(design.ratio) == 2 else "the arms behind have up to"
    if chance < fair:
        what = f"{who} {fair} by the ratio alone, and a chance of {design.chance} would unbalance the arms"
        yield Fault(at, what, f"Write {fair} or more")


def _total(protocol: Protocol) -> int:
    """The sum of the shares; 0 where nothing is allocated, or the ratio lacks every arm, which is told there."""
    design = protocol.allocation
    return sum(design.ratio.values()) if isinstance(design, Randomization) else 0


CHECKS = (
    reading(blocks_hold_the_ratio, "allocation"),
    reading(fixed_numbers_reach_every_arm, "allocation"),
    reading(chances_balance, "allocation"),
)
