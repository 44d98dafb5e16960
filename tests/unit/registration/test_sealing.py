"""Block sizes that are sealed: kept in secrets/, committed to in the registration, told when a wave is opened."""

import hashlib
import json
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from forethought import registration
from forethought.errors import NotLocked
from forethought.protocol.allocation import PermutedBlocks
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.registration import Registration, Sealing, block_commitment, lock, read, resolved, revealed

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
SEEDS = {1: bytes(range(32)), 2: bytes(range(32, 64))}
SIZES = {1: (4, 2), 2: (6, 10, 8)}
NONCES = {1: b"n" * 32, 2: b"m" * 32}

Edit = Callable[[Callable[[dict[str, Any]], object]], LoadedProtocol]


@pytest.fixture
def sealed(edit: Edit) -> LoadedProtocol:
    """The study with block sizes that the protocol does not tell."""
    return edit(lambda plan: plan["allocation"].update(block_sizes="sealed"))


@pytest.fixture
def registered(folder: StudyFolder, sealed: LoadedProtocol) -> Registration:
    """It, locked."""
    return locked_with(folder, sealed)


def locked_with(
    folder: StudyFolder, loaded: LoadedProtocol, sizes: dict[int, tuple[int, ...]] = SIZES, **given: Any
) -> Registration:
    nonces = iter((NONCES[1], NONCES[2]))
    sealing = Sealing(block_sizes=sizes, **given)
    return lock(
        folder, loaded, now=NOW, by="ann", seeds=SEEDS, supplied=False, sealing=sealing,
        random_bytes=lambda _: next(nonces),
    )  # fmt: skip


def test_a_commitment_to_sizes_is_the_hash_of_nonce_words_study_wave_and_sizes() -> None:
    text = b"n" * 32 + b"block sizes" + b'{"sizes":[4,2],"study_id":"small","wave":1}'
    assert block_commitment((4, 2), b"n" * 32, "small", 1) == hashlib.sha256(text).hexdigest()


def test_each_wave_commits_to_its_own_sizes(registered: Registration) -> None:
    assert [one.blocks for one in registered.seeds] == [
        block_commitment(SIZES[wave], NONCES[wave], "small", wave) for wave in (1, 2)
    ]


def test_the_sizes_are_in_secrets_alone(folder: StudyFolder, registered: Registration) -> None:
    kept = folder.secrets / "seeds.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["waves"]["2"]["block_sizes"] == [6, 10, 8]
    published = json.loads(folder.registration.read_text())
    assert published["protocol"]["allocation"]["block_sizes"] == "sealed"
    assert not re.search(r"\[\s*6,\s*10,\s*8\s*\]", folder.registration.read_text())


def test_whether_a_person_gave_the_sizes_is_published(folder: StudyFolder, sealed: LoadedProtocol) -> None:
    made = locked_with(folder, sealed, supplied=True)
    assert [one.blocks_supplied for one in made.seeds] == [True, True]


def test_the_resolved_design_has_the_true_sizes_of_the_wave(
    folder: StudyFolder, sealed: LoadedProtocol, registered: Registration
) -> None:
    for wave, sizes in SIZES.items():
        design = resolved(folder, sealed.protocol, wave)
        assert isinstance(design, PermutedBlocks)
        assert design.block_sizes == sizes


def test_a_design_without_secrets_is_resolved_without_reading_any(
    folder: StudyFolder, loaded: LoadedProtocol
) -> None:
    assert resolved(folder, loaded.protocol, 1) == loaded.protocol.allocation


@pytest.mark.parametrize("sizes", [[2, 4], [4], None])
def test_sizes_that_are_not_those_committed_to_are_refused_and_not_named(
    folder: StudyFolder, sealed: LoadedProtocol, registered: Registration, sizes: list[int] | None
) -> None:
    kept = folder.secrets / "seeds.json"
    data = json.loads(kept.read_text())
    data["waves"]["1"]["block_sizes"] = sizes
    kept.write_text(json.dumps(data))
    with pytest.raises(
        NotLocked, match="block sizes of wave 1 is not the one that was committed to"
    ) as raised:
        resolved(folder, sealed.protocol, 1)
    assert not re.search(r"[\[(]\d", str(raised.value))
    assert resolved(folder, sealed.protocol, 2) != sealed.protocol.allocation


