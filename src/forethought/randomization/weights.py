"""The rules that turn counts into whole-number weights of the arms, one row for each replicate.

`counts` has shape (R, K): the units of a stratum in each arm that count towards balance. `ratio` has shape (K,). What
comes back has shape (R, K); an arm's probability is its weight over the row's sum, exactly.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]

_TOO_LARGE = 1 << 63


def simple(ratio: Int64s, replicates: int) -> Int64s:
    """The ratio, whatever came before."""
    return np.broadcast_to(ratio, (replicates, len(ratio)))


def biased_coin(counts: Int64s, ratio: Int64s, chance: Fraction) -> Int64s:
    """The arms furthest behind their share have `chance` together, the others the rest, each by its ratio.

    Where every arm has its share, the ratio. For two equal arms this is Efron (1971, Biometrika 58:403).
    """
    if chance.denominator * int(ratio.sum()) ** 2 >= _TOO_LARGE:
        raise ValueError(f"the chance {chance} and the ratio {ratio.tolist()} have too many digits")
    behind = (_ahead(counts, ratio) <= 0).all(axis=2)
    share_behind = (behind * ratio).sum(axis=1, keepdims=True)
    share_of_others = ratio.sum() - share_behind
    favoured = chance.numerator * share_of_others
    others = (chance.denominator - chance.numerator) * share_behind
    return np.where(share_of_others == 0, ratio, np.where(behind, favoured, others) * ratio)


def big_stick(counts: Int64s, ratio: Int64s, tolerance: int) -> Int64s:
    """The ratio, without the arms that are `tolerance` shares ahead of the arm furthest behind.

    For two equal arms this is Soares and Wu (1983, Communications in Statistics 12:2017).
    """
    waits = (_ahead(counts, ratio) >= tolerance * ratio[:, None] * ratio).any(axis=2)
    found: Int64s = np.where(waits, 0, ratio)
    return found


def block_urn(counts: Int64s, ratio: Int64s, block_size: int) -> Int64s:
    """The balls left in the urn: its content and every complete set that went back, less what was drawn.

    Zhao and Weng (2011, Contemporary Clinical Trials 32:953). Where places that were drawn count no longer, fewer sets
    are complete, and an arm may have drawn more than there were: it has none left.
    """
    complete = (counts // ratio).min(axis=1, keepdims=True)
    sets = block_size // int(ratio.sum()) + complete
    return np.asarray(np.maximum(sets * ratio - counts, 0), dtype=np.int64)


def _ahead(counts: Int64s, ratio: Int64s) -> Int64s:
    """Shape (R, K, K): how far arm i is ahead of arm j, in shares times both their ratios: whole numbers compare exactly."""
    found: Int64s = counts[:, :, None] * ratio - counts[:, None, :] * ratio[:, None]
    return found
