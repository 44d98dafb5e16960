"""Events are chained, and live and die with the transaction that they record."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from forethought.errors import VerificationFailed
from forethought.ledger import GENESIS, verify_chain
from forethought.protocol.folder import StudyFolder
from forethought.store import events, meta
from forethought.store.connection import reading, writing


def test_events_come_back_as_they_were_recorded(study: StudyFolder, now: datetime) -> None:
    detail = {"rows": 3, "share": 0.25, "name": "Größe", "nothing": None, "list": [1, 2]}
    with writing(study) as con:
        first = events.record(con, now=now, actor="ann", action="import", detail=detail)
        second = events.record(con, now=now, actor="bob", action="score", detail={})
    with reading(study) as con:
        history = events.history(con)
    assert history == [first, second]
    assert (first.seq, first.previous, second.seq, second.previous) == (1, GENESIS, 2, first.hash)
    verify_chain(history)


def test_an_event_is_rolled_back_with_what_it_records(study: StudyFolder, now: datetime) -> None:
    def record_and_fail() -> None:
        with writing(study) as con:
            events.record(con, now=now, actor="ann", action="import", detail={})
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        record_and_fail()
    with reading(study) as con:
        assert events.history(con) == []
        assert events.head(con) is None


def test_the_time_of_an_event_is_kept_in_utc_to_the_microsecond(study: StudyFolder) -> None:
    at = datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
    with writing(study) as con:
        events.record(con, now=at, actor="ann", action="import", detail={})
        (event,) = events.history(con)
    assert event.at == at
    assert event.at.tzinfo is UTC


def test_the_head_is_the_last_event(study: StudyFolder, now: datetime) -> None:
    with writing(study) as con:
        last = [events.record(con, now=now, actor="a", action="b", detail={"n": n}) for n in range(3)][-1]
        assert events.head(con) == (3, last.hash)


def test_events_are_found_by_their_action(study: StudyFolder, now: datetime) -> None:
    with writing(study) as con:
        for action in ("lock", "import", "lock"):
            events.record(con, now=now, actor="a", action=action, detail={})
        assert [event.seq for event in events.actions(con, "lock")] == [1, 3]


@pytest.mark.parametrize("edited", ['{"rows":9}', '{"rows":', "[]", '{"rows":NaN}'])
def test_an_event_edited_in_the_database_is_found(study: StudyFolder, now: datetime, edited: str) -> None:
    with writing(study) as con:
        for number in range(3):
            events.record(con, now=now, actor="a", action="import", detail={"rows": number})
        con.execute("UPDATE events SET detail = ? WHERE seq = 2", [edited])
        with pytest.raises(VerificationFailed, match="ledger, event 2"):
            verify_chain(events.history(con))


def test_the_clock_of_a_study_moves_forward_only(study: StudyFolder, now: datetime) -> None:
    with writing(study) as con:
        assert meta.clock(con) is None
        meta.set_clock(con, now)
        meta.set_clock(con, now + timedelta(days=1))
        assert meta.clock(con) == now + timedelta(days=1)
        with pytest.raises(ValueError, match="cannot go back"):
            meta.set_clock(con, now)


def test_a_study_is_simulated_once_it_is_marked(study: StudyFolder) -> None:
    with writing(study) as con:
        assert not meta.is_simulated(con)
        meta.mark_simulated(con)
        assert meta.is_simulated(con)
