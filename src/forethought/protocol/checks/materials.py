"""Materials: whether the files that the protocol names are there."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from forethought.protocol.problems import Fault, KeyPath, one_of, suggestion
from forethought.protocol.protocol import Protocol


def faults(protocol: Protocol, folder: Path) -> Iterator[Fault]:
    """Each material is a file inside the materials folder, where that folder is there."""
    declared = [material.file for material in protocol.materials]
    for index, name in enumerate(declared):
        yield from _file_faults(name, folder, ("materials", index, "file"))
    if protocol.simulation is not None:
        phrases, at = protocol.simulation.conversations.phrases, ("simulation", "conversations", "phrases")
        if phrases not in declared:
            what = f"`{phrases}` is none of the materials, so that the lock would not hold it"
            yield Fault(at, what, suggestion(phrases, declared, one_of(declared)))


def _file_faults(name: str, folder: Path, at: KeyPath) -> Iterator[Fault]:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        yield Fault(
            at, f"`{name}` lies outside the materials folder", "Give a path inside it, with forward slashes"
        )
    elif folder.is_dir() and not (folder / path).is_file():
        there = sorted(one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file())
        yield Fault(
            at, f"there is no file materials/{name}", suggestion(name, there, "Add it, or remove it here")
        )
