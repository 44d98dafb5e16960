"""Every allocation that a design can give to recorded arrivals, each with its exact probability."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from forethought.protocol.allocation import Rerandomization
from forethought.randomization.arrivals import Arrivals
from forethought.randomization.block_contents import Contents
from forethought.randomization.recorded import Course
from forethought.randomization.replicates import Replicates
from forethought.randomization.rerandomization_redraws import batches, without_criterion
from forethought.randomization.walk import walked

Int8s = NDArray[np.int8]
Places = NDArray[np.intp]
Objects = NDArray[np.object_]
"""Python's whole numbers, which have no largest."""


class TooManyAllocations(ValueError):
    """There are more allocations than were to be enumerated."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Enumeration:
    """The possible allocations, shape (allocations, arrivals), and the probability of each; these sum to 1 exactly."""

    codes: Int8s
    probabilities: tuple[Fraction, ...]

    @property
    def floats(self) -> NDArray[np.float64]:
        """The probabilities, each the nearest float."""
        return np.array([float(each) for each in self.probabilities])


def enumerated(courses: Sequence[Course], limit: int = 20_000) -> Enumeration:
    """Every allocation of the waves together, the columns in the order of the courses; codes as in a redraw.

    Raises TooManyAllocations where there are more than `limit`. Ways to one and the same allocation, as by
    different block sizes, are told apart until the last arrival, and count apart up to there.
    """
    codes = np.empty((1, 0), dtype=np.int8)
    probabilities: tuple[Fraction, ...] = (Fraction(1),)
    for course in courses:
        own = _of_one(course, limit)
        _require_few(len(codes) * len(own.codes), limit, course)
        codes = np.concatenate(
            [np.repeat(codes, len(own.codes), axis=0), np.tile(own.codes, (len(codes), 1))], axis=1
        )
        probabilities = tuple(before * after for before in probabilities for after in own.probabilities)
    return Enumeration(codes=codes, probabilities=probabilities)


def _of_one(course: Course, limit: int) -> Enumeration:
    if isinstance(course.design, Rerandomization):
        return _accepted(course, course.design, limit)
    chance = _EveryPossibility(course, limit)
    codes = walked(course, Replicates(course.design, 1), chance)
    return _merged(codes, chance.probabilities())


def _accepted(course: Course, design: Rerandomization, limit: int) -> Enumeration:
    """What each batch's criterion accepts, all equally likely; before it was asked there are at most `limit`."""
    codes = np.empty((1, len(course.arrivals)), dtype=np.int8)
    for places, compared in batches(course, design):
        together = Course(
            design=without_criterion(design, len(places)), arrivals=Arrivals.of(["all"] * len(places))
        )
        possible = _of_one(together, limit).codes
        kept = possible[compared.accepted(possible)]
        _require_few(len(codes) * len(kept), limit, course)
        codes = np.repeat(codes, len(kept), axis=0)
        codes[:, places] = np.tile(kept, (len(codes) // len(kept), 1))
    return Enumeration(codes=codes, probabilities=(Fraction(1, len(codes)),) * len(codes))


class _EveryPossibility:
    """Each course goes on as one for each block content, and each arm, that may come next."""

    def __init__(self, course: Course, limit: int) -> None:
        self._course = course
        self._limit = limit
        self._numerators: Objects = np.array([1], dtype=object)
        self._denominators: Objects = np.array([1], dtype=object)

    def arm(self, engine: Replicates, label: str) -> tuple[Int8s, Places | None]:
        """Every arm that has a weight, in a course of its own."""
        taken = np.arange(engine.size)
        while engine.contents is not None and (beginning := engine.begins(label)).any():
            taken = taken[self._begin_blocks(engine, engine.contents, label, beginning)]
        weights = engine.weights(label)
        total = weights.sum(axis=1)
        # Where every arm is full nobody is drawn, which is the one possibility.
        possible = np.column_stack([weights > 0, total == 0])
        rows, arm = np.nonzero(possible)
        shares = np.column_stack([weights, np.ones(len(weights), dtype=np.int64)])[rows, arm]
        self._branch(engine, rows, shares, np.where(total == 0, 1, total)[rows])
        return np.where(arm < len(engine.arms), arm, -1).astype(np.int8), taken[rows]

    def probabilities(self) -> tuple[Fraction, ...]:
        """The probability of each course."""
        return tuple(
            Fraction(above, below) for above, below in zip(self._numerators, self._denominators, strict=True)
        )

    def _begin_blocks(
        self, engine: Replicates, found: Contents, label: str, beginning: NDArray[np.bool_]
    ) -> Places:
        """A block of each content begins where one is needed; which courses were taken."""
        possible = np.repeat(beginning[:, None], len(found.chances), axis=1)
        possible[:, 0] = True
        rows, content = np.nonzero(possible)
        concerned = beginning[rows]
        shares = np.where(concerned, found.chances[content], 1)
        self._branch(engine, rows, shares, np.where(concerned, found.chances.sum(), 1))
        engine.begin(label, content, concerned)
        return rows

    def _branch(
        self, engine: Replicates, rows: Places, shares: NDArray[np.int64], totals: NDArray[np.int64]
    ) -> None:
        _require_few(len(rows), self._limit, self._course)
        engine.take(rows)
        self._numerators = self._numerators[rows] * shares.astype(object)
        self._denominators = self._denominators[rows] * totals.astype(object)


def _merged(codes: Int8s, probabilities: Sequence[Fraction]) -> Enumeration:
    """Each allocation once, with the probabilities of all ways to it."""
    distinct, which = np.unique(codes, axis=0, return_inverse=True)
    sums = [Fraction(0)] * len(distinct)
    for place, probability in zip(which.reshape(-1), probabilities, strict=True):
        sums[int(place)] += probability
    return Enumeration(codes=distinct, probabilities=tuple(sums))


def _require_few(found: int, limit: int, course: Course) -> None:
    if found > limit:
        raise TooManyAllocations(
            f"{len(course.arrivals)} arrivals: they have {found:,} allocations or more, and {limit:,} is the limit. "
            "Redraw instead."
        )
