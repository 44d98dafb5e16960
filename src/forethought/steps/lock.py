"""Lock the protocol: what is planned becomes a fact, and the seeds are committed."""

import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forethought import registration
from forethought.errors import WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.store import events
from forethought.store.connection import DEFAULT_WAIT, writing

logger = logging.getLogger("forethought")

SEED_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A registration: its fingerprint, how many materials and seeds it holds, and whether it was there before."""

    registration: Path
    fingerprint: str
    materials: int
    seeds: int
    already: bool


def lock(
    folder: StudyFolder,
    *,
    now: datetime,
    actor: str,
    seed_file: Path | None = None,
    wait: float = DEFAULT_WAIT,
) -> Locked:
    """Write `registration.json` and the secret seeds, and record it. Locked twice, nothing changes.

    `seed_file` holds one line of 64 hexadecimal digits for each wave; without it the seeds are drawn here.
    """
    loaded = load(folder.protocol)
    already = registration.read(folder) is not None
    seeds = _supplied(seed_file, loaded.protocol) if seed_file else _drawn(loaded.protocol)
    made = registration.lock(folder, loaded, now=now, by=actor, seeds=seeds, supplied=seed_file is not None)
    with writing(folder, wait) as con:
        if not any(event.detail["fingerprint"] == made.fingerprint for event in events.actions(con, "lock")):
            detail = {
                "fingerprint": made.fingerprint,
                "commitments": {str(seed.wave): seed.commitment for seed in made.seeds},
            }
            events.record(con, now=now, actor=actor, action="lock", detail=detail)
    logger.info("lock: %s", made.fingerprint)
    return Locked(
        registration=folder.registration,
        fingerprint=made.fingerprint,
        materials=len(made.materials),
        seeds=len(made.seeds),
        already=already,
    )


def _drawn(protocol: Protocol) -> Mapping[int, bytes]:
    if not protocol.randomised:
        return {}
    return {wave.number: secrets.token_bytes(SEED_BYTES) for wave in protocol.waves}


def _supplied(seed_file: Path, protocol: Protocol) -> Mapping[int, bytes]:
    """The seeds of the file; nothing of its content reaches an error message."""
    if not seed_file.is_file():
        raise WrongUsage(
            str(seed_file), "there is no such file", "Give a file of seeds, one line for each wave"
        )
    if not protocol.randomised:
        raise WrongUsage(str(seed_file), "this study allocates nobody", "Lock it without --seed-file")
    lines = seed_file.read_text("ascii", errors="replace").split()
    if len(lines) != len(protocol.waves):
        raise WrongUsage(
            str(seed_file),
            f"it has {len(lines)} lines for {len(protocol.waves)} waves",
            "Write one line for each wave",
        )
    for number, line in enumerate(lines, start=1):
        if not re.fullmatch(r"[0-9a-fA-F]{64}", line):
            raise WrongUsage(
                f"{seed_file}:{number}", "this is not a seed", "Write 64 hexadecimal digits (256 bits)"
            )
    return {wave.number: bytes.fromhex(line) for wave, line in zip(protocol.waves, lines, strict=True)}
