"""What is kept secret of a design until a wave is unblinded, beside its seed: block sizes, and a list's key."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from forethought.protocol.allocation import Design, NoAllocation, PermutedBlocks
from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.registration import seeds as secret_seeds
from forethought.registration.records import SeedCommitment
from forethought.registration.seeds import SEED_BYTES, RandomBytes, Seed, block_commitment


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """What a lock or an amendment seals: each wave's block sizes, whether a person gave them, and the lists.

    `list_sha256` draws the list of a wave from its secrets, and gives the SHA-256 of its sealed records.
    """

    block_sizes: Mapping[int, tuple[int, ...]] = field(default_factory=dict, repr=False)
    supplied: bool = False
    list_sha256: Callable[[int, Seed], str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The secrets of waves that are to be committed to, and what is to be published of them."""

    secrets: Mapping[int, Seed] = field(repr=False)
    published: tuple[SeedCommitment, ...]


def seals_blocks(design: Design | NoAllocation) -> bool:
    """Whether the block sizes are not in the protocol."""
    return isinstance(design, PermutedBlocks) and design.block_sizes == "sealed"


def drawn_ahead(design: Design | NoAllocation) -> bool:
    """Whether the arms are a list that is drawn and sealed at the lock."""
    return not isinstance(design, NoAllocation) and design.drawn == "ahead"


def prepared(
    folder: StudyFolder,
    protocol: Protocol,
    fresh: Mapping[int, Seed],
    sealing: Sealing,
    *,
    committed: Collection[int],
    random_bytes: RandomBytes,
) -> Prepared:
    """The seeds with whatever else the design keeps secret; those that a crash has left are taken up.

    ValueError where `sealing` lacks what the design seals, or holds what it does not.
    """
    design, study_id = protocol.allocation, protocol.study.id
    full = _completed(design, fresh, sealing, random_bytes)
    multiple_of = 1 if isinstance(design, NoAllocation) else sum(design.ratio.values())
    found = secret_seeds.prepared(folder, study_id, full, committed=committed, multiple_of=multiple_of)
    listed = sealing.list_sha256
    lists = {wave: listed(wave, one) for wave, one in found.items()} if listed else {}
    return Prepared(secrets=found, published=secret_seeds.commitments(found, study_id, lists))


def resolved(folder: StudyFolder, protocol: Protocol, wave: int) -> Design:
    """The wave's design with its true block sizes, checked against their commitment where they are sealed.

    NotLocked where they are not those that were committed to; ValueError for a study that allocates nobody.
    """
    design = protocol.allocation
    if isinstance(design, NoAllocation):
        raise ValueError("nobody is allocated")  # noqa: TRY004 -- a study, not a type
    if not (isinstance(design, PermutedBlocks) and design.block_sizes == "sealed"):
        return design
    sizes = sealed_sizes(folder, wave)
    if sizes is None:
        raise secret_seeds.lacking(folder, f"wave {wave} has no committed block sizes here")
    return design.model_copy(update={"block_sizes": sizes})


def sealed_sizes(folder: StudyFolder, wave: int) -> tuple[int, ...] | None:
    """The wave's sealed block sizes, None where none are sealed; NotLocked where they are not those committed to."""
    entry, published, study_id = secret_seeds.committed(folder, wave)
    return None if published.blocks is None else _sizes(folder, wave, entry, published, study_id)


def revealed(folder: StudyFolder, wave: int) -> dict[str, object]:
    """What the unblinding of a wave publishes: seed and nonce in hex; sealed block sizes; the key of a list.

    With them anyone can check the commitments, replay the allocations and open the list. All of it is this wave's
    alone. NotLocked where it is not what was committed to.
    """
    entry, published, study_id = secret_seeds.committed(folder, wave)
    shown: dict[str, object] = {"seed": entry.seed, "nonce": entry.nonce}
    if published.blocks is not None:
        shown["block_sizes"] = list(_sizes(folder, wave, entry, published, study_id))
    if published.list_sha256 is not None and entry.list_key is not None:
        shown["list_key"] = entry.list_key
    return shown


def list_secret(folder: StudyFolder, wave: int) -> tuple[bytes, str]:
    """The key of a wave's sealed list, and the SHA-256 of the list that was published; NotLocked where one lacks."""
    entry, published, _ = secret_seeds.committed(folder, wave)
    if entry.list_key is None or published.list_sha256 is None:
        raise secret_seeds.lacking(folder, f"wave {wave} has no key of a sealed list here")
    return bytes.fromhex(entry.list_key), published.list_sha256


def _sizes(
    folder: StudyFolder, wave: int, entry: Seed, published: SeedCommitment, study_id: str
) -> tuple[int, ...]:
    sizes = entry.block_sizes or ()
    if block_commitment(sizes, bytes.fromhex(entry.nonce), study_id, wave) != published.blocks:
        raise secret_seeds.not_committed(folder, f"the list of sealed block sizes of wave {wave}")
    return sizes


def _completed(
    design: Design | NoAllocation, fresh: Mapping[int, Seed], sealing: Sealing, random_bytes: RandomBytes
) -> Mapping[int, Seed]:
    """The seeds with their sizes and list keys; no message names a size."""
    wanted = set(fresh) if seals_blocks(design) else set()
    if set(sealing.block_sizes) != wanted:
        raise ValueError(
            f"the protocol needs sealed block sizes for the waves {sorted(wanted)}, and no others"
        )
    if fresh and drawn_ahead(design) != (sealing.list_sha256 is not None):
        raise ValueError("a list must be drawn where the protocol says `drawn: ahead`, and nowhere else")
    keyed = drawn_ahead(design)
    return {
        wave: one.model_copy(
            update={
                "block_sizes": sealing.block_sizes.get(wave),
                "blocks_supplied": bool(wanted) and sealing.supplied,
                "list_key": random_bytes(SEED_BYTES).hex() if keyed else None,
            }
        )
        for wave, one in sorted(fresh.items())
    }
