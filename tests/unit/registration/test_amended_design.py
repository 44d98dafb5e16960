"""The design of the allocation: what of it can be amended, until when, and by which arithmetic arms are drawn then."""

import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from forethought.errors import NotLocked
from forethought.protocol.allocation import PermutedBlocks
from forethought.protocol.fingerprint import fingerprint
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.registration import (
    Amended,
    Registration,
    Sealing,
    Stage,
    Why,
    amend,
    lock,
    read,
    resolved,
)
from forethought.registration.designs import changed

GOLDEN = Path(__file__).parents[2] / "golden" / "registrations"
NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
BEFORE_ANYTHING = Stage(first_allocation=False, first_outcome=False, unblinded=False)
ALLOCATED = Stage(first_allocation=True, first_outcome=False, unblinded=False)
SEEDS = {1: bytes(range(32)), 2: bytes(range(32, 64))}

Plan = dict[str, Any]
Change = Callable[[Plan], object]
Edit = Callable[[Change], LoadedProtocol]
Make = Callable[..., Amended]

OLD = {"allocation": {"method": "permuted_blocks", "ratio": {"a": 1, "b": 1}, "block_sizes": [2]}}


def design(**parts: object) -> dict[str, Any]:
    """A plan that says no more than its allocation."""
    common = {
        "ratio": {"a": 1, "b": 1},
        "dropouts": {"count": "everyone_allocated", "replace": "never", "statement": "S"},
        "seed": {"drawn_by": "either", "revealed": "at_unblinding"},
        "concealment": "C",
    }
    return {"format": "forethought-protocol/2", "allocation": {**common, **parts}}


def of(method: str, **parts: object) -> dict[str, Any]:
    return design(method=method, **parts)


MINIMIZED = {"factors": [{"name": "sex"}], "imbalance": "range", "chance": 0.8}
ALIKE = {"variables": ["age"], "criterion": "mahalanobis", "at_most": 1.0}


@pytest.mark.parametrize(
    ("before", "now", "fields"),
    [
        (of("simple"), of("simple", unit="cluster", cluster="site"), {"unit", "cluster"}),
        (of("simple"), of("simple", ratio={"a": 2, "b": 1}), {"ratio"}),
        (of("simple"), of("simple", initial_simple=4), {"initial_simple"}),
        (of("simple"), of("simple", caps=[{"arm": "a", "at_most": 9}]), {"caps"}),
        (of("simple"), of("simple", drawn="ahead", list_length=9), {"drawn", "list_length"}),
        (of("complete", size=4), of("complete", size=6), {"size"}),
        (of("complete", size=4), of("complete", size=4, strata=["sex"]), {"strata"}),
        (of("permuted_blocks", block_sizes=[2]), of("permuted_blocks", block_sizes="sealed"), {"block_sizes"}),
        (of("biased_coin", chance=0.8), of("biased_coin", chance=0.75), {"chance"}),
        (of("big_stick", tolerance=2), of("big_stick", tolerance=3), {"tolerance"}),
        (of("block_urn", block_size=4), of("block_urn", block_size=6), {"block_size"}),
        (of("minimization", **MINIMIZED), of("minimization", **{**MINIMIZED, "factors": [{"name": "sex", "weight": 2}]}), {"factors"}),
        (of("minimization", **MINIMIZED), of("minimization", **{**MINIMIZED, "imbalance": "variance"}), {"imbalance"}),
        (of("rerandomization", **ALIKE), of("rerandomization", **{**ALIKE, "variables": ["sex"]}), {"variables"}),
        (of("rerandomization", **ALIKE), of("rerandomization", **{**ALIKE, "criterion": "standardized_difference"}), {"criterion"}),
        (of("rerandomization", **ALIKE), of("rerandomization", **{**ALIKE, "at_most": 2.0}), {"at_most"}),
        (of("rerandomization", **ALIKE), of("rerandomization", **ALIKE, most_draws=9), {"most_draws"}),
        (of("simple"), of("simple", dropouts={"count": "completed", "replace": "never", "statement": "S"}), {"dropouts.count"}),
        (of("simple"), of("simple", dropouts={"count": "everyone_allocated", "replace": "next_arrival", "statement": "S"}), {"dropouts.replace"}),
        (of("complete", size=4), of("simple"), {"method"}),
        (of("biased_coin", chance=0.8), of("big_stick", tolerance=2), {"method"}),
        (of("simple"), {**design(), "allocation": "none"}, {"method"}),
    ],
)  # fmt: skip
def test_whatever_decides_who_gets_which_arm_is_of_the_design(
    before: Plan, now: Plan, fields: set[str]
) -> None:
    assert set(changed(before, now)) == {f"allocation.{field}" for field in fields}


