"""Materials: whether the files that the protocol names are there, and the lock holds each that is used."""

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from forethought.protocol.checks.check import Check, reading
from forethought.protocol.problems import Fault, KeyPath, one_of, suggestion
from forethought.protocol.protocol import Protocol

Used = tuple[KeyPath, str]
"""Where a file is named, and its path inside the materials folder."""


def missing_files(protocol: Protocol, folder: Path) -> Iterator[Fault]:
    """Each material is a file inside the materials folder, where that folder is there."""
    for index, material in enumerate(protocol.materials):
        yield from _file_faults(material.file, folder, ("materials", index, "file"))


def _file_faults(name: str, folder: Path, at: KeyPath) -> Iterator[Fault]:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        yield Fault(
            at, f"`{name}` lies outside the materials folder", "Give a path inside it, with forward slashes"
        )
    elif folder.is_dir() and not _is_file(folder / path):
        there = sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())
        yield Fault(
            at, f"there is no file materials/{name}", suggestion(name, there, "Add it, or remove it here")
        )


def _is_file(path: Path) -> bool:
    """Whether the file is there; a name that no system takes, as one of a thousand letters, is of none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _of_simulation(protocol: Protocol) -> Iterator[Used]:
    if protocol.simulation is not None:
        yield ("simulation", "conversations", "phrases"), protocol.simulation.conversations.phrases


def _of_consent(protocol: Protocol) -> Iterator[Used]:
    if protocol.recruitment.consent.material is not None:
        yield ("recruitment", "consent", "material"), protocol.recruitment.consent.material


def _of_raters(protocol: Protocol) -> Iterator[Used]:
    for index, rater in enumerate(protocol.raters):
        for key in ("rubric", "prompt"):
            if (name := getattr(rater, key)) is not None:
                yield ("raters", index, key), name


def _of_sessions(protocol: Protocol) -> Iterator[Used]:
    for index, session in enumerate(protocol.sessions):
        for place, name in enumerate(session.materials):
            yield ("sessions", index, "materials", place), name


def _held(used: Callable[[Protocol], Iterator[Used]]) -> Callable[[Protocol], Iterator[Fault]]:
    """The check that each of these files is one of the materials."""

    def faults(protocol: Protocol) -> Iterator[Fault]:
        declared = [material.file for material in protocol.materials]
        for at, name in used(protocol):
            if name not in declared:
                what = f"`{name}` is none of the materials, so that the lock would not hold it"
                yield Fault(at, what, suggestion(name, declared, one_of(declared)))

    return faults


CHECKS: tuple[Check, ...] = (
    reading(_held(_of_simulation), "simulation", "materials"),
    reading(_held(_of_consent), "recruitment", "materials"),
    reading(_held(_of_raters), "raters", "materials"),
    reading(_held(_of_sessions), "sessions", "materials"),
)
