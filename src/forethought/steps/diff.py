"""Compare two plans, field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from forethought.errors import ProtocolInvalid, WrongUsage
from forethought.protocol.differences import Difference, differences
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import read_yaml
from forethought.registration import read_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The two files, and what differs from the first to the second."""

    a: Path
    b: Path
    differences: tuple[Difference, ...]


def diff(a: Path, b: Path) -> Compared:
    """What differs between two plans: files, studies' folders, or registrations (their plan that stands).

    The plans need not be valid protocols. WrongUsage where there is no plan, ProtocolInvalid where it is no YAML.
    """
    files = _file(a), _file(b)
    return Compared(a=files[0], b=files[1], differences=differences(_plan(files[0]), _plan(files[1])))


def _file(path: Path) -> Path:
    if path.is_dir():
        return StudyFolder.open(path).protocol
    if not path.is_file():
        raise WrongUsage(str(path), "there is no such file", "Give a protocol.yaml or a study's folder")
    return path


def _plan(path: Path) -> Mapping[str, object]:
    if path.suffix == ".json":
        document = read_document(path)
        return {} if document is None else document.registration.current_protocol
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise ProtocolInvalid(
            str(path), "it is no mapping of keys to values", "Give a protocol.yaml or a registration.json"
        )
    return cast("Mapping[str, object]", data)
