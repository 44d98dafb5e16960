"""The lock: what was planned, fixed by hashes before the data, with each wave's secret seed committed to.

`registration.json` is for everyone. The seeds and their nonces are in `secrets/seeds.json` until they are
revealed; whoever knows them then can check the commitments that were published here.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from forethought.errors import NotLocked
from forethought.files import alone_in, canonical_json, sha256_file, write_atomically
from forethought.protocol.fingerprint import fingerprint
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.provenance import git_commit, software_versions

RandomBytes = Callable[[int], bytes]

ALLOCATION_ALGORITHM = "permuted-blocks/1"
SEED_BYTES = 32

_Sha256 = Field(pattern=r"^[0-9a-f]{64}$")


class _Record(BaseModel):
    """A frozen record that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SeedCommitment(_Record):
    """What is published of a wave's seed before it is revealed."""

    wave: int = Field(ge=1)
    commitment: str = _Sha256
    supplied: bool = Field(description="Whether the seed was given by a person, who may know it.")


class Registration(_Record):
    """What was locked, when and by whom. `protocol` is the canonical copy that the fingerprint covers."""

    format: Literal["forethought-registration/1"] = "forethought-registration/1"
    study_id: str
    fingerprint: str = _Sha256
    protocol_sha256: str = _Sha256
    locked_at: AwareDatetime
    locked_by: str
    git_commit: str | None
    materials: dict[str, str]
    software: dict[str, str]
    seeds: tuple[SeedCommitment, ...]
    allocation_algorithm: str | None
    protocol: dict[str, JsonValue]


class _Seed(_Record):
    seed: str = _Sha256
    nonce: str = _Sha256
    supplied: bool


class _Seeds(_Record):
    format: Literal["forethought-seeds/1"] = "forethought-seeds/1"
    study_id: str
    waves: dict[int, _Seed]


def lock(
    folder: StudyFolder,
    loaded: LoadedProtocol,
    *,
    now: datetime,
    by: str,
    seeds: Mapping[int, bytes],
    supplied: bool,
    random_bytes: RandomBytes = os.urandom,
) -> Registration:
    """Register the protocol. Locked before with the same one: that registration, and nothing changes.

    NotLocked where another protocol is locked here. `seeds` holds 32 bytes for each wave of a randomised
    study, and is empty for another. Seeds are on the disk before the commitments are.
    """
    with alone_in(folder.path):
        if read(folder) is not None:
            return require(folder, loaded)
        materials = _material_hashes(folder, loaded)
        study_id = loaded.protocol.study.id
        kept = _keep_seeds(folder, study_id, _checked(loaded, seeds), supplied, random_bytes)
        registration = _registration(folder, loaded, now, by, materials, kept)
        write_atomically(folder.registration, registration.model_dump_json(indent=2) + "\n")
    return registration


