"""Open the gate: true arms may meet outcomes, and the seeds become public; or one person's arm, in an emergency."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from forethought import deviations, registration
from forethought.errors import GateClosed, NotLocked, WrongUsage
from forethought.ledger import Event
from forethought.protocol.design import Arm
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.drawn import drawn_wave, tell
from forethought.steps.freeze import closed, frozen
from forethought.steps.people import find_allocated
from forethought.steps.scopes import STUDY, OnePerson, OneWave, Scope, WholeStudy
from forethought.steps.scopes import scope as scope_of
from forethought.store import events, milestones, people
from forethought.store.connection import DEFAULT_WAIT, writing

logger = logging.getLogger("forethought")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedArm:
    """The arm of the one person for whom it was opened."""

    participant: str
    id: str
    label: str
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unblinded:
    """Who opened how much, when and why; which waves' seeds it revealed; whether it was open before this call.

    `arm` is there for the scope of one participant, and for no other.
    """

    at: datetime
    by: str
    reason: str
    scope: str
    waves: tuple[int, ...]
    already: bool
    arm: OpenedArm | None = None

    def lines(self) -> Iterator[str]:
        """What was opened in sentences, for people."""
        if self.arm is not None:
            code = f", code {self.arm.code}" if self.arm.code else ""
            yield f"{self.arm.participant}: {self.arm.label} (arm {self.arm.id}{code})."
        yield f"{'Already unblinded' if self.already else 'Unblinded'} by {self.by}: {self.scope}."


def unblind(
    folder: StudyFolder,
    *,
    now: datetime,
    actor: str,
    by: str,
    reason: str,
    scope: str = str(STUDY),
    wait: float = DEFAULT_WAIT,
) -> Unblinded:
    """Record who opens the gate and why, with the seeds of the waves that it opens. Each scope once: then unchanged.

    GateClosed where the enrolment of what is to be opened goes on, and where nothing is blinded. The scope of a
    participant opens one arm at any time after allocation, and reveals no seed: see `OpenedArm`.
    """
    wanted = scope_of(scope)
    _check_words(by, reason)
    said = {"by": by.strip(), "reason": reason.strip()}
    if isinstance(wanted, OnePerson):
        return _emergency(folder, wanted, said, now=now, actor=actor, wait=wait)
    loaded = load(folder.protocol)
    if not loaded.protocol.randomised:
        raise GateClosed(str(folder.path), "this study is not randomised", "Nothing in it is blinded")
    locked = registration.require(folder, loaded)
    waves = _opened_by(wanted, tuple(seed.wave for seed in locked.all_seeds))
    with writing(folder, wait) as con:
        history = events.history(con)
        registration.agree(folder, history)
        first = _first(history, wanted)
        if first is not None:
            return _result(first, already=True)
        _check_closed(folder, history, wanted)
        new = tuple(wave for wave in waves if wave not in milestones.opened_waves(history, waves))
        secrets = {str(wave): registration.revealed(folder, wave) for wave in new}
        detail = {"scope": str(wanted), **said, "waves": secrets}
        event = events.record(con, now=now, actor=actor, action="unblind", detail=detail)
        for wave in new:
            tell(con, drawn_wave(con, folder, loaded.protocol, locked, wave))
    logger.info("unblind: %s", wanted)
    return _result(event, already=False)


def _emergency(
    folder: StudyFolder,
    wanted: OnePerson,
    said: Mapping[str, str],
    *,
    now: datetime,
    actor: str,
    wait: float,
) -> Unblinded:
    """Open one person's arm. It is read in the transaction that records it, and leaves it after the commit.

    Labels and codes are those of the registered plan: an emergency does not wait until a protocol that is being edited
    is whole again.
    """
    arms = _registered_arms(folder)
    with writing(folder, wait) as con:
        person = find_allocated(con, folder, wanted.named)
        scope = OnePerson(person.participant)
        before = _first(events.history(con), OneWave(person.wave), scope)
        event = before or events.record(
            con, now=now, actor=actor, action="unblind", detail={"scope": str(scope), **said, "waves": {}}
        )
        arm = people.arm(con, person.participant)
    logger.info("unblind: one participant")
    known = arms.get(arm)
    opened = OpenedArm(
        participant=person.participant,
        id=arm,
        label=known.label if known else arm,
        code=known.code if known else None,
    )
    return _result(event, already=before is not None, arm=opened)


def _registered_arms(folder: StudyFolder) -> Mapping[str, Arm]:
    """The arms of the plan that stands, by id; none where the registration is damaged, which must not hold up an arm."""
    try:
        locked = registration.read(folder)
        return {} if locked is None else {one.id: one for one in deviations.planned(locked).now.arms}
    except NotLocked:
        return {}


def _first(history: Sequence[Event], *scopes: Scope) -> Event | None:
    """The first event that opened one of these, alone or with the study."""
    names = {str(STUDY), *map(str, scopes)}
    return next((one for one in history if one.action == "unblind" and one.detail["scope"] in names), None)


def _opened_by(wanted: WholeStudy | OneWave, waves: tuple[int, ...]) -> tuple[int, ...]:
    """The waves that the scope opens."""
    if isinstance(wanted, WholeStudy):
        return waves
    if wanted.wave not in waves:
        listed = ", ".join(str(wave) for wave in waves)
        raise WrongUsage(f"--scope {wanted}", "the study has no such wave", f"Choose one of {listed}")
    return (wanted.wave,)


def _check_closed(folder: StudyFolder, history: Sequence[Event], wanted: WholeStudy | OneWave) -> None:
    """GateClosed where somebody could still be allocated in what is to be opened."""
    if isinstance(wanted, WholeStudy):
        if frozen(history) is None:
            raise GateClosed(str(folder.path), "enrolment is still open", "Freeze the study first")
    elif closed(history, wanted.wave) is None:
        raise GateClosed(
            str(wanted),
            "its enrolment is still open",
            f"Close it first with `forethought freeze --wave {wanted.wave}`",
        )


def _check_words(by: str, reason: str) -> None:
    for option, words in (("--by", by), ("--reason", reason)):
        if not words.strip():
            raise WrongUsage(option, "it is empty", "Say who opens the gate, and why")


def _result(event: Event, *, already: bool, arm: OpenedArm | None = None) -> Unblinded:
    detail = event.detail
    return Unblinded(
        at=event.at,
        by=str(detail["by"]),
        reason=str(detail["reason"]),
        scope=str(detail["scope"]),
        waves=tuple(int(wave) for wave in cast("Mapping[str, object]", detail["waves"])),
        already=already,
        arm=arm,
    )
