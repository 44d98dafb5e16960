"""The chain of records: each holds the hash of the one before, so that a change of any of them shows."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from forethought.errors import NotLocked
from forethought.files import canonical_json
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol, load
from forethought.registration import (
    Amended,
    Registration,
    Stage,
    Why,
    amend,
    read,
    require,
)
from forethought.registration.document import record_hash

GOLDEN = Path(__file__).parents[2] / "golden"
LATER = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
SEEDS = {1: bytes(range(32)), 2: bytes(range(32, 64))}
BEFORE_ANYTHING = Stage(first_allocation=False, first_outcome=False, unblinded=False)
ALLOCATED = Stage(first_allocation=True, first_outcome=False, unblinded=False)
NEW_WAVE = {"number": 3, "opens": "2026-12-02T09:00:00+00:00", "target": 4}

Plan = dict[str, Any]
Change = Callable[[Plan], object]
Edit = Callable[[Change], LoadedProtocol]
Make = Callable[..., Amended]


def alpha(value: float) -> Change:
    return lambda plan: plan["analysis"].update(alpha=value)


def contents(folder: StudyFolder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}


def data_of(folder: StudyFolder) -> Any:
    return json.loads(folder.registration.read_text())


def test_what_stood_before_stays_word_for_word(
    folder: StudyFolder, locked: Registration, made: Make, edit: Edit
) -> None:
    lock_record = {
        name: value for name, value in data_of(folder).items() if name not in ("amendments", "timestamps")
    }
    made(edit(alpha(0.01)))
    first = data_of(folder)["amendments"][0]
    made(edit(alpha(0.02)))
    now = data_of(folder)
    assert {name: now[name] for name in lock_record} == lock_record
    assert [one["number"] for one in now["amendments"]] == [1, 2]
    assert now["amendments"][0] == first


def test_each_record_holds_the_hash_of_the_one_before(folder: StudyFolder, made: Make, edit: Edit) -> None:
    for value in (0.01, 0.02):
        made(edit(alpha(value)))
    data = data_of(folder)
    first, second = data.pop("amendments")
    del data["timestamps"]
    assert first["previous"] == record_hash(canonical_json(data))
    assert second["previous"] == record_hash(canonical_json(first))
    assert second["parent"] == first["fingerprint"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data["amendments"][0]["differences"][0].update(after=0.2), "amendment 2 does not follow from amendment 1"),
        (lambda data: data["amendments"][0].update(reason="Another"), "amendment 2 does not follow from amendment 1"),
        (lambda data: data.update(locked_by="bob"), "amendment 1 does not follow from the lock"),
        (lambda data: data["amendments"].reverse(), "amendment 3 stands where amendment 1 should"),
        (lambda data: data["amendments"].pop(0), "amendment 2 stands where amendment 1 should"),
        (lambda data: data["amendments"].pop(1), "amendment 3 stands where amendment 2 should"),
        (lambda data: data["amendments"][2].update(fingerprint="0" * 64), "the protocol of amendment 3 does not have its fingerprint"),
        (lambda data: data["amendments"][2].update(parent="0" * 64), "amendment 3 does not follow from amendment 2"),
        (lambda data: data["amendments"][2]["protocol"]["analysis"].update(alpha=0.2), "the protocol of amendment 3 does not have its fingerprint"),
        (lambda data: data["amendments"][1].update(note="mine"), r"cannot be read \(amendments\.1\.note"),
    ],
)  # fmt: skip
def test_a_chain_that_was_tampered_with_is_refused(
    folder: StudyFolder, made: Make, edit: Edit, change: Callable[[Any], object], said: str
) -> None:
    for value in (0.01, 0.02, 0.03):
        made(edit(alpha(value)), f"to {value}")
    data = data_of(folder)
    change(data)
    folder.registration.write_text(json.dumps(data))
    with pytest.raises(NotLocked, match=said):
        read(folder)


def test_layout_of_the_file_does_not_break_the_chain(folder: StudyFolder, made: Make, edit: Edit) -> None:
    for value in (0.01, 0.02):
        made(edit(alpha(value)))
    registered = read(folder)
    folder.registration.write_text(json.dumps(data_of(folder), sort_keys=True))
    assert read(folder) == registered


def test_a_registration_of_format_1_is_amended_and_keeps_its_record(folder: StudyFolder) -> None:
    golden = json.loads((GOLDEN / "registrations" / "format_1" / "sleepstudy.json").read_text())
    folder.registration.write_text(json.dumps(golden))
    text = (GOLDEN / "protocols" / "format_1" / "sleepstudy.yaml").read_text()
    folder.protocol.write_text(text.replace("\n  title: ", "\n  title: The ", 1))
    why = Why(reason="R", declared=(), after=BEFORE_ANYTHING)
    made = amend(folder, load(folder.protocol), why, now=LATER, by="bob", seeds={}, supplied=False)
    data = data_of(folder)
    assert {name: data[name] for name in golden} == golden
    assert data["amendments"][0]["previous"] == record_hash(canonical_json(golden))
    assert require(folder, load(folder.protocol)) == made.registration


def test_a_key_that_stands_twice_is_refused(folder: StudyFolder, locked: Registration) -> None:
    text = folder.registration.read_text()
    folder.registration.write_text(text.replace('"locked_by"', '"locked_by": "eve", "locked_by"'))
    with pytest.raises(NotLocked, match="the key locked_by stands twice"):
        read(folder)
