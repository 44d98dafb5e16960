"""What minimisation looks at: the counting places of each level of each factor."""

import numpy as np
from numpy.typing import NDArray

from forethought.protocol.allocation import Minimization, exact
from forethought.randomization import minimization
from forethought.randomization.strata import levels_of

Int64s = NDArray[np.int64]
Places = NDArray[np.intp]


class Margins:
    """The places of each arm that count, by level, in each replicate; a level is known once somebody has it."""

    __slots__ = ("_chance", "_counts", "_design", "_factor_weights", "_of_label", "_places")

    def __init__(self, design: Minimization, replicates: int) -> None:
        self._design = design
        self._chance = exact(design.chance)
        self._factor_weights = np.array([factor.weight for factor in design.factors], dtype=np.int64)
        self._places: dict[tuple[str, str], int] = {}
        self._of_label: dict[str, Places] = {}
        self._counts = np.zeros((replicates, 0, len(design.ratio)), dtype=np.int64)

    def of(self, label: str) -> Int64s:
        """Shape (R, F, K): the places that share the stratum's level of each factor."""
        levels = self._levels(label)
        return self._counts[:, levels]

    def weights(self, label: str, ratio: Int64s) -> Int64s:
        """Shape (R, K): the next unit's weights by the method alone."""
        return minimization.weights(
            self.of(label), ratio, self._factor_weights, self._design.imbalance, self._chance
        )

    def add(self, label: str, places: tuple[Places, NDArray[np.int8]], units: int) -> None:
        """So many places more (or fewer) in these replicates and arms."""
        rows, arm = places
        levels = self._levels(label)
        self._counts[rows[:, None], levels, arm[:, None]] += units

    def take(self, rows: Places) -> None:
        """Keep these replicates."""
        self._counts = self._counts[rows]

    def _levels(self, label: str) -> Places:
        """Where the stratum's levels are counted, in the order of the factors."""
        if label not in self._of_label:
            named = levels_of(label)
            levels = [(factor.name, named[factor.name]) for factor in self._design.factors]
            found = [self._places.setdefault(level, len(self._places)) for level in levels]
            self._of_label[label] = np.array(found, dtype=np.intp)
            replicates, known, arms = self._counts.shape
            new = np.zeros((replicates, len(self._places) - known, arms), dtype=np.int64)
            self._counts = np.concatenate([self._counts, new], axis=1)
        return self._of_label[label]
