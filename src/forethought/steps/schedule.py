"""Plan everyone's sessions, and bring the plan up to what was held."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from forethought import registration
from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.randomization.order import orders
from forethought.scheduling.plan import COLUMNS, Held, follow, plan
from forethought.steps.freeze import frozen
from forethought.store import events, rows
from forethought.store.connection import DEFAULT_WAIT, writing

logger = logging.getLogger("forethought")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """How many sessions were planned now, and how many others were brought up to date."""

    planned: int
    updated: int


def schedule(folder: StudyFolder, *, now: datetime, actor: str, wait: float = DEFAULT_WAIT) -> Scheduled:
    """Plan the sessions of everyone allocated, and mark those held, late or missed. Run twice, it changes nothing.

    A session was held when its first conversation began. In a frozen study the time stands still at the freeze.
    """
    loaded = load(folder.protocol)
    protocol = loaded.protocol
    if protocol.randomised:
        registration.require(folder, loaded)
    with writing(folder, wait) as con:
        history = events.history(con)
        if protocol.randomised:
            registration.agree(folder, history)
        allocations = rows.read(con, "allocations")
        planned = rows.append(
            con, "sessions", _new_sessions(folder, protocol, allocations, rows.read(con, "sessions"))
        )
        held = _held(rows.read(con, "conversations"))
        at = _as_of(history, now)
        updated = rows.update_sessions(
            con, _changed(protocol, allocations, rows.read(con, "sessions"), held, at)
        )
        if planned or updated:
            detail = {"planned": planned, "updated": updated}
            events.record(con, now=now, actor=actor, action="schedule", detail=detail)
    logger.info("schedule: %s planned, %s updated", planned, updated)
    return Scheduled(planned=planned, updated=updated)


def _new_sessions(
    folder: StudyFolder, protocol: Protocol, allocations: pd.DataFrame, scheduled: pd.DataFrame
) -> pd.DataFrame:
    """The sessions of those who are allocated and have none yet. The arm is not among the columns looked at."""
    unscheduled = allocations[~allocations["participant_id"].isin(scheduled["participant_id"])]
    people = unscheduled[["participant_id", "wave", "arrival", "allocated_at"]]
    return plan(protocol.sessions, protocol.stimuli, _orders(folder, protocol, people), people)


def _orders(folder: StudyFolder, protocol: Protocol, people: pd.DataFrame) -> Mapping[str, tuple[str, ...]]:
    """Each participant's order of the materials, from the seed of the wave."""
    found: dict[str, tuple[str, ...]] = {}
    if protocol.stimuli is None:
        return found
    for wave in sorted(set(people["wave"].tolist())):
        own = people[people["wave"] == wave]
        arrivals = dict(zip(own["participant_id"], own["arrival"].tolist(), strict=True))
        found |= orders(protocol.stimuli, protocol.study.id, wave, registration.seed(folder, wave), arrivals)
    return found


def _changed(
    protocol: Protocol, allocations: pd.DataFrame, sessions: pd.DataFrame, held: Held, now: datetime
) -> pd.DataFrame:
    """The rows of `sessions` that are not as they should be now."""
    recorded = sessions.sort_values(["participant_id", "position"], ignore_index=True)[list(COLUMNS)]
    people = allocations[["participant_id", "allocated_at"]]
    current = follow(protocol.sessions, recorded, people, held, now)
    same = (current == recorded) | (current.isna() & recorded.isna())
    return current[~same.all(axis="columns")]


def _held(conversations: pd.DataFrame) -> Held:
    """When each session's first conversation began."""
    ordered = conversations.sort_values(["started_at", "conversation_id"])
    first = ordered.drop_duplicates(["participant_id", "session"])
    whose = zip(first["participant_id"], first["session"], strict=True)
    return dict(zip(whose, first["started_at"].dt.to_pydatetime(), strict=True))


def _as_of(history: Sequence[Event], now: datetime) -> datetime:
    """The time at which sessions are judged, as the tables hold it: naive, UTC."""
    freeze = frozen(history)
    at = now if freeze is None else min(now, freeze.at)
    return at.astimezone(UTC).replace(tzinfo=None)
