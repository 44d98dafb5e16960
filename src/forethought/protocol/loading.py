"""From protocol.yaml to a Protocol: wholly or not at all, with every problem at once and its line."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from forethought.errors import ProtocolInvalid, WrongUsage
from forethought.protocol.checks import faults
from forethought.protocol.fingerprint import fingerprint
from forethought.protocol.folder import StudyFolder
from forethought.protocol.formats import too_new, upgraded
from forethought.protocol.plain_yaml import LARGEST_FILE, Document, NotPlain, parse
from forethought.protocol.problems import Fault, Problem
from forethought.protocol.protocol import Protocol
from forethought.protocol.shape import examine
from forethought.protocol.vocabulary import schema

__all__ = ["LoadedProtocol", "load", "read_yaml", "schema"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedProtocol:
    """A protocol without a problem, what its file says, and the hashes of both."""

    protocol: Protocol
    data: Mapping[str, object]
    fingerprint: str
    raw_sha256: str
    path: Path


def load(path: Path) -> LoadedProtocol:
    """The protocol in this file.

    Raises WrongUsage where there is no file, ProtocolInvalid with every problem otherwise: those of the syntax
    alone, those of the shape and, as far as the shape lets them be seen, those between sections together.
    """
    raw = _bytes(path)
    document = _document(raw, path)
    if not isinstance(document.data, dict):
        what = "the file is empty" if document.data is None else "the file is no mapping of keys to values"
        raise _invalid(path, [Problem(1, what, "Begin with `format: forethought-protocol/1`")])
    data = cast("dict[str, object]", document.data)
    shape = examine(upgraded(data))
    found = [*too_new(data), *shape.faults]
    if shape.protocol is not None:
        found.extend(faults(shape.protocol, StudyFolder(path.parent).materials))
    if shape.protocol is None or found:
        raise _invalid(path, _located(found, document))
    return LoadedProtocol(
        protocol=shape.protocol,
        data=data,
        fingerprint=fingerprint(data),
        raw_sha256=hashlib.sha256(raw).hexdigest(),
        path=path,
    )


def read_yaml(path: Path) -> object:
    """The plain data of a YAML file, such as a material, read as safely as a protocol.

    Raises WrongUsage where there is no file, ProtocolInvalid with every problem of its syntax.
    """
    return _document(_bytes(path), path).data


def _bytes(path: Path) -> bytes:
    """The file's bytes; of a file that is too large, only enough to see that it is."""
    if path.is_dir():
        raise WrongUsage(str(path), "this is a folder", "Give the file in it")
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise WrongUsage(str(path), "there is no such file", "Check the path") from None
    except OSError as error:
        raise WrongUsage(
            str(path), f"the file cannot be read ({error.strerror})", "Check its permissions"
        ) from error


def _document(raw: bytes, path: Path) -> Document:
    try:
        return parse(raw)
    except NotPlain as error:
        raise _invalid(path, error.problems) from None


def _located(found: Iterable[Fault], document: Document) -> list[Problem]:
    return [Problem(document.line(fault.at), fault.what, fault.remedy) for fault in found]


def _invalid(path: Path, problems: Iterable[Problem]) -> ProtocolInvalid:
    lines = tuple(problem.located(path.name) for problem in sorted(set(problems)))
    count = f"{len(lines)} problem{'' if len(lines) == 1 else 's'}"
    return ProtocolInvalid(str(path), f"{count} in the file", "Correct each of them", problems=lines)
