"""The README's tour, line by line as it stands there: what a newcomer copies works."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The README's fenced blocks in a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def commands(*, with_launch: bool) -> list[str]:
    """The lines after `$` in those console blocks that launch a wave, or in those that do not."""
    chosen = [block for block in blocks("console") if ("forethought launch" in block) is with_launch]
    return [line.removeprefix("$ ") for block in chosen for line in block.splitlines()]


def arguments(command: str, folder: Path) -> list[str]:
    """What the shell hands to the program: comments gone, quotation marks and patterns resolved."""
    program, *words = shlex.split(command, comments=True)
    assert program == "forethought"
    found = {
        word: sorted(str(path.relative_to(folder)) for path in folder.glob(word))
        for word in words
        if "*" in word
    }
    return [one for word in words for one in found.get(word) or [word]]


def in_a_process(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """The installed program, with no Prefect server in sight: it starts one for itself, in an empty cache."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return subprocess.run(
        [Path(sys.executable).with_name("forethought"), *words],
        cwd=folder,
        env=own | {"XDG_CACHE_HOME": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_every_line_of_a_console_block_is_a_command_of_ours() -> None:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    assert len(lines) > 10
    assert [line for line in lines if not line.startswith("$ forethought ")] == []


def test_every_link_to_a_file_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert targets
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


@pytest.fixture(scope="module")
def sleep(
    forethought: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Any]]:
    """A folder in which the blocks without a launch were run, and what each line said."""
    folder = tmp_path_factory.mktemp("tour")
    with contextlib.chdir(folder):
        return folder, [forethought(*arguments(line, folder)) for line in commands(with_launch=False)]


def test_the_five_minutes_with_real_data_work(sleep: tuple[Path, list[Any]]) -> None:
    lines = commands(with_launch=False)
    told = {line: (said.code, said.err) for line, said in zip(lines, sleep[1], strict=True)}
    assert told == dict.fromkeys(lines, (0, ""))


def test_the_five_minutes_end_with_a_report(sleep: tuple[Path, list[Any]]) -> None:
    folder, told = sleep
    (report,) = [said.lines for said in told if said.lines[-1].endswith("report.html")]
    assert (folder / report[0]).is_file()


def test_the_single_model_prints_lme4s_slope(sleep: tuple[Path, list[Any]]) -> None:
    """Refitted with a tight tolerance, lme4 has 10.4672860 and 1.5457889 (tests/reference/lmm/sleep_slope.json)."""
    (told,) = [
        said for line, said in zip(commands(with_launch=False), sleep[1], strict=True) if " fit " in line
    ]
    (row,) = [line.split() for line in told.lines if line.startswith("Days ")]
    assert row[1:3] == ["10.467286", "1.545789"]


def test_the_python_of_the_tour_gives_the_frame_that_its_comment_promises() -> None:
    shipped = files("forethought.protocols").joinpath("sleepstudy", "data", "sleepstudy.csv")
    (block,) = blocks("python")
    (promised,) = re.findall(r"# a frame: (.+)", block)
    names: dict[str, Any] = {"sleepstudy": pd.read_csv(str(shipped))}
    exec(block, names)  # noqa: S102 -- our own README
    frame = names["fit"].coefficients
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == promised.split(", ")


@pytest.fixture(scope="module")
def wave(
    forethought: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[tuple[str, int, str, str]]]:
    """A folder in which the blocks with launches were run: each line, its code, its output and its errors."""
    folder = tmp_path_factory.mktemp("wave")
    told = []
    for line in commands(with_launch=True):
        words = arguments(line, folder)
        if words[0] == "launch":
            process = in_a_process(words, folder)
            told.append((line, process.returncode, process.stdout, process.stderr))
        else:
            with contextlib.chdir(folder):
                said = forethought(*words)
            told.append((line, said.code, said.out, said.err))
    return folder, told


Wave = tuple[Path, list[tuple[str, int, str, str]]]


@pytest.mark.server
@pytest.mark.timeout(900)
def test_every_line_of_the_randomised_wave_works(wave: Wave) -> None:
    assert [(line, errors) for line, code, _, errors in wave[1] if code != 0] == []


@pytest.mark.server
@pytest.mark.timeout(900)
def test_the_wave_has_120_people_handed_over(wave: Wave) -> None:
    assert len((wave[0] / "hand-over.csv").read_text().splitlines()) == 1 + 120


@pytest.mark.server
@pytest.mark.timeout(900)
def test_the_wave_ends_unblinded(wave: Wave) -> None:
    results = json.loads((wave[0] / "ear" / "reports" / "results.json").read_text("utf-8"))
    assert results["blinded"] is False
    assert len(results["findings"]) == 122


@pytest.mark.server
@pytest.mark.timeout(900)
def test_each_launch_prints_the_path_of_its_report_and_nothing_else(wave: Wave) -> None:
    printed = [out for line, _, out, _ in wave[1] if line.startswith("forethought launch")]
    assert printed == ["ear/reports/report.html\n"] * 3


@pytest.mark.server
@pytest.mark.timeout(900)
def test_a_launch_without_a_server_tells_its_progress_and_nothing_of_the_engines(wave: Wave) -> None:
    """A temporary server prints tracebacks while it is being stopped; nobody should see them."""
    ours = re.compile(r"(Starting Prefect|import|randomize|schedule|score|analysis|report): .+")
    told = [error for line, _, _, errors in wave[1] if "launch" in line for error in errors.splitlines()]
    assert told
    assert [line for line in told if not ours.fullmatch(line)] == []
