"""A list drawn ahead: each place is sealed by itself, and whatever is done to a record shows."""

import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import TypeAdapter

from forethought.errors import ProtocolInvalid, VerificationFailed
from forethought.protocol.allocation import Allocation, Design, PermutedBlocks, algorithm
from forethought.randomization.allocating import allocate
from forethought.randomization.arrivals import Arrivals, Source
from forethought.randomization.sealed_list import (
    RECORD_BYTES,
    OpenedRecord,
    SealedRecord,
    Spot,
    check,
    drawn_ahead,
    list_hash,
    record_key,
    seal,
    strata_of,
    unseal,
)

KEY = bytes(range(32))
LENGTH = 12
STRATA = ("sex=Female", "sex=Male")
LEVELS = {"sex": ("Female", "Male")}
METHODS: dict[str, dict[str, Any]] = {
    "simple": {},
    "complete": {"size": 6, "strata": ["sex"]},
    "permuted_blocks": {"block_sizes": [3, 6], "strata": ["sex"]},
    "biased_coin": {"chance": "2/3", "strata": ["sex"]},
    "big_stick": {"tolerance": 2, "strata": ["sex"]},
    "block_urn": {"block_size": 6, "strata": ["sex"]},
}


def design_of(method: str, **parts: Any) -> Design:
    said = {
        "method": method,
        "ratio": {"control": 1, "coach": 2},
        "drawn": "ahead",
        "list_length": LENGTH,
        "dropouts": {"count": "everyone_allocated", "replace": "never", "statement": "S"},
        "seed": {"drawn_by": "either", "revealed": "at_unblinding"},
        "concealment": "C",
        **METHODS[method],
        **parts,
    }
    found: Design = TypeAdapter(Allocation).validate_json(json.dumps(said))
    return found


def source_of(design: Design, wave: int = 1) -> Source:
    return Source(seed=b"s" * 32, study_id="small", wave=wave, algorithm=algorithm(design))


def spot(stratum: str, place: int, wave: int = 1) -> Spot:
    return Spot(study_id="small", wave=wave, stratum=stratum, place=place)


DESIGN = design_of("permuted_blocks")
Records = tuple[SealedRecord, ...]


@pytest.fixture
def records() -> Records:
    """The list of wave 1: twelve places of each stratum."""
    return drawn_ahead(DESIGN, source_of(DESIGN), STRATA, KEY)


@pytest.mark.parametrize("method", METHODS)
def test_the_list_is_what_drawing_on_arrival_gives(method: str) -> None:
    design = design_of(method)
    strata = strata_of(design, LEVELS)
    opened = [
        unseal(record_key(KEY, spot(one.stratum, one.place)), spot(one.stratum, one.place), one)
        for one in drawn_ahead(design, source_of(design), strata, KEY)
    ]
    live = allocate(
        design, source_of(design), Arrivals.of([label for label in strata for _ in range(LENGTH)])
    )
    assert opened == [
        OpenedRecord(
            arm=live.arms[live.arm[index]],
            probability=live.probability[index],
            block=live.block[index],
            position=live.position[index],
        )
        for index in range(LENGTH * len(strata))
    ]


def test_each_cluster_of_a_list_has_a_place() -> None:
    design = design_of("simple", unit="cluster", cluster="site")
    people = design_of("simple")
    found = [
        unseal(record_key(KEY, spot("all", one.place)), spot("all", one.place), one)
        for one in drawn_ahead(design, source_of(design), ("all",), KEY)
    ]
    drawn = allocate(people, source_of(people), Arrivals.of(["all"] * LENGTH))
    assert [one.arm for one in found] == [drawn.arms[code] for code in drawn.arm]


def test_the_list_has_every_place_of_every_combination_of_levels() -> None:
    design = design_of("complete", strata=["sex", "site"])
    strata = strata_of(design, {"site": ("A", "B|C"), "sex": ("Female", "Male"), "age": ()})
    assert strata == (
        "sex=Female|site=A", r"sex=Female|site=B\|C", "sex=Male|site=A", r"sex=Male|site=B\|C",
    )  # fmt: skip
    made = drawn_ahead(design, source_of(design), strata, KEY)
    assert {(one.stratum, one.place) for one in made} == {
        (label, place) for label in strata for place in range(1, LENGTH + 1)
    }


def test_a_stratum_without_levels_cannot_be_listed() -> None:
    with pytest.raises(ProtocolInvalid, match="strata of `sex`, which has no levels"):
        strata_of(DESIGN, {"sex": ()})


def test_the_same_secrets_give_the_same_list_and_other_secrets_another(records: Records) -> None:
    assert drawn_ahead(DESIGN, source_of(DESIGN), STRATA, KEY) == records
    others = [
        drawn_ahead(DESIGN, source_of(DESIGN), STRATA, b"k" * 32),
        drawn_ahead(DESIGN, source_of(DESIGN, wave=2), STRATA, KEY),
        drawn_ahead(DESIGN, replace(source_of(DESIGN), seed=b"t" * 32), STRATA, KEY),
    ]
    assert len({list_hash(made) for made in (records, *others)}) == 4


