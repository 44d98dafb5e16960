"""YAML read as plain data: what is refused, on which line, and what is taken as it stands."""

from pathlib import Path

import pytest
import yaml

from forethought.errors import ProtocolInvalid, WrongUsage
from forethought.protocol import plain_yaml, shipped
from forethought.protocol.loading import read_yaml


def refusals(text: str | bytes, tmp_path: Path) -> tuple[str, ...]:
    """The problems of a text, or an assertion that it has some."""
    file = tmp_path / "protocol.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ProtocolInvalid) as caught:
        read_yaml(file)
    assert caught.value.exit_code == 10
    return caught.value.problems


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("+1", 1),
        ("9007199254740991", 2**53 - 1),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-1.5E-7", -1.5e-7),
        ("y", "y"),
        ("n", "n"),
        ("Yesterday", "Yesterday"),
        ("1:1 ratio", "1:1 ratio"),
        ("2025-03", "2025-03"),
        ("1.2.3", "1.2.3"),
        ("nan", "nan"),
        ("0 to 2", "0 to 2"),
        ("'no'", "no"),
        ('"2025-03-25"', "2025-03-25"),
        ('"12:30"', "12:30"),
        ('"007"', "007"),
    ],
)
def test_a_word_is_what_it_looks_like(word: str, value: object, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"key: {word}\n")
    assert read_yaml(tmp_path / "a.yaml") == {"key": value}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("no", "`no` is a truth value to some programs and text to others. Write false, or \"no\" if it is text."),
        ("Yes", "`Yes` is a truth value to some programs and text to others. Write true, or \"Yes\" if it is text."),
        ("ON", "`ON` is a truth value to some programs and text to others. Write true, or \"ON\" if it is text."),
        ("off", "`off` is a truth value to some programs and text to others. Write false, or \"off\" if it is text."),
        ("True", "`True` is a truth value to some programs and text to others. Write true, or \"True\" if it is text."),
        ("~", "`~` is nothing to some programs and text to others. Write null, or quote the text."),
        ("NULL", "`NULL` is nothing to some programs and text to others. Write null, or quote the text."),
        ("12:30", "`12:30` is a number in base 60 to some programs. Put it in quotes."),
        ("1:1:1:1", "`1:1:1:1` is a number in base 60 to some programs. Put it in quotes."),
        ("2025-03-25", "`2025-03-25` is a date to some programs and text to others. Put it in quotes."),
        ("2025-03-25T09:00:00Z", "`2025-03-25T09:00:00Z` is a date to some programs and text to others. Put it in quotes."),
        (".nan", "`.nan` is not a number that can be computed with. Write a number, or remove the key."),
        ("-.inf", "`-.inf` is not a number that can be computed with. Write a number, or remove the key."),
        ("9007199254740992", "9007199254740992 is beyond 2^53 - 1, where numbers stop being exact. Put it in quotes."),
        ("9" * 6000, "99999999999999999999... is beyond 2^53 - 1, where numbers stop being exact. Put it in quotes."),
        ("1e999", "1e999 is too large for a number. Write a smaller number."),
        ("007", "`007` is a number that programs read differently. Write it in plain decimal digits, or quote the text."),
        ("0x1F", "`0x1F` is a number that programs read differently. Write it in plain decimal digits, or quote the text."),
        ("0o17", "`0o17` is a number that programs read differently. Write it in plain decimal digits, or quote the text."),
        ("1_000", "`1_000` is a number that programs read differently. Write it in plain decimal digits, or quote the text."),
        ("!!str 5", "the tag `tag:yaml.org,2002:str` asks for a type or an object. Remove it; quote text."),
        ("!!python/object/apply:os.getcwd []", "the tag `tag:yaml.org,2002:python/object/apply:os.getcwd` asks for a type or an object. Remove it; quote text."),
        ("&mark 5", "`&mark` marks this part for repetition. Remove the mark."),
        ('"\\0"', "an escape stands for U+0000, which does not print. Remove it."),
    ],
)  # fmt: skip
def test_a_doubtful_word_is_refused_on_its_line(word: str, said: str, tmp_path: Path) -> None:
    assert refusals(f"first: 1\nkey: {word}\n", tmp_path) == (f"protocol.yaml:2: {said}",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "3: `a` was given on line 1 already. Keep one of the two."),
        ("a:\n  b: 1\n  b: 1\n", "3: `b` was given on line 2 already. Keep one of the two."),
        ("1: x\n", "1: the key `1` is not text. Put it in quotes."),
        ("a:\n  no: x\n", '2: `no` is a truth value to some programs and text to others. Write false, or "no" if it is text.'),
        ("a: 1\n<<: {b: 2}\n", "2: `<<` is a YAML merge key or default. Write the keys out; or quote the text."),
        ("? [a]\n: 1\n", "1: a key is a list, a mapping or a repetition. Give the key as text."),
        ("a: 1\n---\nb: 2\n", "2: a second document begins here. Keep one document in a file."),
        ("a: 1\nb:\t2\n", "2: there is a tab. Use spaces; within quotes, write \\t."),
        ("a: 1\nb: c: d\n", "2: this is not YAML: mapping values are not allowed in this context. Look at the indentation, colons and quotes there."),
        (b"a: 1\nb: \xff\n", "2: this is not text in UTF-8. Save the file as UTF-8."),
        ("a: 1\n".encode("utf-16"), "1: this is not text in UTF-8. Save the file as UTF-8."),
        ("a: 1\nb: \x07\n", "2: the character U+0007 does not print. Remove it."),
        ("[" * 60, "1: nesting goes deeper than 50 levels. Flatten it."),
        (b"a: " + b"x" * 1_000_000, "1: the file is larger than 1 MB. Move long texts to files in materials/."),
    ],
)  # fmt: skip
def test_a_text_that_is_not_plain_is_refused_on_its_line(
    text: str | bytes, said: str, tmp_path: Path
) -> None:
    assert f"protocol.yaml:{said}" in refusals(text, tmp_path)


