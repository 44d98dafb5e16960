"""The secrets of each wave: kept in `secrets/seeds.json` until they are revealed, committed to in the registration.

They are a seed; of a design that seals its block sizes these; of a list drawn ahead its key.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
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

_HEX = r"^[0-9a-f]{64}$"


class Seed(Record):
    """A secret seed, the nonce of its commitment, and whether a person gave it; and what else is secret of a wave.

    No representation of it holds a secret, so that none reaches a message by accident.
    """

    seed: str = Field(pattern=_HEX, repr=False)
    nonce: str = Field(pattern=_HEX, repr=False)
    supplied: bool
    block_sizes: tuple[int, ...] | None = Field(default=None, repr=False)
    blocks_supplied: bool = False
    list_key: str | None = Field(default=None, pattern=_HEX, repr=False)


class _Seeds(Record):
    format: Literal["forethought-seeds/1"] = "forethought-seeds/1"
    study_id: str
    waves: dict[int, Seed]


def seed(folder: StudyFolder, wave: int) -> bytes:
    """The secret seed of a wave, checked against its commitment (NotLocked where it is not that one)."""
    return bytes.fromhex(committed(folder, wave)[0].seed)


def nonce(folder: StudyFolder, wave: int) -> bytes:
    """The nonce beside a wave's seed: what a stranger needs, with the seed, to check the commitment."""
    return bytes.fromhex(committed(folder, wave)[0].nonce)


def commitment(seed: bytes, nonce: bytes, study_id: str, wave: int) -> str:
    """SHA-256 of nonce, seed and canonical JSON of study id and wave: binds to the seed, tells nothing of it."""
    return hashlib.sha256(nonce + seed + canonical_json({"study_id": study_id, "wave": wave})).hexdigest()


def block_commitment(sizes: Sequence[int], nonce: bytes, study_id: str, wave: int) -> str:
    """SHA-256 of nonce, the words `block sizes`, and canonical JSON of study id, wave and the sizes in their order."""
    said = canonical_json({"study_id": study_id, "wave": wave, "sizes": list(sizes)})
    return hashlib.sha256(nonce + b"block sizes" + said).hexdigest()


def prepared(
    folder: StudyFolder,
    study_id: str,
    fresh: Mapping[int, Seed],
    *,
    committed: Collection[int],
    multiple_of: int = 1,
) -> Mapping[int, Seed]:
    """The waves' secrets, not written yet; those that a lock or amendment broken off has left are taken up.

    `committed` are the waves whose seeds the registration holds; `multiple_of` is what a block's size must be a
    multiple of. NotLocked where other secrets lie here than a person gives.
    """
    kept = _read(folder)
    left = {} if kept is None else {w: one for w, one in kept.waves.items() if w not in committed}
    here = {wave: left[wave] for wave in fresh if wave in left}
    foreign = kept is not None and kept.study_id != study_id
    lost = bool(left) and not committed and left.keys() != fresh.keys()
    if foreign or lost or any(_contradicts(fresh[wave], here[wave]) for wave in here):
        away = f"take the waves {sorted(left)} out of this file" if committed else "move this file away"
        raise NotLocked(
            str(_file(folder)),
            "there are seeds of another lock or amendment here, which the registration does not hold",
            "Restore registration.json, or give the same again with --seed-file (and --blocks); where nothing that "
            f"was finished ever used them, {away}",
        )
    return {wave: _joined(one, here.get(wave), multiple_of) for wave, one in sorted(fresh.items())}


def keep(folder: StudyFolder, study_id: str, waves: Mapping[int, Seed]) -> None:
    """Add these secrets to those that are kept, on the disk before it returns."""
    before = _read(folder)
    everything = {**({} if before is None else before.waves), **waves}
    if not waves or (before is not None and before.waves == everything):
        return
    folder.secrets.mkdir(mode=0o700, exist_ok=True)
    content = _Seeds(study_id=study_id, waves=everything).model_dump_json(indent=2, exclude_none=True)
    write_atomically(_file(folder), content + "\n", mode=0o600)


def commitments(
    waves: Mapping[int, Seed], study_id: str, lists: Mapping[int, str]
) -> tuple[SeedCommitment, ...]:
    """What is published of these secrets; `lists` has the hash of each wave's sealed list."""
    return tuple(_commitment(wave, one, study_id, lists.get(wave)) for wave, one in sorted(waves.items()))