def test_how_long_somebody_is_in_progress_is_of_the_design() -> None:
    rule = {
        "count": "completed_or_in_progress",
        "in_progress_minutes": 60,
        "replace": "never",
        "statement": "S",
    }
    longer = of("simple", dropouts={**rule, "in_progress_minutes": 90})
    assert changed(of("simple", dropouts=rule), longer) == ("allocation.dropouts.in_progress_minutes",)


@pytest.mark.parametrize(
    "same",
    [
        of("biased_coin", chance="4/5"),
        of("biased_coin", chance=0.8, strata=[], caps=[], unit="participant", initial_simple=0),
        of("biased_coin", chance=0.8, concealment="Other words", ratio={"b": 1, "a": 1}),
        of("biased_coin", chance=0.8, dropouts={"count": "everyone_allocated", "replace": "never", "statement": "T"}),
        of("biased_coin", chance=0.8, seed={"drawn_by": "statistician", "revealed": "at_unblinding"}),
    ],
)  # fmt: skip
def test_the_same_in_other_words_is_no_other_design(same: Plan) -> None:
    assert changed(of("biased_coin", chance=0.8), same) == ()


def test_what_an_older_format_does_not_say_is_what_was_so_then() -> None:
    old = {"format": "forethought-protocol/1", **OLD}
    assert changed(old, of("permuted_blocks", block_sizes=[2])) == ()
    assert changed(old, of("permuted_blocks", block_sizes=[2], drawn="ahead", list_length=4)) != ()


def test_the_levels_of_the_strata_are_of_a_list_drawn_ahead() -> None:
    def plan(drawn: str, *levels: str) -> Plan:
        sexes = {"name": "sex", "column": "Sex", "type": "category", "levels": list(levels)}
        imports = {"recruits": {"variables": [sexes]}}
        parts = {"size": 4, "strata": ["sex"], "drawn": drawn}
        return {
            **of("complete", **parts, **({"list_length": 8} if drawn == "ahead" else {})),
            "imports": imports,
        }

    assert changed(plan("on_arrival", "f", "m"), plan("on_arrival", "f", "m", "x")) == ()
    assert changed(plan("ahead", "f", "m"), plan("ahead", "f", "m", "x")) == ("imports.recruits.variables",)


def dropouts(plan: Plan) -> None:
    plan["allocation"]["dropouts"].update(count="completed")


def test_a_rule_for_dropouts_cannot_be_amended_once_somebody_is_allocated(made: Make, edit: Edit) -> None:
    with pytest.raises(NotLocked, match=r"allocation\.dropouts\.count cannot be amended once somebody is"):
        made(pretended(edit, dropouts), after=ALLOCATED)


def pretended(edit: Edit, change: Change) -> LoadedProtocol:
    """The changed plan as if it were valid: what else must change with it is no matter here."""
    loaded = edit(lambda plan: None)
    data = deepcopy(dict(loaded.data))
    change(data)
    return replace(loaded, data=data, fingerprint=fingerprint(data))


def test_an_amended_design_is_drawn_by_the_newest_arithmetic(made: Make, edit: Edit) -> None:
    amended = made(pretended(edit, lambda plan: plan["allocation"].update(block_sizes=[2, 4])))
    assert amended.amendment is not None
    assert amended.amendment.allocation_algorithm == "permuted-blocks/2"
    other = made(pretended(edit, lambda plan: plan.update(allocation=of("big_stick", tolerance=2, ratio={"control": 1, "coach": 1})["allocation"])))  # fmt: skip
    assert other.registration.current_algorithm == "big-stick/1"


@pytest.fixture
def first_release(folder: StudyFolder, locked: Registration) -> Registration:
    """The registration as the first release wrote it: arms are drawn by `permuted-blocks/1`."""
    data = json.loads(folder.registration.read_text())
    data["allocation_algorithm"] = "permuted-blocks/1"
    for one in data["seeds"]:
        for newer in ("blocks", "blocks_supplied", "list_sha256"):
            del one[newer]
    folder.registration.write_text(json.dumps(data))
    registered = read(folder)
    assert registered is not None
    return registered


