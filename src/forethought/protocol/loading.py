"""From protocol.yaml to a Protocol: wholly or not at all, with every problem at once and its line."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import cast

from forethought.errors import ProtocolInvalid, WrongUsage
from forethought.protocol.checks import cautions, faults
from forethought.protocol.fingerprint import fingerprint
from forethought.protocol.folder import StudyFolder
from forethought.protocol.formats import CURRENT, misnamed, not_said, origin, too_new, unknown
from forethought.protocol.plain_yaml import LARGEST_FILE, Document, NotPlain, parse
from forethought.protocol.problems import MOST, Fault, Problem
from forethought.protocol.protocol import Protocol
from forethought.protocol.shape import Shape, examine
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
    document: Document = field(repr=False, compare=False)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed and seldom wise, each with its line; looked for when it is asked for."""
        found = {
            replace(problem, what=f"warning: {problem.what}")
            for problem in _located(cautions(self.protocol), self.document, self.data)
        }
        return tuple(problem.located(self.path.name) for problem in sorted(found))


def load(path: Path) -> LoadedProtocol:
    """The protocol in this file.

    Raises WrongUsage where there is no file, ProtocolInvalid with every problem otherwise: those of the syntax
    alone; of a format that is not known that alone; those of the shape and, as far as the shape lets them be seen,
    those between sections together.
    """
    raw = _bytes(path)
    document = _document(raw, path)
    if not isinstance(document.data, dict):
        what = "the file is empty" if document.data is None else "the file is no mapping of keys to values"
        raise _invalid(path, [Problem(1, what, f"Begin with `format: {CURRENT}`")])
    data = cast("dict[str, object]", document.data)
    shape, found = examined(data, StudyFolder(path.parent).materials)
    if shape is None or shape.protocol is None or found:
        raise _invalid(path, _located(found, document, data))
    return LoadedProtocol(
        protocol=shape.protocol,
        data=data,
        fingerprint=fingerprint(data),
        raw_sha256=hashlib.sha256(raw).hexdigest(),
        path=path,
        document=document,
    )


def examined(data: Mapping[str, object], materials: Path) -> tuple[Shape | None, list[Fault]]:
    """The shape of the data and every fault, each at the place that the file spells."""
    misspelt = misnamed(data)
    found: list[Fault] = []
    if misspelt is not None:
        what = f"`{misspelt}` is no key of the protocol"
        found.append(Fault((misspelt,), what, "Did you mean `format`?"))
        data = {"format": data[misspelt]} | {key: data[key] for key in data if key != misspelt}
    elif (fault := unknown(data)) is not None:
        return None, [fault]
    shape = examine(data)
    found += [*too_new(data), *shape.faults]
    said = [*not_said(shape.data)]
    if shape.protocol is not None:
        said += islice(faults(shape.protocol, materials, unsound=shape.unsound), MOST + 1)
    found += [replace(one, at=at) for one in said if (at := shape.written(one.at)) not in shape.judged]
    return shape, found


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


def _located(found: Iterable[Fault], document: Document, data: Mapping[str, object]) -> list[Problem]:
    return [Problem(document.line(origin(fault.at, data)), fault.what, fault.remedy) for fault in found]


def _invalid(path: Path, problems: Iterable[Problem]) -> ProtocolInvalid:
    found = sorted(set(problems))
    lines = [problem.located(path.name) for problem in found[:MOST]]
    count = f"{len(found)} problem{'' if len(found) == 1 else 's'}"
    if len(found) > MOST:
        count = f"more than {MOST:,} problems"
        lines.append(f"{path.name}: there are {count}. Correct these first.")
    return ProtocolInvalid(str(path), f"{count} in the file", "Correct each of them", problems=tuple(lines))
