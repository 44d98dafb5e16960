"""Amend a locked plan: what changed, in words, with the reason, chained to what was registered before."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forethought import registration
from forethought.errors import GateClosed, WrongUsage
from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.registration import DeclaredDeviation, Registration, Sealing, Stage, Why, seedless_waves
from forethought.steps.freeze import frozen
from forethought.steps.registering import check_committed, complete, sealing_for, seeds_for, service_of
from forethought.store import events, milestones, rows
from forethought.store.connection import DEFAULT_WAIT, Connection, writing

logger = logging.getLogger("forethought")

_WORDS_OF_A_KIND = 3
_NONE: tuple[Mapping[int, bytes], Sealing] = ({}, Sealing())


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """The amendment that was made: its number, what it changed and declared, and what had happened by then.

    `number` is None where nothing was changed or declared; `already` where the same amendment was there before.
    """

    registration: Path
    number: int | None
    fingerprint: str
    differences: tuple[Mapping[str, object], ...]
    declared: tuple[Mapping[str, object], ...]
    after: tuple[str, ...]
    new_seeds: int
    timestamps: tuple[datetime, ...]
    already: bool


def amend(
    folder: StudyFolder,
    *,
    reason: str,
    declare: Sequence[str] = (),
    now: datetime,
    actor: str,
    seed_file: Path | None = None,
    blocks_file: Path | None = None,
    timestamp: str | None = None,
    timestamp_root: Path | None = None,
    wait: float = DEFAULT_WAIT,
) -> Amended:
    """Append an amendment to `registration.json` and record it. Amended twice for one reason, nothing changes.

    Each of `declare` says what was done otherwise, as `kind: statement` where a computed deviation is meant.
    `seed_file` has one line for each wave that is new, as has `blocks_file` where block sizes are sealed. NotLocked
    where the study is not locked, or where the change would move a random stream; GateClosed where a wave is added to
    a frozen study.
    """
    if not reason.strip():
        raise WrongUsage("--reason", "it is empty", "Say why the plan is changed")
    declared = tuple(_declared(text) for text in declare)
    service = service_of(timestamp, timestamp_root)
    loaded = load(folder.protocol)
    with writing(
        folder, wait
    ) as con:  # nobody is allocated and no outcome comes between the look and the record
        history = events.history(con)
        registration.agree(folder, history, unfinished=True)
        before = registration.read(folder)
        needed = seedless_waves(loaded, before)
        if before:
            _refuse_waves_after_the_freeze(needed, history)
        new = _secrets(folder, before, loaded.protocol, needed, seed_file, blocks_file) if before else _NONE
        made = registration.amend(
            folder,
            loaded,
            Why(reason=reason.strip(), declared=declared, after=_stage(con)),
            now=now,
            by=actor,
            seeds=new[0],
            supplied=seed_file is not None,
            sealing=new[1],
            service=service,
        )
        complete(con, folder, loaded.protocol, now=now, actor=actor)
    logger.info("amend: %s", made.registration.current_fingerprint)
    return _result(folder, made)


def _secrets(
    folder: StudyFolder,
    before: Registration,
    protocol: Protocol,
    needed: Sequence[int],
    seed_file: Path | None,
    blocks_file: Path | None,
) -> tuple[Mapping[int, bytes], Sealing]:
    """Seeds and what is sealed of each wave that needs them. Files of an amendment made already are no fault."""
    taken = next((one.seeds for one in reversed(before.amendments) if one.seeds), ())
    if needed or not taken:
        sealing = sealing_for(needed, protocol, blocks_file, before)
        return seeds_for(needed, protocol, seed_file), sealing
    check_committed(folder, taken, protocol, seed_file, blocks_file)
    return _NONE


def _refuse_waves_after_the_freeze(needed: Sequence[int], history: Sequence[Event]) -> None:
    freeze = frozen(history)
    if freeze is not None and needed:
        raise GateClosed(
            f"wave {needed[0]}",
            f"enrolment is closed: the study was frozen on {freeze.at:%Y-%m-%d}",
            "Who comes later needs a new study",
        )


def _stage(con: Connection) -> Stage:
    return Stage(
        first_allocation=rows.count(con, "allocations") > 0,
        first_outcome=milestones.first_outcome_at(con) is not None,
        unblinded=bool(milestones.unblinded_waves(con)),
    )


def _declared(text: str) -> DeclaredDeviation:
    """`kind: statement`, or a statement alone: a kind has few words."""
    kind, colon, statement = (part.strip() for part in text.partition(": "))
    if not colon or not 0 < len(kind.split()) <= _WORDS_OF_A_KIND:
        kind, statement = "", text.strip()
    if not statement:
        raise WrongUsage("--declare", "it says nothing", "Say what was done otherwise, as `kind: statement`")
    return DeclaredDeviation(kind=kind.lower() or None, statement=statement)


def _result(folder: StudyFolder, made: registration.Amended) -> Amended:
    one = made.amendment
    stage = one.after if one else Stage(first_allocation=False, first_outcome=False, unblinded=False)
    happened = {
        "the first allocation": stage.first_allocation,
        "the first outcome": stage.first_outcome,
        "the unblinding": stage.unblinded,
    }
    return Amended(
        registration=folder.registration,
        number=one.number if one else None,
        fingerprint=made.registration.current_fingerprint,
        differences=tuple(each.model_dump() for each in one.differences) if one else (),
        declared=tuple(each.model_dump() for each in one.declared) if one else (),
        after=tuple(name for name, there in happened.items() if there),
        new_seeds=len(one.seeds) if one else 0,
        timestamps=tuple(each.at for each in made.registration.timestamps),
        already=made.already,
    )
