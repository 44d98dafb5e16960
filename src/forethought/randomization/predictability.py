"""How often somebody who knows the arms so far guesses the next one.

The guesser follows the convergence strategy (Blackwell and Hodges 1957, Annals of Mathematical Statistics 28:449; Zhao et
al. 2012, PMC3399213): the arm that is furthest behind its share is guessed, and between equals chance decides.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forethought.protocol.allocation import (
    BiasedCoin,
    BigStick,
    BlockUrn,
    Complete,
    Design,
    Minimization,
    PermutedBlocks,
    Rerandomization,
    Simple,
    exact,
)
from forethought.randomization import weights
from forethought.randomization.block_contents import contents
from forethought.randomization.guesses import Guesses, certain, in_blocks, one_by_one, right
from forethought.randomization.redraws import arms_by_chance, begin_by_chance
from forethought.randomization.replicates import Replicates
from forethought.randomization.strata import WHOLE_WAVE

REPLICATES = 1000
"""Courses that are played where there is no exact answer."""

_SEED = 20_260_504
"""Of the courses that are played: the same design has the same answer each time."""

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictability:
    """The expected share of right guesses, and of units whose arm is certain.

    `se` is the Monte Carlo standard error of `share`, and None where it is exact. An arm is certain if it has
    probability one, given all arms so far and, in blocks of random size, the size of the block: without it, fewer are.
    """

    share: float
    se: float | None
    exact: bool
    deterministic: float


def predictability(design: Design, labels: Sequence[str], *, replicates: int = REPLICATES) -> Predictability:
    """How predictable a design is for units with these strata, in order of arrival; ValueError where there are none.

    The guesser counts the units of the stratum (of the wave, with minimisation). Nobody leaves. Of the whole wave
    together, give `("all",) * n`; in minimisation they are then alike in every factor. People who are allocated
    together cannot be guessed from each other: one over the arms. Exact for blocks, and for the methods whose weights
    follow from the units so far, unless there are caps or too many states; played `replicates` times otherwise.
    With unequal shares, the largest share is what whoever always guesses that arm gets, which may be more.
    """
    if not labels:
        raise ValueError("no unit, nothing to guess")
    if isinstance(design, Rerandomization):
        return Predictability(share=1 / len(design.ratio), se=None, exact=True, deterministic=0.0)
    of_stratum = Counter(_counted(design, labels))
    found = None if design.caps else _guesses(design, max(of_stratum.values()))
    if found is None:
        return _played(design, _known(design, labels), replicates)
    units = len(labels)
    return Predictability(
        share=sum(float(found.right[:number].sum()) for number in of_stratum.values()) / units,
        se=None,
        exact=True,
        deterministic=sum(float(found.certain[:number].sum()) for number in of_stratum.values()) / units,
    )


def _guesses(design: Design, units: int) -> Guesses | None:
    """So many units of one stratum, exactly; None where that cannot be had."""
    ratio = _ratio(design)
    match design:
        case PermutedBlocks() | Complete():
            return None if design.initial_simple else in_blocks(contents(design), ratio, units)
        case Simple() if (ratio == ratio[0]).all():
            return Guesses(right=np.full(units, 1 / len(ratio)), certain=np.zeros(units))
        case Simple():
            return one_by_one(lambda counts: weights.simple(ratio, len(counts)), ratio, units, 0)
        case BiasedCoin():
            chance = exact(design.chance)
            return one_by_one(
                lambda counts: weights.biased_coin(counts, ratio, chance), ratio, units, design.initial_simple
            )
        case BigStick():
            tolerance = design.tolerance
            return one_by_one(
                lambda counts: weights.big_stick(counts, ratio, tolerance),
                ratio,
                units,
                design.initial_simple,
            )
        case BlockUrn():
            size = design.block_size
            return one_by_one(
                lambda counts: weights.block_urn(counts, ratio, size), ratio, units, design.initial_simple
            )
    return None


def _played(design: Design, labels: Sequence[str], replicates: int) -> Predictability:
    """The mean over courses of the design that are played side by side."""
    rng = np.random.default_rng(_SEED)
    ratio, engine = _ratio(design), Replicates(design, replicates)
    counts: dict[str, Int64s] = {}
    right_guesses, sure, units = np.zeros((3, replicates))
    for label, counted in zip(labels, _counted(design, labels), strict=True):
        begin_by_chance(engine, label, rng)
        found = engine.weights(label)
        before = counts.setdefault(counted, np.zeros(found.shape, dtype=np.int64))
        arm = arms_by_chance(found, rng)
        (rows,) = np.nonzero(arm >= 0)
        right_guesses[rows] += right(before[rows], ratio, found[rows])
        sure[rows] += certain(found[rows])
        units[rows] += 1
        before[rows, arm[rows]] += 1
        engine.place(label, arm)
    shares = right_guesses / units
    return Predictability(
        share=float(shares.mean()),
        se=float(shares.std(ddof=1) / replicates**0.5),
        exact=False,
        deterministic=float((sure / units).mean()),
    )


def _ratio(design: Design) -> Int64s:
    return np.array([design.ratio[arm] for arm in sorted(design.ratio)], dtype=np.int64)


def _counted(design: Design, labels: Sequence[str]) -> Sequence[str]:
    """Whose units the guesser counts together."""
    return [WHOLE_WAVE] * len(labels) if isinstance(design, Minimization | Simple) else labels


def _known(design: Design, labels: Sequence[str]) -> Sequence[str]:
    """The labels, with a level of every factor for minimisation."""
    if not isinstance(design, Minimization):
        return labels
    alike = "|".join(f"{name}=any" for name in design.covariates)
    return [alike if label == WHOLE_WAVE else label for label in labels]