def test_every_problem_of_syntax_is_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = "a: no\nb: &x 1\nc: *x\nd: 1:30\na: 2\n"
    lines = [one.split(":")[1] for one in refusals(text, tmp_path)]
    assert lines == ["1", "2", "3", "4", "5"]


def test_a_byte_order_mark_and_windows_line_ends_are_taken(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: x\r\n")
    assert read_yaml(tmp_path / "a.yaml") == {"a": 1, "b": "x"}


def test_a_file_of_a_hundred_megabytes_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "protocol.yaml").open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(ProtocolInvalid, match="larger than 1 MB"):
        read_yaml(tmp_path / "protocol.yaml")


def test_every_key_and_list_item_has_its_line() -> None:
    document = plain_yaml.parse(b"# comment\na: 1\nb:\n  - x\n  - c: >-\n      long\n      text\n    d: 2\n")
    assert document.data == {"a": 1, "b": ["x", {"c": "long text", "d": 2}]}
    assert [document.line(at) for at in (("a",), ("b",), ("b", 0), ("b", 1), ("b", 1, "c"), ("b", 1, "d"))] == [
        2, 3, 4, 5, 5, 8,
    ]  # fmt: skip


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    document = plain_yaml.parse(b"\na:\n  b: 1\n")
    assert document.line(("a", "c", 3, "d")) == 2


def test_both_parsers_of_pyyaml_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [shipped.text(name) for name in shipped.names()]
    fast = [plain_yaml.parse(raw) for raw in files]
    monkeypatch.setattr(plain_yaml, "_LOADER", yaml.SafeLoader)
    assert [plain_yaml.parse(raw) for raw in files] == fast


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="there is no such file"):
        read_yaml(tmp_path / "nothing.yaml")


def test_a_folder_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="this is a folder"):
        read_yaml(tmp_path)
