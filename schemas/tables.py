"""A Pandera model for each table of a study's database; `TABLES` finds it by the table's name.

Columns, keys, NULLs and ranges are those of the store's migrations; times are naive datetime64 in UTC.
"""

from collections.abc import Mapping
from math import inf
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from forethought.schemas.allocation_tables import Allocations, Corrections, Counting, SealedList
from forethought.schemas.table import NAME, Table

VERDICTS = ["corroborated", "falsified", "inconclusive", "unevaluable"]

_SHA256 = r"^[0-9a-f]{64}$"


class Meta(Table):
    """What the database is: its schema's version, its study, its clock."""

    key: Series[str] = pa.Field(str_length=NAME)
    value: Series[str]

    class Config(Table.Config):
        unique = ("key",)


class Waves(Table):
    """Rounds of recruitment; `closed_at` is when enrolment ended."""

    wave: Series[int] = pa.Field(ge=1)
    opens_at: Series[pd.Timestamp]
    target: Series[int] = pa.Field(ge=1)
    closed_at: Series[pd.Timestamp] = pa.Field(nullable=True)

    class Config(Table.Config):
        unique = ("wave",)


class Participants(Table):
    """People, by pseudonym; `observed` ones appear in the data of a study that is not randomised."""

    participant_id: Series[str] = pa.Field(str_length=NAME)
    wave: Series[int] = pa.Field(ge=1)
    status: Series[str] = pa.Field(isin=["eligible", "excluded", "observed"])
    service_status: Series[str] = pa.Field(nullable=True)
    arrived_at: Series[pd.Timestamp] = pa.Field(nullable=True)

    class Config(Table.Config):
        unique = ("participant_id",)


class Exclusions(Table):
    """The first criterion that a person failed, `position` being its place in the protocol."""

    participant_id: Series[str] = pa.Field(str_length=NAME)
    stage: Series[str] = pa.Field(isin=["eligibility"])
    position: Series[int] = pa.Field(ge=1)
    criterion: Series[str] = pa.Field(str_length=NAME)
    reason: Series[str] = pa.Field(str_length=NAME)
    excluded_at: Series[pd.Timestamp]

    class Config(Table.Config):
        unique = ("participant_id", "stage")


class Sessions(Table):
    """Planned meetings and what became of them."""

    participant_id: Series[str] = pa.Field(str_length=NAME)
    session: Series[str] = pa.Field(str_length=NAME)
    position: Series[int] = pa.Field(ge=1)
    stimulus: Series[str] = pa.Field(nullable=True)
    opens_at: Series[pd.Timestamp]
    target_at: Series[pd.Timestamp]
    closes_at: Series[pd.Timestamp]
    status: Series[str] = pa.Field(isin=["planned", "done", "out_of_window", "missed"])
    held_at: Series[pd.Timestamp] = pa.Field(nullable=True)

    class Config(Table.Config):
        unique = ("participant_id", "session")


class Responses(Table):
    """Answers and trial records, one row for each item that has a value; the value as it came."""

    record_id: Series[str] = pa.Field(str_length=NAME)
    item: Series[str] = pa.Field(str_length=NAME)
    participant_id: Series[str] = pa.Field(nullable=True)
    session: Series[str] = pa.Field(nullable=True)
    value: Series[str]
    raw_row_id: Series[str] = pa.Field(str_length=NAME)

    class Config(Table.Config):
        unique = ("record_id", "item")


class Conversations(Table):
    """Conversations, without their text and without the arm they belong to."""

    conversation_id: Series[str] = pa.Field(str_length=NAME)
    participant_id: Series[str] = pa.Field(str_length=NAME)
    session: Series[str] = pa.Field(str_length=NAME)
    stimulus: Series[str] = pa.Field(nullable=True)
    started_at: Series[pd.Timestamp]
    ended_at: Series[pd.Timestamp]
    messages: Series[int] = pa.Field(ge=1)

    class Config(Table.Config):
        unique = ("conversation_id",)


class Messages(Table):
    """What was said, in order."""

    conversation_id: Series[str] = pa.Field(str_length=NAME)
    number: Series[int] = pa.Field(ge=0)
    role: Series[str] = pa.Field(isin=["participant", "partner"])
    text: Series[str]
    sent_at: Series[pd.Timestamp]

    class Config(Table.Config):
        unique = ("conversation_id", "number")


class Ratings(Table):
    """What a rater gave a conversation on one outcome."""

    conversation_id: Series[str] = pa.Field(str_length=NAME)
    rater: Series[str] = pa.Field(str_length=NAME)
    outcome: Series[str] = pa.Field(str_length=NAME)
    value: Series[float] = pa.Field(gt=-inf, lt=inf)

    class Config(Table.Config):
        unique = ("conversation_id", "rater", "outcome")


class Scores(Table):
    """The value of an outcome, and which version of which scorer gave it."""

    participant_id: Series[str] = pa.Field(str_length=NAME)
    session: Series[str] = pa.Field(str_length=NAME)
    outcome: Series[str] = pa.Field(str_length=NAME)
    scorer: Series[str] = pa.Field(str_length=NAME)
    version: Series[str] = pa.Field(str_length=NAME)
    value: Series[float] = pa.Field(gt=-inf, lt=inf)

    class Config(Table.Config):
        unique = ("participant_id", "session", "outcome", "scorer", "version")


