"""A study with sealed block sizes and a list drawn at the lock, and how secrets are looked for in what it shows."""

import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

Forethought = Callable[..., Any]
Rows = Callable[[Path], dict[str, list[tuple[Any, ...]]]]
Everything = Callable[[Path], bytes]

SIZES = {"1": [12, 20, 28], "2": [16, 24]}
PEOPLE = 48


def with_two_sealed_waves(data: dict[str, Any]) -> None:
    """Sealed block sizes, a list drawn ahead, and a second wave, with what it asks of the analysis."""
    data["allocation"].update(block_sizes="sealed", drawn="ahead", list_length=40)
    data["waves"].append({**data["waves"][0], "number": 2, "opens": "2027-03-01T09:00:00+00:00"})
    first, *others = data["analysis"]["models"]
    by_wave = {**deepcopy(first), "id": "by_wave", "label": "By wave", "role": "sensitivity"}
    by_wave["formula"] += " + arm:wave + wave"
    for model in (first, *others):
        model["leaves_out"] = {**model.get("leaves_out", {}), "wave": "The model by_wave has it"}
    data["analysis"]["models"] = [first, *others, by_wave]
    data["wave_pooling"] = {"method": "together", "statement": "One protocol", "heterogeneity": "by_wave"}


def edit(study: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = study / "protocol.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))
    change(data)
    file.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A study kept before its lock, after it, blinded, and with wave 1 open; and all that the commands printed.

    Nobody writes into these folders: a test that changes something takes a copy.
    """

    planned: Path
    locked: Path
    blinded: Path
    opened: Path
    assignments: Path
    blocks: Path
    said: Mapping[str, Any]
    waves: Mapping[str, Mapping[str, Any]]
    people: int = PEOPLE

    @property
    def sizes(self) -> Mapping[str, list[int]]:
        """The block sizes that were given."""
        return SIZES

    def printed(self, until: str) -> str:
        """What every command printed, up to this one."""
        names = list(self.said)
        return "\n".join(
            self.said[name].out + self.said[name].err for name in names[: names.index(until) + 1]
        )


@pytest.fixture(scope="session")
def walk(forethought: Forethought, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    place = tmp_path_factory.mktemp("sealed")
    study, inbox, blocks = place / "study", place / "study" / "inbox", place / "blocks.txt"
    blocks.write_text("".join(" ".join(map(str, sizes)) + "\n" for sizes in SIZES.values()))
    said: dict[str, Any] = {}

    def step(name: str, *arguments: object, code: int = 0) -> None:
        said[name] = forethought("--log-level", "debug", *arguments)
        assert said[name].code == code, f"{name}: {said[name].err}"

    def keep(stage: str) -> Path:
        return shutil.copytree(study, place / stage)

    step("init", "init", study, "--from", "lend_an_ear")
    edit(study, with_two_sealed_waves)
    planned = keep("planned")
    step("check", "check", study)
    step("lock", "lock", study, "--blocks", blocks)
    step("lock again", "lock", study, "--json")
    locked = keep("locked")
    step("aspredicted", "export", study, "--form", "aspredicted")
    step("osf", "export", study, "--form", "osf")
    step("simulate", "simulate", study, "--seed", 7, "--participants", PEOPLE)
    step("import recruits", "import", study, inbox / "prolific_export_lend_an_ear.csv", "--wave", 1)
    step("randomize", "randomize", study)
    step("randomize again", "randomize", study, "--json")
    step("schedule", "schedule", study)
    step("assignments", "assignments", study, place / "assignments.csv")
    step("simulate again", "simulate", study, "--seed", 7)
    step("import responses", "import", study, inbox / "qualtrics_survey.csv")
    step("import conversations", "import", study, inbox / "conversations.csv")
    step("import ratings", "import", study, inbox / "ratings.csv")
    step("schedule again", "schedule", study, "--json")
    step("score", "score", study)
    step("analyze", "analyze", study, "--json")
    step("report", "report", study)
    step("monitor", "monitor", study)
    step("status", "status", study)
    step("status as JSON", "status", study, "--json")
    step("log", "log", study)
    step("log as JSON", "log", study, "--json")
    step("explain", "explain", study, person(study), code=13)
    step("replay", "replay", study, code=13)
    step("unblind too early", "unblind", study, "--by", "A", "--reason", "R", "--scope", "wave:1", code=13)
    blinded = keep("blinded")
    step("freeze", "freeze", study, "--wave", 1)
    step("unblind", "unblind", study, "--by", "A. Person", "--reason", "It is over", "--scope", "wave:1")
    step("replay wave 1", "replay", study)
    step("explain wave 1", "explain", study, person(study))
    step("log of wave 1", "log", study, "--json")
    step("status of wave 1", "status", study, "--json")
    return Walk(
        planned=planned,
        locked=locked,
        blinded=blinded,
        opened=keep("opened"),
        assignments=place / "assignments.csv",
        blocks=blocks,
        said=said,
        waves=json.loads((study / "secrets" / "seeds.json").read_text())["waves"],
    )


def person(study: Path) -> str:
    """The pseudonym of the first who was allocated."""
    with duckdb.connect(study / "study.duckdb", read_only=True) as con:
        ((found,),) = con.execute("SELECT participant_id FROM allocations WHERE arrival = 1").fetchall()
    return str(found)


def forms(wave: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Each secret of a wave in each of the forms in which it might be written."""
    for name in ("seed", "nonce", "list_key"):
        raw = bytes.fromhex(wave[name])
        yield f"{name} in hex", raw.hex().encode()
        yield f"{name} in capital hex", raw.hex().upper().encode()
        yield f"{name} as bytes", raw
        yield f"{name} in base64", base64.b64encode(raw).rstrip(b"=")
        yield f"{name} as Python shows it", repr(raw).encode()[2:-1]
        yield f"{name} as a number", str(int.from_bytes(raw, "big")).encode()


class Search:
    """Looks for secrets in what a study shows."""

    @staticmethod
    def told(shown: bytes, waves: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Which secrets of these waves are in what was shown."""
        return [
            f"{name} of wave {number}"
            for number, wave in waves.items()
            for name, form in forms(wave)
            if form in shown
        ]

    @staticmethod
    def sequences(text: str, waves: tuple[str, ...] = ("1", "2")) -> list[str]:
        """Where the sizes of one of the waves stand one after the other, however they are set apart."""
        patterns = [
            r"(?<!\d)" + r"[^\d\n]{1,12}\n?\s*".join(map(str, SIZES[wave])) + r"(?!\d)" for wave in waves
        ]
        return [found[0] for pattern in patterns for found in re.finditer(pattern, text)]

    @staticmethod
    def own_text(study: Path) -> str:
        """Every text file outside secrets/, and every cell of every table but those of the imported data."""
        suffixes = {".json", ".html", ".yaml", ".csv", ".txt", ".md"}
        files = [path for path in sorted(study.rglob("*")) if path.suffix in suffixes]
        own = [path for path in files if not {study / "secrets", study / "inbox"} & {*path.parents}]
        with duckdb.connect(study / "study.duckdb", read_only=True) as con:
            cells = [
                repr(con.execute(f"FROM {table}").fetchall())
                for table in ("events", "allocations", "waves", "meta", "findings")
            ]
        return "\n".join([*(path.read_text("utf-8") for path in own), *cells])

    @staticmethod
    def blobs(rows: Mapping[str, list[tuple[Any, ...]]]) -> bytes:
        cells = (cell for table in rows.values() for row in table for cell in row)
        return b"\n".join(bytes(cell) for cell in cells if isinstance(cell, bytes | bytearray))

    @staticmethod
    def keys(value: Any) -> set[str]:
        """Every key of a JSON value, at whatever depth."""
        if isinstance(value, dict):
            return set(value).union(*(Search.keys(each) for each in value.values()))
        return set().union(*(Search.keys(each) for each in value)) if isinstance(value, list) else set()

    @staticmethod
    def edit(study: Path, change: Callable[[dict[str, Any]], object]) -> None:
        """Write the study's protocol with this change of it."""
        edit(study, change)


@pytest.fixture(scope="session")
def search() -> Search:
    return Search()
