"""A protocol of an old format says today what it said then, and its successor in the new format plans the same study.

What the old files said is read here with PyYAML and compared with what this release makes of them.
"""

from itertools import product
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from forethought.grammar import evaluate, parse_criterion
from forethought.protocol import formats, shipped
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol

FOLDER = Path(__file__).parent
KEPT = ("waves", "arms", "stimuli", "imports", "outcomes", "preparation", "simulation")
"""Sections that format 2 changed nothing of in the shipped studies."""


def file_of(name: str, format_: int = 1) -> Path:
    return FOLDER / f"format_{format_}" / f"{name}.yaml"


def read(name: str, format_: int = 1) -> Protocol:
    return load(file_of(name, format_)).protocol


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    """The analysis of Lend an Ear, as its file of format 1 words it."""
    data: Any = yaml.safe_load(file_of("lend_an_ear").read_text(encoding="utf-8"))
    return data["analysis"]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def old() -> Protocol:
    """The same file, as this release understands it."""
    return read("lend_an_ear")


# --- the old file, understood today


def test_the_models_are_fitted_by_the_formulas_that_were_written(old: Protocol, said: dict[str, Any]) -> None:
    assert [(one.kind, one.id, one.formula, list(one.outcomes), one.role) for one in old.analysis.models] == [
        (one["kind"], one["id"], one["formula"], one["outcomes"], one["role"]) for one in said["models"]
    ]


def test_no_model_is_pruned_or_fitted_to_another_population(old: Protocol) -> None:
    assert [one.population for one in old.analysis.models] == [None] * 3
    assert [getattr(one, "pruning", None) for one in old.analysis.models] == [None] * 3


def test_the_contrasts_weigh_the_coefficients_that_were_written(old: Protocol, said: dict[str, Any]) -> None:
    written = {one["id"]: one["weights"] for one in said["contrasts"]}
    assert {one.id: dict(one.weights) for one in old.analysis.contrasts} == written


def test_the_families_hold_the_tests_that_were_written(old: Protocol, said: dict[str, Any]) -> None:
    keys = ("id", "model", "contrasts", "outcomes", "scope", "method")
    found = [one.model_dump(mode="json", include=set(keys)) for one in old.analysis.families]
    assert found == [{key: one[key] for key in keys} for one in said["families"]]


def test_the_hypotheses_predict_what_was_written(old: Protocol, said: dict[str, Any]) -> None:
    keys = ("id", "statement", "role", "models", "outcomes", "contrasts", "direction", "smallest_effect")
    found = [one.model_dump(mode="json", include=set(keys)) for one in old.analysis.hypotheses]
    assert found == [{key: one[key] for key in keys} for one in said["hypotheses"]]


def test_each_estimand_is_the_prose_that_was_written(old: Protocol, said: dict[str, Any]) -> None:
    found = {one.id: old.estimands_by_id[one.estimand].summary for one in old.analysis.hypotheses}
    assert found == {one["id"]: one["estimand"] for one in said["hypotheses"]}


def test_alpha_is_the_default_of_then_with_two_sides(old: Protocol, said: dict[str, Any]) -> None:
    assert "alpha" not in said
    assert (old.analysis.alpha, old.analysis.sides) == (0.05, "two")


def test_intention_to_treat_is_everyone_allocated_and_the_only_population(old: Protocol) -> None:
    found = [(one.id, one.rule) for one in old.analysis.populations]
    assert found == [("intention_to_treat", "randomised")]
    assert old.analysis.population == "intention_to_treat"


def test_records_of_a_study_without_allocation_are_all_analysed() -> None:
    assert [(one.id, one.rule) for one in read("sleepstudy").analysis.populations] == [
        ("all_records", "all_records")
    ]


def test_what_was_said_of_missing_data_is_kept_and_nothing_is_filled_in(
    old: Protocol, said: dict[str, Any]
) -> None:
    missing = old.analysis.missing_data
    assert missing.statement == said["missing_data"]
    assert (missing.assumption, missing.method) == ("not_stated", "available_records")


def test_blocks_strata_and_windows_are_as_written(old: Protocol) -> None:
    data: Any = yaml.safe_load(file_of("lend_an_ear").read_text(encoding="utf-8"))
    allocation = old.allocation.model_dump(mode="json")
    for key in ("method", "ratio", "block_sizes", "strata"):
        assert allocation[key] == data["allocation"][key]
    for session, written in zip(old.sessions, data["sessions"], strict=True):
        assert session.window.model_dump(exclude_defaults=True) == written["window"]


