"""The chain of events: what it shows, and what it cannot show."""

import dataclasses
import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest

from forethought.errors import VerificationFailed
from forethought.ledger import GENESIS, Event, chain, verify_chain

AT = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


def events(number: int) -> list[Event]:
    chained: list[Event] = []
    for seq in range(1, number + 1):
        previous = chained[-1].hash if chained else GENESIS
        chained.append(chain(previous, seq, AT, "ann", "import", {"rows": seq}))
    return chained


def test_the_hash_is_sha_256_of_the_canonical_record() -> None:
    text = (
        '{"action":"lock","actor":"ann","at":"2026-11-01T09:30:00.000000Z","detail":{"n":1},'
        f'"previous":"{GENESIS}","seq":1}}'
    )
    assert chain(GENESIS, 1, AT, "ann", "lock", {"n": 1}).hash == hashlib.sha256(text.encode()).hexdigest()


def test_an_unbroken_chain_verifies() -> None:
    verify_chain([])
    verify_chain(events(5))


def test_one_moment_has_one_hash_in_every_time_zone() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))
    assert chain(GENESIS, 1, AT, "a", "b", {}) == chain(GENESIS, 1, elsewhere, "a", "b", {})


def test_a_time_without_its_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset from UTC"):
        chain(GENESIS, 1, AT.replace(tzinfo=None), "a", "b", {})


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "bob"},
        {"action": "x"},
        {"detail": {}},
        {"at": AT + timedelta(microseconds=1)},
        {"hash": "0" * 64},
    ],
)
def test_an_edited_event_is_named(change: dict[str, object]) -> None:
    chained = events(4)
    chained[2] = dataclasses.replace(chained[2], **change)  # type: ignore[arg-type]
    with pytest.raises(VerificationFailed, match=r"^ledger, event 3: "):
        verify_chain(chained)


def test_an_edited_event_whose_hash_was_made_to_fit_breaks_the_next() -> None:
    chained = events(4)
    chained[1] = chain(chained[0].hash, 2, AT, "ann", "import", {"rows": 99})
    with pytest.raises(VerificationFailed, match="event 3"):
        verify_chain(chained)


def test_a_removed_event_is_noticed() -> None:
    chained = events(4)
    with pytest.raises(VerificationFailed, match="event 2"):
        verify_chain([chained[0], *chained[2:]])


def test_two_events_in_the_wrong_order_are_noticed() -> None:
    first, second, third = events(3)
    with pytest.raises(VerificationFailed, match="event 2"):
        verify_chain([first, third, second])


def test_a_chain_cannot_show_that_its_end_was_cut_off() -> None:
    verify_chain(events(4)[:2])
