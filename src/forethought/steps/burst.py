"""The check before the launch: what becomes of a crowd that arrives within one minute, under seeds thrown away after."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from forethought.errors import GateClosed
from forethought.protocol.allocation import Design
from forethought.protocol.protocol import Protocol
from forethought.randomization.allocating import allocate
from forethought.randomization.arrivals import Arrivals, Drawn, Source
from forethought.randomization.order import orders
from forethought.steps.crowd import strata

_MOST_SEEDS, _FEWEST_SEEDS = 20, 3
_ARRIVALS_IN_ALL = 40_000
"""A very large crowd is tried under fewer seeds: its shares hardly differ from one to the next."""

_FIXED = 20_261_123
"""The generator that gives the seeds is always the same: the check of one protocol has one answer."""

_SEED_BYTES = 32

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The smallest and the largest share that one of so many had, under any of the seeds."""

    of: int
    smallest: float
    largest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What a crowd would be given. `orders` is None where the plan gives everyone the same, or no materials.

    `spread`: under no seed did everyone get one arm, or one order. `refused` says why nobody could be allocated.
    """

    wave: int
    arrivals: int
    seeds: int
    arms: Shares | None
    orders: Shares | None
    spread: bool
    refused: str | None = None


def spread(arms: Shares | None, orders: Shares | None) -> bool:
    """Whether the crowd was spread over arms and orders every time."""
    return arms is not None and all(found.largest < 1 for found in (arms, orders) if found is not None)


def burst(
    protocol: Protocol, design: Design, arithmetic: str, *, wave: int, arrivals: int, seeds: int | None = None
) -> Burst:
    """Allocate so many arrivals at once, and give them their orders, by the code that does so in the study.

    `arithmetic` is the algorithm by which arms are drawn. The people's strata are as common as the protocol's simulated
    world has them, or else all alike. The design's block sizes are resolved. No secret seed is used, nothing written.
    """
    seeds = seeds or max(_FEWEST_SEEDS, min(_MOST_SEEDS, _ARRIVALS_IN_ALL // arrivals))
    rng = np.random.default_rng(_FIXED)
    arms: list[Mapping[str, int]] = []
    materials: list[Mapping[tuple[str, ...], int]] = []
    for _ in range(seeds):
        source = Source(
            seed=rng.bytes(_SEED_BYTES), study_id=protocol.study.id, wave=wave, algorithm=arithmetic
        )
        labels = strata(protocol, design, arrivals, rng)
        units = [f"cluster {number}" for number in range(arrivals)] if design.unit == "cluster" else None
        try:
            drawn = allocate(design, source, Arrivals.of(labels, units))
        except GateClosed as error:
            return _burst(wave, arrivals, seeds, None, None, error.what)
        arms.append(_arms(drawn))
        materials.append(_orders(protocol, source, arrivals))
    return _burst(wave, arrivals, seeds, _shares(arms), _shares([found for found in materials if found]))


def _burst(
    wave: int,
    arrivals: int,
    seeds: int,
    arms: Shares | None,
    orders: Shares | None,
    refused: str | None = None,
) -> Burst:
    return Burst(
        wave=wave,
        arrivals=arrivals,
        seeds=seeds,
        arms=arms,
        orders=orders,
        spread=spread(arms, orders),
        refused=refused,
    )


def _arms(drawn: Drawn) -> Mapping[str, int]:
    """Arm to how many got it; arms that nobody got are 0."""
    counts = np.bincount(drawn.arm[drawn.arm >= 0], minlength=len(drawn.arms))
    return dict(zip(drawn.arms, counts.tolist(), strict=True))


def _orders(protocol: Protocol, source: Source, people: int) -> Mapping[tuple[str, ...], int]:
    """Order of the materials to how many got it."""
    stimuli = protocol.stimuli
    if stimuli is None or stimuli.order == "fixed":
        return {}
    arrivals = {f"arrival {number}": number for number in range(1, people + 1)}
    return Counter(orders(stimuli, source.study_id, source.wave, source.seed, arrivals).values())


def _shares(counts: Sequence[Mapping[Kind, int]]) -> Shares | None:
    shares = [
        number / sum(each.values()) for each in counts for number in each.values() if sum(each.values())
    ]
    if not shares:
        return None
    kinds = {kind for each in counts for kind in each}
    return Shares(of=len(kinds), smallest=min(shares), largest=max(shares))
