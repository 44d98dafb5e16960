"""The command line as a test sees it, run in this process; and a small randomised study, kept at each stage."""

import hashlib
import io
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

FINDING_KEYS = """
    hypothesis model outcome contrast estimate se df statistic p p_adjusted ci_low ci_high effect_size
    ci_level smallest_effect n n_by_arm population estimand family role registered confirmatory blinded
    simulated wave verdict warnings
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A command's exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Forethought = Callable[..., Said]
Rows = Callable[[Path], dict[str, list[tuple[Any, ...]]]]
Content = Callable[[Path], dict[str, str]]


@pytest.fixture(scope="session")
def forethought() -> Forethought:
    """Runs one command: `forethought("report", study)`."""
    from forethought.cli.entry import run

    def command(*arguments: object) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), _own_logger():
            code = run([str(argument) for argument in arguments])
        return Said(code=code, out=out.getvalue(), err=err.getvalue())

    return command


@contextmanager
def _own_logger() -> Iterator[None]:
    """The command line sets the logger of its process; here other tests live in the same one."""
    logger = logging.getLogger("forethought")
    before = logger.handlers, logger.propagate, logger.level
    yield
    logger.handlers, logger.propagate = before[:2]
    logger.setLevel(before[2])


@pytest.fixture(scope="session")
def rows() -> Rows:
    """All rows of all tables of a study, read with DuckDB and nothing of ours."""

    def read(study: Path) -> dict[str, list[tuple[Any, ...]]]:
        with duckdb.connect(study / "study.duckdb", read_only=True) as con:
            tables = [name for (name,) in con.execute("SHOW TABLES").fetchall()]
            return {name: con.execute(f'FROM "{name}" ORDER BY ALL').fetchall() for name in tables}

    return read


@pytest.fixture(scope="session")
def content() -> Content:
    """Every file and folder below a folder, with the hash of its bytes."""

    def read(folder: Path) -> dict[str, str]:
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            if path.is_file()
            else "folder"
            for path in sorted(folder.rglob("*"))
        }

    return read


@pytest.fixture(scope="session")
def everything(rows: Rows) -> Callable[[Path], bytes]:
    """All that a study shows outside `secrets/`: each file's bytes, and each table's cells as text.

    The database's own bytes would not do: DuckDB compresses what it writes.
    """

    def read(study: Path) -> bytes:
        files = [path for path in sorted(study.rglob("*")) if path.is_file()]
        shown = [path.read_bytes() for path in files if study / "secrets" not in path.parents]
        return b"\n".join([*shown, repr(rows(study)).encode()])

    return read


@pytest.fixture(scope="session")
def finding_keys() -> list[str]:
    """The keys of a finding, in the order of the contract."""
    return FINDING_KEYS.split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """Lend an Ear with 160 simulated participants, and the folder as it was at each stage.

    Nobody writes into these folders: a test that changes something takes a copy.
    """

    recruited: Path
    unmarked: Path
    blinded: Path
    frozen: Path
    unblinded: Path
    assignments: Path
    seed: str
    said: dict[str, Said]

    def export(self, name: str) -> Path:
        """An export that `simulate` wrote, as it is kept after its import."""
        (found,) = (self.unblinded / "secrets" / "raw").glob(f"*-{name}*")
        return found


@pytest.fixture(scope="session")
def ear(forethought: Forethought, tmp_path_factory: pytest.TempPathFactory) -> Ear:
    """The study, advanced step by step as a person would, without Prefect."""
    place = tmp_path_factory.mktemp("ear")
    study, inbox, secret = place / "study", place / "study" / "inbox", place / "seed.txt"
    seed = hashlib.sha256(b"the secret of these tests").hexdigest()
    secret.write_text(f"{seed}\n")
    said: dict[str, Said] = {}

    def step(name: str, *arguments: object) -> None:
        said[name] = forethought(*arguments)
        assert said[name].code == 0, f"{name}: {said[name].err}"

    def keep(stage: str) -> Path:
        return shutil.copytree(study, place / stage)

    step("init", "init", study, "--from", "lend_an_ear")
    step("lock", "lock", study, "--seed-file", secret)
    step("simulate", "simulate", study, "--seed", 7, "--participants", 160)
    step("import recruits", "import", study, inbox / "prolific_export_lend_an_ear.csv")
    recruited = keep("recruited")
    step("randomize", "randomize", study)
    step("schedule", "schedule", study)
    step("assignments", "assignments", study, place / "assignments.csv")
    step("simulate again", "simulate", study, "--seed", 7)
    step("import responses", "import", study, inbox / "qualtrics_survey.csv")
    step("import conversations", "import", study, inbox / "conversations.csv")
    step("import ratings", "import", study, inbox / "ratings.csv")
    unmarked = keep("unmarked")
    step("schedule again", "schedule", study)
    step("score", "score", study)
    step("analyze", "analyze", study)
    step("report", "report", study)
    step("status", "status", study)
    step("log", "log", study, "--json")
    blinded = keep("blinded")
    step("freeze", "freeze", study)
    frozen = keep("frozen")
    step("unblind", "unblind", study, "--by", "A. Person", "--reason", "Everyone has finished")
    step("analyze again", "analyze", study)
    step("report again", "report", study)
    return Ear(
        recruited=recruited,
        unmarked=unmarked,
        blinded=blinded,
        frozen=frozen,
        unblinded=keep("unblinded"),
        assignments=place / "assignments.csv",
        seed=seed,
        said=said,
    )
