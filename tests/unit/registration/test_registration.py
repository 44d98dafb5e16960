"""What is locked stays locked: the protocol, the materials, the seeds."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from forethought.errors import NotLocked
from forethought.files import canonical_json
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol, load
from forethought.registration import Registration, lock, read, require
from forethought.registration.holdings import scorer_hashes

GOLDEN = Path(__file__).parents[2] / "golden"
NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
SEEDS = {1: bytes(range(32)), 2: bytes(range(32, 64))}

Edit = Callable[[Callable[[dict[str, Any]], object]], LoadedProtocol]


def contents(folder: StudyFolder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}


def test_a_registration_holds_what_was_locked(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    assert locked.format == "forethought-registration/2"
    assert locked.study_id == "small"
    assert locked.fingerprint == loaded.fingerprint
    assert locked.protocol_sha256 == hashlib.sha256(folder.protocol.read_bytes()).hexdigest()
    assert (locked.locked_at, locked.locked_by) == (NOW, "ann")
    assert locked.materials == {
        f"{name}.md": hashlib.sha256(f"The {name}\n".encode()).hexdigest()
        for name in ("consent", "rubric", "script")
    }
    assert locked.protocol == loaded.data
    assert locked.allocation_algorithm == "permuted-blocks/2"
    assert "numpy" in locked.software
    assert [(entry.wave, entry.supplied) for entry in locked.seeds] == [(1, True), (2, True)]


def test_the_file_says_what_the_registration_says(folder: StudyFolder, locked: Registration) -> None:
    assert read(folder) == locked
    assert list(json.loads(folder.registration.read_text()))[:3] == ["format", "study_id", "fingerprint"]


def test_a_study_that_was_never_locked_has_no_registration(
    folder: StudyFolder, loaded: LoadedProtocol
) -> None:
    assert read(folder) is None
    with pytest.raises(NotLocked, match=r"the study is not locked\. Run `forethought lock` on it first"):
        require(folder, loaded)


def test_locking_again_gives_the_first_registration_and_changes_nothing(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    before = contents(folder)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert (
        lock(folder, loaded, now=later, by="bob", seeds={1: b"x" * 32, 2: b"y" * 32}, supplied=False)
        == locked
    )
    assert contents(folder) == before


def test_another_protocol_cannot_be_locked_in_its_place(
    folder: StudyFolder, locked: Registration, edit: Edit
) -> None:
    before = contents(folder)
    other = edit(lambda plan: plan["study"].update(title="U"))
    with pytest.raises(NotLocked, match="edited after the lock"):
        lock(folder, other, now=NOW, by="ann", seeds=SEEDS, supplied=True)
    assert contents(folder).keys() == before.keys()
    assert read(folder) == locked


def test_a_comment_in_the_protocol_does_not_break_the_lock(folder: StudyFolder, locked: Registration) -> None:
    folder.protocol.write_text("# a remark\n" + folder.protocol.read_text())
    assert require(folder, load(folder.protocol)) == locked


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda plan: plan["waves"][0].update(target=5), "waves.1.target was changed from 4 to 5"),
        (lambda plan: plan["study"].update(title="U"), 'study.title was changed from "T" to "U"'),
        (lambda plan: plan["analysis"].pop("alpha"), "analysis.alpha was removed; it was 0.05"),
        (lambda plan: plan["arms"].reverse(), "the order of arms was changed from control, coach to coach, control"),
        (
            lambda plan: (plan["analysis"].update(alpha=0.01), plan["study"].update(contact="C")),
            'study.contact was added: "C"; analysis.alpha was changed from 0.05 to 0.01',
        ),
    ],
)  # fmt: skip
def test_an_edited_protocol_is_refused_with_what_changed_in_words(
    folder: StudyFolder,
    locked: Registration,
    edit: Edit,
    change: Callable[[dict[str, Any]], object],
    named: str,
) -> None:
    with pytest.raises(NotLocked) as refused:
        require(folder, edit(change))
    assert str(refused.value) == (
        f"{folder.protocol}: the protocol was edited after the lock ({named}). "
        "Restore it, or run `forethought amend`."
    )


def test_of_many_changed_fields_five_are_named(folder: StudyFolder, locked: Registration, edit: Edit) -> None:
    changes = dict.fromkeys(("title", "summary", "ethics", "funding", "conflicts", "setting", "contact"), "X")
    with pytest.raises(NotLocked) as refused:
        require(folder, edit(lambda plan: plan["study"].update(changes)))
    assert str(refused.value).count(" was changed from ") == 5
    assert "; and 2 more). Restore it" in str(refused.value)


def test_a_changed_material_is_refused(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    (folder.materials / "script.md").write_text("Good day\n")
    with pytest.raises(
        NotLocked,
        match=r"script\.md: this material was changed after the lock\. Restore it, or run `forethought amend`",
    ):
        require(folder, loaded)


def test_a_removed_material_is_refused(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    (folder.materials / "script.md").unlink()
    with pytest.raises(NotLocked, match=r"script\.md: this locked material is missing"):
        require(folder, loaded)


def test_a_file_that_the_protocol_does_not_name_is_no_material(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    (folder.materials / "notes.txt").write_text("mine")
    assert require(folder, loaded) == locked


def test_a_study_whose_material_is_missing_cannot_be_locked(
    folder: StudyFolder, loaded: LoadedProtocol
) -> None:
    (folder.materials / "script.md").unlink()
    with pytest.raises(NotLocked, match="names this material, and it is not there"):
        lock(folder, loaded, now=NOW, by="ann", seeds=SEEDS, supplied=False)
    assert not folder.registration.exists()
    assert not folder.secrets.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:200],
        lambda text: text.replace("forethought-registration/2", "forethought-registration/9"),
        lambda text: text.replace('"locked_by"', '"by"'),
        lambda text: text.replace('"target": 4', '"target": 5'),
        lambda text: text.replace('"target": 4', '"target": NaN'),
        lambda text: "[]",
        lambda text: text.encode("utf-16").decode("latin-1"),
    ],
)
def test_a_damaged_or_edited_registration_is_refused(
    folder: StudyFolder, locked: Registration, damage: object
) -> None:
    folder.registration.write_text(damage(folder.registration.read_text()))  # type: ignore[operator]
    with pytest.raises(NotLocked, match=r"registration\.json: .* Restore it from a backup"):
        read(folder)


def test_a_second_commitment_for_a_wave_is_refused(folder: StudyFolder, locked: Registration) -> None:
    data = json.loads(folder.registration.read_text())
    data["seeds"].append({**data["seeds"][0], "commitment": "0" * 64})
    folder.registration.write_text(json.dumps(data))
    with pytest.raises(NotLocked, match="it commits to two seeds for one wave"):
        read(folder)


@pytest.mark.parametrize("name", ["script.md", "consent.md", "rubric.md"])
def test_materials_of_sessions_consent_and_raters_are_all_held(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration, name: str
) -> None:
    (folder.materials / name).write_text("Another\n")
    with pytest.raises(NotLocked, match=name):
        require(folder, loaded)


def test_a_scorer_is_held_by_its_entry_in_the_file_and_its_rubric(
    loaded: LoadedProtocol, locked: Registration
) -> None:
    (entry,) = cast("list[object]", loaded.data["raters"])
    text = canonical_json({"rater": entry, "rubric": locked.materials["rubric.md"], "prompt": None})
    assert locked.scorers == {"judge": hashlib.sha256(text).hexdigest()}


@pytest.mark.parametrize("name", ["rubric", "prompt"])
def test_a_new_rubric_or_prompt_is_another_scorer(loaded: LoadedProtocol, name: str) -> None:
    (rater,) = loaded.protocol.raters
    judge = rater.model_copy(update={"rubric": None, "prompt": None, name: "script.md"})
    given = replace(loaded, protocol=loaded.protocol.model_copy(update={"raters": (judge,)}))
    before, after = (scorer_hashes(given, {"script.md": digest * 64}) for digest in "ab")
    assert before != after
    assert scorer_hashes(given, {"script.md": "a" * 64, "other.md": "b" * 64}) == before


def test_a_scorer_that_format_1_only_names_is_held_by_its_name(loaded: LoadedProtocol) -> None:
    given = replace(loaded, data={"format": "forethought-protocol/1"})
    text = canonical_json({"rater": {"id": "judge"}, "rubric": None, "prompt": None})
    assert scorer_hashes(given, {}) == {"judge": hashlib.sha256(text).hexdigest()}


def test_the_locked_copy_has_the_fingerprint_that_was_locked(locked: Registration) -> None:
    assert hashlib.sha256(canonical_json(locked.protocol)).hexdigest() == locked.fingerprint


def test_a_registration_of_format_1_is_read_as_it_was_written(folder: StudyFolder) -> None:
    golden = GOLDEN / "registrations" / "format_1" / "sleepstudy.json"
    folder.registration.write_bytes(golden.read_bytes())
    folder.protocol.write_bytes((GOLDEN / "protocols" / "format_1" / "sleepstudy.yaml").read_bytes())
    registered = require(folder, load(folder.protocol))
    assert registered.format == "forethought-registration/1"
    assert registered.fingerprint == "53b13175bdb6e2ec133dd3a4a5770534d7afc16f16e913af1c29f02d87dc4d06"
    assert registered.current_fingerprint == registered.fingerprint
    assert (registered.scorers, registered.amendments, registered.timestamps) == ({}, (), ())


def test_locking_a_study_of_format_1_again_changes_nothing(folder: StudyFolder) -> None:
    golden = GOLDEN / "registrations" / "format_1" / "sleepstudy.json"
    folder.registration.write_bytes(golden.read_bytes())
    folder.protocol.write_bytes((GOLDEN / "protocols" / "format_1" / "sleepstudy.yaml").read_bytes())
    lock(folder, load(folder.protocol), now=NOW, by="bob", seeds={}, supplied=False)
    assert folder.registration.read_bytes() == golden.read_bytes()


def test_the_plan_that_stands_without_an_amendment_is_the_locked_one(locked: Registration) -> None:
    assert locked.current_protocol == locked.protocol
    assert locked.current_materials == locked.materials
    assert locked.current_scorers == locked.scorers
    assert locked.all_seeds == locked.seeds


def test_a_later_version_of_the_software_is_no_refusal(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forethought.registration.locking.software_versions", lambda: {"numpy": "99.0"})
    assert require(folder, loaded) == locked
    assert lock(folder, loaded, now=NOW, by="ann", seeds=SEEDS, supplied=True).software == locked.software
