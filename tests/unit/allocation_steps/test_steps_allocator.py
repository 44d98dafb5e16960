"""The allocator of a process that goes on: one arm each, from the database, whoever else writes and edits."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import pandas as pd
import pytest

from forethought.errors import GateClosed, NotLocked, VerificationFailed
from forethought.ledger import verify_chain
from forethought.protocol.folder import StudyFolder
from forethought.steps.allocator import Allocated, Allocator, Answer, Refused
from forethought.steps.freeze import freeze
from forethought.steps.randomize import randomize
from forethought.store import events
from forethought.store.connection import reading, writing

Recruit = Callable[..., list[str]]
Table = Callable[[str], pd.DataFrame]


@pytest.fixture
def allocator(trial: StudyFolder) -> Iterator[Allocator]:
    made = Allocator(trial, actor="tester")
    yield made
    made.close()


def at_once(allocator: Allocator, people: Sequence[str], now: datetime) -> list[Answer]:
    """Each person in a thread of its own, all started together."""
    together, answers = threading.Barrier(len(people)), []

    def ask(person: str) -> None:
        together.wait()
        answers.append(allocator.allocate(person, now))

    threads = [threading.Thread(target=ask, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def verified(folder: StudyFolder) -> list[str]:
    """The actions of the ledger, its chain verified."""
    with reading(folder) as con:
        history = events.history(con)
    verify_chain(history)
    return [event.action for event in history]


def test_one_after_the_other_gets_the_arms_that_the_step_gives(
    trial: StudyFolder, allocator: Allocator, recruit: Recruit, table: Table, now: datetime
) -> None:
    people = recruit(range(9))
    answers = [allocator.allocate(person, now) for person in people]
    found = table("allocations").sort_values("arrival")
    assert found["participant_id"].tolist() == people
    assert answers == [
        Allocated(participant=person, arm=arm, already=False)
        for person, arm in zip(people, found["arm"], strict=True)
    ]
    with writing(trial) as con:
        con.execute("DELETE FROM allocations")
    randomize(trial, now=now, actor="tester")
    pd.testing.assert_frame_equal(table("allocations").sort_values("arrival"), found)
    assert verified(trial).count("randomize") == 10


def test_asked_again_it_gives_the_same_arm_and_writes_nothing(
    trial: StudyFolder, allocator: Allocator, recruit: Recruit, now: datetime
) -> None:
    (person,) = recruit([1])
    first = allocator.allocate(person, now)
    assert isinstance(first, Allocated)
    again = allocator.allocate(person, now + timedelta(days=1))
    assert again == Allocated(participant=person, arm=first.arm, already=True)
    assert verified(trial).count("randomize") == 1


def test_the_answer_is_the_databases_whatever_was_answered_before(
    trial: StudyFolder, allocator: Allocator, recruit: Recruit, now: datetime
) -> None:
    (person,) = recruit([1])
    allocator.allocate(person, now)
    with writing(trial) as con:
        con.execute("UPDATE allocations SET arm = 'another'")
    assert allocator.allocate(person, now) == Allocated(participant=person, arm="another", already=True)


def test_a_burst_is_allocated_in_few_transactions_each_person_once(
    trial: StudyFolder, allocator: Allocator, recruit: Recruit, table: Table, now: datetime
) -> None:
    people = recruit(range(60))
    answers = at_once(allocator, people, now)
    found = table("allocations")
    arms = dict(zip(found["participant_id"], found["arm"], strict=True))
    assert {answer.participant: answer.arm for answer in answers if isinstance(answer, Allocated)} == arms
    assert set(arms) == set(people)
    assert sorted(found["arrival"]) == list(range(1, 61))
    assert verified(trial).count("randomize") < 60


def test_a_person_who_is_asked_for_many_times_at_once_is_new_to_one_of_them(
    allocator: Allocator, recruit: Recruit, table: Table, now: datetime
) -> None:
    (person,) = recruit([1])
    answers = at_once(allocator, [person] * 30, now)
    assert [answer.already for answer in answers if isinstance(answer, Allocated)].count(False) == 1
    assert len({answer.arm for answer in answers if isinstance(answer, Allocated)}) == 1
    assert len(table("allocations")) == 1


def test_a_refusal_has_its_reason_and_leaves_the_others_alone(
    allocator: Allocator, recruit: Recruit, now: datetime
) -> None:
    unplaced, good = recruit(range(2), sexes=("", "Female"))
    answers = {answer.participant: answer for answer in at_once(allocator, [unplaced, good, "nobody"], now)}
    assert answers[unplaced] == Refused(participant=unplaced, reason="`sex` has no value")
    assert answers["nobody"] == Refused(participant="nobody", reason="the study knows nobody of this name")
    assert isinstance(answers[good], Allocated)


def test_between_two_calls_other_processes_have_the_database(
    trial: StudyFolder, allocator: Allocator, recruit: Recruit, table: Table, now: datetime
) -> None:
    first, second, third = recruit(range(3))
    allocator.allocate(first, now)
    randomize(trial, now=now, actor="other", participants=[second])
    allocator.allocate(third, now)
    assert table("allocations").sort_values("arrival")["participant_id"].tolist() == [first, second, third]
    assert verified(trial).count("randomize") == 3


def test_a_study_that_is_frozen_meanwhile_is_closed(
    trial: StudyFolder, allocator: Allocator, recruit: Recruit, now: datetime
) -> None:
    first, second = recruit(range(2))
    allocator.allocate(first, now)
    freeze(trial, now=now, actor="tester")
    with pytest.raises(GateClosed, match="enrolment is closed"):
        allocator.allocate(second, now)


def test_a_protocol_that_is_edited_meanwhile_is_refused(
    trial: StudyFolder, allocator: Allocator, recruit: Recruit, now: datetime
) -> None:
    first, second = recruit(range(2))
    allocator.allocate(first, now)
    trial.protocol.write_text(trial.protocol.read_text().replace("target: 40", "target: 50"))
    with pytest.raises(NotLocked):
        allocator.allocate(second, now)


def test_a_ledger_that_was_cut_off_meanwhile_is_refused(
    trial: StudyFolder, allocator: Allocator, recruit: Recruit, table: Table, now: datetime
) -> None:
    first, second = recruit(range(2))
    allocator.allocate(first, now)
    with writing(trial) as con:
        con.execute("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)")
    with pytest.raises(VerificationFailed):
        allocator.allocate(second, now)
    assert table("allocations")["participant_id"].tolist() == [first]
