"""Score what was rated and answered."""

import logging
from dataclasses import dataclass
from datetime import datetime

from forethought import registration
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.scoring import outcomes
from forethought.store import corrections, events, rows
from forethought.store.connection import DEFAULT_WAIT, reading, writing

logger = logging.getLogger("forethought")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """How many scores are new, and how many were there before."""

    new: int
    already: int


def score(folder: StudyFolder, *, now: datetime, actor: str, wait: float = DEFAULT_WAIT) -> Scored:
    """Add the scores that the data give and that are not there yet. Run twice, it changes nothing.

    A score is never overwritten: another way of scoring, as after an amendment, or a corrected value has another
    version. Of a locked study the protocol must be the locked one (NotLocked); DataRefused for a value that its outcome
    cannot have, and nothing is written.
    """
    loaded = load(folder.protocol)
    if loaded.protocol.randomised or folder.registration.exists():
        registration.require(folder, loaded)
    with reading(folder, wait) as con:
        ratings, conversations = (rows.read(con, table) for table in ("ratings", "conversations"))
        responses = corrections.on_top(con, rows.read(con, "responses"))
    scores = outcomes.score(loaded.protocol, ratings, conversations, responses)
    with writing(folder, wait) as con:
        scores = outcomes.versioned(scores, rows.read(con, "scores"))
        new = rows.append(con, "scores", scores)
        if new:
            detail = {"new": new, "versions": sorted(set(scores["version"]))}
            events.record(con, now=now, actor=actor, action="score", detail=detail)
    logger.info("score: %s new, %s before", new, len(scores) - new)
    return Scored(new=new, already=len(scores) - new)
