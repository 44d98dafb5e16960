"""The page on mixed models: what it shows is what comes out, and what it names is there."""

import doctest
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

import forethought as ft
from forethought.cli.entry import run

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mixed-models.md"

EXAMPLES = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMANDS = re.compile(r"^\$ forethought (.*?)^```$", re.DOTALL | re.MULTILINE)

NAMED = {"ft": ft, "fit": ft.MixedFit, "means": ft.MarginalMeans, "contrasts": ft.Contrasts}
"""What the words of the table from lme4 to forethought stand for."""


@cache
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def blank_lines_shown(block: str) -> str:
    """The block in doctest's spelling, where an empty line ends what is expected and <BLANKLINE> stands for one."""
    return re.sub(r"^$(?=\n(?!>>> ).)", "<BLANKLINE>", block, flags=re.MULTILINE)


def examples() -> doctest.DocTest:
    """All examples of the page, with the names that they make for each other; line numbers are the page's."""
    lines, at = list[str](), 0
    for found in EXAMPLES.finditer(page()):
        lines += [""] * page()[at : found.start(1)].count("\n")
        lines += blank_lines_shown(found[1]).splitlines()
        at = found.end(1)
    return doctest.DocTestParser().get_doctest("\n".join(lines) + "\n", {}, PAGE.name, str(PAGE), 0)


@pytest.fixture(scope="module")
def told() -> list[str]:
    """What doctest says of the examples, run from the root of the checkout."""
    said = list[str]()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        doctest.DocTestRunner(verbose=False).run(examples(), out=said.append)
    return said


def test_every_block_of_python_on_the_page_has_an_example() -> None:
    blocks = EXAMPLES.findall(page())
    assert blocks
    assert len(blocks) == page().count("```python")
    assert not [block for block in blocks if not block.startswith(">>> ")]


def test_no_example_of_the_page_has_an_option_that_would_excuse_it() -> None:
    assert not [one.source for one in examples().examples if one.options]


def test_every_example_of_the_page_gives_what_it_shows(told: list[str]) -> None:
    assert "".join(told) == ""


def test_the_commands_of_the_page_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    commands = COMMANDS.findall(page())
    assert commands
    assert [run(shlex.split(command.replace("\\\n", " "))) for command in commands] == [0] * len(commands)
    assert "C_firm - A_control" in capsys.readouterr().out


def test_what_the_page_names_in_its_table_is_there() -> None:
    named = re.findall(r"\b(ft|fit|means|contrasts)\.([a-z_]+)", page())
    assert len(set(named)) > 40
    assert not {(of, name) for of, name in named if not has(of, name)}


def has(of: str, name: str) -> bool:
    return hasattr(NAMED[of], name) or name in getattr(NAMED[of], "__annotations__", {})
