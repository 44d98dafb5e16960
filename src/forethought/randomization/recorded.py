"""What a design was given in a study: who came, in which stratum and order, who counted, and which arm each got."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forethought.protocol.allocation import Design
from forethought.randomization.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Before the arrival at place `at`, the place of the person who came at `person` begins or ceases to count.

    Places count from 0 in the order of arrival.
    """

    at: int
    person: int
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """All that a design looks at in one wave: its arrivals, the changes of who counts, and who waited together.

    Redraws and enumerations hold it fixed and draw the arms anew. `batches` has each arrival's batch in a design that
    allocates those who wait together; nothing: all arrivals are one. `block_sizes` must not be `sealed`.
    """

    design: Design
    arrivals: Arrivals
    changes: tuple[Change, ...] = ()
    batches: tuple[int, ...] = ()

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms in the order of their codes."""
        return tuple(sorted(self.design.ratio))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedDesign:
    """The course of each wave, and the arm that each person got: `arms[codes[i]]` for `participants[i]`.

    People are in the order of wave and arrival; so are the columns of every redraw, and the rows of an outcome.
    """

    courses: tuple[Course, ...]
    participants: tuple[str, ...]
    units: tuple[str, ...]
    codes: NDArray[np.int8]

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms in the order of their codes."""
        return self.courses[0].arms

    @classmethod
    def from_frame(
        cls,
        design: Design | Mapping[int, Design],
        allocations: pd.DataFrame,
        counting: pd.DataFrame | None = None,
    ) -> "RecordedDesign":
        """The record of a study from the columns of its tables `allocations` and `counting`.

        Of `allocations`: participant_id, stratum, arm, arrival, and where the design needs them wave, unit (the cluster)
        and batch. Of `counting`: participant_id, from_arrival, counts. A design for each wave may be given, as where
        block sizes are sealed apart. Raises ValueError for a record that is none.
        """
        rows = _in_order(allocations)
        courses, codes = [], []
        for wave, group in rows.groupby("wave", sort=True):
            own = design[int(str(wave))] if isinstance(design, Mapping) else design
            # A list that was drawn ahead knew nothing of who would leave.
            changes = () if counting is None or own.drawn == "ahead" else _changes(group, counting)
            courses.append(_course(own, group, changes))
            codes.append(_codes(courses[-1].arms, group["arm"]))
        if not courses or any(course.arms != courses[0].arms for course in courses):
            raise ValueError(
                "allocations: there are none, or the waves have different arms. Test them apart."
            )
        participants = tuple(rows["participant_id"].astype(str))
        return cls(
            courses=tuple(courses),
            participants=participants,
            units=_units(courses, rows),
            codes=np.concatenate(codes),
        )

    def aligned(self, values: "pd.Series[Any] | NDArray[np.float64]") -> NDArray[np.float64]:
        """The values in the order of `participants`, NaN where somebody has none.

        A Series is looked up by its index of participants; an array must be in that order already.
        """
        if isinstance(values, pd.Series):
            if not values.index.is_unique:
                raise ValueError("values: a participant occurs twice in the index. Give one value for each.")
            return values.reindex(list(self.participants)).to_numpy(dtype=float, na_value=np.nan)
        given = np.asarray(values, dtype=float)
        if given.shape != (len(self.participants),):
            raise ValueError(
                f"values: {given.shape} is not one for each of {len(self.participants)} participants. "
                "Give an array in their order, or a Series with the participants as its index."
            )
        return given


def _in_order(allocations: pd.DataFrame) -> pd.DataFrame:
    needed = {"participant_id", "stratum", "arm", "arrival"}
    if missing := sorted(needed - set(allocations)):
        raise ValueError(
            f"allocations: there is no column {', '.join(missing)}. Give the table `allocations`."
        )
    if allocations["participant_id"].duplicated().any():
        raise ValueError("allocations: somebody is there twice. Keep the first allocation.")
    rows = allocations if "wave" in allocations else allocations.assign(wave=1)
    return rows.sort_values(["wave", "arrival"], ignore_index=True)


def _course(design: Design, rows: pd.DataFrame, changes: tuple[Change, ...]) -> Course:
    units = None
    if design.unit == "cluster":
        if "unit" not in rows or rows["unit"].isna().any():
            raise ValueError(
                "allocations: the design allocates clusters, and somebody has no unit. Give `unit`."
            )
        units = tuple(rows["unit"].astype(str))
    batches = () if "batch" not in rows or rows["batch"].isna().any() else tuple(rows["batch"].astype(int))
    return Course(
        design=design,
        arrivals=Arrivals.of(rows["stratum"].astype(str).tolist(), units),
        changes=changes,
        batches=batches,
    )


def _units(courses: list[Course], rows: pd.DataFrame) -> tuple[str, ...]:
    """Whose arm is drawn: each person, or each cluster of each wave."""
    if all(course.arrivals.units is None for course in courses):
        return tuple(rows["participant_id"].astype(str))
    return tuple(f"wave {wave}: {unit}" for wave, unit in zip(rows["wave"], rows["unit"], strict=True))


def _codes(arms: tuple[str, ...], names: "pd.Series[Any]") -> NDArray[np.int8]:
    if unknown := sorted(set(names.astype(str)) - set(arms)):
        raise ValueError(f"allocations: {unknown[0]} is no arm of the ratio, which has {', '.join(arms)}.")
    place = {arm: code for code, arm in enumerate(arms)}
    return np.array([place[arm] for arm in names.astype(str)], dtype=np.int8)


def _changes(rows: pd.DataFrame, counting: pd.DataFrame) -> tuple[Change, ...]:
    """The wave's changes of who counts in the order in which they hold; of people who have an arm."""
    place = {str(person): position for position, person in enumerate(rows["participant_id"])}
    arrival = rows["arrival"].to_numpy()
    ordered = counting.sort_values(["from_arrival", "participant_id"])
    return tuple(
        Change(at=int(np.searchsorted(arrival, start)), person=place[str(person)], counts=bool(counts))
        for start, person, counts in zip(
            ordered["from_arrival"], ordered["participant_id"], ordered["counts"], strict=True
        )
        if str(person) in place
    )
