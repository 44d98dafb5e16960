"""Who is to be allocated, and what was allocated before them: all that a method of allocation may look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrivals:
    """People in order of arrival; the stratum of the i-th is `labels[codes[i]]`.

    A stratum's label names the covariates of the design and their values, as `randomization.strata` writes it.
    `units` has the cluster of each, in a design that allocates clusters.
    """

    labels: tuple[str, ...]
    codes: NDArray[np.intp]
    units: tuple[str, ...] | None = None

    @classmethod
    def of(cls, strata: Sequence[str], units: Sequence[str] | None = None) -> "Arrivals":
        """The arrivals whose strata are these labels."""
        places: dict[str, int] = {}
        codes = [places.setdefault(label, len(places)) for label in strata]
        return cls(
            labels=tuple(places),
            codes=np.array(codes, dtype=np.intp),
            units=None if units is None else tuple(units),
        )

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many units of one stratum have one arm.

    `placed` were drawn, each with a word of the stratum's stream; `regular` of them are not replacements; `counting`
    count towards balance now.
    """

    stratum: str
    arm: str
    placed: int
    regular: int
    counting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPlace:
    """A place that no longer counts, and may be filled again."""

    participant: str
    stratum: str
    arm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What a wave holds already. `open` is in the order in which the places became open, without those filled again.

    `units` is each cluster's stratum and arm; `arrivals` counts people, `batches` the groups allocated together.
    `courses` is each stratum's arms in order, replacements left out; a design needs them or not, as
    `replicates.needs_courses` says.
    """

    tallies: tuple[Tally, ...] = ()
    open: tuple[OpenPlace, ...] = ()
    units: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    arrivals: int = 0
    batches: int = 0
    courses: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where chance comes from: a wave's secret seed, and what its streams are named after.

    `algorithm` names the exact arithmetic; it is that of the registration, and recorded with each allocation.
    """

    seed: bytes
    study_id: str
    wave: int
    algorithm: str

    @property
    def labels(self) -> tuple[str, str]:
        """What every stream of the wave is named after."""
        return self.study_id, f"wave {self.wave}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """The arm of each arrival, in order: `arms[arm[i]]`, or none where `arm[i]` is -1, every arm being full.

    `probability` is what the arm had, exact to the last bit of a float; a later member of a cluster bears that of
    its cluster. `block` and `position` count from 1, and are 0 where the method has no blocks; a replacement has
    block 0 and counts the replacements of its stratum. `batch` is 0 where nobody is allocated together.
    `replaces` is arrival (from 0) to the participant whose place was filled again.
    """

    arms: tuple[str, ...]
    arm: NDArray[np.int8]
    probability: NDArray[np.float64]
    block: NDArray[np.int32]
    position: NDArray[np.int32]
    batch: int = 0
    replaces: Mapping[int, str] = field(default_factory=dict)
