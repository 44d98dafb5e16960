"""The registration and the ledger must agree: each has what the other could lose."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from forethought.errors import NotLocked
from forethought.ledger import GENESIS, Event, chain
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.registration import Amended, Registration, agree

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)

Edit = Callable[[Callable[[dict[str, Any]], object]], LoadedProtocol]


def event(action: str, **detail: object) -> Event:
    return chain(GENESIS, 1, NOW, "ann", action, detail)


def test_what_the_ledger_does_not_have_yet_is_no_fault(
    folder: StudyFolder, locked: Registration, made: Callable[..., Amended], edit: Edit
) -> None:
    made(edit(lambda plan: plan["study"].update(title="U")))
    agree(folder, [])
    agree(folder, [event("init"), event("lock", fingerprint=locked.fingerprint)])


def test_a_lock_of_an_older_release_is_held_by_its_fingerprint(
    folder: StudyFolder, locked: Registration
) -> None:
    agree(folder, [event("lock", fingerprint=locked.fingerprint, commitments={})])
    with pytest.raises(NotLocked, match="it is not the registration that the ledger has"):
        agree(folder, [event("lock", fingerprint="0" * 64, commitments={})])


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
