"""The studies that travel with forethought, and a study folder made from one."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from forethought.errors import WrongUsage
from forethought.files import write_atomically
from forethought.protocol.folder import StudyFolder
from forethought.protocol.plain_yaml import parse
from forethought.protocol.problems import one_of


def names() -> tuple[str, ...]:
    """The shipped studies, in alphabetical order."""
    return tuple(sorted(one.name for one in _shelf().iterdir() if one.joinpath("protocol.yaml").is_file()))


def title(name: str) -> str:
    """The title of a shipped study, as its protocol gives it."""
    data: Any = parse(text(name)).data
    return str(data["study"]["title"])


def text(name: str) -> bytes:
    """The protocol.yaml of a shipped study, byte for byte."""
    return _shelf().joinpath(name, "protocol.yaml").read_bytes()


def copy(name: str, to: Path) -> StudyFolder:
    """Make `to` a study folder: protocol.yaml, its materials, and in the inbox the data that travel with it.

    protocol.yaml is written last, so that an interrupted copy is no study. Raises WrongUsage for a name that is not
    shipped, and for a folder that is not empty.
    """
    known = names()
    if name not in known:
        raise WrongUsage(name, "no shipped study has this name", one_of(known))
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        what = "this folder is not empty" if to.is_dir() else "this is a file"
        raise WrongUsage(str(to), what, "Name a folder that does not exist yet, or an empty one")
    folder, study = StudyFolder(to), _shelf().joinpath(name)
    try:
        for source, target in _files(study.joinpath("materials"), folder.materials):
            _write(source, target)
        for source, target in _files(study.joinpath("data"), folder.inbox):
            _write(source, target)
        _write(study.joinpath("protocol.yaml"), folder.protocol)
    except OSError as error:
        what = f"the folder cannot be written ({error.strerror})"
        raise WrongUsage(str(to), what, "Name a folder where you may write") from error
    return folder


def _shelf() -> Traversable:
    return files("forethought.protocols")


def _files(source: Traversable, target: Path) -> Iterator[tuple[Traversable, Path]]:
    if source.is_dir():
        for one in source.iterdir():
            yield from _files(one, target / one.name)
    elif source.is_file():
        yield source, target


def _write(source: Traversable, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, source.read_bytes())
