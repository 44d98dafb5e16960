"""The planned sessions of every allocated participant, and the plan brought up to what was held."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd

from forethought.errors import ProtocolInvalid
from forethought.protocol.design import Session, Stimuli
from forethought.scheduling.windows import Status, classify, times

COLUMNS = (
    "participant_id",
    "session",
    "position",
    "stimulus",
    "opens_at",
    "target_at",
    "closes_at",
    "status",
    "held_at",
)
"""Of the table `sessions`; one row for each participant and session, by participant and position."""

Held = Mapping[tuple[str, str], datetime]
"""Participant and session to when it was held."""


def plan(
    sessions: Sequence[Session],
    stimuli: Stimuli | None,
    orders: Mapping[str, Sequence[str]],
    allocations: pd.DataFrame,
) -> pd.DataFrame:
    """Every session of every allocated participant, all of them still to come.

    `allocations` gives participant_id and allocated_at, and no other column of it is read; `orders` gives each
    participant's materials in order. A window after the previous session counts from that one's target.
    """
    rows = [
        row
        for person, allocated_at in _people(allocations)
        for row in _timetable(sessions, _materials(stimuli, orders, person), person, allocated_at, {}, None)
    ]
    return _frame(rows)


def follow(
    sessions: Sequence[Session],
    planned: pd.DataFrame,
    allocations: pd.DataFrame,
    held: Held,
    now: datetime,
) -> pd.DataFrame:
    """The planned rows as they stand at `now`, given what was held.

    A window after the previous session counts from when that one was held, once that is known, and from its target
    until then. Materials stay as planned.
    """
    allocated = dict(_people(allocations))
    materials: dict[str, dict[str, str]] = {}
    for person, session, stimulus in zip(
        planned["participant_id"], planned["session"], planned["stimulus"], strict=True
    ):
        materials.setdefault(person, {})[session] = stimulus
    rows = [
        row
        for person in sorted(materials)
        for row in _timetable(sessions, materials[person], person, allocated[person], held, now)
    ]
    return _frame(rows)


def _people(allocations: pd.DataFrame) -> list[tuple[str, datetime]]:
    ordered = allocations.sort_values("participant_id")
    return list(zip(ordered["participant_id"], ordered["allocated_at"].dt.to_pydatetime(), strict=True))


def _materials(
    stimuli: Stimuli | None, orders: Mapping[str, Sequence[str]], person: str
) -> Mapping[str, str]:
    """Session to material; sessions without one are left out."""
    return {} if stimuli is None else dict(zip(stimuli.sessions, orders[person], strict=True))


def _timetable(
    sessions: Sequence[Session],
    materials: Mapping[str, str],
    person: str,
    allocated_at: datetime,
    held: Held,
    now: datetime | None,
) -> list[dict[str, object]]:
    """One participant's sessions in order; without `now` they are planned and not judged."""
    rows: list[dict[str, object]] = []
    previous: datetime | None = None
    for position, session in enumerate(sessions, start=1):
        anchor = _anchor(session, allocated_at, previous)
        due = times(session.window, anchor)
        held_at = held.get((person, session.id))
        status: Status = "planned" if now is None else classify(session.window, anchor, held_at, now=now)
        rows.append(
            {
                "participant_id": person,
                "session": session.id,
                "position": position,
                "stimulus": materials.get(session.id),
                "opens_at": due.opens_at,
                "target_at": due.target_at,
                "closes_at": due.closes_at,
                "status": status,
                "held_at": held_at,
            }
        )
        previous = held_at or due.target_at
    return rows


def _anchor(session: Session, allocated_at: datetime, previous: datetime | None) -> datetime:
    if session.window.anchor == "allocation":
        return allocated_at
    if previous is None:
        raise ProtocolInvalid(
            f"sessions.{session.id}",
            "there is no session before it to count from",
            "Anchor it at `allocation`",
        )
    return previous


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    moments = ("opens_at", "target_at", "closes_at", "held_at")
    return frame.astype({"position": "int64"} | dict.fromkeys(moments, "datetime64[us]"))
