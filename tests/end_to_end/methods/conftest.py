"""A small study that takes on any allocation, and is run as its investigator would, without Prefect."""

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest

from forethought.protocol import plain_yaml

STUDY = Path(__file__).with_name("study")

Forethought = Callable[..., Any]


@pytest.fixture(scope="session")
def done(forethought: Forethought) -> Forethought:
    """Runs a command that must succeed, and gives what it said."""

    def run(*arguments: object) -> Any:
        said = forethought(*arguments)
        assert said.code == 0, f"{arguments[0]}: {said.err}"
        return said

    return run


@pytest.fixture(scope="session")
def made(done: Forethought, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes the study with this allocation, locked under a seed of its own: `made("name", allocation)`."""

    def make(name: str, allocation: Mapping[str, Any], order: str = "random_without_repetition") -> Path:
        root = tmp_path_factory.mktemp(name)
        own = shutil.copytree(STUDY, root / "own")
        data: Any = plain_yaml.parse((own / "protocol.yaml").read_bytes()).data
        data["allocation"] |= allocation
        data["stimuli"]["order"] = order
        (own / "protocol.yaml").write_text(json.dumps(data, indent=1), "utf-8")
        secret = root / "seed.txt"
        secret.write_text(f"{sha256(f'a secret of {name}'.encode()).hexdigest()}\n")
        done("init", root / "study", "--from", own)
        done("check", root / "study")
        done("lock", root / "study", "--seed-file", secret)
        return root / "study"

    return make


@pytest.fixture(scope="session")
def imported(done: Forethought) -> Callable[[Path], None]:
    """Imports everything that waits in the inbox."""

    def run(study: Path) -> None:
        for file in sorted((study / "inbox").iterdir()):
            done("import", study, file)

    return run


@pytest.fixture(scope="session")
def table() -> Callable[[Path, str], list[dict[str, Any]]]:
    """A table's rows by the names of their columns, read with DuckDB and nothing of ours, in a fixed order."""

    def read(study: Path, name: str) -> list[dict[str, Any]]:
        with duckdb.connect(study / "study.duckdb", read_only=True) as con:
            found = con.execute(f'FROM "{name}" ORDER BY ALL')
            columns = [column[0] for column in found.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    return read


@pytest.fixture(scope="session")
def handed_over() -> Callable[[Path], dict[str, str]]:
    """Each person's condition in a file that `assignments` wrote."""

    def read(file: Path) -> dict[str, str]:
        with file.open(encoding="utf-8", newline="") as lines:
            return {row["participant"]: row["condition"] for row in csv.DictReader(lines)}

    return read
