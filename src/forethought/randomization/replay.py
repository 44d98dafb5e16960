"""Replay: the allocations that a revealed seed gives, beside those that were recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from forethought.protocol.design import PermutedBlocks
from forethought.randomization.blocks import allocate
from forethought.randomization.records import records

_REPLAYED = ("arm", "probability", "stratum", "block", "position", "arrival", "algorithm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value of a recorded allocation that the seed does not give."""

    participant: str
    wave: int
    column: str
    recorded: str | float
    replayed: str | float


def replay(
    design: PermutedBlocks, study_id: str, wave: int, seed: bytes, recorded: pd.DataFrame
) -> pd.DataFrame:
    """The allocations of one wave as the seed gives them to the recorded arrivals.

    Of `recorded` only participant_id, stratum and arrival are used: the first, the second and the order of rows.
    """
    arrivals = recorded.sort_values(["arrival", "participant_id"], ignore_index=True)
    drawn = allocate(design, study_id, wave, seed, arrivals["stratum"].tolist())
    return records(arrivals["participant_id"].tolist(), wave, drawn)


def differences(
    design: PermutedBlocks, study_id: str, seeds: Mapping[int, bytes], recorded: pd.DataFrame
) -> tuple[Difference, ...]:
    """Every value of the recorded allocations that the waves' seeds do not give, in order of arrival; none: they agree.

    `recorded` has the columns of the table `allocations`. A row taken out shows in the arrivals that follow it.
    """
    found: list[Difference] = []
    for wave, rows in recorded.groupby("wave", sort=True):
        number = int(str(wave))
        kept = rows.sort_values(["arrival", "participant_id"], ignore_index=True)
        found.extend(_differences(number, kept, replay(design, study_id, number, seeds[number], kept)))
    return tuple(found)


def _differences(wave: int, recorded: pd.DataFrame, replayed: pd.DataFrame) -> list[Difference]:
    rows = zip(recorded.to_dict("records"), replayed.to_dict("records"), strict=True)
    return [
        Difference(
            participant=was["participant_id"],
            wave=wave,
            column=column,
            recorded=was[column],
            replayed=would_be[column],
        )
        for was, would_be in rows
        for column in _REPLAYED
        if was[column] != would_be[column]
    ]
