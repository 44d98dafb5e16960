"""Warnings: what is allowed and seldom wise; they are told with their line, and refuse nothing."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forethought.cli.entry import run
from forethought.protocol import plain_yaml
from forethought.protocol.checks.cautions import cautions
from forethought.protocol.loading import LoadedProtocol

Loaded = Callable[[Any], LoadedProtocol]


def line(loaded: LoadedProtocol, *at: str | int) -> int:
    return plain_yaml.parse(loaded.path.read_bytes()).line(at)


def test_a_sound_protocol_has_no_warning(whole: Any, loaded: Loaded) -> None:
    assert loaded(whole).warnings == ()


def test_a_model_without_an_allocation_stratum_is_warned_of(whole: Any, loaded: Loaded) -> None:
    whole["analysis"]["models"][1]["formula"] = "y ~ arm"
    found = loaded(whole)
    at = line(found, "analysis", "models", 1, "formula")
    said = (
        "the secondary model `of_mood` leaves out the stratum `sex`, within which arms are allocated. "
        "Add it to the formula, or give the reason under `leaves_out`."
    )
    assert found.warnings == (f"protocol.yaml:{at}: warning: {said}",)


def test_a_model_without_the_wave_is_warned_of_where_there_are_several(whole: Any, loaded: Loaded) -> None:
    del whole["analysis"]["models"][1]["leaves_out"]
    (warning,) = loaded(whole).warnings
    assert "the secondary model `of_mood` leaves out `wave`, within which arms are allocated." in warning


def test_a_model_without_the_wave_is_right_where_there_is_one(whole: Any, loaded: Loaded) -> None:
    whole["waves"] = whole["waves"][:1]
    del whole["wave_pooling"], whole["analysis"]["models"][1]["leaves_out"]
    assert loaded(whole).warnings == ()


def test_a_stratum_that_groups_random_effects_is_in_the_model(whole: Any, loaded: Loaded) -> None:
    whole["analysis"]["models"][0]["formula"] = "y ~ arm * round + wave + (1 | participant) + (1 | sex)"
    del whole["analysis"]["models"][0]["pruning"]
    assert loaded(whole).warnings == ()


def test_a_reason_under_leaves_out_silences_the_warning(whole: Any, loaded: Loaded) -> None:
    whole["analysis"]["models"][1] |= {"formula": "y ~ arm", "leaves_out": {"wave": "So.", "sex": "So."}}
    assert loaded(whole).warnings == ()


def test_a_sensitivity_model_may_leave_out_what_it_likes(whole: Any, loaded: Loaded) -> None:
    whole["analysis"]["models"][2]["formula"] = "y ~ arm * wave + (1 | participant)"
    assert loaded(whole).warnings == ()


RULE = {"id": "rude", "rule": {"test": "at_most", "value": 1}, "reason": "rude"}


@pytest.mark.parametrize("variable", ["warmth", "kindness", "mood", "round"])
def test_an_exclusion_by_what_came_after_allocation_is_warned_of(
    whole: Any, loaded: Loaded, variable: str
) -> None:
    whole["preparation"].append({"step": "exclude", "criterion": RULE | {"variable": variable}})
    found = loaded(whole)
    at = line(found, "preparation", 1, "criterion", "variable")
    said = (
        f"the exclusion `rude` uses `{variable}`, known only after allocation, but by treatment policy everyone counts in "
        "`gain`. Exclude by what was known before, or choose another strategy for that event."
    )
    assert found.warnings == (f"protocol.yaml:{at}: warning: {said}",)


def test_an_exclusion_by_something_derived_from_it_is_warned_of(whole: Any, loaded: Loaded) -> None:
    whole["preparation"] += [
        {"step": "derive", "name": "log_warmth", "how": {"kind": "log", "of": "warmth"}},
        {"step": "exclude", "criterion": RULE | {"variable": "log_warmth"}},
    ]
    (warning,) = loaded(whole).warnings
    assert "uses `log_warmth`, known only after allocation" in warning


@pytest.mark.parametrize("variable", ["age", "trait"])
def test_an_exclusion_by_what_was_known_before_allocation_is_right(
    whole: Any, loaded: Loaded, variable: str
) -> None:
    whole["preparation"].append({"step": "exclude", "criterion": RULE | {"variable": variable}})
    assert loaded(whole).warnings == ()


def test_an_exclusion_is_right_where_no_estimand_counts_people_whatever_happens(
    whole: Any, loaded: Loaded
) -> None:
    whole["analysis"]["estimands"][0]["intercurrent_events"][0]["strategy"] = "while_on_treatment"
    whole["preparation"].append({"step": "exclude", "criterion": RULE | {"variable": "warmth"}})
    assert loaded(whole).warnings == ()


def test_a_population_by_sessions_that_nothing_marks_held_is_warned_of(whole: Any, loaded: Loaded) -> None:
    protocol = loaded(whole).protocol
    silent = protocol.model_copy(
        update={"imports": protocol.imports.model_copy(update={"conversations": None})}
    )
    (found,) = cautions(silent)
    assert found.at == ("analysis", "populations", 1, "rule")
    assert "nobody will be in the population `complete`" in found.what


@pytest.fixture
def warned(whole: Any, loaded: Loaded) -> Path:
    """A protocol.yaml with one warning."""
    whole["analysis"]["models"][1]["formula"] = "y ~ arm"
    return loaded(whole).path


def test_check_prints_warnings_after_the_first_line_and_exits_with_0(
    warned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", str(warned)]) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == f"{warned}: no problem found."
    assert re.fullmatch(r"protocol\.yaml:\d+: warning: the secondary model .* under `leaves_out`\.", second)
    assert third.startswith("fingerprint ")


def test_check_as_json_lists_the_warnings(warned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(warned), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["format", "path", "study", "fingerprint", "warnings"]
    assert told["format"] == "forethought-check/1"
    assert len(told["warnings"]) == 1
