"""Directions spread evenly over a sphere by a fixed rule: no chance is involved.

From three dimensions on they are a rank-1 lattice of a prime number of points, wound around the sphere. Its generating
vector is built component by component so that the worst-case error of periodic functions of smoothness one is least
(Sloan and Reztsov 2002, Math. Comp. 71:263), by fast Fourier transforms (Nuyens and Cools 2006, Math. Comp. 75:903).
"""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from forethought.analysis.designs import Floats

FEW, MANY = 65537, 270337
ROOTS = {FEW: 3, MANY: 10}
"""Numbers of points, primes, each with a primitive root: its powers are all the numbers from 1 to one below."""

ON_A_CIRCLE = 16384

IMPORTANCE = 0.7
"""What each coordinate counts beside the one before it."""

SHIFT = 0.37
"""By this share of a step points are moved off the cube's corner and centre, which are no directions."""


@lru_cache(maxsize=2)
def directions(dimensions: int, points: int = FEW) -> Floats:
    """Unit vectors (dimensions, n) evenly spread: both of a line, ON_A_CIRCLE, or points, FEW or MANY, on a sphere."""
    if dimensions == 1:
        return np.array([[1.0, -1.0]])
    if dimensions == 2:
        angle = 2 * math.pi * (np.arange(ON_A_CIRCLE) + SHIFT) / ON_A_CIRCLE
        return np.array([np.cos(angle), np.sin(angle)])
    return _on_sphere(dimensions, points)


def _on_sphere(dimensions: int, points: int) -> Floats:
    """Normal vectors scaled to length one.

    They are Box and Muller's pairs, whose angle is periodic as a lattice is, and for an odd dimension one more
    by the inverse of the distribution function.
    """
    cube = (np.arange(points)[None] * _generator(dimensions, points)[:, None] % points + SHIFT) / points
    vectors = np.empty_like(cube)
    odd = dimensions % 2
    if odd:
        vectors[0] = ndtri(_folded(cube[0]))
    for first in range(odd, dimensions, 2):
        radius, angle = np.sqrt(-2 * np.log(_folded(cube[first]))), 2 * math.pi * cube[first + 1]
        vectors[first], vectors[first + 1] = radius * np.cos(angle), radius * np.sin(angle)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=0))


def _generator(dimensions: int, points: int) -> npt.NDArray[np.int64]:
    """The generating vector (dimensions,); it begins with that of fewer dimensions."""
    powers = _powers(points)
    x = powers / points
    kernel = 2 * math.pi**2 * (x * x - x + 1 / 6)
    spectrum = np.fft.rfft(kernel)
    product, found = np.ones(len(powers)), [1]
    for coordinate in range(dimensions):
        place = 0
        if coordinate:
            errors = np.fft.irfft(spectrum * np.fft.rfft(product), len(powers))
            place = int(np.argmin(np.round(errors, 9)))
            found.append(int(powers[place]))
        product *= 1 + IMPORTANCE**coordinate * kernel[(place - np.arange(len(powers))) % len(powers)]
    return np.array(found)


def _folded(coordinate: Floats) -> Floats:
    """The coordinate up and down again, so that any function of it is periodic."""
    return 1 - np.abs(2 * coordinate - 1)


def _powers(points: int) -> npt.NDArray[np.int64]:
    """root^0, root^1, ... modulo points: doubling what is there until all are."""
    powers, root = np.ones(1, dtype=np.int64), ROOTS[points]
    while len(powers) < points - 1:
        powers = np.concatenate([powers, powers * pow(root, len(powers), points) % points])
    return powers[: points - 1]
