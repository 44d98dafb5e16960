"""Files that were made to do harm: each is refused cleanly, with located problems, and nothing of it is run."""

import ast
import io
import os
import tracemalloc
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from forethought.errors import ProtocolInvalid
from forethought.protocol import plain_yaml
from forethought.protocol.loading import load

Told = Callable[[str | bytes], tuple[str, ...]]
WHOLE = (Path(__file__).parent / "protocol_faults" / "whole.yaml").read_text(encoding="utf-8")


@pytest.fixture(params=["compiled", "plain"])
def told(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """The problems of a file, with either of PyYAML's parsers."""
    if request.param == "plain":
        monkeypatch.setattr(plain_yaml, "_LOADER", yaml.SafeLoader)

    def told(text: str | bytes) -> tuple[str, ...]:
        file = tmp_path / "protocol.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ProtocolInvalid) as caught:
            load(file)
        assert caught.value.exit_code == 10
        return caught.value.problems

    return told


def swapped(old: str, new: str) -> tuple[str, int]:
    """The sound protocol with one change, and its line."""
    assert WHOLE.count(old) == 1
    return WHOLE.replace(old, new), WHOLE[: WHOLE.index(old)].count("\n") + 1


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{one}: &{one} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, one in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("deep", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_nesting_a_hundred_thousand_deep_is_refused(told: Told, deep: str) -> None:
    problems = told(deep * 100_000)
    assert "protocol.yaml:1: nesting goes deeper than 50 levels. Flatten it." in problems


def test_indentation_without_end_is_refused(told: Told) -> None:
    text = "".join(f"{' ' * depth}a:\n" for depth in range(900))
    assert told(text) == ("protocol.yaml:52: nesting goes deeper than 50 levels. Flatten it.",)


def test_a_billion_laughs_are_refused_at_each_mark_and_repetition(told: Told) -> None:
    problems = told(LAUGHS)
    assert "protocol.yaml:1: `&a` marks this part for repetition. Remove the mark." in problems
    assert "protocol.yaml:2: `*a` repeats another part of the file. Write it out here." in problems


@pytest.mark.parametrize(
    "tag",
    ["!!python/object/apply:os.system [touch harm]", "!!python/name:os.system", "!!python/object/new:os.popen [x]", "!!binary aGk=", "!!timestamp 2026-01-01", "!local x", "!!set {a, b}"],
)  # fmt: skip
def test_a_tag_builds_nothing(told: Told, tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text, line = swapped("  title: A study with everything", f"  title: {tag}")
    problems = told(text)
    assert any(one.startswith(f"protocol.yaml:{line}: the tag `") for one in problems)
    assert [one.name for one in tmp_path.iterdir()] == ["protocol.yaml"]


def test_a_tag_on_a_key_is_refused(told: Told) -> None:
    assert "the tag `tag:yaml.org,2002:str`" in told("!!str a: 1\n")[0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_refused(told: Told, encoding: str) -> None:
    (problem, *_) = told(WHOLE.encode(encoding))
    assert problem.startswith("protocol.yaml:1: ")
    assert "UTF-8" in problem or "U+0000" in problem


def test_latin_1_is_refused_on_the_line_of_the_first_odd_byte(told: Told) -> None:
    text, line = swapped("A. Nobody", "A. Nöbody")
    assert told(text.encode("latin-1")) == (
        f"protocol.yaml:{line}: this is not text in UTF-8. Save the file as UTF-8.",
    )


def test_a_byte_of_zero_is_refused_on_its_line(told: Told) -> None:
    text, line = swapped("A. Nobody", "A. No\0body")
    assert f"protocol.yaml:{line}: the character U+0000 does not print. Remove it." in told(text)


def test_a_tab_is_refused_on_its_line(told: Told) -> None:
    text, line = swapped("  title: A", "  title:\tA")
    assert f"protocol.yaml:{line}: there is a tab. Use spaces; within quotes, write \\t." in told(text)


def test_a_second_document_is_refused(told: Told) -> None:
    line = WHOLE.count("\n") + 1
    said = f"protocol.yaml:{line}: a second document begins here. Keep one document in a file."
    assert told(f"{WHOLE}---\n{WHOLE}") == (said,)


def test_a_key_given_twice_is_refused_with_both_lines(told: Told) -> None:
    text, line = swapped("  title: A study with everything\n", "  title: One\n  title: Two\n")
    assert told(text) == (
        f"protocol.yaml:{line + 1}: `title` was given on line {line} already. Keep one of the two.",
    )


def test_a_merge_key_is_refused(told: Told) -> None:
    text, line = swapped("  title: A study with everything\n", "  title: One\n  <<: {summary: x}\n")
    assert told(text)[0].startswith(f"protocol.yaml:{line + 1}: `<<` is a YAML merge key")


@pytest.mark.parametrize(
    "word",
    ["no", "on", "yes", "off", "1:30", "12:30:45", "2026-01-01", "2026-01-01 09:00:00", ".nan", ".inf", "-.inf", "9007199254740992", "-9007199254740992", "1e999", "0x1F", "~"],
)  # fmt: skip
def test_a_word_that_programs_read_differently_is_refused_on_its_line(told: Told, word: str) -> None:
    text, line = swapped("  title: A study with everything", f"  title: {word}")
    assert [one.split(":")[1] for one in told(text)] == [str(line)]


@pytest.mark.parametrize("key", ["1", "true", "null", "no", "1.5", "[a]", "{a: b}", "2026-01-01"])
def test_a_key_that_is_no_text_is_refused_on_its_line(told: Told, key: str) -> None:
    text, line = swapped("  title: A", f"  ? {key}\n  : x\n  title: A")
    assert told(text)[0].startswith(f"protocol.yaml:{line}: ")


@pytest.mark.parametrize(
    "text", ["", " \n", "# nothing\n", "---\n", "...\n", "- a\n", "a\n", "5\n", "null\n"]
)
def test_a_file_without_a_mapping_is_refused(told: Told, text: str) -> None:
    assert told(text)[0].startswith("protocol.yaml:1: ")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of a hundred megabytes, which takes no place on the disk."""
    file = tmp_path / "protocol.yaml"
    with file.open("wb") as made:
        made.truncate(100_000_000)
    return file


def test_of_a_file_of_a_hundred_megabytes_one_is_read(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    opened = io.open

    class Counted(io.FileIO):
        def readinto(self, buffer: Any) -> int:
            count = super().readinto(buffer)
            counted.append(count or 0)
            return count or 0

    def counting(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if os.fspath(file) != str(large):
            return opened(file, mode, *arguments, **named)
        return io.BufferedReader(Counted(file, "rb"))

    monkeypatch.setattr(io, "open", counting)
    with pytest.raises(ProtocolInvalid, match="larger than 1 MB"):
        load(large)
    assert 1_000_000 < sum(counted) < 1_100_000


def test_a_file_of_a_hundred_megabytes_takes_little_memory(large: Path) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolInvalid, match="larger than 1 MB"):
            load(large)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def modules() -> Iterator[Path]:
    """The files of the installed package, wherever its folders lie."""
    for name in ("", ".analysis", ".flows", ".reports", ".schemas", ".protocols"):
        found = find_spec(f"forethought{name}")
        assert found is not None
        assert found.submodule_search_locations
        for folder in found.submodule_search_locations:
            yield from sorted(Path(folder).rglob("*.py"))


def test_there_are_modules_to_look_through() -> None:
    assert len({*modules()}) > 150


def test_no_module_runs_text_as_code() -> None:
    running = []
    for file in {*modules()}:
        for node in ast.walk(ast.parse(file.read_bytes())):
            named = isinstance(node, ast.Name) and node.id in ("eval", "exec", "compile", "__import__")
            called = isinstance(node, ast.Attribute) and node.attr in ("eval", "query", "literal_eval")
            from_yaml = isinstance(node, ast.Attribute) and node.attr in (
                "unsafe_load",
                "full_load",
                "UnsafeLoader",
            )
            from_pickle = isinstance(node, ast.alias) and node.name in ("pickle", "marshal", "shelve", "dill")
            if named or called or from_yaml or from_pickle:
                running.append(f"{file.name}:{getattr(node, 'lineno', 0)}")
    assert running == []
