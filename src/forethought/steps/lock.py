"""Lock the protocol: what is planned becomes a fact, and the seeds are committed."""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forethought import registration
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.registration import Sealing, seedless_waves
from forethought.steps.registering import (
    check_committed,
    complete,
    sealing_for,
    seeds_for,
    service_of,
    warn_of_sealed_before,
)
from forethought.store import events
from forethought.store.connection import DEFAULT_WAIT, reading, writing

logger = logging.getLogger("forethought")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """The registration as it stands: its fingerprint, how many materials, seeds and amendments it holds.

    `already`: it was there before. `timestamps` are those of all its records.
    """

    registration: Path
    fingerprint: str
    materials: int
    seeds: int
    amendments: int
    timestamps: tuple[datetime, ...]
    already: bool


def lock(
    folder: StudyFolder,
    *,
    now: datetime,
    actor: str,
    seed_file: Path | None = None,
    blocks_file: Path | None = None,
    timestamp: str | None = None,
    timestamp_root: Path | None = None,
    wait: float = DEFAULT_WAIT,
) -> Locked:
    """Write `registration.json` and the secret seeds, and record it. Locked twice, nothing changes.

    `seed_file` holds one line of 64 hexadecimal digits for each wave, `blocks_file` one line of block sizes for each
    wave of a protocol that seals them; without them they are drawn here. Where others are committed to already, seeds
    are refused (WrongUsage), and sizes change nothing, without a word on whether they are the same.
    `timestamp` is the address of an RFC 3161 service: a registration without its timestamp is given it.
    """
    loaded = load(folder.protocol)
    service = service_of(timestamp, timestamp_root)
    with reading(folder, wait) as con:
        registration.agree(folder, events.history(con), unfinished=True)
    before = registration.read(folder)
    if before is None:
        needed = seedless_waves(loaded, None)
        seeds = seeds_for(needed, loaded.protocol, seed_file)
        sealing = sealing_for(needed, loaded.protocol, blocks_file, None)
    else:
        seeds, sealing = {}, Sealing()
        check_committed(folder, before.seeds, loaded.protocol, seed_file, blocks_file)
    made = registration.lock(
        folder,
        loaded,
        now=now,
        by=actor,
        seeds=seeds,
        supplied=seed_file is not None,
        sealing=sealing,
        service=service,
    )
    # Another may have locked it meanwhile, with other secrets.
    check_committed(folder, made.seeds, loaded.protocol, seed_file, blocks_file if seed_file else None)
    if blocks_file is not None and any(registration.seed(folder, wave) != own for wave, own in seeds.items()):
        warn_of_sealed_before()
    with writing(folder, wait) as con:
        complete(con, folder, loaded.protocol, now=now, actor=actor)
    logger.info("lock: %s", made.current_fingerprint)
    return _result(folder, made, already=before is not None)


def _result(folder: StudyFolder, made: registration.Registration, *, already: bool) -> Locked:
    return Locked(
        registration=folder.registration,
        fingerprint=made.current_fingerprint,
        materials=len(made.current_materials),
        seeds=len(made.all_seeds),
        amendments=len(made.amendments),
        timestamps=tuple(one.at for one in made.timestamps),
        already=already,
    )
