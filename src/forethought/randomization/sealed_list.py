"""A list of arms that is drawn ahead, each of its places sealed by itself: opening one opens no other.

Every record has a key of its own, from the list's secret key and its place; AES-GCM binds it to study, wave, stratum
and place, so that a record that was altered or moved does not open. All records have one length. It shows that the
list was not changed since its hash was published. It does not keep whoever holds the list's key from opening all of
it: software on its owner's machine gives evidence, not prevention.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from struct import Struct

import numpy as np

from forethought.errors import ProtocolInvalid, VerificationFailed
from forethought.files import canonical_json
from forethought.protocol.allocation import Design
from forethought.randomization.allocating import allocate
from forethought.randomization.arrivals import Arrivals, Source
from forethought.randomization.strata import stratum

RECORD_BYTES = 192
"""The length of every record before it is sealed: a name of 64 letters and four numbers fit into it."""

_NONCE_BYTES = 12
_LENGTH = Struct(">Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place of a list: the n-th unit of a stratum, from 1, in a wave of a study."""

    study_id: str
    wave: int
    stratum: str
    place: int

    @property
    def label(self) -> bytes:
        """What the record's key is derived from, and what its ciphertext is bound to."""
        return canonical_json(
            {"study_id": self.study_id, "wave": self.wave, "stratum": self.stratum, "place": self.place}
        )

    def __str__(self) -> str:
        return f"wave {self.wave}, stratum {self.stratum}, place {self.place} of the sealed list"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRecord:
    """What is kept of a place: everybody may read it, and it tells nothing."""

    stratum: str
    place: int
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRecord:
    """The arm of a place, with its probability, block and position, as a draw on arrival would give them."""

    arm: str
    probability: float
    block: int
    position: int


def strata_of(design: Design, levels: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The label of every stratum, all combinations of the levels; ProtocolInvalid where a variable has none."""
    for name in design.covariates:
        if not levels.get(name):
            raise ProtocolInvalid(
                "allocation.drawn",
                f"a list cannot be drawn ahead for the strata of `{name}`, which has no levels",
                "Give it levels in imports.recruits.variables, or write `drawn: on_arrival`",
            )
    known = {name: levels[name] for name in design.covariates}
    found = (stratum(known, dict(zip(known, values, strict=True))) for values in product(*known.values()))
    return tuple(label for label in found if isinstance(label, str))


def drawn_ahead(
    design: Design, source: Source, strata: Sequence[str], key: bytes
) -> tuple[SealedRecord, ...]:
    """The list of a wave: `list_length` sealed places of each stratum, in order; the same for the same secrets."""
    if design.list_length is None:
        raise ValueError("a list that is drawn ahead has a length")
    length = design.list_length
    units = None
    if design.unit == "cluster":
        units = tuple(f"{label}/{place}" for label in strata for place in range(length))
    codes = np.repeat(np.arange(len(strata), dtype=np.intp), length)
    drawn = allocate(design, source, Arrivals(labels=tuple(strata), codes=codes, units=units))
    return tuple(
        seal(
            key,
            Spot(study_id=source.study_id, wave=source.wave, stratum=strata[code], place=index % length + 1),
            OpenedRecord(
                arm=drawn.arms[drawn.arm[index]],
                probability=float(drawn.probability[index]),
                block=int(drawn.block[index]),
                position=int(drawn.position[index]),
            ),
        )
        for index, code in enumerate(codes.tolist())
    )


def record_key(list_key: bytes, spot: Spot) -> bytes:
    """The key of one record: HMAC-SHA256 of the list's key over `key` and the place. No other record opens with it."""
    return hmac.digest(list_key, b"key" + spot.label, "sha256")


def seal(list_key: bytes, spot: Spot, record: OpenedRecord) -> SealedRecord:
    """The record under its own key; the nonce is derived too, since each key seals one record alone."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    said = {
        "arm": record.arm,
        "probability": record.probability,
        "block": record.block,
        "position": record.position,
    }
    plain = canonical_json(said).ljust(RECORD_BYTES)
    if len(plain) != RECORD_BYTES:
        raise ValueError(f"a record has {RECORD_BYTES} bytes")
    nonce = _nonce(list_key, spot)
    ciphertext = AESGCM(record_key(list_key, spot)).encrypt(nonce, plain, spot.label)
    return SealedRecord(stratum=spot.stratum, place=spot.place, nonce=nonce, ciphertext=ciphertext)


def unseal(key: bytes, spot: Spot, record: SealedRecord) -> OpenedRecord:
    """The record that this key is of; VerificationFailed where it is not what was sealed for this place."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        plain = AESGCM(key).decrypt(record.nonce, record.ciphertext, spot.label)
    except (InvalidTag, ValueError):  # ValueError: a nonce or a ciphertext of another length
        raise not_sealed(spot) from None
    return OpenedRecord(**json.loads(plain))


def list_hash(records: Iterable[SealedRecord]) -> str:
    """SHA-256 of a wave's list: of each record in order of stratum and place, each of its parts after its length.

    The parts are the stratum's label (UTF-8), the place in decimal digits, nonce and ciphertext; a length has 8 bytes,
    big-endian.
    """
    digest = hashlib.sha256()
    for one in sorted(records, key=lambda record: (record.stratum, record.place)):
        for part in (one.stratum.encode(), str(one.place).encode(), one.nonce, one.ciphertext):
            digest.update(_LENGTH.pack(len(part)) + part)
    return digest.hexdigest()


def check(
    list_key: bytes, study_id: str, wave: int, length: int, records: Sequence[SealedRecord], published: str
) -> None:
    """VerificationFailed where this is not the list whose hash was published; it names the first wrong place.

    To find it, records are opened one after the other, and what is in them is let go.
    """
    if list_hash(records) == published:
        return
    by_place = {(one.stratum, one.place): one for one in records}
    strata = sorted({one.stratum for one in records})
    for spot in _spots(study_id, wave, strata, length):
        found = by_place.pop((spot.stratum, spot.place), None)
        if found is None:
            raise _missing(spot)
        unseal(record_key(list_key, spot), spot, found)
    for label, place in sorted(by_place):
        raise not_sealed(Spot(study_id=study_id, wave=wave, stratum=label, place=place))
    raise _missing(f"wave {wave}: at least one stratum of the sealed list")


def not_sealed(spot: Spot) -> VerificationFailed:
    """What is said of a record that does not open."""
    return VerificationFailed(
        str(spot),
        "it is not what was sealed at the lock, or was sealed with another key",
        "Restore the database and the secrets folder from the same backup",
    )


def _missing(what: Spot | str) -> VerificationFailed:
    return VerificationFailed(
        str(what), "it is gone from the table sealed_list", "Restore the database from a backup"
    )


def _spots(study_id: str, wave: int, strata: Sequence[str], length: int) -> Iterator[Spot]:
    for label in strata:
        for place in range(1, length + 1):
            yield Spot(study_id=study_id, wave=wave, stratum=label, place=place)


def _nonce(list_key: bytes, spot: Spot) -> bytes:
    return hmac.digest(list_key, b"nonce" + spot.label, "sha256")[:_NONCE_BYTES]
