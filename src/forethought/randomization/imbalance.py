"""How far a design lets an arm's units be from their share: exactly, where it has a limit at all.

The arms' possible numbers after n units of a stratum are a union of boxes: each arm between a least and a most number, all
of them together n. The limits hold, and are reached, where every unit counts from first to last; of permuted blocks
and complete randomisation also otherwise, for the units that are no replacements.
"""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from forethought.protocol.allocation import BigStick, BlockUrn, Complete, Design, PermutedBlocks
from forethought.randomization.block_contents import Contents, contents

Int64s = NDArray[np.int64]
Numbers = tuple[int, ...]
Box = tuple[Numbers, Numbers]


def exact_bounds(design: Design, units: int | None = None) -> Mapping[str, Fraction] | None:
    """Each arm's largest |units of the arm - all units * share| in a stratum after so many units, or after any number.

    None where the design sets no limit but the number of units itself: simple randomisation, biased coins and
    minimisation, which keep a chance for every arm, and rerandomisation, whose batches are not the design's. None also
    with caps, and, for big stick and block urn, with an initial simple phase.
    """
    ratio = _ratio(design)
    arms = sorted(design.ratio)
    if units is None:
        found = _at_any_time(design, ratio)
        return None if found is None else dict(zip(arms, found, strict=True))
    numbers = possible_numbers(design, units)
    if numbers is None:
        return None
    shares = [Fraction(units * share, sum(ratio)) for share in ratio]
    return {
        arm: max(share - fewest, most - share)
        for arm, share, (fewest, most) in zip(arms, shares, numbers, strict=True)
    }


def possible_numbers(design: Design, units: int) -> tuple[tuple[int, int], ...] | None:
    """The fewest and the most units that each arm can have after so many of a stratum; None: from none to all."""
    if design.caps:
        return None
    match design:
        case PermutedBlocks() | Complete():
            first = min(units, design.initial_simple)
            later = _in_blocks(design, units - first)
            return tuple((fewest, most + first) for fewest, most in later)
        case BigStick() | BlockUrn() if design.initial_simple == 0:
            return _in_boxes(_boxes(design, _ratio(design), units), units)
    return None


def _ratio(design: Design) -> Numbers:
    return tuple(design.ratio[arm] for arm in sorted(design.ratio))


def _in_blocks(design: PermutedBlocks | Complete, units: int) -> tuple[tuple[int, int], ...]:
    """Whole blocks, and of one more as many units as are left, in the order that is worst for the arm."""
    found = contents(design)
    possible = [
        (before_least + np.maximum(0, inside - (size - held)), before_most + np.minimum(inside, held))
        for inside, before_least, before_most in _before_the_last(design, found, units)
        for held, size in zip(found.units, found.sizes, strict=True)
        if inside <= size
    ]
    fewest = np.min([least for least, _ in possible], axis=0)
    most = np.max([most for _, most in possible], axis=0)
    return tuple((int(low), int(high)) for low, high in zip(fewest, most, strict=True))


def _before_the_last(
    design: PermutedBlocks | Complete, found: Contents, units: int
) -> Iterator[tuple[int, Int64s, Int64s]]:
    """How many units can be in the last block, and the fewest and most of each arm in the whole blocks before."""
    if isinstance(design, Complete):
        blocks, inside = divmod(units, design.size)
        yield inside, blocks * found.units.min(axis=0), blocks * found.units.max(axis=0)
        return
    ratio = np.array(_ratio(design), dtype=np.int64)
    for inside in _insides(found.sizes.tolist(), units):
        before = (units - inside) // int(ratio.sum()) * ratio
        yield inside, before, before


