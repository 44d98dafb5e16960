"""Replay: the allocations that a seed gives to the recorded arrivals, beside those that were recorded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forethought.errors import GateClosed
from forethought.protocol.allocation import Design, Rerandomization
from forethought.protocol.design import Stimuli
from forethought.randomization import first_blocks
from forethought.randomization.allocating import allocate
from forethought.randomization.arrivals import Arrivals, Before, Drawn, Source
from forethought.randomization.order import orders
from forethought.randomization.sequence import Sequence

_COMPARED = ("arm", "arrival", "algorithm", "replaces")
_TOLD_LATER = ("probability", "block", "position")
"""Columns of which the record may have nothing yet, or, as with the whole numbers, where a method has none."""

_NOBODY: dict[str, object] = {
    "arm": None, "probability": np.nan, "block": pd.NA, "position": pd.NA, "replaces": None,
}  # fmt: skip
"""What somebody is given for whom every arm was full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value of the record that the seed does not give; None stands for no value."""

    participant: str
    wave: int
    column: str
    recorded: str | float | None
    replayed: str | float | None

    @property
    def words(self) -> str:
        """The difference as a sentence without its full stop."""
        was, is_now = ("nothing" if each is None else str(each) for each in (self.recorded, self.replayed))
        return f"wave {self.wave}, {self.participant}: {self.column} is {was}, and the seed gives {is_now}"


def rederive(design: Design, source: Source, recorded: pd.DataFrame, counting: pd.DataFrame) -> pd.DataFrame:
    """One wave's allocations as the seed gives them to the recorded arrivals, in their order.

    Of `recorded` (as the table `allocations`) participant_id, stratum, arrival, unit and batch are used; of `counting`
    (as that table) participant_id, from_arrival and counts, of this wave. No recorded arm is looked at. A row has
    participant_id, arm, probability, block, position, arrival (consecutive from 1), algorithm, unit, batch, replaces;
    arm is None where the seed gives none, every arm being full. `block_sizes: sealed` is resolved before.
    """
    arrivals = _in_order(recorded)
    rows: Any
    if arrivals.empty:
        rows = []
    elif isinstance(design, Rerandomization):
        rows = _in_batches(design, source, arrivals)
    elif counting.empty or _looks_at_nobody(design, source):
        rows = _at_once(design, source, arrivals)
    else:
        rows = _one_at_a_time(design, source, arrivals, counting)
    frame = pd.DataFrame(rows, columns=["arm", "probability", "block", "position", "replaces"])
    return frame.assign(
        participant_id=arrivals["participant_id"],
        unit=arrivals["unit"],
        batch=arrivals["batch"],
        arrival=range(1, len(arrivals) + 1),
        algorithm=source.algorithm,
    ).astype({"probability": "float64", "block": "Int64", "position": "Int64"})


def differences(
    design: Design, source: Source, recorded: pd.DataFrame, counting: pd.DataFrame
) -> tuple[Difference, ...]:
    """Every value of one wave's recorded allocations that the seed does not give, in order of arrival.

    Probability, block and position are compared where the record has them. A row that was taken out shows in the
    arrivals that follow it; an arm that is not its cluster's shows as any other.
    """
    kept = _in_order(recorded)
    replayed = rederive(design, source, kept, counting)
    unequal = [
        (row, column)
        for column in (*_COMPARED, *_TOLD_LATER)
        for row in _unequal(kept[column], replayed[column], where_known=column in _TOLD_LATER)
    ]
    return tuple(
        Difference(
            participant=str(kept["participant_id"].iloc[row]),
            wave=source.wave,
            column=column,
            recorded=_plain(kept[column].iloc[row]),
            replayed=_plain(replayed[column].iloc[row]),
        )
        for row, column in sorted(unequal, key=lambda one: one[0])
    )


def order_differences(
    stimuli: Stimuli, source: Source, recorded: pd.DataFrame, sessions: pd.DataFrame
) -> tuple[Difference, ...]:
    """Every session of one wave whose material is not the one that the seed gives.

    `recorded` has participant_id and arrival, `sessions` participant_id, session and stimulus, as the tables.
    """
    arrival = dict(zip(recorded["participant_id"], recorded["arrival"].astype(int), strict=True))
    drawn = orders(stimuli, source.study_id, source.wave, source.seed, arrival)
    given = {
        (person, session): material
        for person, materials in drawn.items()
        for session, material in zip(stimuli.sessions, materials, strict=True)
    }
    own = sessions[sessions["participant_id"].isin(arrival)]
    return tuple(
        Difference(
            participant=person,
            wave=source.wave,
            column=f"material of {session}",
            recorded=_plain(stimulus),
            replayed=given.get((person, session)),
        )
        for person, session, stimulus in zip(
            own["participant_id"], own["session"], own["stimulus"], strict=True
        )
        if _plain(stimulus) != given.get((person, session))
    )


def _looks_at_nobody(design: Design, source: Source) -> bool:
    """Whether no arm depends on who counts: the list was there before, or the first release's blocks go on as they are."""
    return design.drawn == "ahead" or source.algorithm == first_blocks.ALGORITHM


