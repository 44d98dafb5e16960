"""Whether tables beside the allocations hold what the ledger and the registration say of them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from forethought.ledger import Event
from forethought.randomization.sealed_list import list_hash
from forethought.registration import Registration
from forethought.store import corrections, sealed_list
from forethought.store.connection import Connection


def kept_otherwise(con: Connection, locked: Registration, history: Sequence[Event]) -> tuple[str, ...]:
    """What differs, as sentences without their full stops. No arm, no value and no secret is in them."""
    return (*_corrections(con, history), *_lists(con, locked))


def _corrections(con: Connection, history: Sequence[Event]) -> Iterator[str]:
    """Of each correction its person, kind and words; the ledger has values as salted hashes, which a freeze covers."""
    told: Counter[tuple[object, ...]] = Counter(
        tuple(event.detail.get(name) for name in ("participant", "kind", "item", "first", "by", "reason"))
        for event in history
        if event.action == "correct"
    )
    kept: Counter[tuple[object, ...]] = Counter(corrections.told(con))
    for differing, what in (
        (told - kept, "that the ledger tells of are not kept as they were told"),
        (kept - told, "are kept that the ledger does not tell of"),
    ):
        if differing:
            yield f"corrections: {differing.total():,} {what}"


def _lists(con: Connection, locked: Registration) -> Iterator[str]:
    """The sealed lists have the hashes that were published; nothing of them is opened."""
    for one in locked.all_seeds:
        if one.list_sha256 is not None and list_hash(sealed_list.of_wave(con, one.wave)) != one.list_sha256:
            yield f"wave {one.wave}: the sealed list is not the one whose hash was registered"
