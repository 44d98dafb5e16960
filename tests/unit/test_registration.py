"""What is locked stays locked: the protocol, the materials, the seeds."""

import hashlib
import json
import stat
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from forethought import registration
from forethought.errors import NotLocked
from forethought.files import canonical_json
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol, load
from forethought.registration import Registration, commitment, lock, read, require, seed

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
SEEDS = {1: bytes(range(32)), 2: bytes(range(32, 64))}
WINDOW = {"anchor": "allocation", "opens": 0, "target": 10, "closes": 60}

PLAN: dict[str, object] = {
    "format": "forethought-protocol/1",
    "study": {"id": "small", "title": "T", "summary": "S", "authors": [{"name": "A"}], "ethics": "E"},
    "waves": [{"number": n, "opens": f"2026-11-0{n}T09:00:00+00:00", "target": 4} for n in (1, 2)],
    "arms": [{"id": arm, "label": arm, "code": arm, "description": arm} for arm in ("control", "coach")],
    "allocation": {"method": "permuted_blocks", "ratio": {"control": 1, "coach": 1}, "block_sizes": [2]},
    "sessions": [{"id": "first", "label": "1", "window": WINDOW, "variables": {"round": 0}}],
    "materials": [{"file": "script.md", "description": "What the partner says"}],
    "imports": {
        "recruits": {"source": "csv", "participant": "id", "status": "status", "arrived": "arrived"},
        "conversations": {
            "source": "csv", "conversation": "c", "participant": "id", "session": "s", "sessions": {"1": "first"},
            "number": "n", "role": "r", "roles": {"p": "participant", "q": "partner"}, "text": "t", "sent": "at",
        },
        "ratings": {"source": "csv", "conversation": "c", "rater": "rater", "outcomes": {"warmth": "warmth"}},
    },
    "outcomes": [{"kind": "rated", "id": "warmth", "label": "w", "minimum": 1, "maximum": 5, "better": "higher", "scorer": "judge"}],
    "analysis": {
        "population": "intention_to_treat",
        "missing_data": "none",
        "models": [{"kind": "ols", "id": "m", "label": "m", "formula": "y ~ arm", "outcomes": ["warmth"], "role": "primary", "cluster": "participant"}],
    },
}  # fmt: skip


def write(folder: StudyFolder, changes: Mapping[str, object]) -> LoadedProtocol:
    folder.protocol.write_text(yaml.safe_dump({**PLAN, **changes}, sort_keys=False))
    return load(folder.protocol)


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    study = StudyFolder(tmp_path)
    study.materials.mkdir()
    (study.materials / "script.md").write_text("Hello\n")
    return study


@pytest.fixture
def loaded(folder: StudyFolder) -> LoadedProtocol:
    return write(folder, {})


@pytest.fixture
def locked(folder: StudyFolder, loaded: LoadedProtocol) -> Registration:
    return lock(
        folder, loaded, now=NOW, by="ann", seeds=SEEDS, supplied=True, random_bytes=lambda size: b"n" * size
    )


def contents(folder: StudyFolder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}


