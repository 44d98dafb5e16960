"""A Pandera model for each table of the allocation; `tables.TABLES` finds it by the table's name."""

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from forethought.schemas.table import NAME, Table


class Allocations(Table):
    """Who got which arm. Probability, block and position are known once the wave is unblinded.

    `unit` is the cluster of a design that allocates clusters, `batch` the batch of one that allocates people together,
    `replaces` the person whose place was filled again.
    """

    participant_id: Series[str] = pa.Field(str_length=NAME)
    wave: Series[int] = pa.Field(ge=1)
    arm: Series[str] = pa.Field(str_length=NAME)
    probability: Series[float] = pa.Field(gt=0, le=1, nullable=True)
    stratum: Series[str] = pa.Field(str_length=NAME)
    block: Series[pd.Int64Dtype] = pa.Field(ge=0, nullable=True)
    position: Series[pd.Int64Dtype] = pa.Field(ge=0, nullable=True)
    arrival: Series[int] = pa.Field(ge=0)
    algorithm: Series[str] = pa.Field(str_length=NAME)
    allocated_at: Series[pd.Timestamp]
    unit: Series[str] = pa.Field(nullable=True)
    batch: Series[pd.Int64Dtype] = pa.Field(ge=1, nullable=True)
    replaces: Series[str] = pa.Field(nullable=True)

    class Config(Table.Config):
        unique = ("participant_id",)


class Counting(Table):
    """Whose place counts towards balance, from which arrival of the wave on, and why."""

    participant_id: Series[str] = pa.Field(str_length=NAME)
    wave: Series[int] = pa.Field(ge=1)
    from_arrival: Series[int] = pa.Field(ge=1)
    counts: Series[bool]
    reason: Series[str] = pa.Field(str_length=NAME)
    decided_at: Series[pd.Timestamp]

    class Config(Table.Config):
        unique = ("participant_id", "from_arrival")


class Corrections(Table):
    """What was found to be wrong with an allocation or a value, by whom, and why."""

    correction_id: Series[str] = pa.Field(str_length=NAME)
    participant_id: Series[str] = pa.Field(str_length=NAME)
    kind: Series[str] = pa.Field(
        isin=["randomised_in_error", "wrong_value", "randomised_twice", "not_counted"]
    )
    item: Series[str] = pa.Field(nullable=True)
    original: Series[str] = pa.Field(nullable=True)
    corrected: Series[str] = pa.Field(nullable=True)
    first_participant: Series[str] = pa.Field(nullable=True)
    made_by: Series[str] = pa.Field(str_length=NAME)
    reason: Series[str] = pa.Field(str_length=NAME)
    corrected_at: Series[pd.Timestamp]

    class Config(Table.Config):
        unique = ("correction_id",)


class SealedList(Table):
    """The places of a list drawn ahead, each sealed by itself."""

    wave: Series[int] = pa.Field(ge=1)
    stratum: Series[str] = pa.Field(str_length=NAME)
    place: Series[int] = pa.Field(ge=1)
    nonce: Series[object]
    ciphertext: Series[object]

    class Config(Table.Config):
        unique = ("wave", "stratum", "place")
