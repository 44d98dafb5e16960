"""Freeze the data: enrolment ends, and every table is hashed, so that what changes later shows."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from forethought import registration
from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.store import events, freezing
from forethought.store.connection import DEFAULT_WAIT, Connection, writing
from forethought.store.vault import Vault

logger = logging.getLogger("forethought")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """When the study was frozen, the hash of each table then, and whether that was before this call."""

    at: datetime
    tables: Mapping[str, str]
    already: bool


def freeze(folder: StudyFolder, *, now: datetime, actor: str, wait: float = DEFAULT_WAIT) -> Frozen:
    """Close every wave and record the hash of every table. Frozen twice: the first freeze, and nothing changes.

    A randomised study must be locked, and its registration must have every amendment of the ledger (NotLocked).
    """
    loaded = load(folder.protocol)
    if loaded.protocol.randomised:
        registration.require(folder, loaded)
    with writing(folder, wait) as con:
        history = events.history(con)
        registration.agree(folder, history)
        first = frozen(history)
        if first is not None:
            return _result(first, already=True)
        freezing.close_waves(con, now.astimezone(UTC))
        detail = {"tables": dict(frozen_hashes(con, folder))}
        event = events.record(con, now=now, actor=actor, action="freeze", detail=detail)
    logger.info("freeze: %s tables", len(detail["tables"]))
    return _result(event, already=False)


def frozen_hashes(con: Connection, folder: StudyFolder, tables: Sequence[str] = ()) -> Mapping[str, str]:
    """Table to its hash, of these tables or of all, as the ledger may hold it: that of the arms is salted.

    A plain hash of a few allocations would tell the arms to whoever tries them all.
    """
    vault = Vault.open(folder)
    return {
        table: vault.row_hash(plain.encode()) if table == "allocations" else plain
        for table, plain in freezing.table_hashes(con, tables).items()
    }


def frozen(history: Sequence[Event]) -> Event | None:
    """The freeze, if there was one."""
    return next((event for event in history if event.action == "freeze"), None)


def _result(event: Event, *, already: bool) -> Frozen:
    return Frozen(at=event.at, tables=cast("Mapping[str, str]", event.detail["tables"]), already=already)
