"""What locking and amending share: seeds, the timestamp service, and the database brought up to the registration."""

import logging
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from forethought.errors import WrongUsage
from forethought.protocol.allocation import NoAllocation
from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.registration import (
    SEED_BYTES,
    Registration,
    Sealing,
    SeedCommitment,
    Service,
    drawn_ahead,
    read_document,
    sealed_sizes,
    seed,
)
from forethought.registration.anchoring import recorded
from forethought.steps.block_sizes import sizes_for
from forethought.store import events, waves
from forethought.store.connection import Connection

logger = logging.getLogger("forethought")


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


def sealing_for(
    needed: Collection[int], protocol: Protocol, blocks_file: Path | None, registered: Registration | None
) -> Sealing:
    """What is sealed of these waves: block sizes, of the file where one is given, and the lists drawn ahead."""
    lists = None
    if needed and drawn_ahead(protocol.allocation):
        from forethought.steps.sealed import ListOf

        lists = ListOf(protocol=protocol, registered=registered).sha256
    return Sealing(
        block_sizes=sizes_for(needed, protocol, blocks_file),
        supplied=blocks_file is not None,
        list_sha256=lists,
    )


def check_committed(
    folder: StudyFolder,
    published: Sequence[SeedCommitment],
    protocol: Protocol,
    seed_file: Path | None,
    blocks_file: Path | None = None,
) -> None:
    """WrongUsage where a file is given whose secrets are not those that these waves were committed to before.

    Sizes are few: an answer would let anybody try them all. So they are compared for who gives the right seeds as well.
    """
    waves = [one.wave for one in published]
    seeds = {} if seed_file is None else _supplied(waves, protocol, seed_file)
    if any(seed(folder, wave) != secret for wave, secret in seeds.items()):
        raise WrongUsage(
            str(seed_file),
            "it does not hold the seeds that were committed to",
            "Leave out --seed-file: a committed seed cannot be changed",
        )
    sizes = {} if blocks_file is None else sizes_for(waves, protocol, blocks_file)
    if sizes and not seeds:
        warn_of_sealed_before()
    elif any(sealed_sizes(folder, wave) != own for wave, own in sizes.items()):
        raise WrongUsage(
            str(blocks_file),
            "it does not hold the block sizes that were committed to",
            "Leave out --blocks: what is committed cannot be changed",
        )


def warn_of_sealed_before() -> None:
    """Say that sizes which somebody gives again change nothing, whatever they are."""
    logger.warning(
        "the block sizes were sealed before: --blocks changes nothing, and is not compared with them"
    )


def service_of(url: str | None, root: Path | None) -> Service | None:
    """The timestamp service that the options name, if they name one."""
    if url is None and root is not None:
        raise WrongUsage(
            "--timestamp-root", "no service is named", "Give the service's address with --timestamp"
        )
    return None if url is None else Service.named(url, root)


def complete(con: Connection, folder: StudyFolder, protocol: Protocol, *, now: datetime, actor: str) -> None:
    """Bring the database up to the registration: the plan's waves, its sealed lists, and each event not recorded yet.

    A step that was broken off after the registration was written left them out. Safe to repeat.
    """
    document = read_document(folder.registration)
    if document is None:
        return
    waves.put(con, protocol.waves)
    if drawn_ahead(protocol.allocation):
        from forethought.steps.sealed import complete_lists

        complete_lists(con, folder, protocol, document.registration)
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
