"""Allocation in a process that goes on: one person at a time, hundreds at once, each answered from the database."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.steps.placing import Given, WavePlan, place, refuse_a_closed_wave
from forethought.steps.setting import actor as user
from forethought.steps.watching import WatchedStudy
from forethought.store import allocations, events
from forethought.store.connection import DEFAULT_WAIT, Connection, transaction
from forethought.store.standing_connection import StandingConnection
from forethought.store.waiting import Waiting, waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """Somebody's arm as the database has it, and whether it was there before this call."""

    participant: str
    arm: str
    already: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Who has no arm, and why. Nothing was written of it, and the same person may be asked for again."""

    participant: str
    reason: str


Answer = Allocated | Refused


@dataclass(slots=True)
class _Request:
    """One call, until it is answered."""

    participant: str
    now: datetime
    answer: Answer | None = None
    error: BaseException | None = None
    answered: bool = field(default=False)


class Allocator:
    """Allocates the people of one wave in a process that goes on; any number of threads may call it.

    Whoever has the turn takes all who wait at that moment into one transaction, in order of arrival: each is on the
    disk, with the ledger, before any of them is answered. Between two transactions the database is everybody's, and
    other processes may allocate as well. Plan, registration and seed are read again when a file of theirs was changed.
    """

    def __init__(
        self, folder: StudyFolder, *, wave: int = 1, actor: str | None = None, wait: float = DEFAULT_WAIT
    ) -> None:
        self._study = WatchedStudy(folder, wave)
        self._wave = wave
        self._actor = actor or user()
        self._wait = wait
        self._connection = StandingConnection(folder)
        self._requests: list[_Request] = []
        self._queue = threading.Lock()
        self._turn = threading.Lock()

    def allocate(self, participant: str, now: datetime) -> Answer:
        """The person's arm, given now or before, or why there is none. The same person, the same arm, for ever.

        Errors are those of `randomize`: they concern everyone who waits, and nobody is allocated then.
        """
        request = _Request(participant, now)
        with self._queue:
            self._requests.append(request)
        with self._turn:
            if not request.answered:
                self._answer(self._all_who_wait())
        if request.error is not None:
            raise request.error
        if request.answer is None:
            raise RuntimeError("a request was passed over")
        return request.answer

    def close(self) -> None:
        """Let go of what is held; the database is free already."""
        with self._turn:
            self._connection.close()

    def _all_who_wait(self) -> list[_Request]:
        with self._queue:
            found, self._requests = self._requests, []
        return found

    def _answer(self, requests: Sequence[_Request]) -> None:
        """One transaction for all of them; an error is the answer of each."""
        try:
            self._commit(requests)
        except BaseException as error:
            for request in requests:
                request.error = error
            raise
        finally:
            for request in requests:
                request.answered = True

    def _commit(self, requests: Sequence[_Request]) -> None:
        asked = list(dict.fromkeys(request.participant for request in requests))
        now = max(request.now for request in requests)
        with self._connection.attached(self._wait) as con:
            with transaction(con):
                plan = self._study.plan(con)
                refuse_a_closed_wave(self._study.end, self._wave)
                found = waiting(con, self._wave, plan.design, plan.levels, asked)
                given = place(con, plan, found, now)
                event = self._record(con, plan, given, now)
            if event is not None:
                self._study.recorded(event)
            arms = allocations.arms(con, asked)
        _give(requests, arms, found, dict(given.refused))

    def _record(self, con: Connection, plan: WavePlan, given: Given, now: datetime) -> Event | None:
        if not given.allocated:
            return None
        return events.record(
            con,
            now=now,
            actor=self._actor,
            action="randomize",
            detail=given.told(plan),
            after=self._study.last,
        )


def _give(
    requests: Sequence[_Request], arms: Mapping[str, str], found: Waiting, refused: Mapping[str, str]
) -> None:
    """Each request its answer; of two for one person, the first allocated him."""
    new = set(found.participants.tolist())
    for request in requests:
        person = request.participant
        if person in arms:
            request.answer = Allocated(participant=person, arm=arms[person], already=person not in new)
        else:
            request.answer = Refused(participant=person, reason=refused[person])
        new.discard(person)
