"""How far apart the arms are in what is balanced, and whether that is close enough: on every machine the same answer.

Distances are floats, and whichever is near the limit is compared exactly, in whole numbers and fractions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, isqrt

import numpy as np
from numpy.typing import NDArray

from forethought.errors import GateClosed
from forethought.randomization.covariates import Column, columns

Int8s = NDArray[np.int8]
Float64s = NDArray[np.float64]

_NEAR = 1e-9
_FLOAT = 2.0**-52
_BITS = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Closeness:
    """The columns that two or more arms are compared by, and the distance that is accepted.

    With `mahalanobis`, the distance is the sum over arms of (m - M)' C^-1 (m - M), where m is the arm's mean, M that of
    all, and C the covariance of all (its divisor is one less than the people) divided by the people of the arm: for two
    arms it is that of Morgan and Rubin. The columns are orthogonal there, so that C is diagonal. With
    `standardized_difference` it is the largest difference of two arms' means, in standard deviations of all.
    """

    criterion: str
    arms: int
    at_most: Fraction
    columns: tuple[tuple[int, ...], ...]
    """Whole numbers with the sum zero, one for each person."""
    unit: Float64s
    """The same with length 1, (people, columns)."""

    @classmethod
    def of(
        cls, labels: Sequence[str], variables: Sequence[str], criterion: str, arms: int, at_most: Fraction
    ) -> "Closeness":
        """The comparison of people with these strata; GateClosed where the Mahalanobis distance is not defined."""
        mahalanobis = criterion == "mahalanobis"
        found = columns(labels, variables, every_level=not mahalanobis)
        compared = _orthogonal(found) if mahalanobis else tuple(column.numbers for column in found)
        unit = np.array([_of_length_one(column) for column in compared], dtype=np.float64)
        return cls(
            criterion=criterion,
            arms=arms,
            at_most=at_most,
            columns=compared,
            unit=np.ascontiguousarray(unit.reshape(len(compared), len(labels)).T),
        )

    def distances(self, drawn: Int8s) -> Float64s:
        """The distance of each draw, (D,), in floats; `drawn` (D, people) has the arms' numbers from 0."""
        people = drawn.shape[1]
        found = np.zeros(len(drawn))
        if not self.columns:
            return found
        members = [(drawn == arm).astype(np.float64) for arm in range(self.arms)]
        sums = np.array([of_arm @ self.unit for of_arm in members])
        sizes = np.array([of_arm.sum(axis=1) for of_arm in members])[:, :, np.newaxis]
        if self.criterion == "mahalanobis":
            return np.asarray((people - 1) * (sums**2 / sizes).sum(axis=(0, 2)))
        means = sums / sizes
        return np.asarray(((means.max(axis=0) - means.min(axis=0)) * (people - 1) ** 0.5).max(axis=1))

    def accepted(self, drawn: Int8s) -> NDArray[np.bool_]:
        """Which draws are close enough, (D,), exactly."""
        distances, limit = self.distances(drawn), float(self.at_most)
        people, compared = self.unit.shape
        near = _NEAR * (1 + limit) + _FLOAT * people**2 * self.arms * (compared + 1)
        found = distances <= limit
        for draw in np.flatnonzero(np.abs(distances - limit) <= near):
            found[draw] = self.accepts(drawn[draw])
        return np.asarray(found)

    def accepts(self, drawn: Int8s) -> bool:
        """Whether one draw is close enough: fractions alone."""
        groups = [np.flatnonzero(drawn == arm).tolist() for arm in range(self.arms)]
        rest = len(drawn) - 1
        total = Fraction(0)
        for column in self.columns:
            square = sum(number * number for number in column)
            sums = [sum(column[person] for person in group) for group in groups]
            if self.criterion == "mahalanobis":
                within = zip(sums, groups, strict=True)
                total += sum(Fraction(rest * s * s, square * len(group)) for s, group in within)
            else:
                means = [Fraction(s, len(group)) for s, group in zip(sums, groups, strict=True)]
                total = max(total, (max(means) - min(means)) ** 2 * Fraction(rest, square))
        return total <= (self.at_most if self.criterion == "mahalanobis" else self.at_most**2)


def _orthogonal(found: Sequence[Column]) -> tuple[tuple[int, ...], ...]:
    """The columns, each less what those before it say of it (Gram and Schmidt, exactly)."""
    done: list[NDArray[np.object_]] = []
    for column in found:
        left = np.array(column.numbers, dtype=object)
        for other in done:
            left = left * int(other @ other) - other * int(left @ other)
            left = left // (gcd(*left.tolist()) or 1)
        if not left.any():
            raise GateClosed(
                "allocation",
                f"among those who wait, `{column.variable}` follows from the other variables to be balanced",
                "Wait until more have come, or amend `variables`",
            )
        done.append(left)
    return tuple(tuple(int(number) for number in left) for left in done)


def _of_length_one(column: Sequence[int]) -> list[float]:
    """The column divided by its length, to the last bits of a float however large the numbers are."""
    length = isqrt(sum(number * number for number in column) << 2 * _BITS)
    return [(number << _BITS) / length for number in column]