# --- verdicts: the rule of release 0.1, written out, and the criteria that stand for it

BOUNDS = (-0.5, -0.2, -0.19, -0.01, 0.0, 0.01, 0.19, 0.2, 0.5)
P_VALUES = (0.0, 0.049, 0.05, 0.051, 1.0)


def rule_of_0_1(low: float, high: float, p: float, direction: str) -> tuple[bool, bool]:
    """Whether an effect was shown, and whether every effect that matters was excluded, as release 0.1 judged."""
    rejects = p < 0.05
    if direction == "less":
        return rejects and high < 0, low > -0.2
    if direction == "two_sided":
        return rejects and not low <= 0 <= high, low > -0.2 and high < 0.2
    return rejects and low > 0, high < 0.2


@pytest.mark.parametrize("direction", ["greater", "less", "two_sided"])
@pytest.mark.parametrize("format_", [1, 2])
def test_the_criteria_give_the_verdicts_of_release_0_1(
    direction: Literal["greater", "less", "two_sided"], format_: int
) -> None:
    sides = "two_sided" if direction == "two_sided" else "better"
    hypothesis = next(
        one for one in read("lend_an_ear", format_).analysis.hypotheses if one.direction == sides
    )
    criteria = [parse_criterion(text) for text in (hypothesis.corroborate_if, hypothesis.falsify_if)]
    for low, high, p in product(BOUNDS, BOUNDS, P_VALUES):
        if low <= high:
            turned = (-high, -low) if direction == "less" else (low, high)
            values = {"p_adjusted": p, "ci_low": turned[0], "ci_high": turned[1]}
            given = {**values, "alpha": 0.05, "smallest_effect": 0.2}
            found = tuple(evaluate(criterion, given) for criterion in criteria)
            assert found == rule_of_0_1(low, high, p, direction), (low, high, p)


# --- the successors in format 2


@pytest.mark.parametrize(("name", "section"), [*product(shipped.names(), KEPT)])
def test_the_section_is_as_it_was(name: str, section: str) -> None:
    assert getattr(read(name, 2), section) == getattr(read(name), section)


@pytest.mark.parametrize("name", shipped.names())
def test_the_allocation_design_is_as_it_was(name: str) -> None:
    words = {"dropouts", "seed", "concealment"}
    assert read(name, 2).allocation.model_dump(exclude=words) == read(name).allocation.model_dump(
        exclude=words
    )


@pytest.mark.parametrize("name", shipped.names())
def test_the_sessions_are_as_they_were_but_for_their_materials(name: str) -> None:
    found = [one.model_dump(exclude={"materials"}) for one in read(name, 2).sessions]
    assert found == [one.model_dump(exclude={"materials"}) for one in read(name).sessions]


@pytest.mark.parametrize(
    ("name", "section"),
    [*product(shipped.names(), ("contrasts", "families", "expected", "alpha", "population"))],
)
def test_the_part_of_the_analysis_is_as_it_was(name: str, section: str) -> None:
    assert getattr(read(name, 2).analysis, section) == getattr(read(name).analysis, section)


@pytest.mark.parametrize("name", shipped.names())
def test_the_models_are_fitted_as_they_were(name: str) -> None:
    before = read(name).analysis.models
    after = {one.id: one for one in read(name, 2).analysis.models}
    words = {"leaves_out", "pruning"}
    for one in before:
        assert after[one.id].model_dump(exclude=words) == one.model_dump(exclude=words)


@pytest.mark.parametrize("name", shipped.names())
def test_the_claims_are_as_they_were(name: str) -> None:
    words = {"estimand", "models"}
    found = [one.model_dump(exclude=words) for one in read(name, 2).analysis.hypotheses]
    assert found == [one.model_dump(exclude=words) for one in read(name).analysis.hypotheses]


def test_what_is_added_to_the_tests_is_the_per_protocol_model_of_one_claim() -> None:
    before = {one.id: one.models for one in read("lend_an_ear").analysis.hypotheses}
    after = {one.id: one.models for one in read("lend_an_ear", 2).analysis.hypotheses}
    changed = {name: models for name, models in after.items() if models != before[name]}
    assert changed == {"overall_improves": ("overall", "mixed", "overall_per_protocol")}


def test_a_newer_key_in_an_old_file_is_refused_and_not_overlooked() -> None:
    data: Any = yaml.safe_load(file_of("sleepstudy").read_text(encoding="utf-8"))
    assert formats.too_new(data) == ()
    (fault,) = formats.too_new(data | {"blinding": {}})
    assert fault.at == ("blinding",)