def _insides(sizes: list[int], units: int) -> Iterator[int]:
    """How many units may be in the last block: what whole blocks of these sizes leave of all units.

    Every multiple of the sizes' common divisor from the square of the largest on is a sum of sizes (Brauer 1942,
    American Journal of Mathematics 64:299), so that many units leave what fewer do.
    """
    step, largest = math.gcd(*sizes), max(sizes)
    beyond = max(0, units - largest * (largest + 1)) // step * step
    fewer = units - beyond
    reached = [True] + [False] * fewer
    for total in range(1, fewer + 1):
        reached[total] = any(size <= total and reached[total - size] for size in sizes)
    yield from (inside for inside in range(min(largest, fewer) + 1) if reached[fewer - inside])


def _in_boxes(boxes: Iterator[Box], units: int) -> tuple[tuple[int, int], ...]:
    """The range of each arm over all boxes that can hold so many units: the others take as many, or as few, as they may."""
    ranges = [
        [
            (max(low, units - sum(high_of) + high), min(high, units - sum(low_of) + low))
            for low, high in zip(low_of, high_of, strict=True)
        ]
        for low_of, high_of in boxes
        if sum(low_of) <= units <= sum(high_of)
    ]
    return tuple(
        (min(low for low, _ in of_arm), max(high for _, high in of_arm))
        for of_arm in zip(*ranges, strict=True)
    )


def _boxes(design: BigStick | BlockUrn, ratio: Numbers, units: int | None = None) -> Iterator[Box]:
    """The boxes of the arms' numbers; of those with so many units, or of one cycle of the ratio."""
    total = sum(ratio)
    if isinstance(design, BlockUrn):
        sets = design.block_size // total
        cycles = range(1) if units is None else range(max(0, units // total - sets), units // total + 1)
        for complete in cycles:
            # So many complete sets went back at least, and the urn has held them and its own.
            yield tuple(each * complete for each in ratio), tuple(each * (sets + complete) for each in ratio)
        return
    for share in ratio:
        first, end = 0, share
        if units is not None:
            first = max(0, (units - len(ratio)) * share // total - design.tolerance * share)
            end = units * share // total + 1
        for held in range(first, end):
            yield _stick_box(ratio, design.tolerance, Fraction(held, share))


def _stick_box(ratio: Numbers, tolerance: int, behind: Fraction) -> Box:
    """The arm that is furthest behind holds this many shares, or more.

    Another arm gets a unit while it is less than the tolerance ahead of that, so that the unit may bring it to the next
    whole number from there.
    """
    low = tuple(math.ceil(each * behind) for each in ratio)
    return low, tuple(math.ceil(each * (behind + tolerance)) for each in ratio)


def _at_any_time(design: Design, ratio: Numbers) -> tuple[Fraction, ...] | None:
    """The bound after any number of units, None where there is none."""
    shares = [Fraction(share, sum(ratio)) for share in ratio]
    if design.caps:
        return None
    match design:
        case PermutedBlocks() | Complete():
            return _of_blocks(design, shares)
        case BigStick() | BlockUrn() if design.initial_simple == 0:
            boxes = list(_boxes(design, ratio))
            return tuple(_largest(boxes, arm, share) for arm, share in enumerate(shares))
    return None


def _of_blocks(design: PermutedBlocks | Complete, shares: list[Fraction]) -> tuple[Fraction, ...] | None:
    """An arm is furthest from its share where a block begins with all its units, or with none of them.

    None where whole blocks do not have the ratio, as their differences may add up.
    """
    found = contents(design)
    if len({tuple(Fraction(int(each), int(held.sum())) for each in held) for held in found.units}) > 1:
        return None
    largest = found.units.max(axis=0)
    return tuple(
        int(units) * (1 - share) + design.initial_simple * max(share, 1 - share)
        for units, share in zip(largest, shares, strict=True)
    )


def _largest(boxes: list[Box], arm: int, share: Fraction) -> Fraction:
    """How far the arm is from its share in the corner of a box that is worst for it."""
    found = Fraction(0)
    for low, high in boxes:
        above = high[arm] - share * (sum(low) - low[arm] + high[arm])
        below = share * (sum(high) - high[arm] + low[arm]) - low[arm]
        found = max(found, above, below)
    return found
