"""Open the gate: true arms may meet outcomes, and the seeds become public."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from forethought import registration
from forethought.errors import GateClosed, WrongUsage
from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.freeze import frozen
from forethought.store import events
from forethought.store.connection import DEFAULT_WAIT, writing

logger = logging.getLogger("forethought")

SCOPE = "study"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unblinded:
    """Who opened the gate, when and why; which waves' seeds it revealed; whether it was open before this call."""

    at: datetime
    by: str
    reason: str
    waves: tuple[int, ...]
    already: bool


def unblind(
    folder: StudyFolder,
    *,
    now: datetime,
    actor: str,
    by: str,
    reason: str,
    scope: str = SCOPE,
    wait: float = DEFAULT_WAIT,
) -> Unblinded:
    """Record who opens the gate and why, with each wave's seed and nonce. Unblinded twice: the first, unchanged.

    GateClosed before the freeze, and where nothing is blinded. This release unblinds whole studies only (WrongUsage).
    """
    _check_words(by, reason, scope)
    loaded = load(folder.protocol)
    if not loaded.protocol.randomised:
        raise GateClosed(str(folder.path), "this study is not randomised", "Nothing in it is blinded")
    waves = tuple(seed.wave for seed in registration.require(folder, loaded).all_seeds)
    with writing(folder, wait) as con:
        history = events.history(con)
        registration.agree(folder, history)
        first = unblinded(history)
        if first is not None:
            return _result(first, already=True)
        if frozen(history) is None:
            raise GateClosed(str(folder.path), "enrolment is still open", "Freeze the study first")
        detail = {
            "scope": SCOPE,
            "by": by.strip(),
            "reason": reason.strip(),
            "waves": _revealed(folder, waves),
        }
        event = events.record(con, now=now, actor=actor, action="unblind", detail=detail)
    logger.info("unblind: %s", SCOPE)
    return _result(event, already=False)


def unblinded(history: Sequence[Event]) -> Event | None:
    """The event that opened the gate, if there was one."""
    return next((event for event in history if event.action == "unblind"), None)


def _check_words(by: str, reason: str, scope: str) -> None:
    if scope != SCOPE:
        raise WrongUsage(
            f"--scope {scope}",
            "this release does not unblind a wave or a participant alone",
            "Use --scope study",
        )
    for option, words in (("--by", by), ("--reason", reason)):
        if not words.strip():
            raise WrongUsage(option, "it is empty", "Say who opens the gate, and why")


def _revealed(folder: StudyFolder, waves: tuple[int, ...]) -> dict[str, dict[str, str]]:
    """Wave to its seed and nonce in hex: with them anyone can check the commitment and replay the allocations."""
    return {
        str(wave): {
            "seed": registration.seed(folder, wave).hex(),
            "nonce": registration.nonce(folder, wave).hex(),
        }
        for wave in waves
    }


def _result(event: Event, *, already: bool) -> Unblinded:
    detail = event.detail
    return Unblinded(
        at=event.at,
        by=str(detail["by"]),
        reason=str(detail["reason"]),
        waves=tuple(int(wave) for wave in cast("Mapping[str, object]", detail["waves"])),
        already=already,
    )
