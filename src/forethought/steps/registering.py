"""What locking and amending share: seeds, the timestamp service, and the database brought up to the registration."""

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from forethought.errors import WrongUsage
from forethought.protocol.design import NoAllocation
from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.registration import SEED_BYTES, SeedCommitment, Service, read_document, seed
from forethought.registration.anchoring import recorded
from forethought.store import events, waves
from forethought.store.connection import Connection


def seeds_for(needed: Collection[int], protocol: Protocol, seed_file: Path | None) -> Mapping[int, bytes]:
    """A seed for each of these waves: of the file where one is given, drawn here otherwise.

    WrongUsage where the protocol says that they come from elsewhere, or where the file is not what it should be.
    """
    if seed_file is None:
        _check_drawn(needed, protocol)
        return {wave: secrets.token_bytes(SEED_BYTES) for wave in needed}
    supplied = _supplied(needed, protocol, seed_file)
    design = protocol.allocation
    if needed and not isinstance(design, NoAllocation) and design.seed.drawn_by == "forethought":
        raise WrongUsage(
            "--seed-file",
            "the protocol says that the seeds are drawn here (allocation.seed.drawn_by: forethought)",
            "Leave out --seed-file, or write `statistician` or `either` in the protocol",
        )
    return supplied


def check_committed(
    folder: StudyFolder, committed: Sequence[SeedCommitment], protocol: Protocol, seed_file: Path | None
) -> None:
    """WrongUsage where a file is given whose seeds are not those that these waves were committed to before."""
    if seed_file is None:
        return
    supplied = _supplied([one.wave for one in committed], protocol, seed_file)
    if any(seed(folder, wave) != secret for wave, secret in supplied.items()):
        raise WrongUsage(
            str(seed_file),
            "it does not hold the seeds that were committed to",
            "Leave out --seed-file: a committed seed cannot be changed",
        )


def service_of(url: str | None, root: Path | None) -> Service | None:
    """The timestamp service that the options name, if they name one."""
    if url is None and root is not None:
        raise WrongUsage(
            "--timestamp-root", "no service is named", "Give the service's address with --timestamp"
        )
    return None if url is None else Service.named(url, root)


def complete(con: Connection, folder: StudyFolder, protocol: Protocol, *, now: datetime, actor: str) -> None:
    """Bring the database up to the registration: the plan's waves, and each event that is not recorded yet.

    A step that was broken off after the registration was written left them out. Safe to repeat.
    """
    document = read_document(folder.registration)
    if document is None:
        return
    waves.put(con, protocol.waves)
    history = events.history(con)
    for action, key, detail in recorded(document):
        if not any(event.action == action and event.detail[key] == detail[key] for event in history):
            events.record(con, now=now, actor=actor, action=action, detail=detail)


def _check_drawn(needed: Collection[int], protocol: Protocol) -> None:
    design = protocol.allocation
    if needed and not isinstance(design, NoAllocation) and design.seed.drawn_by == "statistician":
        raise WrongUsage(
            "--seed-file",
            "the protocol says that a statistician gives the seeds (allocation.seed.drawn_by: statistician)",
            "Give them with --seed-file, or write `forethought` or `either` in the protocol",
        )


def _supplied(needed: Collection[int], protocol: Protocol, seed_file: Path) -> Mapping[int, bytes]:
    """The seeds of the file; nothing of its content reaches an error message."""
    if not seed_file.is_file():
        raise WrongUsage(
            str(seed_file), "there is no such file", "Give a file of seeds, one line for each wave"
        )
    if not protocol.randomised:
        raise WrongUsage(str(seed_file), "this study allocates nobody", "Leave out --seed-file")
    lines = seed_file.read_text("ascii", errors="replace").split()
    if len(lines) != len(needed):
        raise WrongUsage(
            str(seed_file),
            f"it has {len(lines)} lines for {len(needed)} waves that need a seed",
            "Write one line for each of them",
        )
    for number, line in enumerate(lines, start=1):
        if not re.fullmatch(r"[0-9a-fA-F]{64}", line):
            raise WrongUsage(
                f"{seed_file}:{number}", "this is not a seed", "Write 64 hexadecimal digits (256 bits)"
            )
    return {wave: bytes.fromhex(line) for wave, line in zip(needed, lines, strict=True)}
