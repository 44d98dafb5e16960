"""Every key of every shipped protocol, misspelt or deleted: a located error, or provably nothing lost.

Of the items of a list that have the same keys, one stands for all. The mutated protocol is written as JSON, which is YAML with each key on a line of its own.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from forethought.errors import ProtocolInvalid
from forethought.protocol import plain_yaml, shipped
from forethought.protocol.loading import load
from forethought.protocol.paths import value_at
from forethought.protocol.vocabulary import required_at

KeyPath = tuple[str | int, ...]

WORDS_OF_OTHERS = ("codes", "roles", "sessions", "stimuli")
"""Mappings whose keys are the words of an export: only their author knows how those are spelt."""


def keys(data: Any, at: KeyPath = ()) -> Iterator[KeyPath]:
    """The path of every key, at every depth."""
    seen: set[str] = set()
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*at, key)
            yield from keys(value, (*at, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            form = json.dumps(shape(value))
            if form not in seen:
                yield from keys(value, (*at, index))
            seen.add(form)


def shape(value: Any) -> Any:
    """The keys of a value, without what they hold."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return "list" if isinstance(value, list) else "value"


def of_others(at: KeyPath) -> bool:
    return len(at) > 2 and at[-2] in WORDS_OF_OTHERS and at[0] == "imports"


@pytest.fixture(scope="module", params=shipped.names())
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The protocol.yaml of a shipped study, in a folder of its own."""
    return shipped.copy(request.param, tmp_path_factory.mktemp("study") / request.param).protocol


def problems_of(data: Any, study: Path) -> tuple[list[str], Path]:
    """The problems of these data as a protocol beside the study's own, and the file that they name."""
    mutated = study.with_name("mutated.yaml")
    mutated.write_text(json.dumps(data, indent=1, ensure_ascii=False), encoding="utf-8")
    try:
        load(mutated)
    except ProtocolInvalid as error:
        return list(error.problems), mutated
    return [], mutated


@contextmanager
def changed(data: Any, at: KeyPath, change: Callable[[dict[str, Any], str], None]) -> Iterator[None]:
    """The data with one mapping changed, and afterwards as they were."""
    mapping: Any = value_at(data, at[:-1])
    before = dict(mapping)
    change(mapping, str(at[-1]))
    yield
    mapping.clear()
    mapping.update(before)


def line_of(at: KeyPath, file: Path) -> int:
    return plain_yaml.parse(file.read_bytes()).line(at)


def misspelt(key: str) -> str:
    return f"{key}q"


def rename(mapping: dict[str, Any], key: str) -> None:
    renamed = {misspelt(key) if name == key else name: value for name, value in mapping.items()}
    mapping.clear()
    mapping.update(renamed)


def delete(mapping: dict[str, Any], key: str) -> None:
    del mapping[key]


def test_a_misspelt_key_is_an_error_on_its_own_line(study: Path) -> None:
    data: Any = plain_yaml.parse(study.read_bytes()).data
    missed = []
    for at in [*keys(data)]:
        if of_others(at):
            continue
        wrong = misspelt(str(at[-1]))
        with changed(data, at, rename):
            problems, file = problems_of(data, study)
        start = f"{file.name}:{line_of((*at[:-1], wrong), file)}: "
        if not any(one.startswith(start) and wrong in one for one in problems):
            missed.append((at, start, problems))
    assert missed == []


def test_a_deleted_key_is_an_error_on_its_mappings_line_or_was_optional(study: Path) -> None:
    data: Any = plain_yaml.parse(study.read_bytes()).data
    missed = []
    for at in [*keys(data)]:
        required = at[-1] in required_at(at[:-1], data)
        with changed(data, at, delete):
            problems, file = problems_of(data, study)
        lines = file.read_text(encoding="utf-8").count("\n") + 1
        located = all(1 <= int(one.split(":")[1]) <= lines for one in problems)
        start = f"{file.name}:{line_of(at[:-1], file)}: " if required else ""
        named = any(one.startswith(start) and f"`{at[-1]}`" in one for one in problems)
        if not located or (required and not named):
            missed.append((at, problems))
    assert missed == []
