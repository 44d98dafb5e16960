"""One real Prefect server for the session, the commands that speak to it, and what it knows in the end."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BIN = Path(sys.executable).parent
SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running Prefect server: its address, its home, and the environment of whoever speaks to it."""

    api: str
    home: Path
    environment: Mapping[str, str]

    def run(self, program: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run an installed program to its end."""
        process = self.start(program, *arguments, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def start(self, program: str, *arguments: object, cwd: Path, **more: Any) -> "subprocess.Popen[str]":
        """Start an installed program, as the leader of a session of its own."""
        return subprocess.Popen(
            [BIN / program, *map(str, arguments)],
            cwd=cwd,
            env=self.environment,
            text=True,
            start_new_session=True,
            **more,
        )

    def stop(self, process: "subprocess.Popen[Any]") -> None:
        """End a process that leads its own session, and all that it started."""
        _stop(process)

    def knows(self) -> bytes:
        """All that the server holds: every file of its home and, decoded, every row of its database.

        Rows too, because a long value may be cut in pieces where it lies in the file.
        """
        files = [path.read_bytes() for path in sorted(self.home.rglob("*")) if path.is_file()]
        with closing(sqlite3.connect(f"file:{self.home / 'prefect.db'}?mode=ro", uri=True)) as con:
            tables = [name for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = [repr(row).encode() for name in tables for row in con.execute(f'SELECT * FROM "{name}"')]  # noqa: S608 -- SQLite's own names
        return b"\n".join([*files, *rows])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("prefect")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = own | {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    with (
        (home / "server.log").open("wb") as log,
        subprocess.Popen(
            [BIN / "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait_until_healthy(environment["PREFECT_API_URL"], process, home / "server.log")
            yield Server(api=environment["PREFECT_API_URL"], home=home, environment=environment)
        finally:
            _stop(process)


def _wait_until_healthy(api: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{api}/health", timeout=2):  # noqa: S310 -- our own server
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the Prefect server did not start:\n{log.read_text()[-2000:]}")


def _stop(process: "subprocess.Popen[Any]") -> None:
    for sign, patience in ((signal.SIGINT, 20), (signal.SIGKILL, 20)):
        if process.poll() is None:
            os.killpg(process.pid, sign)
            try:
                process.wait(timeout=patience)
            except subprocess.TimeoutExpired:
                continue


ARMS = {
    "control": ("zqone", "Zqcodeone"),
    "video": ("zqtwo", "Zqcodetwo"),
    "coach": ("zqthree", "Zqcodethree"),
    "both": ("zqfour", "Zqcodefour"),
}
"""New ids and codes of the arms: words that stand nowhere else, so that they can be searched for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """A small simulated Lend an Ear, locked, whose arms have unmistakable names."""

    study: Path
    seed: str

    def telling(self) -> dict[str, list[str]]:
        """What must not be found outside the study: arms, seeds, and people under any name."""
        identities = (self.study / "secrets" / "identities.jsonl").read_text()
        ids, pseudonyms = (
            re.findall(rf'"{name}": "([^"]+)"', identities) for name in ("source_id", "participant_id")
        )
        assert ids
        assert pseudonyms
        words = [word for names in ARMS.values() for word in names]
        return {"arms": words, "seed": [self.seed], "ids": ids, "pseudonyms": pseudonyms}


@pytest.fixture(scope="session")
def practice(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Practice]:
    """Makes a locked study whose recruits wait in its inbox."""

    def make(name: str) -> Practice:
        place = tmp_path_factory.mktemp(name)
        study, seed = place / name, f"{sum(name.encode()):064x}".replace("0", "e")
        (place / "seed.txt").write_text(f"{seed}\n")

        def forethought(*arguments: object) -> None:
            told = server.run("forethought", *arguments, cwd=place)
            assert told.returncode == 0, told.stderr

        forethought("init", study, "--from", "lend_an_ear")
        _rename_arms(study)
        forethought("lock", study, "--seed-file", place / "seed.txt")
        forethought("simulate", study, "--seed", 11, "--participants", 40)
        return Practice(study=study, seed=seed)

    return make


def _rename_arms(study: Path) -> None:
    for path in (study / "protocol.yaml", study / "materials" / "phrases.yaml"):
        text = path.read_text("utf-8")
        for old, (new, code) in ARMS.items():
            text = re.sub(rf"(- id: {old}\n    label: .*\n    code: )\w+", rf"\g<1>{code}", text)
            text = re.sub(rf"\b{old}\b", new, text)
        path.write_text(text, "utf-8")
