"""Freeze the data: enrolment ends, and every table is hashed, so that what changes later shows."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from forethought import registration
from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.waves import check_wave
from forethought.store import events, freezing
from forethought.store.connection import DEFAULT_WAIT, Connection, writing
from forethought.store.vault import Vault

logger = logging.getLogger("forethought")

_SALTED = ("allocations", "corrections")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """When enrolment ended, the hash of each table then, and whether that was before this call.

    `wave` is the one that was closed; None where the whole study was frozen.
    """

    at: datetime
    tables: Mapping[str, str]
    already: bool
    wave: int | None = None


def freeze(
    folder: StudyFolder, *, now: datetime, actor: str, wave: int | None = None, wait: float = DEFAULT_WAIT
) -> Frozen:
    """Close every wave and record the hash of every table. Frozen twice: the first freeze, and nothing changes.

    With a wave: the enrolment of that wave alone ends, and of every table the rows of its people are hashed; a table
    whose rows belong to nobody is left out. A randomised study must be locked, and its registration must have every
    amendment of the ledger (NotLocked).
    """
    loaded = load(folder.protocol)
    if wave is not None:
        check_wave(loaded.protocol, wave)
    if loaded.protocol.randomised:
        registration.require(folder, loaded)
    with writing(folder, wait) as con:
        history = events.history(con)
        registration.agree(folder, history)
        first = frozen(history) if wave is None else closed(history, wave)
        if first is not None:
            return _result(first, already=True)
        freezing.close_waves(con, now, wave)
        action, detail = _told(con, folder, wave)
        event = events.record(con, now=now, actor=actor, action=action, detail=detail)
    logger.info("freeze: %s", "the study" if wave is None else f"wave {wave}")
    return _result(event, already=False)


def frozen_hashes(
    con: Connection,
    folder: StudyFolder,
    tables: Sequence[str] = (),
    *,
    wave: int | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
) -> Mapping[str, str]:
    """Table to its hash, of these tables or of all, as the ledger may hold it: that of the arms is salted.

    A plain hash of a few allocations would tell the arms to whoever tries them all; so it is with corrected values.
    """
    vault = Vault.open(folder)
    return {
        table: vault.row_hash(plain.encode()) if table in _SALTED else plain
        for table, plain in freezing.table_hashes(con, tables, wave=wave, columns=columns).items()
    }


def hashes_again(
    con: Connection, folder: StudyFolder, event: Event, tables: Sequence[str]
) -> Mapping[str, str]:
    """The hashes of these tables as they are now, made as those of a freeze or a close were made.

    An event of the first release does not say its columns: they were those that the tables had then.
    """
    said = event.detail.get("columns", freezing.FIRST_RELEASE)
    wave = event.detail.get("wave")
    return frozen_hashes(
        con,
        folder,
        tables,
        wave=None if wave is None else int(str(wave)),
        columns=cast("Mapping[str, Sequence[str]]", said),
    )


def frozen(history: Sequence[Event]) -> Event | None:
    """The freeze of the study, if there was one."""
    return next((event for event in history if event.action == "freeze"), None)


def closed(history: Sequence[Event], wave: int) -> Event | None:
    """What ended the enrolment of the wave, if anything did: its close, or the freeze of the study."""
    return next((event for event in history if event.action == "freeze" or is_close(event, wave)), None)


def is_close(event: Event, wave: int) -> bool:
    """Whether the event closed this wave alone."""
    return event.action == "close" and event.detail.get("wave") == wave


def _told(con: Connection, folder: StudyFolder, wave: int | None) -> tuple[str, dict[str, object]]:
    """Action and detail of the event of a freeze, or of a close."""
    columns = freezing.hashed_columns(con)
    detail: dict[str, object] = {
        "tables": dict(frozen_hashes(con, folder, wave=wave, columns=columns)),
        "columns": {table: list(names) for table, names in columns.items()},
    }
    return ("freeze", detail) if wave is None else ("close", {"wave": wave, **detail})


def _result(event: Event, *, already: bool) -> Frozen:
    wave = event.detail.get("wave")
    return Frozen(
        at=event.at,
        tables=cast("Mapping[str, str]", event.detail["tables"]),
        already=already,
        wave=None if wave is None else int(str(wave)),
    )
