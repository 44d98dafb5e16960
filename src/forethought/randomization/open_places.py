"""Places that nobody holds at the moment, and who is next to fill one."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_FILLED = -1


class OpenPlaces:
    """The open places of one stratum in each replicate, first left first.

    `arm` has shape (places, R): the code of the place's arm, or -1 where that replicate has no such place open. A place
    that was filled is never open again, whatever becomes of the one who left it.
    """

    __slots__ = ("_arm", "_filled", "_participants")

    def __init__(self, replicates: int, places: Iterable[tuple[str, int]] = ()) -> None:
        found = list(places)
        self._participants = [participant for participant, _ in found]
        codes = np.array([code for _, code in found], dtype=np.int8)
        self._arm = np.repeat(codes[:, None], replicates, axis=1)
        self._filled: dict[str, NDArray[np.bool_]] = {}

    def __len__(self) -> int:
        return len(self._participants)

    def per_arm(self, arms: int) -> NDArray[np.int64]:
        """Shape (R, K): how many places of each arm are open."""
        found: NDArray[np.int64] = (self._arm[:, :, None] == np.arange(arms)).sum(axis=0, dtype=np.int64)
        return found

    def first(self, taking: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Shape (R, K): 1 at the arm of the place that was left first, of the arms that are `taking` (R, K); 0 elsewhere."""
        replicates, arms = taking.shape
        concerned = (self._arm != _FILLED) & taking[np.arange(replicates), self._arm]
        arm = self._arm[np.argmax(concerned, axis=0), np.arange(replicates)]
        found = (arm[:, None] == np.arange(arms)) & concerned.any(axis=0)[:, None]
        return np.asarray(found, dtype=np.int64)

    def who_left(self, code: int) -> str:
        """Whose place of this arm the first replicate fills next."""
        return self._participants[int(np.argmax(self._arm[:, 0] == code))]

    def opened(self, participant: str, arm: NDArray[np.int8]) -> None:
        """A place more, the last to be left; -1 where the replicate has it not."""
        self._participants.append(participant)
        still = np.where(self._filled.get(participant, False), _FILLED, arm).astype(np.int8)
        self._arm = np.concatenate([self._arm, still[None, :]])

    def taken_back(self, participant: str) -> None:
        """Whoever left counts again: the place is open no longer."""
        kept = [index for index, each in enumerate(self._participants) if each != participant]
        self._keep(kept)

    def fill(self, arm: NDArray[np.int8], where: NDArray[np.bool_]) -> None:
        """In these replicates, the first-left place of the arm is filled."""
        (rows,) = np.nonzero(where)
        first = np.argmax(self._arm[:, rows] == arm[rows], axis=0)
        self._arm[first, rows] = _FILLED
        for place in np.unique(first).tolist():
            filled = self._filled.setdefault(self._participants[place], np.zeros(len(where), dtype=np.bool_))
            filled[rows[first == place]] = True
        self._keep(np.flatnonzero((self._arm != _FILLED).any(axis=1)).tolist())

    def take(self, rows: NDArray[np.intp]) -> None:
        """Keep these replicates."""
        self._arm = self._arm[:, rows]
        self._filled = {participant: filled[rows] for participant, filled in self._filled.items()}

    def _keep(self, places: list[int]) -> None:
        self._participants = [self._participants[index] for index in places]
        self._arm = self._arm[places]
