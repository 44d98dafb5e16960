"""Arms that take only so many: which of them are full."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forethought.protocol.allocation import Cap
from forethought.randomization.strata import levels_of


class Caps:
    """How many counting places each capped arm has, in each replicate. A cap may name a stratum, or part of one."""

    __slots__ = ("_arm", "_at_most", "_caps", "_concerned", "_counts")

    def __init__(self, caps: Sequence[Cap], arms: Sequence[str], replicates: int) -> None:
        self._caps = tuple(caps)
        self._arm = np.array([arms.index(cap.arm) for cap in caps], dtype=np.int8)
        self._at_most = np.array([cap.at_most for cap in caps], dtype=np.int64)
        self._counts = np.zeros((replicates, len(caps)), dtype=np.int64)
        self._concerned: dict[str, NDArray[np.bool_]] = {}

    def __bool__(self) -> bool:
        return bool(self._caps)

    def full(self, label: str, arms: int) -> NDArray[np.bool_]:
        """Shape (R, K): the arms that take nobody more of this stratum."""
        reached = (self._counts >= self._at_most) & self._concerning(label)
        found = np.zeros((len(self._counts), arms), dtype=np.bool_)
        for cap, arm in enumerate(self._arm):
            found[:, arm] |= reached[:, cap]
        return found

    def add(self, label: str, arm: NDArray[np.int8], units: int) -> None:
        """So many counting places more of the stratum (or fewer), in each replicate's arm; none where that is -1."""
        self._counts += units * ((arm[:, None] == self._arm) & self._concerning(label))

    def take(self, rows: NDArray[np.intp]) -> None:
        """Keep these replicates."""
        self._counts = self._counts[rows]

    def _concerning(self, label: str) -> NDArray[np.bool_]:
        """Which caps hold in the stratum: those that name none of its variables, or the levels that it has."""
        if label not in self._concerned:
            levels = levels_of(label)
            named = [cap.stratum.items() <= levels.items() for cap in self._caps]
            self._concerned[label] = np.array(named, dtype=np.bool_)
        return self._concerned[label]
