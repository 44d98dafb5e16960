"""The secret seeds: kept in `secrets/seeds.json` until they are revealed, committed to in the registration."""

import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from forethought.errors import NotLocked
from forethought.files import canonical_json, write_atomically
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.registration.document import read
from forethought.registration.records import Record, Registration, SeedCommitment

RandomBytes = Callable[[int], bytes]

SEED_BYTES = 32

_Hex = Field(pattern=r"^[0-9a-f]{64}$")


class Seed(Record):
    """A secret seed, the nonce of its commitment, and whether a person gave it."""

    seed: str = _Hex
    nonce: str = _Hex
    supplied: bool


class _Seeds(Record):
    format: Literal["forethought-seeds/1"] = "forethought-seeds/1"
    study_id: str
    waves: dict[int, Seed]


def seed(folder: StudyFolder, wave: int) -> bytes:
    """The secret seed of a wave, checked against its commitment (NotLocked where it is not that one)."""
    return _committed(folder, wave)[0]


def nonce(folder: StudyFolder, wave: int) -> bytes:
    """The nonce beside a wave's seed: what a stranger needs, with the seed, to check the commitment."""
    return _committed(folder, wave)[1]


def commitment(seed: bytes, nonce: bytes, study_id: str, wave: int) -> str:
    """SHA-256 of nonce, seed and canonical JSON of study id and wave: binds to the seed, tells nothing of it."""
    return hashlib.sha256(nonce + seed + canonical_json({"study_id": study_id, "wave": wave})).hexdigest()


def prepared(
    folder: StudyFolder,
    study_id: str,
    seeds: Mapping[int, bytes],
    *,
    supplied: bool,
    committed: Collection[int],
    random_bytes: RandomBytes = os.urandom,
) -> Mapping[int, Seed]:
    """The seeds with a nonce each, not written yet; those that a lock or amendment broken off has left are taken up.

    `committed` are the waves whose seeds the registration holds. NotLocked where other seeds lie here.
    """
    kept = _read(folder)
    left = {} if kept is None else {w: one for w, one in kept.waves.items() if w not in committed}
    here = {wave: left[wave] for wave in seeds if wave in left}
    foreign = kept is not None and kept.study_id != study_id
    lost = bool(left) and not committed and left.keys() != seeds.keys()
    if foreign or lost or (supplied and any(here[wave].seed != seeds[wave].hex() for wave in here)):
        away = f"take the waves {sorted(left)} out of this file" if committed else "move this file away"
        raise NotLocked(
            str(_file(folder)),
            "there are seeds of another lock or amendment here, which the registration does not hold",
            "Restore registration.json, or give the same seeds again with --seed-file; where nothing that was "
            f"finished ever used them, {away}",
        )
    return {
        wave: here.get(wave)
        or Seed(seed=secret.hex(), nonce=random_bytes(SEED_BYTES).hex(), supplied=supplied)
        for wave, secret in sorted(seeds.items())
    }


def keep(folder: StudyFolder, study_id: str, waves: Mapping[int, Seed]) -> None:
    """Add these seeds to those that are kept, on the disk before it returns."""
    before = _read(folder)
    everything = {**({} if before is None else before.waves), **waves}
    if not waves or (before is not None and before.waves == everything):
        return
    folder.secrets.mkdir(mode=0o700, exist_ok=True)
    content = _Seeds(study_id=study_id, waves=everything).model_dump_json(indent=2)
    write_atomically(_file(folder), content + "\n", mode=0o600)


def commitments(waves: Mapping[int, Seed], study_id: str) -> tuple[SeedCommitment, ...]:
    """What is published of these seeds."""
    return tuple(
        SeedCommitment(
            wave=wave,
            commitment=commitment(bytes.fromhex(one.seed), bytes.fromhex(one.nonce), study_id, wave),
            supplied=one.supplied,
        )
        for wave, one in sorted(waves.items())
    )


def seedless_waves(loaded: LoadedProtocol, registration: Registration | None) -> tuple[int, ...]:
    """The waves that need a seed and have none: those of a randomised study that are not committed to yet."""
    committed = {one.wave for one in registration.all_seeds} if registration else set()
    waves = loaded.protocol.waves if loaded.protocol.randomised else ()
    return tuple(wave.number for wave in waves if wave.number not in committed)


def checked(seeds: Mapping[int, bytes], waves: Collection[int]) -> Mapping[int, bytes]:
    """The seeds, if there is one of 32 bytes for each of these waves (ValueError)."""
    if set(seeds) != set(waves):
        raise ValueError(f"seeds for waves {sorted(seeds)}, but the protocol needs them for {sorted(waves)}")
    if any(len(secret) != SEED_BYTES for secret in seeds.values()):
        raise ValueError(f"a seed has {SEED_BYTES} bytes")
    return seeds


def _committed(folder: StudyFolder, wave: int) -> tuple[bytes, bytes]:
    """Seed and nonce of a wave, which together give the commitment that was published."""
    registration = read(folder)
    kept = _read(folder)
    published = {one.wave: one.commitment for one in registration.all_seeds} if registration else {}
    if registration is None or kept is None or wave not in kept.waves or wave not in published:
        raise NotLocked(
            str(_file(folder)),
            f"wave {wave} has no committed seed here",
            "Lock the study or amend it, or restore the secrets folder from a backup",
        )
    entry = kept.waves[wave]
    secret, salt = bytes.fromhex(entry.seed), bytes.fromhex(entry.nonce)
    if commitment(secret, salt, registration.study_id, wave) != published[wave]:
        raise NotLocked(
            str(_file(folder)),
            f"the seed of wave {wave} is not the one that was committed to",
            "Restore the secrets folder from a backup of after the lock",
        )
    return secret, salt


def _file(folder: StudyFolder) -> Path:
    return folder.secrets / "seeds.json"


def _read(folder: StudyFolder) -> _Seeds | None:
    path = _file(folder)
    if not path.is_file():
        return None
    try:
        return _Seeds.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise NotLocked(str(path), "it is damaged", "Restore the secrets folder from a backup") from error
