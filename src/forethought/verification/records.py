"""The record of an allocation: all that a replay needs, and nothing that identifies a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forethought import registration
from forethought.errors import NotLocked, VerificationFailed
from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.registration import Registration
from forethought.store import events, rows
from forethought.store.connection import Connection

ALLOCATIONS: Mapping[str, str] = {
    "participant_id": "str",
    "wave": "int64",
    "arm": "str",
    "probability": "float64",
    "stratum": "str",
    "block": "Int64",
    "position": "Int64",
    "arrival": "int64",
    "algorithm": "str",
    "unit": "str",
    "batch": "Int64",
    "replaces": "str",
}
"""Column of the table `allocations` to its type; the time of day of an allocation moves no arm."""

COUNTING: Mapping[str, str] = {
    "participant_id": "str",
    "wave": "int64",
    "from_arrival": "int64",
    "counts": "bool",
    "reason": "str",
}
ORDERS: Mapping[str, str] = {"participant_id": "str", "session": "str", "stimulus": "str"}
"""Of the table `sessions`: who has which material when."""

REQUIRED = frozenset(
    {"participant_id", "wave", "arm", "stratum", "arrival", "algorithm", "from_arrival", "counts", "reason", "session"}
)  # fmt: skip
"""Columns that always have a value."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AllocationRecord:
    """What an allocation left behind. `problems` says where ledger and registration are not as they were written.

    The frames have the columns of ALLOCATIONS, COUNTING and ORDERS, in order of wave and arrival.
    """

    registration: Registration
    registration_file: bytes
    events: tuple[Event, ...]
    allocations: pd.DataFrame
    counting: pd.DataFrame
    orders: pd.DataFrame
    problems: tuple[str, ...] = ()

    def of_waves(self, waves: frozenset[int]) -> "AllocationRecord":
        """The record with the rows of these waves alone; registration and ledger stay whole."""
        kept = self.allocations[self.allocations["wave"].isin(waves)]
        return AllocationRecord(
            registration=self.registration,
            registration_file=self.registration_file,
            events=self.events,
            allocations=kept,
            counting=self.counting[self.counting["wave"].isin(waves)],
            orders=self.orders[self.orders["participant_id"].isin(kept["participant_id"])],
            problems=self.problems,
        )


def of_study(con: Connection, folder: StudyFolder) -> AllocationRecord:
    """The record of a study, read from its database.

    NotLocked without a registration, or with one that is damaged.
    """
    locked = registration.read(folder)
    if locked is None:
        raise NotLocked(str(folder.path), "the study is not locked", "Run `forethought lock` on it first")
    history = events.history(con)
    return record(
        folder, locked, history, *(rows.read(con, name) for name in ("allocations", "counting", "sessions"))
    )


def record(
    folder: StudyFolder,
    locked: Registration,
    history: Sequence[Event],
    allocations: pd.DataFrame,
    counting: pd.DataFrame,
    orders: pd.DataFrame,
) -> AllocationRecord:
    """The record of these rows, beside the registration of this folder; its columns and their order made plain."""
    people = _frame(allocations, ALLOCATIONS).sort_values(["wave", "arrival", "participant_id"])
    place = {person: row for row, person in enumerate(people["participant_id"])}
    materials = _frame(orders, ORDERS)
    ranked = materials.assign(place=materials["participant_id"].map(place)).dropna(subset=["place"])
    return AllocationRecord(
        registration=locked,
        registration_file=folder.registration.read_bytes(),
        events=tuple(history),
        allocations=people.reset_index(drop=True),
        counting=_frame(counting, COUNTING)
        .sort_values(["wave", "from_arrival", "participant_id"])
        .reset_index(drop=True),
        orders=ranked.sort_values("place", kind="stable").drop(columns="place").reset_index(drop=True),
        problems=_problems(folder, history),
    )


def _frame(rows_of_table: pd.DataFrame, types: Mapping[str, Any]) -> pd.DataFrame:
    return rows_of_table[list(types)].astype(dict(types))


def _problems(folder: StudyFolder, history: Sequence[Event]) -> tuple[str, ...]:
    """Whether the chain of the ledger is whole, and registration and ledger say the same."""
    try:
        registration.agree(folder, history)
    except (VerificationFailed, NotLocked) as found:
        where = found.where if isinstance(found, VerificationFailed) else "registration.json"
        return (f"{where}: {found.what}",)
    return ()
