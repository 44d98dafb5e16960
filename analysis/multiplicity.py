"""p values adjusted for the number of tests in a family."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal, assert_never

Method = Literal["none", "holm"]


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm-adjusted p values, in the given order (Holm 1979, Scand. J. Statist. 6:65)."""
    count = len(p_values)
    ascending = sorted(range(count), key=lambda index: p_values[index])
    steps = ((count - rank) * p_values[index] for rank, index in enumerate(ascending))
    adjusted = dict(zip(ascending, accumulate(steps, max), strict=True))
    return tuple(min(1.0, adjusted[index]) for index in range(count))


def adjust(p_values: Sequence[float], method: Method) -> tuple[float, ...]:
    """The p values adjusted by the family's registered method, in the given order."""
    match method:
        case "none":
            return tuple(p_values)
        case "holm":
            return holm(p_values)
        case _:
            assert_never(method)
