"""What one wave reveals tells nothing of the next."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from forethought.registration import block_commitment, commitment

Forethought = Callable[..., Any]
Rows = Callable[[Path], dict[str, list[tuple[Any, ...]]]]
Everything = Callable[[Path], bytes]
Walk = Any
Search = Any


def detail(study: Path) -> Any:
    with duckdb.connect(study / "study.duckdb", read_only=True) as con:
        ((text,),) = con.execute("SELECT detail FROM events WHERE action = 'unblind'").fetchall()
    return json.loads(text)


def test_the_unblinding_of_a_wave_reveals_its_secrets_and_no_other(walk: Walk) -> None:
    revealed = detail(walk.opened)["waves"]
    first = walk.waves["1"]
    assert revealed == {
        "1": {"seed": first["seed"], "nonce": first["nonce"], "block_sizes": walk.sizes["1"], "list_key": first["list_key"]}
    }  # fmt: skip


def test_what_is_revealed_is_what_was_committed_to(walk: Walk) -> None:
    one = detail(walk.opened)["waves"]["1"]
    published = json.loads((walk.locked / "registration.json").read_text())["seeds"][0]
    nonce = bytes.fromhex(one["nonce"])
    assert published["commitment"] == commitment(bytes.fromhex(one["seed"]), nonce, "lend_an_ear", 1)
    assert published["blocks"] == block_commitment(one["block_sizes"], nonce, "lend_an_ear", 1)


def test_nothing_of_the_second_wave_is_told_with_the_first(
    search: Search, walk: Walk, everything: Everything, rows: Rows
) -> None:
    second = {"2": walk.waves["2"]}
    printed = walk.printed("status of wave 1")
    assert (
        search.told(printed.encode() + everything(walk.opened) + search.blobs(rows(walk.opened)), second)
        == []
    )
    assert search.sequences(printed + search.own_text(walk.opened), ("2",)) == []


def test_the_secrets_of_the_first_wave_do_not_open_the_list_of_the_second(walk: Walk, rows: Rows) -> None:
    from forethought.errors import VerificationFailed
    from forethought.randomization.sealed_list import SealedRecord, Spot, record_key, unseal

    def opens(wave: int, bound_to: int) -> bool:
        row = next(each for each in rows(walk.opened)["sealed_list"] if each[0] == wave)
        record = SealedRecord(stratum=row[1], place=row[2], nonce=bytes(row[3]), ciphertext=bytes(row[4]))
        key = bytes.fromhex(detail(walk.opened)["waves"]["1"]["list_key"])
        keyed = Spot(study_id="lend_an_ear", wave=bound_to, stratum=row[1], place=row[2])
        bound = Spot(study_id="lend_an_ear", wave=wave, stratum=row[1], place=row[2])
        try:
            unseal(record_key(key, keyed), bound, record)
        except VerificationFailed:
            return False
        return True

    assert opens(1, 1)
    assert not opens(2, 2)
    assert not opens(2, 1)


def test_the_seeds_of_two_waves_are_drawn_apart(
    forethought: Forethought, walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import secrets

    made: list[bytes] = []
    really = secrets.token_bytes

    def watched(size: int | None = None) -> bytes:
        made.append(really(size))
        return made[-1]

    study = shutil.copytree(walk.planned, tmp_path / "study")
    monkeypatch.setattr("forethought.steps.registering.secrets.token_bytes", watched)
    assert forethought("lock", study).code == 0
    waves = json.loads((study / "secrets" / "seeds.json").read_text())["waves"]
    assert [waves[number]["seed"] for number in ("1", "2")] == [one.hex() for one in made]
    assert len({wave[name] for wave in waves.values() for name in ("seed", "nonce", "list_key")}) == 6


def test_the_commitments_of_two_locks_with_the_same_sizes_have_nothing_in_common(
    forethought: Forethought, walk: Walk, tmp_path: Path
) -> None:
    study = shutil.copytree(walk.planned, tmp_path / "study")
    assert forethought("lock", study, "--blocks", walk.blocks).code == 0
    waves = json.loads((study / "secrets" / "seeds.json").read_text())["waves"]
    published = [
        json.loads((each / "registration.json").read_text())["seeds"] for each in (study, walk.locked)
    ]
    for number in ("1", "2"):
        assert waves[number]["block_sizes"] == walk.waves[number]["block_sizes"]
    for one, other in zip(*published, strict=True):
        assert all(one[name] != other[name] for name in ("commitment", "blocks", "list_sha256"))