def seedless_waves(loaded: LoadedProtocol, registration: Registration | None) -> tuple[int, ...]:
    """The waves that need a seed and have none: those of a randomised study that are not committed to yet."""
    committed = {one.wave for one in registration.all_seeds} if registration else set()
    waves = loaded.protocol.waves if loaded.protocol.randomised else ()
    return tuple(wave.number for wave in waves if wave.number not in committed)


def drawn(
    seeds: Mapping[int, bytes], waves: Collection[int], *, supplied: bool, random_bytes: RandomBytes
) -> Mapping[int, Seed]:
    """Each wave's seed with a new nonce; ValueError unless there is one of 32 bytes for each of these waves."""
    if set(seeds) != set(waves):
        raise ValueError(f"seeds for waves {sorted(seeds)}, but the protocol needs them for {sorted(waves)}")
    if any(len(secret) != SEED_BYTES for secret in seeds.values()):
        raise ValueError(f"a seed has {SEED_BYTES} bytes")
    return {
        wave: Seed(seed=secret.hex(), nonce=random_bytes(SEED_BYTES).hex(), supplied=supplied)
        for wave, secret in sorted(seeds.items())
    }


def committed(folder: StudyFolder, wave: int) -> tuple[Seed, SeedCommitment, str]:
    """A wave's secrets, what was published of them, and the study's id; NotLocked where the seed does not fit."""
    registration = read(folder)
    kept = _read(folder)
    published = {one.wave: one for one in registration.all_seeds} if registration else {}
    if registration is None or kept is None or wave not in kept.waves or wave not in published:
        raise lacking(folder, f"wave {wave} has no committed seed here")
    entry, study_id = kept.waves[wave], registration.study_id
    if _commitment(wave, entry, study_id).commitment != published[wave].commitment:
        raise not_committed(folder, f"the seed of wave {wave}")
    return entry, published[wave], study_id


def lacking(folder: StudyFolder, what: str) -> NotLocked:
    """What is said where a secret is missing."""
    return NotLocked(
        str(_file(folder)),
        what,
        "Lock the study or amend it, or restore the secrets folder from a backup",
    )


def not_committed(folder: StudyFolder, what: str) -> NotLocked:
    """What is said of a secret that is not the one that the registration commits to."""
    return NotLocked(
        str(_file(folder)),
        f"{what} is not the one that was committed to",
        "Restore the secrets folder from a backup of after the lock",
    )


def _commitment(wave: int, one: Seed, study_id: str, list_sha256: str | None = None) -> SeedCommitment:
    salt, sizes = bytes.fromhex(one.nonce), one.block_sizes
    return SeedCommitment(
        wave=wave,
        commitment=commitment(bytes.fromhex(one.seed), salt, study_id, wave),
        supplied=one.supplied,
        blocks=None if sizes is None else block_commitment(sizes, salt, study_id, wave),
        blocks_supplied=one.blocks_supplied,
        list_sha256=list_sha256,
    )


def _contradicts(given: Seed, left: Seed) -> bool:
    """Whether a person gives other secrets than were left here."""
    other_sizes = left.block_sizes not in (None, given.block_sizes)
    return (given.supplied and given.seed != left.seed) or (given.blocks_supplied and other_sizes)


def _joined(fresh: Seed, left: Seed | None, multiple_of: int) -> Seed:
    """What was left, with what it lacks; sizes that no longer suit the ratio were never used, and give way."""
    if left is None:
        return fresh
    sizes = left.block_sizes
    suits = (
        bool(sizes) and fresh.block_sizes is not None and not any(size % multiple_of for size in sizes or ())
    )
    blocks = left if suits else fresh
    return left.model_copy(
        update={
            "block_sizes": blocks.block_sizes,
            "blocks_supplied": blocks.blocks_supplied,
            "list_key": None if fresh.list_key is None else left.list_key or fresh.list_key,
        }
    )


def _file(folder: StudyFolder) -> Path:
    return folder.secrets / "seeds.json"


def _read(folder: StudyFolder) -> _Seeds | None:
    path = _file(folder)
    if not path.is_file():
        return None
    try:
        return _Seeds.model_validate_json(path.read_bytes())
    except ValidationError:  # its text would hold what the file holds, so it is not handed on
        raise NotLocked(str(path), "it is damaged", "Restore the secrets folder from a backup") from None
