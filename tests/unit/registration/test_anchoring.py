"""The registration and the ledger must agree: each has what the other could lose."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from forethought.errors import NotLocked, VerificationFailed
from forethought.ledger import GENESIS, Event, chain
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.registration import Amended, Registration, agree, read_document
from forethought.registration.anchoring import recorded

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)

Edit = Callable[[Callable[[dict[str, Any]], object]], LoadedProtocol]


def event(action: str, **detail: object) -> Event:
    return chain(GENESIS, 1, NOW, "ann", action, detail)


def as_recorded(folder: StudyFolder) -> list[Event]:
    """The ledger of a study whose steps all came to their end."""
    document = read_document(folder.registration)
    assert document is not None
    found: list[Event] = []
    for number, (action, _, detail) in enumerate(recorded(document), start=1):
        found.append(chain(found[-1].hash if found else GENESIS, number, NOW, "ann", action, detail))
    return found


def every_leaf(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if value and isinstance(value, dict | list):
        steps = value if isinstance(value, dict) else range(len(value))
        return [place for step in steps for place in every_leaf(value[step], (*at, step))]
    return [at]


def other(value: Any) -> Any:
    """Another value of its kind, as one who edits with care would write it."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        changed = {"2026-1": "2025-1"}.get(value[:6])
        return changed + value[6:] if changed else value[:-1] + ("1" if value[-1:] == "0" else "0")
    return value + 1 if isinstance(value, int | float) else "x"


def test_whatever_is_changed_in_the_registration_shows(
    folder: StudyFolder, made: Callable[..., Amended], edit: Edit
) -> None:
    made(edit(lambda plan: plan["study"].update(title="U")), declared=[("windows", "Ten came late")])
    made(edit(lambda plan: plan["analysis"].update(alpha=0.01)))
    history, text = as_recorded(folder), folder.registration.read_text()
    agree(folder, history)
    places = [place for place in every_leaf(json.loads(text)) if "protocol" not in place or "title" in place]
    assert len(places) > 100
    for place in places:
        data = holder = json.loads(text)
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = other(holder[place[-1]])
        folder.registration.write_text(json.dumps(data))
        if data != json.loads(text):
            with pytest.raises(NotLocked):
                agree(folder, history)


def test_what_the_ledger_does_not_have_yet_is_no_fault_where_it_is_recorded(
    folder: StudyFolder, locked: Registration, made: Callable[..., Amended], edit: Edit
) -> None:
    before = as_recorded(folder)
    made(edit(lambda plan: plan["study"].update(title="U")))
    agree(folder, [], unfinished=True)
    agree(folder, before, unfinished=True)


def test_elsewhere_it_must_be_recorded_first(
    folder: StudyFolder, locked: Registration, made: Callable[..., Amended], edit: Edit
) -> None:
    before = as_recorded(folder)
    agree(folder, before)
    made(edit(lambda plan: plan["study"].update(title="U")))
    with pytest.raises(NotLocked, match="amendment 1 was broken off before the ledger had it"):
        agree(folder, before)


def test_a_lock_that_the_ledger_does_not_have_is_broken_off(
    folder: StudyFolder, locked: Registration
) -> None:
    for history in ([], [event("init")]):
        agree(folder, history, unfinished=True)
        with pytest.raises(NotLocked, match="the lock was broken off before the ledger had it"):
            agree(folder, history)


def test_a_lock_of_an_older_release_is_held_by_its_fingerprint_and_seeds(
    folder: StudyFolder, locked: Registration
) -> None:
    seeds = {str(one.wave): one.commitment for one in locked.seeds}
    agree(folder, [event("lock", fingerprint=locked.fingerprint, commitments=seeds)])
    for fingerprint, commitments in (("0" * 64, seeds), (locked.fingerprint, {**seeds, "1": "0" * 64})):
        with pytest.raises(NotLocked, match="it is not the registration that the ledger has"):
            agree(folder, [event("lock", fingerprint=fingerprint, commitments=commitments)])


def test_a_ledger_that_was_edited_is_no_evidence(folder: StudyFolder, locked: Registration) -> None:
    (lock,) = as_recorded(folder)
    edited = replace(lock, detail={**lock.detail, "record": "0" * 64})
    for unfinished in (False, True):
        with pytest.raises(
            VerificationFailed, match="ledger, event 1: it is not the event that was recorded"
        ):
            agree(folder, [edited], unfinished=unfinished)


def test_a_registration_written_anew_is_not_that_of_the_ledger(
    folder: StudyFolder, locked: Registration
) -> None:
    with pytest.raises(NotLocked, match="it is not the registration that the ledger has"):
        agree(folder, [event("lock", fingerprint=locked.fingerprint, record="0" * 64)])


def test_a_lost_registration_is_missed(folder: StudyFolder) -> None:
    agree(folder, [])
    with pytest.raises(NotLocked, match="the study was locked on 2026-11-01, and its registration is gone"):
        agree(folder, [event("lock", fingerprint="0" * 64)])


def test_an_amendment_of_the_ledger_is_missed(folder: StudyFolder, locked: Registration) -> None:
    with pytest.raises(NotLocked, match="amendment 1 of 2026-11-01 is in the ledger, and not here"):
        agree(folder, [event("amend", number=1, fingerprint="0" * 64, record="0" * 64)])