def _in_order(recorded: pd.DataFrame) -> pd.DataFrame:
    """The rows in order of arrival, with each column that a replay may ask for."""
    missing = {name: None for name in ("unit", "batch", "replaces", *_TOLD_LATER) if name not in recorded}
    ordered = recorded.assign(**missing)
    if not (ordered["arrival"].is_monotonic_increasing and ordered["arrival"].is_unique):
        ordered = ordered.sort_values(["arrival", "participant_id"])
    whole = dict.fromkeys(("batch", "block", "position"), "Int64")
    return ordered.reset_index(drop=True).astype({"probability": "float64", **whole})


def _at_once(design: Design, source: Source, arrivals: pd.DataFrame) -> Mapping[str, Any]:
    return _columns(allocate(design, source, _arrivals(design, arrivals)))


def _one_at_a_time(
    design: Design, source: Source, arrivals: pd.DataFrame, counting: pd.DataFrame
) -> list[Mapping[str, object]]:
    """Each change of who counts is made before the arrival from which on it holds."""
    changes = _changes(counting)
    sequence = Sequence(design, source, Before())
    placed: dict[str, tuple[str, str]] = {}
    rows: list[Mapping[str, object]] = []
    for person, label, number, unit in zip(
        *(arrivals[name] for name in ("participant_id", "stratum", "arrival", "unit")), strict=True
    ):
        while changes and changes[0][0] <= number:
            _, other, counts = changes.pop(0)
            if other in placed:
                sequence.recount(other, *placed[other], counts=counts)
        draw = sequence.draw(label, person, _text(unit))
        if draw is None:
            rows.append(_NOBODY)
            continue
        placed[person] = draw.stratum, draw.arm
        rows.append({name: getattr(draw, name) for name in _NOBODY})
    return rows


def _in_batches(
    design: Rerandomization, source: Source, arrivals: pd.DataFrame
) -> list[Mapping[str, object]]:
    """Those of one batch together; who could not have been a batch was given nothing."""
    rows: list[Mapping[str, object]] = [_NOBODY] * len(arrivals)
    for before, (_, batch) in enumerate(arrivals.groupby("batch", sort=True, dropna=False)):
        try:
            drawn = allocate(design, source, _arrivals(design, batch), Before(batches=before))
        except GateClosed:
            continue
        columns = _columns(drawn)
        for row, values in zip(batch.index, zip(*columns.values(), strict=True), strict=True):
            rows[row] = dict(zip(columns, values, strict=True))
    return rows


def _arrivals(design: Design, arrivals: pd.DataFrame) -> Arrivals:
    codes, labels = pd.factorize(arrivals["stratum"])
    units = tuple(arrivals["unit"].tolist()) if design.unit == "cluster" else None
    return Arrivals(labels=tuple(map(str, labels)), codes=codes.astype(np.intp), units=units)


def _columns(drawn: Drawn) -> Mapping[str, Any]:
    """What was drawn, column by column; without a value where somebody got no arm."""
    none = drawn.arm < 0
    replaces = np.full(len(drawn.arm), None, dtype=object)
    for row, participant in drawn.replaces.items():
        replaces[row] = participant
    return {
        "arm": np.array([*drawn.arms, None], dtype=object)[drawn.arm],
        "probability": np.where(none, np.nan, drawn.probability),
        "block": pd.array(drawn.block, dtype="Int64"),
        "position": pd.array(drawn.position, dtype="Int64"),
        "replaces": replaces,
    }


def _changes(counting: pd.DataFrame) -> list[tuple[int, str, bool]]:
    """From which arrival on, who, and whether the place counts; in the order in which they hold."""
    ordered = counting.sort_values(["from_arrival", "participant_id"])
    return [
        (int(start), str(person), bool(counts))
        for start, person, counts in zip(
            ordered["from_arrival"], ordered["participant_id"], ordered["counts"], strict=True
        )
    ]


def _unequal(was: "pd.Series[Any]", would_be: "pd.Series[Any]", *, where_known: bool) -> Iterator[int]:
    """The rows in which two columns differ; two that have no value are equal."""
    absent, none = was.isna().to_numpy(dtype=bool), would_be.isna().to_numpy(dtype=bool)
    same = (was == would_be).fillna(False).to_numpy(dtype=bool)
    agreed = same | (absent & (none | where_known))
    yield from np.flatnonzero(~agreed).tolist()


def _plain(value: Any) -> str | float | None:
    """One value as Python's own; None where there is none."""
    if pd.isna(value):
        return None
    plain: str | float = value.item() if isinstance(value, np.generic) else value
    return plain


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
