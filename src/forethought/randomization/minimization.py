"""Minimisation: the arm that would leave the smallest imbalance over the factors has the highest chance.

Pocock and Simon (1975, Biometrics 31:103). Unequal ratios as Han, Enas and McEntegart (2009, Statistics in Medicine
28:3329): the counts are divided by the arms' shares, and a biased coin takes the shares into account.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

_LARGEST = (1 << 62) - 1
"""No whole number in between is larger, so that none overflows."""

_TIE = 1e-9
"""Sums of square roots that differ by less of the smallest are the same: as the same number, they differ by 1e-15."""


def weights(
    counts: Int64s, ratio: Int64s, factor_weights: Int64s, imbalance: str, chance: Fraction
) -> Int64s:
    """Each arm's chance of the next unit as whole numbers in lowest terms: one row for each replicate, (R, K).

    `counts` (R, F, K) has the units of each arm that share the next unit's level of each factor. With equal shares
    the best arm has `chance`, and the others the same part of the rest. With others, let c be the rest of the chance
    divided by the shares of all arms but the smallest: an arm that is not the best has c times its share, whichever
    is the best, and the best has what is left, which is `chance` for the smallest arm and more for the others. If
    arms were the best as often as their shares say, each would be allocated as often as its share says, and so it
    is in the long run. A single unit's chance need not be the share: the first unit's best arm is the largest.
    Where several are the best, each of them is it with a chance that is in the ratio of their shares, and the
    weights are the average over them.
    """
    shares = [int(share) for share in ratio]
    rest = chance.denominator - chance.numerator
    whole = chance.denominator * (sum(shares) - min(shares))
    _require_whole_numbers_that_fit(shares, chance, whole)
    best = _best(imbalances(counts, ratio, factor_weights, imbalance))
    best_shares = best * ratio
    several = best_shares.sum(axis=-1, keepdims=True)
    found = ratio * rest * several + best_shares * (whole - rest * sum(shares))
    return np.asarray(found // np.gcd.reduce(found, axis=-1, keepdims=True), dtype=np.int64)


def imbalances(counts: Int64s, ratio: Int64s, factor_weights: Int64s, imbalance: str) -> Int64s | Float64s:
    """The imbalance G that would result if the next unit had the arm, up to a common positive factor: (R, K).

    Whole numbers for range and variance; floats, the same on every machine, for the standard deviation.
    """
    if imbalance not in _SPREADS:
        raise ValueError(f"no such imbalance: {imbalance}")
    multiple = lcm(*(int(share) for share in ratio))
    fits = (int(counts.max()) + 1) * multiple <= _LARGEST
    steps = np.array([multiple // int(share) for share in ratio], dtype=np.int64 if fits else object)
    # The replicates last: numpy reduces a short last axis some ten times as slowly.
    scaled = np.ascontiguousarray((counts * steps).transpose(2, 1, 0))
    ahead = _roomy(scaled - scaled.min(axis=0), multiple, factor_weights, imbalance)
    after = ahead[:, :, np.newaxis, :] + np.diag(steps)[:, np.newaxis, :, np.newaxis]
    spreads = _SPREADS[imbalance](after)
    # One factor after the other: numpy may add up many at once in an order of its own, which moves a float's last bit.
    total = spreads[0] * factor_weights[0]
    for factor in range(1, len(factor_weights)):
        total = total + spreads[factor] * factor_weights[factor]
    return np.ascontiguousarray(total.T)


def explained(counts: Int64s, ratio: Int64s, factor_weights: Int64s, imbalance: str) -> tuple[float, ...]:
    """G of each arm in the units of the method, from the counts (F, K) of one unit, as published examples have it.

    The range, the variance (its divisor is one less than the arms) or the standard deviation of the counts, each
    divided by its arm's share, summed over the factors by their weights.
    """
    arms = len(ratio)
    multiple = lcm(*(int(share) for share in ratio))
    unit = {
        "range": float(multiple),
        "variance": float(arms * (arms - 1) * multiple**2),
        "standard_deviation": float(arms * (arms - 1)) ** 0.5 * multiple,
    }
    found = imbalances(counts[np.newaxis], ratio, factor_weights, imbalance)[0]
    return tuple(float(each) / unit[imbalance] for each in found)


def _range(scaled: Int64s) -> Int64s:
    return np.asarray(scaled.max(axis=0) - scaled.min(axis=0))


def _variance(scaled: Int64s) -> Int64s:
    """K(K - 1) times the variance: whole numbers."""
    arms = scaled.shape[0]
    return np.asarray(arms * (scaled * scaled).sum(axis=0) - scaled.sum(axis=0) ** 2)


def _standard_deviation(scaled: Int64s) -> Float64s:
    return np.sqrt(_variance(scaled).astype(np.float64))


_SPREADS: Mapping[str, Callable[[Int64s], Int64s | Float64s]] = {
    "range": _range,
    "variance": _variance,
    "standard_deviation": _standard_deviation,
}


def _best(found: Int64s | Float64s) -> NDArray[np.bool_]:
    """Which arms have the smallest imbalance of their row."""
    smallest = found.min(axis=-1, keepdims=True)
    if found.dtype == np.float64:
        return np.asarray(found <= smallest * (1 + _TIE))
    return np.asarray(found == smallest)


def _require_whole_numbers_that_fit(shares: list[int], chance: Fraction, whole: int) -> None:
    if len(shares) < 2 or min(shares) < 1 or not 0 < chance < 1:
        raise ValueError("minimisation needs two arms, whole shares from 1, and a chance between 0 and 1")
    if sum(shares) * max(whole, chance.denominator * sum(shares)) > _LARGEST:
        raise ValueError(f"the ratio {shares} and the chance {chance} are too fine for 64-bit whole numbers")


def _roomy(ahead: Int64s, multiple: int, factor_weights: Int64s, imbalance: str) -> Int64s:
    """The same numbers; as Python's own, which are slow and have no limit, where the imbalance could overflow."""
    largest = int(ahead.max()) + multiple
    spread = largest if imbalance == "range" else (ahead.shape[-1] * largest) ** 2
    return ahead if spread * int(factor_weights.sum()) <= _LARGEST else ahead.astype(object)