class Findings(Table):
    """Every contrast that an analysis judged; `n_by_arm` and `warnings` are JSON."""

    analysis: Series[str] = pa.Field(str_length=NAME)
    number: Series[int] = pa.Field(ge=1)
    hypothesis: Series[str] = pa.Field(nullable=True)
    model: Series[str]
    outcome: Series[str]
    contrast: Series[str]
    estimate: Series[float] = pa.Field(nullable=True)
    se: Series[float] = pa.Field(nullable=True, ge=0)
    df: Series[float] = pa.Field(nullable=True)
    statistic: Series[float] = pa.Field(nullable=True)
    p: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    p_adjusted: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    ci_low: Series[float] = pa.Field(nullable=True)
    ci_high: Series[float] = pa.Field(nullable=True)
    effect_size: Series[float] = pa.Field(nullable=True)
    ci_level: Series[float] = pa.Field(nullable=True, ge=0, le=1)
    smallest_effect: Series[float] = pa.Field(nullable=True)
    n: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=0)
    n_by_arm: Series[str] = pa.Field(nullable=True)
    population: Series[str]
    estimand: Series[str] = pa.Field(nullable=True)
    family: Series[str] = pa.Field(nullable=True)
    role: Series[str] = pa.Field(isin=["primary", "secondary", "sensitivity", "exploratory"])
    registered: Series[pd.BooleanDtype]
    confirmatory: Series[pd.BooleanDtype]
    blinded: Series[pd.BooleanDtype]
    simulated: Series[pd.BooleanDtype]
    wave: Series[pd.Int64Dtype] = pa.Field(nullable=True, ge=1)
    verdict: Series[str] = pa.Field(nullable=True, isin=VERDICTS)
    warnings: Series[str]

    class Config(Table.Config):
        unique = ("analysis", "number")


class Deviations(Table):
    """Where the deed differs from the plan."""

    deviation_id: Series[str] = pa.Field(str_length=NAME)
    kind: Series[str] = pa.Field(str_length=NAME)
    planned: Series[str]
    done: Series[str]
    class_: Series[str] = pa.Field(alias="class", str_length=NAME)
    detected_at: Series[pd.Timestamp]

    class Config(Table.Config):
        unique = ("deviation_id",)


class RawRows(Table):
    """Every row of every file that came in, by a salted hash of what it said."""

    raw_row_id: Series[str] = pa.Field(str_matches=r"^[0-9a-f]{16}:[0-9]+$")
    file_sha256: Series[str] = pa.Field(str_matches=_SHA256)
    source: Series[str] = pa.Field(str_length=NAME)
    kind: Series[str] = pa.Field(str_length=NAME)
    row_number: Series[int] = pa.Field(ge=1)
    imported_at: Series[pd.Timestamp]
    disposition: Series[str] = pa.Field(isin=["kept", "quarantined"])
    row_hash: Series[str] = pa.Field(str_matches=_SHA256)

    class Config(Table.Config):
        unique = ("raw_row_id",)


class Payloads(Table):
    """The whole raw row, sealed with its participant's key (or the study's)."""

    raw_row_id: Series[str] = pa.Field(str_length=NAME)
    participant_id: Series[str] = pa.Field(nullable=True)
    nonce: Series[object]
    ciphertext: Series[object]

    class Config(Table.Config):
        unique = ("raw_row_id",)

    @pa.check("nonce", "ciphertext", name="bytes")
    @classmethod
    def _is_bytes(cls, values: "pd.Series[Any]") -> "pd.Series[bool]":
        return pd.Series([isinstance(value, bytes) for value in values], index=values.index, dtype=bool)


class Quarantine(Table):
    """A value or a row that was refused, and why."""

    raw_row_id: Series[str] = pa.Field(str_length=NAME)
    column_name: Series[str]
    value: Series[str] = pa.Field(nullable=True)
    reason: Series[str] = pa.Field(str_length=NAME)
    quarantined_at: Series[pd.Timestamp]

    class Config(Table.Config):
        unique = ("raw_row_id", "column_name")


class Events(Table):
    """The ledger; `detail` is canonical JSON."""

    seq: Series[int] = pa.Field(ge=1)
    recorded_at: Series[pd.Timestamp]
    actor: Series[str] = pa.Field(str_length=NAME)
    action: Series[str] = pa.Field(str_length=NAME)
    detail: Series[str]
    previous: Series[str] = pa.Field(str_matches=_SHA256)
    hash: Series[str] = pa.Field(str_matches=_SHA256)

    class Config(Table.Config):
        unique = ("seq",)


# fmt: off
TABLES: Mapping[str, type[pa.DataFrameModel]] = {
    "meta": Meta, "waves": Waves, "participants": Participants, "exclusions": Exclusions,
    "allocations": Allocations, "sessions": Sessions, "responses": Responses, "conversations": Conversations,
    "messages": Messages, "ratings": Ratings, "scores": Scores, "findings": Findings, "events": Events,
    "deviations": Deviations, "raw_rows": RawRows, "payloads": Payloads, "quarantine": Quarantine, "counting": Counting,
    "corrections": Corrections, "sealed_list": SealedList,
}
# fmt: on
