"""The guesses of the convergence strategy, one unit after the other, exactly: each possible state and its probability."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forethought.randomization.block_contents import Contents

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

_MOST_BLOCK_STATES = 1_000_000
_MOST_STATES = 4_000
_NEVER = 1e-18
"""States that are less likely are left out: over 10,000 units and all states they are less than 1e-10."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guesses:
    """For each unit of a stratum in order, (n,): how likely a guess is right, and how likely the arm is certain."""

    right: Float64s
    certain: Float64s


def right(counts: Int64s, ratio: Int64s, weights: Int64s) -> Float64s:
    """How likely the guess is right, (R,), given the units so far and the next unit's weights, both (R, K).

    The arm with the fewest units for its share is guessed; of several, each with the same chance.
    """
    guessed = (counts[:, :, None] * ratio <= counts[:, None, :] * ratio[:, None]).all(axis=2)
    return np.asarray((guessed * weights).sum(axis=1) / (guessed.sum(axis=1) * weights.sum(axis=1)))


def certain(weights: Int64s) -> NDArray[np.bool_]:
    """Where only one arm is possible, (R,)."""
    return np.asarray((weights > 0).sum(axis=1) == 1)


def in_blocks(contents: Contents, ratio: Int64s, units: int) -> Guesses | None:
    """Blocks one after the other, of any number of arms; None where a block can be in too many states.

    None too where blocks without exactly the ratio follow each other: what one lacks would be guessed in the next.
    """
    whole = (contents.units * ratio.sum() == contents.sizes[:, None] * ratio).all()
    if not (whole or (units <= contents.sizes).all()):
        return None
    if (contents.units + 1).astype(np.float64).prod(axis=1).max() > _MOST_BLOCK_STATES:
        return None
    chances = contents.chances / contents.chances.sum()
    inside = [_in_block(held, ratio) for held in contents.units]
    begins = np.zeros(units + 1)
    begins[0] = 1
    found = Guesses(right=np.zeros(units), certain=np.zeros(units))
    for first in np.arange(units):
        if not begins[first]:
            continue
        for chance, size, block in zip(chances * begins[first], contents.sizes, inside, strict=True):
            fits = min(int(size), units - int(first))
            found.right[first : first + fits] += chance * block.right[:fits]
            found.certain[first : first + fits] += chance * block.certain[:fits]
            if first + size <= units:
                begins[first + size] += chance
    return found


def one_by_one(
    rule: Callable[[Int64s], Int64s], ratio: Int64s, units: int, initial_simple: int
) -> Guesses | None:
    """A design whose weights follow from the units so far, balanced sets apart; None where states are too many.

    `rule` gives the weights (R, K) for counts (R, K). The first `initial_simple` units have the ratio as weights.
    """
    counts, chance = np.zeros((1, len(ratio)), dtype=np.int64), np.ones(1)
    found = Guesses(right=np.zeros(units), certain=np.zeros(units))
    for unit in range(units):
        weights = np.broadcast_to(ratio, counts.shape) if unit < initial_simple else rule(counts)
        found.right[unit] = chance @ right(counts, ratio, weights)
        found.certain[unit] = chance @ certain(weights)
        counts, chance = _after(counts, chance[:, None] * weights / weights.sum(axis=1, keepdims=True), ratio)
        if len(chance) > _MOST_STATES:
            return None
    return found


def _in_block(held: Int64s, ratio: Int64s) -> Guesses:
    """Each place of one block: every possible part of its content, as likely as it is drawn without putting back."""
    drawn = np.indices((held + 1).tolist(), dtype=np.int64).reshape(len(held), -1).T[:-1]
    place, left = drawn.sum(axis=1), held - drawn
    chance = np.exp(_log_ways(held, drawn).sum(axis=1) - _log_ways(held.sum(), place))
    size = int(held.sum())
    return Guesses(
        right=_summed(place, chance * right(drawn, ratio, left), size),
        certain=_summed(place, chance * certain(left), size),
    )


def _log_ways(of: Int64s | np.int64, chosen: Int64s) -> Float64s:
    """The logarithm of the number of ways to choose so many of so many."""
    most = int(np.max(of))
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 1)))])
    return np.asarray(factorials[of] - factorials[chosen] - factorials[of - chosen])


def _after(counts: Int64s, chance: Float64s, ratio: Int64s) -> tuple[Int64s, Float64s]:
    """The states after one more unit, `chance` (R, K) being that of each state and arm; complete sets are taken out."""
    arms = len(ratio)
    grown = (counts[:, None, :] + np.eye(arms, dtype=np.int64)).reshape(-1, arms)
    grown = grown - (grown // ratio).min(axis=1, keepdims=True) * ratio
    possible = chance.ravel() > _NEVER
    grown, likely = grown[possible], chance.ravel()[possible]
    code = np.ravel_multi_index(tuple(grown.T), tuple(grown.max(axis=0) + 1))
    _, first, same = np.unique(code, return_index=True, return_inverse=True)
    return np.asarray(grown[first]), _summed(same, likely, len(first))


def _summed(place: NDArray[np.intp] | Int64s, chance: Float64s, places: int) -> Float64s:
    """The chances of each place together."""
    return np.bincount(place, weights=chance, minlength=places).astype(np.float64)