def test_what_is_revealed_of_a_wave_checks_its_commitments_and_holds_nothing_of_another(
    folder: StudyFolder, registered: Registration
) -> None:
    shown = revealed(folder, 1)
    assert shown == {"seed": SEEDS[1].hex(), "nonce": NONCES[1].hex(), "block_sizes": [4, 2]}
    assert SEEDS[2].hex() not in repr(shown)
    assert NONCES[2].hex() not in repr(shown)


def test_of_a_design_that_seals_nothing_seed_and_nonce_are_revealed(
    folder: StudyFolder, locked: Registration
) -> None:
    assert set(revealed(folder, 1)) == {"seed", "nonce"}


def test_a_lock_that_a_crash_broke_off_goes_on_with_its_sizes(
    folder: StudyFolder, sealed: LoadedProtocol, registered: Registration
) -> None:
    folder.registration.unlink()
    again = locked_with(folder, sealed, {1: (2, 6), 2: (2, 8)})
    assert again == registered


def test_sizes_that_a_person_gives_never_overwrite_those_of_a_lost_registration(
    folder: StudyFolder, sealed: LoadedProtocol, registered: Registration
) -> None:
    folder.registration.unlink()
    with pytest.raises(NotLocked, match="there are seeds of another lock or amendment here"):
        locked_with(folder, sealed, {1: (2, 6), 2: (2, 8)}, supplied=True)


def test_sizes_left_for_another_ratio_give_way(
    folder: StudyFolder, edit: Edit, registered: Registration
) -> None:
    folder.registration.unlink()
    loaded = edit(
        lambda plan: plan["allocation"].update(ratio={"control": 1, "coach": 2}, block_sizes="sealed")
    )
    locked_with(folder, loaded, {1: (3, 6), 2: (6, 9)})
    design = resolved(folder, loaded.protocol, 1)
    assert isinstance(design, PermutedBlocks)
    assert design.block_sizes == (3, 6)


@pytest.mark.parametrize("sizes", [{}, {1: (2, 4)}])
def test_each_wave_needs_its_sizes(
    folder: StudyFolder, sealed: LoadedProtocol, sizes: dict[int, tuple[int, ...]]
) -> None:
    with pytest.raises(ValueError, match=r"sealed block sizes for the waves \[1, 2\]"):
        locked_with(folder, sealed, sizes)
    assert not folder.registration.exists()


def test_nothing_secret_is_in_a_representation(folder: StudyFolder, registered: Registration) -> None:
    entry = registration.committed(folder, 2)[0]
    for shown in (repr(entry), str(entry), repr(Sealing(block_sizes=SIZES))):
        assert SEEDS[2].hex() not in shown
        assert NONCES[2].hex() not in shown
        assert "10" not in shown


@pytest.mark.parametrize("damage", ['"waves"', SEEDS[1].hex()[:60]])
def test_damaged_secrets_are_refused_without_a_word_of_them(
    folder: StudyFolder, registered: Registration, damage: str
) -> None:
    kept = folder.secrets / "seeds.json"
    kept.write_text(kept.read_text().replace(damage, "x"))
    with pytest.raises(NotLocked, match="it is damaged") as raised:
        registration.seed(folder, 1)
    assert SEEDS[2].hex() not in str(raised.value)
    assert raised.value.__suppress_context__


def test_secrets_of_an_older_release_are_read(folder: StudyFolder, locked: Registration) -> None:
    kept = folder.secrets / "seeds.json"
    old = json.loads(kept.read_text())
    for one in old["waves"].values():
        assert set(one) - {"blocks_supplied"} == {"seed", "nonce", "supplied"}
        one.pop("blocks_supplied", None)
    kept.write_text(json.dumps(old))
    assert registration.seed(folder, 1) == SEEDS[1]
    assert read(folder) == locked
