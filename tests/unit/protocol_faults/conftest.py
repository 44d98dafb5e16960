"""A sound protocol with everything, changed at one place, and what is then said of it."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forethought.errors import ProtocolInvalid
from forethought.protocol import plain_yaml
from forethought.protocol.loading import LoadedProtocol, load

KeyPath = tuple[str | int, ...]

WHOLE: Any = plain_yaml.parse(Path(__file__).with_name("whole.yaml").read_bytes()).data


@dataclass(frozen=True)
class Said:
    """The problems of a changed protocol, and the file that they name."""

    problems: tuple[str, ...]
    file: Path

    def line(self, at: KeyPath) -> int:
        """The line of the value at this path."""
        return plain_yaml.parse(self.file.read_bytes()).line(at)

    def only(self, at: KeyPath, what: str) -> None:
        """There is this one problem, on the line of the path."""
        assert self.problems == (f"protocol.yaml:{self.line(at)}: {what}",)

    def includes(self, at: KeyPath, what: str) -> None:
        """This problem is among them, on the line of the path."""
        assert f"protocol.yaml:{self.line(at)}: {what}" in self.problems


Change = Callable[..., Said]


@pytest.fixture
def whole() -> Any:
    """The sound protocol's data, free to be changed."""
    return deepcopy(WHOLE)


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[Any], LoadedProtocol]:
    """Loads data as a protocol.yaml in which each key has a line of its own."""

    def loaded(data: Any) -> LoadedProtocol:
        file = tmp_path / "protocol.yaml"
        file.write_text(json.dumps(data, indent=1), encoding="utf-8")
        return load(file)

    return loaded


@pytest.fixture
def changed(loaded: Callable[[Any], LoadedProtocol], tmp_path: Path) -> Change:
    """What is said of the sound protocol after these changes: paths, and the values (`...` for none) that are put there."""

    def changed(*changes: tuple[KeyPath, object]) -> Said:
        data = deepcopy(WHOLE)
        for at, value in changes:
            put(data, at, value)
        try:
            loaded(data)
        except ProtocolInvalid as error:
            return Said(error.problems, tmp_path / "protocol.yaml")
        return Said((), tmp_path / "protocol.yaml")

    return changed


def put(data: Any, at: KeyPath, value: object) -> None:
    """The value at a path, or its absence where the value is `...`; a position at the end of a list adds to it."""
    for step in at[:-1]:
        data = data[step]
    if value is ...:
        del data[at[-1]]
    elif isinstance(data, list) and at[-1] == len(data):
        data.append(value)
    else:
        data[at[-1]] = value