def test_a_place_needs_no_record_but_its_own(records: Records) -> None:
    fifth = next(one for one in records if one.place == 5)
    here = spot(fifth.stratum, 5)
    key = hmac.digest(KEY, b"key" + here.label, "sha256")
    assert here.label == b'{"place":5,"stratum":"sex=Female","study_id":"small","wave":1}'
    plain = AESGCM(key).decrypt(fifth.nonce, fifth.ciphertext, here.label)
    assert json.loads(plain)["arm"] == unseal(key, here, fifth).arm


def test_the_key_of_a_place_opens_no_other(records: Records) -> None:
    for one, after in pairwise(records):
        for key_of in (spot(one.stratum, one.place), spot(after.stratum, one.place, wave=2)):
            with pytest.raises(VerificationFailed):
                unseal(record_key(KEY, key_of), spot(after.stratum, after.place), after)


def test_no_key_and_no_nonce_serves_twice(records: Records) -> None:
    assert len({record_key(KEY, spot(one.stratum, one.place)) for one in records}) == len(records)
    assert len({one.nonce for one in records}) == len(records)


def test_no_record_tells_its_arm_by_its_length(records: Records) -> None:
    assert {len(one.ciphertext) for one in records} == {RECORD_BYTES + 16}


def test_the_longest_record_fits() -> None:
    longest = OpenedRecord(
        arm="a" * 64, probability=1.2345678901234567e-300, block=2**31 - 1, position=2**31 - 1
    )
    sealed = seal(KEY, spot("all", 1), longest)
    assert unseal(record_key(KEY, spot("all", 1)), spot("all", 1), sealed) == longest


def altered(records: Records, index: int, **parts: Any) -> list[SealedRecord]:
    return [replace(one, **parts) if place == index else one for place, one in enumerate(records)]


def flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def swapped(records: Records) -> list[SealedRecord]:
    """The third and the fourth place of the first stratum, each with what was sealed for the other."""
    third, fourth = records[2], records[3]
    swapped = altered(records, 2, nonce=fourth.nonce, ciphertext=fourth.ciphertext)
    return altered(tuple(swapped), 3, nonce=third.nonce, ciphertext=third.ciphertext)


FEMALE_3 = "wave 1, stratum sex=Female, place 3 of the sealed list"
TAMPERED: list[tuple[Callable[[Records], list[SealedRecord]], str]] = [
    (lambda records: altered(records, 2, ciphertext=flipped(records[2].ciphertext)), f"{FEMALE_3}: it is not what"),
    (lambda records: altered(records, 2, nonce=flipped(records[2].nonce)), f"{FEMALE_3}: it is not what"),
    (lambda records: altered(records, 2, nonce=b""), f"{FEMALE_3}: it is not what"),
    (lambda records: altered(records, 2, ciphertext=b"short"), f"{FEMALE_3}: it is not what"),
    (swapped, f"{FEMALE_3}: it is not what"),
    (lambda records: [*records[:2], *records[3:]], f"{FEMALE_3}: it is gone"),
    (lambda records: [*records[:2], *records[12:]], f"{FEMALE_3}: it is gone"),
    (lambda records: [*records, replace(records[0], place=13)], "stratum sex=Female, place 13 of the sealed list: it is not"),
    (lambda records: [*records[:12]], "wave 1: at least one stratum of the sealed list: it is gone"),
    (lambda records: [], "wave 1: at least one stratum of the sealed list: it is gone"),
]  # fmt: skip


@pytest.mark.parametrize(("tamper", "said"), TAMPERED)
def test_whatever_is_done_to_the_list_shows_with_its_place(
    records: Records, tamper: Callable[[Records], list[SealedRecord]], said: str
) -> None:
    published = list_hash(records)
    check(KEY, "small", 1, LENGTH, records, published)
    with pytest.raises(VerificationFailed, match=said):
        check(KEY, "small", 1, LENGTH, tamper(records), published)


def test_the_hash_of_a_list_does_not_depend_on_the_order_of_its_rows(records: Records) -> None:
    shuffled = [records[index] for index in np.random.default_rng(1).permutation(len(records))]
    assert list_hash(shuffled) == list_hash(records)


def test_sealed_block_sizes_do_not_show_in_a_list() -> None:
    sizes = [(3,), (3, 6), (12,)]
    assert isinstance(DESIGN, PermutedBlocks)
    lists = [
        drawn_ahead(DESIGN.model_copy(update={"block_sizes": each}), source_of(DESIGN), STRATA, KEY)
        for each in sizes
    ]
    assert len({tuple((one.stratum, one.place, len(one.ciphertext), one.nonce) for one in made) for made in lists}) == 1  # fmt: skip
