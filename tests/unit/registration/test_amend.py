"""An amendment puts a plan in the place of another: what changed is said in words, what stood stays."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from forethought import registration
from forethought.errors import NotLocked
from forethought.files import sha256_file
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol, load
from forethought.registration import (
    Amended,
    Registration,
    Stage,
    Why,
    amend,
    lock,
    require,
    seed,
    seedless_waves,
)

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


def test_an_amendment_holds_the_new_plan_and_why(
    folder: StudyFolder, locked: Registration, made: Make, edit: Edit
) -> None:
    loaded = edit(alpha(0.01))
    one = made(loaded, "The reviewers asked for it", after=ALLOCATED).amendment
    assert one is not None
    assert (one.number, one.parent, one.fingerprint) == (1, locked.fingerprint, loaded.fingerprint)
    assert (one.reason, one.amended_at, one.amended_by) == ("The reviewers asked for it", LATER, "bob")
    assert one.protocol == loaded.data
    assert one.protocol_sha256 == sha256_file(folder.protocol)
    assert one.after == ALLOCATED
    assert one.materials == locked.materials
    assert one.scorers == locked.scorers
    assert "numpy" in one.software
    assert [each.model_dump() for each in one.differences] == [
        {
            "field": "analysis.alpha",
            "change": "changed",
            "before": 0.05,
            "after": 0.01,
            "words": "analysis.alpha was changed from 0.05 to 0.01",
        }
    ]


def test_the_plan_that_stands_is_that_of_the_last_amendment(
    folder: StudyFolder, locked: Registration, made: Make, edit: Edit
) -> None:
    made(edit(alpha(0.01)))
    (folder.materials / "rubric.md").write_text("Another\n")
    last = edit(alpha(0.02))
    registered = made(last).registration
    assert registered.current_fingerprint == last.fingerprint
    assert registered.current_protocol == last.data
    assert registered.current_materials["rubric.md"] == sha256_file(folder.materials / "rubric.md")
    assert registered.current_scorers != locked.scorers
    assert (registered.fingerprint, registered.protocol) == (locked.fingerprint, locked.protocol)


def test_the_amended_protocol_fits_and_the_first_no_longer_does(
    folder: StudyFolder, made: Make, edit: Edit
) -> None:
    amended = made(edit(alpha(0.01))).registration
    assert require(folder, load(folder.protocol)) == amended
    with pytest.raises(
        NotLocked, match=r"edited after amendment 1 \(analysis\.alpha was changed from 0\.01 to 0\.05\)"
    ):
        require(folder, edit(lambda plan: None))


def test_locking_an_amended_study_changes_nothing(folder: StudyFolder, made: Make, edit: Edit) -> None:
    loaded = edit(alpha(0.01))
    made(loaded)
    before = contents(folder)
    lock(folder, loaded, now=LATER, by="x", seeds={}, supplied=False)
    assert contents(folder) == before


def test_nothing_changed_and_nothing_declared_writes_nothing(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration, made: Make
) -> None:
    before = contents(folder)
    assert made(loaded) == Amended(registration=locked, amendment=None, already=False)
    assert contents(folder) == before


def test_amended_twice_for_one_reason_nothing_changes(folder: StudyFolder, made: Make, edit: Edit) -> None:
    loaded = edit(alpha(0.01))
    first = made(loaded, declared=[("windows", "Ten came late")])
    before = contents(folder)
    again = made(loaded, declared=[("windows", "Ten came late")])
    assert (again.amendment, again.already) == (first.amendment, True)
    assert contents(folder) == before


def test_a_deviation_is_declared_without_a_change_of_the_plan(made: Make, loaded: LoadedProtocol) -> None:
    one = made(loaded, declared=[("windows", "Ten came late"), (None, "A fire alarm rang")]).amendment
    assert one is not None
    assert one.differences == ()
    assert [(each.kind, each.statement) for each in one.declared] == [
        ("windows", "Ten came late"),
        (None, "A fire alarm rang"),
    ]
    assert one.fingerprint == one.parent


def test_a_changed_material_is_amended_in_words(
    folder: StudyFolder, locked: Registration, made: Make, loaded: LoadedProtocol
) -> None:
    (folder.materials / "rubric.md").write_text("Another\n")
    made(loaded)
    registered = require(folder, loaded)
    (found,) = registered.amendments[0].differences
    assert found.words == "the file materials/rubric.md was changed"
    assert (found.field, found.before, found.after) == (
        "materials.rubric.md",
        locked.materials["rubric.md"],
        registered.current_materials["rubric.md"],
    )


def test_a_new_material_is_one_difference(folder: StudyFolder, made: Make, edit: Edit) -> None:
    (folder.materials / "card.md").write_text("Card\n")
    loaded = edit(lambda plan: plan["materials"].append({"file": "card.md", "description": "A card"}))
    amended = made(loaded)
    assert amended.amendment is not None
    assert [one.field for one in amended.amendment.differences] == ["materials.card.md"]
    assert "card.md" in amended.registration.current_materials


def test_a_new_wave_gets_a_seed_that_is_committed_to(
    folder: StudyFolder, locked: Registration, made: Make, edit: Edit
) -> None:
    loaded = edit(lambda plan: plan["waves"].append(NEW_WAVE))
    assert seedless_waves(loaded, locked) == (3,)
    amended = made(loaded, seeds={3: b"3" * 32})
    assert [one.wave for one in amended.registration.all_seeds] == [1, 2, 3]
    assert {wave: seed(folder, wave) for wave in (1, 2, 3)} == {**SEEDS, 3: b"3" * 32}
    published = amended.registration.all_seeds[2].commitment
    assert published == registration.commitment(b"3" * 32, registration.nonce(folder, 3), "small", 3)


def test_a_new_wave_without_a_seed_is_refused(folder: StudyFolder, made: Make, edit: Edit) -> None:
    with pytest.raises(ValueError, match=r"needs them for \[3\]"):
        made(edit(lambda plan: plan["waves"].append(NEW_WAVE)))


def test_an_amendment_that_a_crash_broke_off_goes_on_with_its_seed(
    folder: StudyFolder, made: Make, edit: Edit
) -> None:
    before = folder.registration.read_bytes()
    loaded = edit(lambda plan: plan["waves"].append(NEW_WAVE))
    made(loaded, seeds={3: b"3" * 32})
    folder.registration.write_bytes(before)
    made(loaded, seeds={3: b"x" * 32})
    assert seed(folder, 3) == b"3" * 32


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan["allocation"].update(ratio={"control": 1, "coach": 2}, block_sizes=[3]),
        lambda plan: plan["allocation"].update(block_sizes=[2, 4]),
        lambda plan: plan.update(arms=[*plan["arms"], {**plan["arms"][0], "id": "video", "code": "video"}], allocation={**plan["allocation"], "ratio": {"control": 1, "coach": 1, "video": 1}, "block_sizes": [3]}),
        lambda plan: plan.update(allocation="none", blinding={**plan["blinding"], "analysts": False}),
    ],
    ids=["ratio", "block sizes", "arms", "method"],
)  # fmt: skip
def test_the_design_of_the_allocation_is_amended_before_the_first_allocation_alone(
    folder: StudyFolder, made: Make, edit: Edit, change: Change
) -> None:
    loaded = pretended(edit, change)
    before = contents(folder)
    with pytest.raises(NotLocked, match=r"allocation\.\w+.* cannot be amended once somebody is allocated"):
        made(loaded, after=ALLOCATED)
    assert contents(folder) == before
    assert made(loaded).amendment is not None


def pretended(edit: Edit, change: Change) -> LoadedProtocol:
    """The changed plan as if it were valid: what else must change with it is no matter here."""
    from dataclasses import replace

    from forethought.protocol.fingerprint import fingerprint

    loaded = edit(lambda plan: None)
    data = json.loads(json.dumps(loaded.data))
    change(data)
    return replace(loaded, data=data, fingerprint=fingerprint(data))


def test_the_codes_of_arms_may_be_amended_after_the_first_allocation(made: Make, edit: Edit) -> None:
    loaded = edit(lambda plan: plan["arms"][0].update(code="A"))
    assert made(loaded, after=ALLOCATED).amendment is not None


def test_a_registered_wave_cannot_be_taken_out(folder: StudyFolder, made: Make, edit: Edit) -> None:
    made(edit(lambda plan: plan["waves"].append(NEW_WAVE)), seeds={3: b"3" * 32})
    with pytest.raises(NotLocked, match=r"wave 3 was taken out, and it was registered\. Put it back"):
        made(edit(lambda plan: None))


def test_the_name_of_the_study_cannot_be_amended(made: Make, edit: Edit) -> None:
    with pytest.raises(
        NotLocked, match=r"study\.id was changed from small to large, and it is part of every"
    ):
        made(edit(lambda plan: plan["study"].update(id="large")))


def test_a_study_that_is_not_locked_cannot_be_amended(folder: StudyFolder, loaded: LoadedProtocol) -> None:
    why = Why(reason="R", declared=(), after=BEFORE_ANYTHING)
    with pytest.raises(
        NotLocked, match=r"there is nothing to amend\. Edit the protocol as you like, then run"
    ):
        amend(folder, loaded, why, now=LATER, by="bob", seeds={}, supplied=False)
