"""The secret seeds: committed to at the lock, kept as they are through crashes and repetitions."""

import hashlib
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from forethought import registration
from forethought.errors import NotLocked
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.registration import Registration, commitment, lock, read, seed

GOLDEN = Path(__file__).parents[2] / "golden"
NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
SEEDS = {1: bytes(range(32)), 2: bytes(range(32, 64))}

Edit = Callable[[Callable[[dict[str, Any]], object]], LoadedProtocol]


def contents(folder: StudyFolder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}


def test_the_seeds_are_secret_and_their_commitments_public(folder: StudyFolder, locked: Registration) -> None:
    assert stat.S_IMODE(folder.secrets.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder.secrets / "seeds.json").stat().st_mode) == 0o600
    assert not any(secret.hex() in folder.registration.read_text() for secret in SEEDS.values())
    assert {wave: seed(folder, wave) for wave in SEEDS} == SEEDS
    for entry in locked.seeds:
        nonce = registration.nonce(folder, entry.wave)
        assert entry.commitment == commitment(SEEDS[entry.wave], nonce, "small", entry.wave)


def test_a_commitment_is_the_hash_of_nonce_seed_study_and_wave() -> None:
    text = b"n" * 32 + b"s" * 32 + b'{"study_id":"small","wave":2}'
    assert commitment(b"s" * 32, b"n" * 32, "small", 2) == hashlib.sha256(text).hexdigest()


def test_a_seed_that_is_not_the_committed_one_is_refused(folder: StudyFolder, locked: Registration) -> None:
    file = folder.secrets / "seeds.json"
    file.write_text(file.read_text().replace(SEEDS[1].hex(), b"x".hex() * 32))
    with pytest.raises(NotLocked, match="the seed of wave 1 is not the one that was committed to"):
        seed(folder, 1)
    assert seed(folder, 2) == SEEDS[2]


def test_a_wave_without_a_seed_is_refused(folder: StudyFolder, locked: Registration) -> None:
    with pytest.raises(NotLocked, match="wave 3 has no committed seed"):
        seed(folder, 3)
    (folder.secrets / "seeds.json").unlink()
    with pytest.raises(NotLocked, match="wave 1 has no committed seed"):
        seed(folder, 1)


def test_a_lock_that_a_crash_broke_off_goes_on_with_its_seeds(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    folder.registration.unlink()
    again = lock(folder, loaded, now=NOW, by="ann", seeds={1: b"x" * 32, 2: b"y" * 32}, supplied=False)
    assert again == locked
    assert seed(folder, 1) == SEEDS[1]


def test_supplied_seeds_never_overwrite_those_of_a_lost_registration(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    folder.registration.unlink()
    with pytest.raises(
        NotLocked, match=r"there are seeds of another lock or amendment here.*move this file away"
    ):
        lock(folder, loaded, now=NOW, by="ann", seeds={1: b"x" * 32, 2: b"y" * 32}, supplied=True)
    assert SEEDS[1].hex() in (folder.secrets / "seeds.json").read_text()


@pytest.mark.parametrize("seeds", [{}, {1: b"x" * 32}, {1: b"x" * 32, 2: b"short"}])
def test_each_wave_needs_a_seed_of_32_bytes(
    folder: StudyFolder, loaded: LoadedProtocol, seeds: Mapping[int, bytes]
) -> None:
    with pytest.raises(ValueError, match="seed"):
        lock(folder, loaded, now=NOW, by="ann", seeds=seeds, supplied=False)
    assert not folder.registration.exists()


def test_the_nonces_come_from_chance_where_none_is_given(folder: StudyFolder, loaded: LoadedProtocol) -> None:
    lock(folder, loaded, now=NOW, by="ann", seeds={1: b"x" * 32, 2: b"x" * 32}, supplied=False)
    assert len({registration.nonce(folder, wave) for wave in (1, 2)}) == 2


def test_of_processes_that_lock_at_once_one_does(folder: StudyFolder, loaded: LoadedProtocol) -> None:
    program = (
        "import secrets\n"
        "from datetime import UTC, datetime\n"
        "from pathlib import Path\n"
        "from forethought.protocol.folder import StudyFolder\n"
        "from forethought.protocol.loading import load\n"
        "from forethought.registration import lock\n"
        f"folder = StudyFolder(Path({str(folder.path)!r}))\n"
        "seeds = {wave: secrets.token_bytes(32) for wave in (1, 2)}\n"
        "made = lock(folder, load(folder.protocol), now=datetime.now(UTC), by='x', seeds=seeds, supplied=False)\n"
        "print(made.seeds[0].commitment)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    commitments = {process.communicate()[0] for process in started}
    registered = read(folder)
    assert registered is not None
    assert commitments == {registered.seeds[0].commitment + "\n"}
    assert len(seed(folder, 1)) == 32
