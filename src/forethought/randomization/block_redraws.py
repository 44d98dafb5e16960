"""Many random sequences of arms side by side, where no draw depends on more than its block."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from forethought.randomization.block_contents import Contents

Int8s = NDArray[np.int8]
Int64s = NDArray[np.int64]


def simple(ratio: Int64s, shape: tuple[int, int], rng: Generator) -> Int8s:
    """Codes of arms, each by its share, whatever came before."""
    ends = np.cumsum(ratio)
    number = rng.integers(0, ends[-1], size=shape)
    drawn = np.zeros(shape, dtype=np.int8)
    for end in ends[:-1]:
        drawn += number >= end
    return drawn


def blocks(found: Contents, shape: tuple[int, int], rng: Generator) -> Int8s:
    """Blocks one after the other, each of chance content and in random order; the last is cut off where units end.

    The shape is (draws, units). Each draw has blocks of its own.
    """
    draws, units = shape
    if units == 0:
        return np.empty(shape, dtype=np.int8)
    sizes = found.sizes
    content = chance_contents(found, (draws, -(-units // int(sizes.min()))), rng)
    starts = np.cumsum(sizes[content], axis=1) - sizes[content]
    width = units + int(sizes.max())
    drawn = np.empty(draws * width, dtype=np.int8)
    arms = np.arange(found.units.shape[1], dtype=np.int8)
    for number, (held, size) in enumerate(zip(found.units, sizes, strict=True)):
        rows, columns = np.nonzero((content == number) & (starts < units))
        in_order = np.broadcast_to(np.repeat(arms, held), (len(rows), int(size)))
        places = (rows * width + starts[rows, columns])[:, None] + np.arange(size)
        drawn[places] = rng.permuted(in_order, axis=1)
    return drawn.reshape(draws, width)[:, :units]


def chance_contents(found: Contents, shape: tuple[int, ...], rng: Generator) -> NDArray[np.intp]:
    """Which content each of so many blocks has, by the contents' chances."""
    return found.chosen(rng.integers(0, int(found.chances.sum()), size=shape))
