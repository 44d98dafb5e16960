"""When the things happened that decide what a result may be called."""

from collections.abc import Iterable
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from forethought.ledger import Event
from forethought.store import events

STUDY = "study"

_WAVE, _PARTICIPANT = "wave ", "participant "


def first_outcome_at(con: DuckDBPyConnection) -> datetime | None:
    """When the first row of anything but recruits came in, kept or quarantined: from then on data were seen."""
    found = con.execute("SELECT min(imported_at) FROM raw_rows WHERE kind <> 'recruits'").fetchall()
    first = found[0][0]
    return None if first is None else first.replace(tzinfo=UTC)


def unblinded(con: DuckDBPyConnection) -> bool:
    """Whether true arms may meet outcomes: after an `unblind` of the study, or of every one of its waves.

    The scope of an `unblind` event is `study`, `wave N` or `participant ID`; the last opens nothing here.
    """
    history = events.actions(con, "unblind")
    waves = _waves(con)
    return any(opens_study(event) for event in history) or (
        bool(waves) and waves <= opened_waves(history, waves)
    )


def unblinded_waves(con: DuckDBPyConnection) -> frozenset[int]:
    """The waves whose arms may be known: each by an `unblind` of its own, or all by that of the study."""
    return opened_waves(events.actions(con, "unblind"), _waves(con))


def opened_waves(history: Iterable[Event], waves: Iterable[int]) -> frozenset[int]:
    """Which of these waves the events have unblinded; an emergency, of one participant, opens none."""
    scopes = {_scope(event) for event in history if event.action == "unblind"}
    return frozenset(wave for wave in waves if STUDY in scopes or f"{_WAVE}{wave}" in scopes)


def opens_study(event: Event) -> bool:
    """Whether the event unblinded the study as a whole."""
    return event.action == "unblind" and _scope(event) == STUDY


def opens_arms(event: Event) -> bool:
    """Whether the event unblinded the study or a wave of it: not an emergency."""
    return event.action == "unblind" and not _scope(event).startswith(_PARTICIPANT)


def emergencies(history: Iterable[Event]) -> tuple[str, ...]:
    """Those whose arm was opened for them alone, in an emergency, in the order in which it was."""
    return tuple(
        _scope(event).removeprefix(_PARTICIPANT)
        for event in history
        if event.action == "unblind" and _scope(event).startswith(_PARTICIPANT)
    )


def _scope(event: Event) -> str:
    return str(event.detail["scope"])


def _waves(con: DuckDBPyConnection) -> frozenset[int]:
    return frozenset(int(wave) for (wave,) in con.execute("SELECT wave FROM waves").fetchall())
