"""What `fit` prints where the stream does not have every sign, as a file on Windows or a terminal in C."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "from forethought.cli.entry import main; main()"


def fit(path: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    arguments = ["fit", str(path), "y ~ `größe` + (1 | g)", *options]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, env=environment, check=False
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rows = [f"{row % 7 + row / 10},{row % 4},{row % 5}" for row in range(40)]
    data = tmp_path / "data.csv"
    data.write_text("\n".join(["y,größe,g", *rows]), encoding="utf-8")
    return data


def test_a_sign_that_the_stream_does_not_have_is_escaped(path: Path) -> None:
    told = fit(path)
    assert told.returncode == 0, told.stderr.decode()
    assert rb"gr\xf6\xdfe" in told.stdout


def test_json_stays_json_where_the_stream_does_not_have_every_sign(path: Path) -> None:
    told = fit(path, "--json")
    assert json.loads(told.stdout)["coefficients"][1]["term"] == "größe"


def test_a_refusal_is_told_where_the_stream_does_not_have_every_sign(path: Path) -> None:
    told = fit(path, "--weights", "größer")
    assert told.returncode == 15
    assert b"Traceback" not in told.stderr