def test_a_study_goes_on_with_its_arithmetic_where_its_design_is_not_amended(
    first_release: Registration, made: Make, edit: Edit
) -> None:
    made(edit(lambda plan: plan["analysis"].update(alpha=0.01)))
    registered = made(edit(lambda plan: plan["study"].update(title="U")), after=ALLOCATED).registration
    assert [one.allocation_algorithm for one in registered.amendments] == [None, None]
    assert registered.current_algorithm == "permuted-blocks/1"


def test_a_design_amended_before_anybody_is_allocated_leaves_the_first_arithmetic(
    first_release: Registration, made: Make, edit: Edit
) -> None:
    registered = made(pretended(edit, lambda plan: plan["allocation"].update(block_sizes=[4]))).registration
    assert registered.allocation_algorithm == "permuted-blocks/1"
    assert registered.current_algorithm == "permuted-blocks/2"


def test_a_registration_of_the_first_release_draws_as_it_did(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "format_2" / "small.json", tmp_path / "registration.json")
    registered = read(StudyFolder(tmp_path))
    assert registered is not None
    assert registered.current_algorithm == registered.allocation_algorithm == "permuted-blocks/1"
    assert [one.list_sha256 for one in registered.all_seeds] == [None] * 3


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan["allocation"].update(block_sizes="sealed"),
        lambda plan: plan["allocation"].update(drawn="ahead", list_length=8),
    ],
    ids=["block sizes", "list"],
)
def test_a_locked_design_cannot_become_a_sealed_one(
    folder: StudyFolder, made: Make, edit: Edit, change: Change
) -> None:
    with pytest.raises(
        NotLocked, match=r"what is sealed is sealed once, when a wave's seed is committed\. Rest"
    ):
        made(pretended(edit, change))
    registered = read(folder)
    assert registered is not None
    assert registered.amendments == ()


@pytest.fixture
def sealed(folder: StudyFolder, edit: Edit) -> LoadedProtocol:
    """The study with sealed block sizes, locked."""
    loaded = edit(lambda plan: plan["allocation"].update(block_sizes="sealed"))
    sizes = Sealing(block_sizes={1: (2, 4), 2: (4, 6)})
    lock(folder, loaded, now=NOW, by="ann", seeds=SEEDS, supplied=True, sealing=sizes)
    return loaded


def amended(folder: StudyFolder, loaded: LoadedProtocol, **given: Any) -> Registration:
    why = Why(reason="R", declared=(), after=BEFORE_ANYTHING)
    given = {"seeds": {}, "supplied": False} | given
    return amend(folder, loaded, why, now=NOW, by="bob", **given).registration


def with_a_third_wave(loaded: LoadedProtocol) -> LoadedProtocol:
    data = deepcopy(dict(loaded.data))
    data["waves"].append({"number": 3, "opens": "2026-12-02T09:00:00+00:00", "target": 4})  # type: ignore[attr-defined]
    protocol = loaded.protocol
    waves = (*protocol.waves, protocol.waves[-1].model_copy(update={"number": 3}))
    wider = protocol.model_copy(update={"waves": waves})
    return replace(loaded, data=data, protocol=wider, fingerprint=fingerprint(data))


def test_a_new_wave_of_a_sealed_design_has_its_own_sizes(folder: StudyFolder, sealed: LoadedProtocol) -> None:
    loaded = with_a_third_wave(sealed)
    made = amended(folder, loaded, seeds={3: b"3" * 32}, sealing=Sealing(block_sizes={3: (8, 2)}))
    assert len({one.blocks for one in made.all_seeds}) == 3
    assert made.current_algorithm == made.allocation_algorithm
    design = resolved(folder, loaded.protocol, 3)
    assert isinstance(design, PermutedBlocks)
    assert design.block_sizes == (8, 2)


def test_a_sealed_design_may_be_amended_to_one_that_tells_its_sizes(
    folder: StudyFolder, sealed: LoadedProtocol
) -> None:
    data = deepcopy(dict(sealed.data))
    data["allocation"]["block_sizes"] = [2, 4]  # type: ignore[index]
    told = replace(sealed, data=data, fingerprint=fingerprint(data))
    assert amended(folder, told).current_fingerprint == told.fingerprint
