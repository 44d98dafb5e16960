"""What the lock holds besides the protocol: the files under `materials/`, and what each scorer is."""

from collections.abc import Mapping
from hashlib import sha256
from typing import cast

from forethought.errors import NotLocked
from forethought.files import canonical_json, sha256_file
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.protocol.protocol import Protocol


def material_hashes(folder: StudyFolder, protocol: Protocol) -> dict[str, str]:
    """The hash of each file that the protocol names, by its path under `materials/`; NotLocked where one lacks."""
    named = sorted(_named(protocol))
    for name in named:
        if not (folder.materials / name).is_file():
            raise NotLocked(
                str(folder.materials / name),
                "the protocol names this material, and it is not there",
                "Add the file, or take it out of the protocol",
            )
    return {name: sha256_file(folder.materials / name) for name in named}


def scorer_hashes(loaded: LoadedProtocol, materials: Mapping[str, str]) -> dict[str, str]:
    """Rater to one hash of its entry in the file, its rubric and its prompt: a new one is another scorer.

    Of a rater without an entry, as in format 1, the file says no more than its id.
    """
    entries = cast("list[dict[str, object]]", loaded.data.get("raters", []))
    by_id = {entry["id"]: entry for entry in entries}
    return {
        rater.id: sha256(
            canonical_json(
                {
                    "rater": by_id.get(rater.id, {"id": rater.id}),
                    "rubric": materials.get(rater.rubric or ""),
                    "prompt": materials.get(rater.prompt or ""),
                }
            )
        ).hexdigest()
        for rater in loaded.protocol.raters
    }


def check_materials(folder: StudyFolder, locked: Mapping[str, str]) -> None:
    """NotLocked where a file is not the one that is held."""
    for name, digest in locked.items():
        path = folder.materials / name
        if not path.is_file():
            raise NotLocked(
                str(path),
                "this locked material is missing",
                "Restore it, or take it out of the protocol and run `forethought amend`",
            )
        if sha256_file(path) != digest:
            raise NotLocked(
                str(path),
                "this material was changed after the lock",
                "Restore it, or run `forethought amend`",
            )


def _named(protocol: Protocol) -> set[str]:
    named = {material.file for material in protocol.materials}
    named.update(file for session in protocol.sessions for file in session.materials)
    for rater in protocol.raters:
        named.update(file for file in (rater.rubric, rater.prompt) if file is not None)
    if protocol.recruitment.consent.material is not None:
        named.add(protocol.recruitment.consent.material)
    if protocol.simulation is not None:
        named.add(protocol.simulation.conversations.phrases)
    return named
