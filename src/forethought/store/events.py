"""The ledger in the database: each event is written in the transaction of what it records."""

from collections.abc import Mapping
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from forethought import ledger
from forethought.files import canonical_json
from forethought.ledger import Event


def record(
    con: DuckDBPyConnection,
    *,
    now: datetime,
    actor: str,
    action: str,
    detail: Mapping[str, object],
    after: Event | None = None,
) -> Event:
    """Append one event to the chain, inside the caller's transaction; `detail` is plain JSON.

    The ledger is read by everyone, the blinded too. So `detail` holds counts, hashes, names of files and
    steps, pseudonyms where it must, and never an arm, a seed, a block or its size, a person's identity, or
    the value of an outcome. The one exception is `unblind`, which reveals seeds because that is what it does.
    `after` is the last event, where the caller has just read it in this transaction.
    """
    last = head(con) if after is None else (after.seq, after.hash)
    seq, previous = (last[0] + 1, last[1]) if last else (1, ledger.GENESIS)
    event = ledger.chain(previous, seq, now, actor, action, detail)
    con.execute(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            event.seq,
            event.at.replace(tzinfo=None),
            event.actor,
            event.action,
            canonical_json(event.detail).decode(),
            event.previous,
            event.hash,
        ],
    )
    return event


def history(con: DuckDBPyConnection, *, first: int = 1) -> list[Event]:
    """Every event, from number `first` on, in order; not verified (`ledger.verify_chain` does that).

    VerificationFailed where the detail of an event is no longer JSON.
    """
    found = con.execute(
        "SELECT seq, recorded_at, actor, action, detail, previous, hash FROM events WHERE seq >= ? ORDER BY seq",
        [first],
    ).fetchall()
    return [
        Event(
            seq=seq,
            at=recorded_at.replace(tzinfo=UTC),
            actor=actor,
            action=action,
            detail=_detail(seq, detail),
            previous=previous,
            hash=own,
        )
        for seq, recorded_at, actor, action, detail, previous, own in found
    ]


def head(con: DuckDBPyConnection) -> tuple[int, str] | None:
    """The number and hash of the last event: what must be known elsewhere to show that none was cut off."""
    found = con.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchall()
    return (int(found[0][0]), str(found[0][1])) if found else None


def actions(con: DuckDBPyConnection, action: str) -> list[Event]:
    """The events of one kind, in order."""
    return [event for event in history(con) if event.action == action]


def _detail(seq: int, text: str) -> Mapping[str, object]:
    try:
        return ledger.detail_from_json(text)
    except ValueError as error:
        raise ledger.broken(seq) from error
