"""For any events and any change to them: an unbroken chain verifies, a changed one does not."""

import dataclasses
from datetime import UTC, datetime

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from forethought.errors import VerificationFailed
from forethought.files import canonical_json
from forethought.ledger import GENESIS, Event, chain, detail_from_json, verify_chain

Facts = list[tuple[datetime, str, str, dict[str, object]]]

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
DETAILS = st.dictionaries(TEXT, SCALARS | st.lists(SCALARS, max_size=3), max_size=4)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- given UTC
FACTS = st.lists(st.tuples(TIMES, TEXT, TEXT, DETAILS), min_size=1, max_size=6)


def chained(facts: Facts) -> list[Event]:
    events: list[Event] = []
    for seq, (at, actor, action, detail) in enumerate(facts, start=1):
        events.append(chain(events[-1].hash if events else GENESIS, seq, at, actor, action, detail))
    return events


@settings(deadline=None)
@given(FACTS)
def test_every_chain_verifies_after_its_details_were_kept_as_json(
    facts: Facts,
) -> None:
    kept = [
        dataclasses.replace(event, detail=detail_from_json(canonical_json(event.detail).decode()))
        for event in chained(facts)
    ]
    verify_chain(kept)


@settings(deadline=None)
@given(FACTS, st.data())
def test_no_event_can_be_left_out_or_moved_before_the_last(facts: Facts, data: st.DataObject) -> None:
    events = chained([*facts, facts[0]])
    gone = data.draw(st.integers(0, len(events) - 2))
    with pytest.raises(VerificationFailed):
        verify_chain(events[:gone] + events[gone + 1 :])
    with pytest.raises(VerificationFailed):
        verify_chain([*events[:gone], events[gone + 1], events[gone], *events[gone + 2 :]])


@settings(deadline=None)
@given(FACTS, st.data(), DETAILS)
def test_no_detail_can_be_changed(facts: Facts, data: st.DataObject, other: dict[str, object]) -> None:
    events = chained(facts)
    place = data.draw(st.integers(0, len(events) - 1))
    if canonical_json(other) == canonical_json(events[place].detail):
        return
    events[place] = dataclasses.replace(events[place], detail=other)
    with pytest.raises(VerificationFailed, match=f"event {place + 1}:"):
        verify_chain(events)


@settings(deadline=None)
@given(st.dictionaries(TEXT, st.none() | TEXT, max_size=6))
def test_the_short_way_for_raw_rows_gives_the_bytes_of_rfc_8785(row: dict[str, str | None]) -> None:
    assert canonical_json(row) == rfc8785.dumps(row)
