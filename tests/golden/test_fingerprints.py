"""Fingerprints that no release may move: protocols as they were locked, by the format that they name.

`protocols/format_N` holds protocols of that format as they were shipped, and `protocols/fingerprints.json` what each
was fingerprinted to then. Neither is ever renewed. A protocol that says something new is a new file.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from forethought.protocol import shipped
from forethought.protocol.fingerprint import fingerprint
from forethought.protocol.formats import upgraded
from forethought.protocol.loading import load

FOLDER = Path(__file__).parent / "protocols"
STORED: dict[str, dict[str, str]] = json.loads((FOLDER / "fingerprints.json").read_text(encoding="utf-8"))
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("format_*/*.yaml"))


def stored(name: str) -> str:
    format_, file = name.split("/")
    return STORED[format_][file.removesuffix(".yaml")]


def by_another_route(path: Path) -> str:
    """The fingerprint without a line of ours: PyYAML's own reader, the json module, and SHA-256.

    The canonical form asks of these files no more than sorted keys and no spaces: their keys are ASCII, and none of
    their numbers is whole with a decimal point, of fifteen digits or more, or so large or small that Python and
    ECMAScript write it differently.
    """
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert all(is_written_alike(number) for number in numbers(data))
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def numbers(data: Any) -> list[float]:
    if isinstance(data, dict):
        return [number for value in data.values() for number in numbers(value)]
    if isinstance(data, list):
        return [number for value in data for number in numbers(value)]
    return [data] if isinstance(data, int | float) and not isinstance(data, bool) else []


def is_written_alike(number: float) -> bool:
    whole = isinstance(number, float) and number.is_integer()
    return not whole and (number == 0 or 1e-4 < abs(number) < 1e15)


def test_every_stored_protocol_has_a_stored_fingerprint_and_none_is_missing() -> None:
    assert sorted(f"{format_}/{name}.yaml" for format_, names in STORED.items() for name in names) == FILES


def test_the_first_formats_protocols_are_those_of_release_0_1() -> None:
    assert STORED["format_1"] == {
        "lend_an_ear": "f80fa5849d12d0d33d9356f1273ad33a6ce9c67b8aba80adae0580b566da5dba",
        "manybabies1": "df03165639a8a86524cc9ba2edac6ae40dd64893594692cc9430b0f7d6679450",
        "sleepstudy": "53b13175bdb6e2ec133dd3a4a5770534d7afc16f16e913af1c29f02d87dc4d06",
    }


@pytest.mark.parametrize("name", FILES)
def test_a_stored_protocol_is_read_without_a_problem_and_keeps_its_fingerprint(name: str) -> None:
    assert load(FOLDER / name).fingerprint == stored(name)


@pytest.mark.parametrize("name", FILES)
def test_another_route_gives_the_same_fingerprint(name: str) -> None:
    assert by_another_route(FOLDER / name) == stored(name)


@pytest.mark.parametrize("name", FILES)
def test_a_stored_protocol_says_the_format_of_its_folder(name: str) -> None:
    format_ = name.split("/")[0].removeprefix("format_")
    assert load(FOLDER / name).data["format"] == f"forethought-protocol/{format_}"


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("format_1/")])
def test_an_old_protocols_fingerprint_is_of_what_it_says_and_not_of_what_is_made_of_it(name: str) -> None:
    loaded = load(FOLDER / name)
    assert fingerprint(upgraded(loaded.data)) != loaded.fingerprint == fingerprint(loaded.data)


@pytest.mark.parametrize("name", shipped.names())
def test_what_is_shipped_today_is_stored(name: str) -> None:
    assert hashlib.sha256(shipped.text(name)).hexdigest() in {
        hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob(f"format_*/{name}*.yaml")
    }
