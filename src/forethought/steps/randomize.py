"""Allocate the eligible people who wait, each exactly once."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from forethought import registration
from forethought.errors import GateClosed
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.freeze import closed
from forethought.steps.people import pseudonyms
from forethought.steps.placing import place, plan_of, refuse_a_closed_wave
from forethought.store import events
from forethought.store.connection import DEFAULT_WAIT, writing
from forethought.store.waiting import waiting

logger = logging.getLogger("forethought")


@dataclass(frozen=True, slots=True, kw_only=True)
class Randomized:
    """How many were allocated now and before, and who could not be, with the reason.

    Of people who were asked for by name, everyone is one of the three; otherwise `refused` are eligible people.
    """

    allocated: int
    already: int
    refused: tuple[tuple[str, str], ...]


def randomize(
    folder: StudyFolder,
    *,
    now: datetime,
    actor: str,
    wave: int = 1,
    participants: Collection[str] | None = None,
    wait: float = DEFAULT_WAIT,
) -> Randomized:
    """Allocate everyone eligible in the wave who has no arm yet, in order of arrival. Run twice, it changes nothing.

    With `participants` (pseudonyms, or ids of the recruitment service), these alone. Who is allocated already is read in the transaction that allocates,
    so that two processes cannot give one person two arms, or one place in a block to two people. GateClosed for a study
    that is not randomised and a wave whose enrolment is closed; NotLocked without a lock that fits.
    """
    loaded = load(folder.protocol)
    if not loaded.protocol.randomised:
        raise GateClosed(str(folder.path), "this study is not randomised", "Go on with `forethought analyze`")
    plan = plan_of(folder, loaded.protocol, registration.require(folder, loaded), wave)
    with writing(folder, wait) as con:
        history = events.history(con)
        refuse_a_closed_wave(closed(history, wave), wave)
        registration.require(folder, loaded)  # again: the plan may have been amended while we waited
        registration.agree(folder, history)
        only = None if participants is None else pseudonyms(con, folder, participants)
        found = waiting(con, wave, plan.design, plan.levels, only)
        given = place(con, plan, found, now)
        if given.allocated:
            events.record(con, now=now, actor=actor, action="randomize", detail=given.told(plan))
    logger.info(
        "randomize: %s allocated, %s before, %s refused", given.allocated, found.already, len(given.refused)
    )
    return Randomized(allocated=given.allocated, already=found.already, refused=given.refused)