def read(folder: StudyFolder) -> Registration | None:
    """The registration, or None where the study is not locked; NotLocked where it is damaged."""
    if not folder.registration.exists():
        return None
    try:
        registration = Registration.model_validate_json(folder.registration.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise _broken(folder, f"it cannot be read ({place}: {first['msg']})") from error
    if fingerprint(registration.protocol) != registration.fingerprint:
        raise _broken(folder, "its copy of the protocol does not have the fingerprint that was locked")
    return registration


def require(folder: StudyFolder, loaded: LoadedProtocol) -> Registration:
    """The registration that protocol and materials fit; NotLocked says what does not."""
    registration = read(folder)
    if registration is None:
        raise NotLocked(str(folder.path), "the study is not locked", "Run `forethought lock` on it first")
    if registration.fingerprint != loaded.fingerprint:
        changed = ", ".join(_changed_fields(registration.protocol, loaded.data))
        raise NotLocked(
            str(folder.protocol),
            f"the protocol was edited after the lock ({changed})",
            "Restore it, or start a new study folder for a new plan",
        )
    for name, digest in registration.materials.items():
        path = folder.materials / name
        if not path.is_file() or sha256_file(path) != digest:
            raise NotLocked(
                str(path),
                "this material was changed after the lock"
                if path.is_file()
                else "this locked material is missing",
                "Restore it, or start a new study folder for a new plan",
            )
    return registration


def seed(folder: StudyFolder, wave: int) -> bytes:
    """The secret seed of a wave, checked against its commitment (NotLocked where it is not that one)."""
    return _committed(folder, wave)[0]


def nonce(folder: StudyFolder, wave: int) -> bytes:
    """The nonce beside a wave's seed: what a stranger needs, with the seed, to check the commitment."""
    return _committed(folder, wave)[1]


def commitment(seed: bytes, nonce: bytes, study_id: str, wave: int) -> str:
    """SHA-256 of nonce, seed and canonical JSON of study id and wave: binds to the seed, tells nothing of it."""
    return hashlib.sha256(nonce + seed + canonical_json({"study_id": study_id, "wave": wave})).hexdigest()


def _registration(
    folder: StudyFolder,
    loaded: LoadedProtocol,
    now: datetime,
    by: str,
    materials: dict[str, str],
    kept: Mapping[int, _Seed],
) -> Registration:
    protocol = loaded.protocol
    return Registration(
        study_id=protocol.study.id,
        fingerprint=loaded.fingerprint,
        protocol_sha256=loaded.raw_sha256,
        locked_at=now,
        locked_by=by,
        git_commit=git_commit(folder.path),
        materials=materials,
        software=software_versions(),
        seeds=tuple(_commit(seed, protocol.study.id, wave) for wave, seed in sorted(kept.items())),
        allocation_algorithm=ALLOCATION_ALGORITHM if protocol.randomised else None,
        protocol=dict(loaded.data),
    )


def _committed(folder: StudyFolder, wave: int) -> tuple[bytes, bytes]:
    """Seed and nonce of a wave, which together give the commitment that was published."""
    registration = read(folder)
    kept = _read_seeds(folder)
    published = {entry.wave: entry.commitment for entry in registration.seeds} if registration else {}
    if registration is None or kept is None or wave not in kept.waves or wave not in published:
        raise NotLocked(
            str(_seed_file(folder)),
            f"wave {wave} has no committed seed here",
            "Lock the study, or restore the secrets folder from a backup",
        )
    entry = kept.waves[wave]
    secret, salt = bytes.fromhex(entry.seed), bytes.fromhex(entry.nonce)
    if commitment(secret, salt, registration.study_id, wave) != published[wave]:
        raise NotLocked(
            str(_seed_file(folder)),
            f"the seed of wave {wave} is not the one that was committed to",
            "Restore the secrets folder from a backup of after the lock",
        )
    return secret, salt


def _seed_file(folder: StudyFolder) -> Path:
    return folder.secrets / "seeds.json"


def _read_seeds(folder: StudyFolder) -> _Seeds | None:
    path = _seed_file(folder)
    if not path.is_file():
        return None
    try:
        return _Seeds.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise NotLocked(str(path), "it is damaged", "Restore the secrets folder from a backup") from error


def _keep_seeds(
    folder: StudyFolder, study_id: str, seeds: Mapping[int, bytes], supplied: bool, random_bytes: RandomBytes
) -> Mapping[int, _Seed]:
    """Write the seeds with a nonce each; seeds that a lock broken off has left are taken up again."""
    if not seeds:
        return {}
    left = _read_seeds(folder)
    if left is not None:
        if left.study_id != study_id or set(left.waves) != set(seeds) or (supplied and _differ(left, seeds)):
            raise NotLocked(
                str(_seed_file(folder)),
                "there are seeds of another lock here, and no registration.json",
                "Restore registration.json, or start a new study folder",
            )
        return left.waves
    waves = {
        wave: _Seed(seed=secret.hex(), nonce=random_bytes(SEED_BYTES).hex(), supplied=supplied)
        for wave, secret in sorted(seeds.items())
    }
    folder.secrets.mkdir(mode=0o700, exist_ok=True)
    content = _Seeds(study_id=study_id, waves=waves).model_dump_json(indent=2)
    write_atomically(_seed_file(folder), content + "\n", mode=0o600)
    return waves


def _differ(left: _Seeds, seeds: Mapping[int, bytes]) -> bool:
    return any(left.waves[wave].seed != secret.hex() for wave, secret in seeds.items())


def _checked(loaded: LoadedProtocol, seeds: Mapping[int, bytes]) -> Mapping[int, bytes]:
    """The seeds, one of 32 bytes for each wave of a randomised study and none for another (ValueError)."""
    protocol = loaded.protocol
    expected = {wave.number for wave in protocol.waves} if protocol.randomised else set()
    if set(seeds) != expected:
        raise ValueError(
            f"seeds for waves {sorted(seeds)}, but the protocol needs them for {sorted(expected)}"
        )
    if any(len(secret) != SEED_BYTES for secret in seeds.values()):
        raise ValueError(f"a seed has {SEED_BYTES} bytes")
    return seeds


def _commit(kept: _Seed, study_id: str, wave: int) -> SeedCommitment:
    published = commitment(bytes.fromhex(kept.seed), bytes.fromhex(kept.nonce), study_id, wave)
    return SeedCommitment(wave=wave, commitment=published, supplied=kept.supplied)


def _material_hashes(folder: StudyFolder, loaded: LoadedProtocol) -> dict[str, str]:
    """The hash of each material that the protocol names, by its path under `materials/`."""
    named = [material.file for material in loaded.protocol.materials]
    if loaded.protocol.simulation is not None:
        named.append(loaded.protocol.simulation.conversations.phrases)
    for name in named:
        if not (folder.materials / name).is_file():
            raise NotLocked(
                str(folder.materials / name),
                "the protocol names this material, and it is not there",
                "Add the file, or take it out of the protocol",
            )
    return {name: sha256_file(folder.materials / name) for name in sorted(set(named))}


def _changed_fields(locked: Mapping[str, JsonValue], now: Mapping[str, object]) -> tuple[str, ...]:
    """The fields that differ, as `section` or `section.field`, in the order of the locked protocol."""
    changed = []
    for name in dict.fromkeys((*locked, *now)):
        before, after = locked.get(name), now.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            changed += [
                f"{name}.{part}"
                for part in dict.fromkeys((*before, *after))
                if before.get(part) != after.get(part)
            ]
        else:
            changed.append(name)
    return tuple(changed)


def _broken(folder: StudyFolder, what: str) -> NotLocked:
    return NotLocked(str(folder.registration), what, "Restore it from a backup: it must not be edited")
