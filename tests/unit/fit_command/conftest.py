"""The command `fit` as a test sees it: run in this process, on a small study or on a file of the test's own."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forethought.cli.entry import run

SMALL = Path(__file__).parents[2] / "reference/lmm/small.csv"
FORMULA = "y ~ arm + tnum + (1 | pid)"


@dataclass(frozen=True)
class Told:
    """A command's exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value


Fit = Callable[..., Told]


@pytest.fixture
def own_logger() -> Iterator[None]:
    """The command line sets the logger of its process; other tests live in the same one."""
    logger = logging.getLogger("forethought")
    before = logger.handlers, logger.propagate, logger.level
    yield
    logger.handlers, logger.propagate = before[:2]
    logger.setLevel(before[2])


@pytest.fixture
def fit(own_logger: None, capsys: pytest.CaptureFixture[str]) -> Fit:
    """Runs `fit` with these options, where nothing else is said on the small study's data."""

    def command(*options: object, data: Path = SMALL, formula: str = FORMULA) -> Told:
        code = run(["fit", str(data), formula, *map(str, options)])
        said = capsys.readouterr()
        return Told(code, said.out, said.err)

    return command


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """A file with this content."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
