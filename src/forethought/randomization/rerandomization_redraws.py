"""Redraws of those who were allocated together: complete randomisations that the criterion accepts."""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from forethought.protocol.allocation import Complete, Rerandomization
from forethought.randomization.closeness import Closeness
from forethought.randomization.recorded import Course
from forethought.randomization.rerandomization import closeness, complete, totals

Int8s = NDArray[np.int8]
Places = NDArray[np.intp]

_CODES_AT_ONCE = 1 << 20


def rerandomized(course: Course, design: Rerandomization, draws: int, rng: Generator) -> Int8s:
    """So many redraws of every batch, shape (draws, arrivals); each is as likely as any other that is accepted.

    ValueError where `most_draws` for each redraw bring too few that are accepted.
    """
    drawn = np.empty((draws, len(course.arrivals)), dtype=np.int8)
    for places, compared in batches(course, design):
        drawn[:, places] = _accepted(design, len(places), compared, draws, rng)
    return drawn


def batches(course: Course, design: Rerandomization) -> Iterator[tuple[Places, Closeness]]:
    """The arrivals of each batch, and what decides whether its arms are alike enough."""
    together = np.array(course.batches or (0,) * len(course.arrivals))
    for batch in np.unique(together):
        (places,) = np.nonzero(together == batch)
        labels = [course.arrivals.labels[code] for code in course.arrivals.codes[places]]
        yield places, closeness(design, labels)


def without_criterion(design: Rerandomization, people: int) -> Complete:
    """The same people allocated together, whether the arms are alike or not."""
    return Complete(
        method="complete",
        size=people,
        ratio=design.ratio,
        dropouts=design.dropouts,
        seed=design.seed,
        concealment=design.concealment,
    )


def _accepted(design: Rerandomization, people: int, compared: Closeness, draws: int, rng: Generator) -> Int8s:
    below = totals(people, len(design.ratio))
    kept: list[Int8s] = []
    missing, tried = draws, 0
    while missing > 0:
        if tried >= design.most_draws * draws:
            raise ValueError(f"of {tried:,} redraws of {people} people the criterion accepts too few")
        now = max(1, min(_CODES_AT_ONCE // people, design.most_draws * draws - tried))
        # As live: of many arms, `Complete` has not every set of those that get one person more.
        numbers = rng.integers(0, below, size=(now, len(below)))
        drawn = complete(numbers, people, len(design.ratio))
        kept.append(drawn[compared.accepted(drawn)][:missing])
        missing, tried = missing - len(kept[-1]), tried + now
    return np.concatenate(kept)
