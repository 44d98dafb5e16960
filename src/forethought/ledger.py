"""The ledger: append-only events, each holding the hash of the one before it.

The chain shows an edit, a removal from the middle and a change of order. It cannot show that its end was
cut off or that all of it was written anew: for that, its last hash must be known outside the study.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import rfc8785

from forethought.errors import VerificationFailed

GENESIS = "0" * 64
"""What stands for the hash before the first event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened: when, who, what, and how it is chained to what happened before."""

    seq: int
    at: datetime
    actor: str
    action: str
    detail: Mapping[str, object]
    previous: str
    hash: str


def chain(
    previous_hash: str, seq: int, at: datetime, actor: str, action: str, detail: Mapping[str, object]
) -> Event:
    """The event that follows the one with `previous_hash`; `at` carries its offset from UTC."""
    if at.tzinfo is None:
        raise ValueError("the time of an event needs its offset from UTC")
    moment = at.astimezone(UTC)
    return Event(
        seq=seq,
        at=moment,
        actor=actor,
        action=action,
        detail=dict(detail),
        previous=previous_hash,
        hash=_hash(previous_hash, seq, moment, actor, action, detail),
    )


def verify_chain(events: Iterable[Event], *, after: Event | None = None) -> None:
    """Recompute every hash from the first event on; VerificationFailed names the first that is broken.

    Given the last event that was verified before, `events` are those that follow it.
    """
    previous, first = (GENESIS, 1) if after is None else (after.hash, after.seq + 1)
    for number, event in enumerate(events, start=first):
        try:
            expected = _hash(previous, number, event.at, event.actor, event.action, event.detail)
        except rfc8785.CanonicalizationError as error:
            raise broken(number) from error
        if (event.seq, event.previous, event.hash) != (number, previous, expected):
            raise broken(number)
        previous = event.hash


def broken(number: int) -> VerificationFailed:
    """What is said of the first event that does not verify."""
    return VerificationFailed(
        f"ledger, event {number}",
        "it is not the event that was recorded, or one before it is missing",
        "Compare the study with a copy from before; what follows this event cannot be trusted",
    )


def detail_from_json(text: str) -> dict[str, object]:
    """A detail from its canonical JSON, so that it hashes as it did (ValueError where it is no JSON object).

    A float of 2^53 or more has no decimal point in canonical JSON, and must become a float again.
    """
    detail = json.loads(
        text, parse_int=lambda digits: int(digits) if abs(int(digits)) < 2**53 else float(digits)
    )
    if not isinstance(detail, dict):
        raise ValueError("the detail of an event is a JSON object")  # noqa: TRY004 -- of the text, not of a type
    return detail


def timestamp(at: datetime) -> str:
    """A time as the ledger hashes it: UTC, microseconds, `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _hash(
    previous: str, seq: int, at: datetime, actor: str, action: str, detail: Mapping[str, object]
) -> str:
    record = {
        "seq": seq,
        "at": timestamp(at),
        "actor": actor,
        "action": action,
        "detail": dict(detail),
        "previous": previous,
    }
    return hashlib.sha256(rfc8785.dumps(record)).hexdigest()  # type: ignore[arg-type]
