"""A method that this release does not have is refused by its name; an unknown word gets a suggestion."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from forethought.protocol.loading import schema

MODELS = ("analysis", "models")


@pytest.mark.parametrize(
    ("at", "method", "has"),
    [
        (("analysis", "families", 0, "method"), "hochberg", "`none`, `holm`. Write `none` or `holm`."),
        (("analysis", "families", 0, "method"), "bonferroni", "`none`, `holm`. Write `none` or `holm`."),
        (("allocation", "method"), "wei_urn", "`simple`, `complete`, `permuted_blocks`, `biased_coin`, `big_stick`, `block_urn`, `minimization`, `rerandomization`, `none`. Write `simple`, `complete`, `permuted_blocks`, `biased_coin`, `big_stick`, `block_urn`, `minimization`, `rerandomization` or `none`."),
        (("allocation", "method"), "stepped_wedge", "`simple`, `complete`, `permuted_blocks`, `biased_coin`, `big_stick`, `block_urn`, `minimization`, `rerandomization`, `none`. Write `simple`, `complete`, `permuted_blocks`, `biased_coin`, `big_stick`, `block_urn`, `minimization`, `rerandomization` or `none`."),
        (("allocation", "unit"), "session", "`participant`, `cluster`. Write `participant` or `cluster`."),
        (("imports", "recruits", "source"), "mturk", "`prolific`, `csv`. Write `prolific` or `csv`."),
        (("imports", "responses", "source"), "redcap", "`qualtrics`, `csv`. Write `qualtrics` or `csv`."),
        (("analysis", "sides"), "one", "`two`. Write `two`."),
        (("analysis", "missing_data", "method"), "multiple_imputation", "`available_records`. Write `available_records`."),
        (("outcomes", 3, "missing_items"), "prorate", "`none`. Write `none`."),
        (("wave_pooling", "method"), "meta_analysis", "`together`. Write `together`."),
    ],
)  # fmt: skip
def test_a_method_of_a_later_release_is_refused_by_name(
    changed: Callable[..., Any], at: tuple[str | int, ...], method: str, has: str
) -> None:
    found = changed((at, method))
    said = f": `{method}` is a method this release does not have; it has {has}"
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"protocol.yaml:{found.line(at)}: ")
    assert found.problems[0].endswith(said)


def test_the_short_form_of_a_method_of_a_later_release_is_refused_by_name(
    changed: Callable[..., Any],
) -> None:
    found = changed((("allocation",), "wei_urn"))
    assert "`wei_urn` is a method this release does not have" in found.problems[0]


@pytest.mark.parametrize("kind", ["glm", "gee", "ordinal"])
def test_a_kind_of_model_that_this_release_does_not_have_is_refused_by_name(
    changed: Callable[..., Any], kind: str
) -> None:
    found = changed(((*MODELS, 1, "kind"), kind))
    at = (*MODELS, 1, "kind")
    assert found.problems[0].startswith(f"protocol.yaml:{found.line(at)}: ")
    assert f"`{kind}` is " in found.problems[0]
    assert "`mixed`" in found.problems[0]
    assert "Did you mean" not in found.problems[0]


@pytest.mark.parametrize(
    ("at", "word", "meant"),
    [
        (("analysis", "families", 0, "method"), "holmm", "holm"),
        (("allocation", "method"), "permuted_block", "permuted_blocks"),
        (("allocation", "dropouts", "count"), "complete", "completed"),
        (("allocation", "dropouts", "replace"), "nextarrival", "next_arrival"),
        (("stimuli", "order"), "latinsquare", "latin_square"),
        (("stimuli", "order"), "williams_design", "williams"),
        ((*MODELS, 0, "kind"), "mixd", "mixed"),
        ((*MODELS, 0, "ddf"), "satterthwate", "satterthwaite"),
        (("study", "type"), "experimnt", "experiment"),
    ],
)
def test_an_unknown_word_gets_a_suggestion(
    changed: Callable[..., Any], at: tuple[str | int, ...], word: str, meant: str
) -> None:
    found = changed((at, word))
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"protocol.yaml:{found.line(at)}: ")
    assert found.problems[0].endswith(f"Did you mean `{meant}`?")


def described(node: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Every field of every type in the schema."""
    for name, one in node.get("properties", {}).items():
        yield f"{where}.{name}", one


FIELDS = [
    *described(schema(), "protocol"),
    *(field for name, one in schema()["$defs"].items() for field in described(one, name)),
]


def test_every_field_of_the_schema_has_a_description() -> None:
    assert len(FIELDS) > 250
    assert [name for name, field in FIELDS if not field.get("description")] == []


def test_every_type_of_the_schema_has_a_description() -> None:
    assert [name for name, one in schema()["$defs"].items() if not one.get("description")] == []


LATER = {name: field["later"] for name, field in FIELDS if "later" in field}


@pytest.mark.parametrize(
    "name",
    [
        "PermutedBlocks.method", "PermutedBlocks.unit", "Minimization.unit", "Recruits.source",
        "Responses.source", "Scale.missing_items", "Family.method", "MissingData.method", "Analysis.sides",
        "WavePooling.method", "Population.rule",
    ],
)  # fmt: skip
def test_the_methods_of_later_releases_are_in_the_schema(name: str) -> None:
    assert LATER[name]


def test_no_method_of_a_later_release_is_one_that_this_release_has() -> None:
    fields = dict(FIELDS)
    clash = {
        name: set(later) & {*fields[name].get("enum", ()), fields[name].get("const")}
        for name, later in LATER.items()
    }
    assert {name: words for name, words in clash.items() if words} == {}