def test_a_registration_holds_what_was_locked(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    assert locked.format == "forethought-registration/1"
    assert locked.study_id == "small"
    assert locked.fingerprint == loaded.fingerprint
    assert locked.protocol_sha256 == hashlib.sha256(folder.protocol.read_bytes()).hexdigest()
    assert (locked.locked_at, locked.locked_by) == (NOW, "ann")
    assert locked.materials == {"script.md": hashlib.sha256(b"Hello\n").hexdigest()}
    assert locked.protocol == loaded.data
    assert locked.allocation_algorithm == "permuted-blocks/1"
    assert "numpy" in locked.software
    assert [(entry.wave, entry.supplied) for entry in locked.seeds] == [(1, True), (2, True)]


def test_the_file_says_what_the_registration_says(folder: StudyFolder, locked: Registration) -> None:
    assert read(folder) == locked
    assert list(json.loads(folder.registration.read_text()))[:3] == ["format", "study_id", "fingerprint"]


def test_a_study_that_was_never_locked_has_no_registration(
    folder: StudyFolder, loaded: LoadedProtocol
) -> None:
    assert read(folder) is None
    with pytest.raises(NotLocked, match=r"the study is not locked\. Run `forethought lock` on it first"):
        require(folder, loaded)


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


def test_locking_again_gives_the_first_registration_and_changes_nothing(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    before = contents(folder)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert (
        lock(folder, loaded, now=later, by="bob", seeds={1: b"x" * 32, 2: b"y" * 32}, supplied=False)
        == locked
    )
    assert contents(folder) == before


def test_another_protocol_cannot_be_locked_in_its_place(folder: StudyFolder, locked: Registration) -> None:
    before = contents(folder)
    other = write(folder, {"waves": [PLAN["waves"][0]]})  # type: ignore[index]
    with pytest.raises(NotLocked, match="edited after the lock"):
        lock(folder, other, now=NOW, by="ann", seeds={1: SEEDS[1]}, supplied=True)
    assert contents(folder).keys() == before.keys()
    assert read(folder) == locked


def test_a_comment_in_the_protocol_does_not_break_the_lock(folder: StudyFolder, locked: Registration) -> None:
    folder.protocol.write_text("# a remark\n" + folder.protocol.read_text())
    assert require(folder, load(folder.protocol)) == locked


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"waves": [{**PLAN["waves"][0], "target": 5}, PLAN["waves"][1]]}, "waves"),  # type: ignore[dict-item, index]
        ({"study": {**PLAN["study"], "title": "U"}}, "study.title"),  # type: ignore[dict-item]
        ({"analysis": {**PLAN["analysis"], "alpha": 0.01}}, "analysis.alpha"),  # type: ignore[dict-item]
        ({"analysis": {**PLAN["analysis"], "missing_data": "x"}, "materials": []}, "materials, analysis.missing_data"),  # type: ignore[dict-item]
    ],
)  # fmt: skip
def test_an_edited_protocol_is_refused_with_the_fields_that_changed(
    folder: StudyFolder, locked: Registration, change: Mapping[str, object], named: str
) -> None:
    with pytest.raises(NotLocked) as refused:
        require(folder, write(folder, change))
    assert str(refused.value) == (
        f"{folder.protocol}: the protocol was edited after the lock ({named}). "
        "Restore it, or start a new study folder for a new plan."
    )


def test_a_changed_material_is_refused(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    (folder.materials / "script.md").write_text("Good day\n")
    with pytest.raises(NotLocked, match=r"script\.md: this material was changed after the lock"):
        require(folder, loaded)


def test_a_removed_material_is_refused(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    (folder.materials / "script.md").unlink()
    with pytest.raises(NotLocked, match=r"script\.md: this locked material is missing"):
        require(folder, loaded)


def test_a_file_that_the_protocol_does_not_name_is_no_material(
    folder: StudyFolder, loaded: LoadedProtocol, locked: Registration
) -> None:
    (folder.materials / "notes.txt").write_text("mine")
    assert require(folder, loaded) == locked


def test_a_study_whose_material_is_missing_cannot_be_locked(
    folder: StudyFolder, loaded: LoadedProtocol
) -> None:
    (folder.materials / "script.md").unlink()
    with pytest.raises(NotLocked, match="names this material, and it is not there"):
        lock(folder, loaded, now=NOW, by="ann", seeds=SEEDS, supplied=False)
    assert not folder.registration.exists()
    assert not folder.secrets.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:200],
        lambda text: text.replace("forethought-registration/1", "forethought-registration/9"),
        lambda text: text.replace('"locked_by"', '"by"'),
        lambda text: text.replace('"target": 4', '"target": 5'),
    ],
)
def test_a_damaged_or_edited_registration_is_refused(
    folder: StudyFolder, locked: Registration, damage: object
) -> None:
    folder.registration.write_text(damage(folder.registration.read_text()))  # type: ignore[operator]
    with pytest.raises(NotLocked, match=r"registration\.json: .* Restore it from a backup"):
        read(folder)


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
    with pytest.raises(NotLocked, match="there are seeds of another lock here"):
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


def test_the_locked_copy_has_the_fingerprint_that_was_locked(locked: Registration) -> None:
    assert hashlib.sha256(canonical_json(locked.protocol)).hexdigest() == locked.fingerprint


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
