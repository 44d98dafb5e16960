"""How well the next arm could be guessed, by the registered design alone."""

import numpy as np

from forethought.protocol.allocation import Design, PermutedBlocks
from forethought.protocol.protocol import Protocol
from forethought.protocol.study import Wave
from forethought.randomization.predictability import predictability
from forethought.reports.record import Predictability
from forethought.steps.crowd import strata

_FIXED = 20_261_123
"""The people are always the same: one protocol has one answer."""

_COURSES = 200
"""Where the answer is not exact, so many courses of the wave are played: it is then right to about 1%."""


def as_seen(design: Design) -> Design:
    """The design as anybody may see it: sealed block sizes are taken to be the shortest, which are guessed best."""
    if isinstance(design, PermutedBlocks) and design.block_sizes == "sealed":
        return design.model_copy(update={"block_sizes": (sum(design.ratio.values()),)})
    return design


def predicted(protocol: Protocol, design: Design, wave: Wave) -> Predictability:
    """The expected share of right guesses in a wave that reaches its target. Nothing that happened is looked at."""
    seen = as_seen(design)
    labels = strata(protocol, seen, wave.target, np.random.default_rng(_FIXED))
    return Predictability(
        wave=wave.number,
        units=wave.target,
        guessed=predictability(seen, labels, replicates=_COURSES).share,
        by_chance=max(design.ratio.values()) / sum(design.ratio.values()),
        shortest_blocks=seen is not design,
    )
