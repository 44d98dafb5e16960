"""The inbox: exports that have come and are not imported yet."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from forethought.errors import WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.protocol.imports import ImportKind, Imports
from forethought.protocol.loading import load
from forethought.schemas.exports.reading import read
from forethought.schemas.exports.recognition import recognise
from forethought.steps.import_file import import_file
from forethought.steps.waves import check_wave

logger = logging.getLogger("forethought")

_ENOUGH = 20
"""Records that tell what a file holds: a header of three at most, a row, and some blank lines."""


def waiting(folder: StudyFolder) -> tuple[Path, ...]:
    """The files in the inbox, in the order of their names; hidden and temporary files are passed over."""
    if not folder.inbox.is_dir():
        return ()
    return tuple(
        sorted(file for file in folder.inbox.iterdir() if file.is_file() and not file.name.startswith("."))
    )


def import_waiting(
    folder: StudyFolder, kinds: Sequence[ImportKind], *, now: datetime, actor: str, wave: int
) -> dict[str, int]:
    """Import the waiting files of these kinds, in the order of the kinds; new rows by file.

    A conversation must be there before its ratings: the order matters. A file that cannot be recognised
    stops the wave with its reason; nothing of it is written. A file that is gone when its turn comes was
    imported by another process. WrongUsage where the protocol has no such wave.
    """
    protocol = load(folder.protocol).protocol
    check_wave(protocol, wave)
    found = dict(_recognised(waiting(folder), protocol.imports))
    new: dict[str, int] = {}
    for kind in kinds:
        for file in (file for file, its_kind in found.items() if its_kind == kind):
            try:
                imported = import_file(folder, file, now=now, actor=actor, wave=wave)
            except WrongUsage:
                if file.exists():
                    raise
                continue
            new[file.name] = imported.new
            logger.info(
                "import: %s, %s new, %s quarantined",
                file.name,
                f"{imported.new:,}",
                f"{imported.quarantined:,}",
            )
    return new


def _recognised(files: Sequence[Path], imports: Imports) -> Iterator[tuple[Path, str]]:
    """Each file that is still there, with the kind of its rows."""
    for file in files:
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            continue
        yield file, recognise(read(data, str(file), first=_ENOUGH), imports).kind
