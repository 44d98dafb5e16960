"""Redraws: the arms that a design could as well have given to the recorded arrivals, many times over.

The arrivals, their strata and clusters, and the changes of who counts stay as they were; only chance is drawn anew. A
generator serves here, not a secret seed: no allocation is made.
"""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from forethought.protocol.allocation import Complete, PermutedBlocks, Rerandomization, Simple
from forethought.randomization.arrivals import Arrivals
from forethought.randomization.block_contents import contents
from forethought.randomization.block_redraws import blocks, chance_contents, simple
from forethought.randomization.recorded import Course
from forethought.randomization.replicates import Replicates
from forethought.randomization.rerandomization_redraws import rerandomized
from forethought.randomization.walk import members, walked

Int8s = NDArray[np.int8]

BATCH_BYTES = 64 * 2**20
"""What the codes of one batch may take as floats, which is what a statistic makes of them."""

_MOST_AT_ONCE = 2_500


def batch_size(people: int, draws: int) -> int:
    """How many redraws of so many people are made at once."""
    return max(1, min(draws, _MOST_AT_ONCE, BATCH_BYTES // (8 * max(people, 1))))


def redraw(course: Course, draws: int, rng: Generator) -> Int8s:
    """So many redraws of one wave, shape (draws, arrivals): codes of `course.arms`, or -1 where every arm was full."""
    drawn = np.empty((draws, len(course.arrivals)), dtype=np.int8)
    first = 0
    for batch in redraws((course,), draws, rng):
        drawn[first : first + len(batch)] = batch
        first += len(batch)
    return drawn


def redraws(courses: tuple[Course, ...], draws: int, rng: Generator) -> Iterator[Int8s]:
    """The redraws of all waves side by side, in batches of at most 64 MB; the columns in the order of the courses."""
    people = sum(len(course.arrivals) for course in courses)
    size = batch_size(people, draws)
    for first in range(0, draws, size):
        count = min(size, draws - first)
        yield np.concatenate([_redrawn(course, count, rng) for course in courses], axis=1)


def _redrawn(course: Course, draws: int, rng: Generator) -> Int8s:
    design = course.design
    if isinstance(design, Rerandomization):
        return rerandomized(course, design, draws, rng)
    if isinstance(design, Simple | PermutedBlocks | Complete) and not _looks_back(course):
        of_unit, units = members(course.arrivals)
        return _at_once(design, units, draws, rng)[:, of_unit]
    return walked(course, Replicates(design, draws), _Drawing(rng))


def _looks_back(course: Course) -> bool:
    """Whether a draw depends on more than its place in a block."""
    replaced = course.design.dropouts.replace != "never" and bool(course.changes)
    return replaced or bool(course.design.caps)


def begin_by_chance(engine: Replicates, label: str, rng: Generator) -> None:
    """Begin blocks of chance content wherever the next unit of the stratum needs one."""
    while engine.contents is not None and (beginning := engine.begins(label)).any():
        engine.begin(label, chance_contents(engine.contents, (engine.size,), rng), beginning)


def arms_by_chance(weights: NDArray[np.int64], rng: Generator) -> Int8s:
    """An arm for each course, (R,), by its weights (R, K); -1 where they are all 0, every arm being full."""
    # The courses last: numpy sums along a short last axis some ten times as slowly.
    cumulative = np.cumsum(np.ascontiguousarray(weights.T), axis=0)
    total = cumulative[-1]
    number = rng.integers(0, np.maximum(total, 1))
    arm = (cumulative <= number).sum(axis=0, dtype=np.int8)
    return np.where(total > 0, arm, -1).astype(np.int8)


class _Drawing:
    """The chance of a walk, from a generator."""

    def __init__(self, rng: Generator) -> None:
        self._rng = rng

    def arm(self, engine: Replicates, label: str) -> tuple[Int8s, None]:
        """One arm for each course, with the probabilities that its weights give."""
        begin_by_chance(engine, label, self._rng)
        return arms_by_chance(engine.weights(label), self._rng), None


def _at_once(
    design: Simple | PermutedBlocks | Complete, units: Arrivals, draws: int, rng: Generator
) -> Int8s:
    """All draws of all units, where the draws of one stratum depend on nothing but each other."""
    ratio = np.array([design.ratio[arm] for arm in sorted(design.ratio)], dtype=np.int64)
    if isinstance(design, Simple):
        return simple(ratio, (draws, len(units)), rng)
    found = contents(design)
    drawn = np.empty((draws, len(units)), dtype=np.int8)
    for code in range(len(units.labels)):
        (places,) = np.nonzero(units.codes == code)
        first, later = places[: design.initial_simple], places[design.initial_simple :]
        drawn[:, first] = simple(ratio, (draws, len(first)), rng)
        drawn[:, later] = blocks(found, (draws, len(later)), rng)
    return drawn
