"""Correct a record: what was found to be wrong is told beside it, by whom and why; nothing is deleted."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from forethought.errors import DataRefused, GateClosed, WrongUsage
from forethought.files import canonical_json
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.correctable import (
    NotCounted,
    RandomisedInError,
    RandomisedTwice,
    Wrong,
    WrongValue,
    recruitment_variable,
    text_of,
)
from forethought.steps.people import find_allocated, find_person
from forethought.store import corrections, events
from forethought.store.connection import DEFAULT_WAIT, Connection, writing
from forethought.store.people import Person
from forethought.store.vault import Vault

logger = logging.getLogger("forethought")


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """Whose record was corrected, in which way, and whether the same had been said before."""

    participant: str
    kind: str
    item: str | None
    first: str | None
    already: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A correction as it is kept: the columns of its row."""

    kind: str
    item: str | None = None
    original: str | None = None
    corrected: str | None = None
    first_participant: str | None = None


def correct(
    folder: StudyFolder,
    participant: str,
    wrong: Wrong,
    *,
    now: datetime,
    actor: str,
    by: str,
    reason: str,
    wait: float = DEFAULT_WAIT,
) -> Corrected:
    """Record what is wrong with somebody's record; the allocation stays. The same again changes nothing.

    A wrong value is corrected before allocation too, the rest after it (GateClosed). DataRefused for somebody unknown,
    for a value that is recorded already, and for a first allocation that is none; WrongUsage for a variable or value
    that the protocol does not have. The ledger has values as salted hashes only.
    """
    said = {"made_by": by.strip(), "reason": reason.strip()}
    wrong = _checked(folder, wrong, said)
    with writing(folder, wait) as con:
        find = find_person if isinstance(wrong, WrongValue) else find_allocated
        person = find(con, folder, participant)
        entry = _entry(con, folder, person, wrong)
        already = _said_before(con, person, entry)
        if not already:
            corrections.add(con, person.participant, now=now, **asdict(entry), **said)
            detail = _told(folder, person, entry, by=said["made_by"], reason=said["reason"])
            events.record(con, now=now, actor=actor, action="correct", detail=detail)
    logger.info("correct: %s%s", entry.kind, " (said before)" if already else "")
    return Corrected(
        participant=person.participant,
        kind=entry.kind,
        item=entry.item,
        first=entry.first_participant,
        already=already,
    )


def _checked(folder: StudyFolder, wrong: Wrong, said: Mapping[str, str]) -> Wrong:
    """What is wrong, its value as the tables hold it; refused where the words are empty or the plan has no such value."""
    for option, words in (("--by", said["made_by"]), ("--reason", said["reason"])):
        if not words:
            raise WrongUsage(option, "it is empty", "Say who corrects it, and why")
    protocol = load(folder.protocol).protocol
    if not protocol.randomised:
        raise GateClosed(
            str(folder.path), "this study is not randomised", "Correct the data where they come from"
        )
    if not isinstance(wrong, WrongValue):
        return wrong
    return WrongValue(item=wrong.item, value=text_of(wrong.value, recruitment_variable(protocol, wrong.item)))


def _entry(con: Connection, folder: StudyFolder, person: Person, wrong: Wrong) -> _Entry:
    match wrong:
        case WrongValue(item=item, value=value):
            stands = corrections.values(con).get(item, {}).get(person.participant)
            recorded = corrections.recruitment_value(con, person.participant, item)
            if stands is None and recorded == value:
                raise DataRefused(
                    f"participant {person.participant}",
                    f"`{item}` is recorded with this value already",
                    "There is nothing to correct",
                )
            original = stands if stands is not None else recorded
            return _Entry(kind=corrections.WRONG_VALUE, item=item, original=original, corrected=value)
        case RandomisedTwice(first=named):
            first = find_allocated(con, folder, named)
            _check_first(con, first, person)
            return _Entry(kind=corrections.RANDOMISED_TWICE, first_participant=first.participant)
        case RandomisedInError():
            return _Entry(kind=corrections.RANDOMISED_IN_ERROR)
        case NotCounted():
            return _Entry(kind=corrections.NOT_COUNTED)


def _check_first(con: Connection, first: Person, second: Person) -> None:
    """DataRefused where the first allocation of the two is not the one that is said to be."""
    where = f"--first {first.participant}"
    if first.participant == second.participant:
        raise DataRefused(where, "it is the same record", "Give the person's other one, which came first")
    if _moment(first) > _moment(second):
        raise DataRefused(
            where,
            f"it was allocated after {second.participant}, and the first allocation stands",
            "Give the two the other way round",
        )
    if first.participant in corrections.twice(con):
        raise DataRefused(where, "it is itself a second record", "Give the first of all")


def _moment(person: Person) -> tuple[object, ...]:
    return person.allocated_at, person.wave, person.arrival


def _said_before(con: Connection, person: Person, entry: _Entry) -> bool:
    """Whether this is what stands. DataRefused where somebody is the second record of two people."""
    before = corrections.of(con, person.participant)
    match entry.kind:
        case corrections.WRONG_VALUE:
            return entry.original == entry.corrected
        case corrections.RANDOMISED_TWICE:
            firsts = {str(one["first_participant"]) for one in before if one["kind"] == entry.kind}
            if firsts - {str(entry.first_participant)}:
                raise DataRefused(
                    f"participant {person.participant}",
                    f"it is the second record of {firsts.pop()} already",
                    "A person has one first allocation",
                )
            return bool(firsts)
        case _:
            return any(one["kind"] == entry.kind for one in before)


def _told(
    folder: StudyFolder, person: Person, entry: _Entry, *, by: str, reason: str
) -> Mapping[str, object]:
    """What the ledger says: the blinded read it, so that values are there as salted hashes."""
    detail: dict[str, object] = {
        "participant": person.participant,
        "kind": entry.kind,
        "by": by,
        "reason": reason,
    }
    if entry.item is not None:
        vault = Vault.open(folder)
        hashed = {
            name: None
            if value is None
            else vault.row_hash(canonical_json([person.participant, entry.item, value]))
            for name, value in (("original", entry.original), ("corrected", entry.corrected))
        }
        detail |= {"item": entry.item, **hashed}
    if entry.first_participant is not None:
        detail["first"] = entry.first_participant
    return detail
