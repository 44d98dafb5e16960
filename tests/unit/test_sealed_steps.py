"""A study whose list is drawn at the lock: sealed then, opened place by place as people come."""

import json
import shutil
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import yaml

from forethought import registration
from forethought.errors import NotLocked, VerificationFailed
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.randomization import sealed_list as pure
from forethought.randomization.allocating import allocate
from forethought.randomization.arrivals import Arrivals, Before, Drawn, Source, Tally
from forethought.steps.init_study import init_study
from forethought.steps.lock import lock
from forethought.steps.sealed import drawn_from_list
from forethought.store import rows, sealed_list
from forethought.store.connection import reading

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
LENGTH = 10
FEMALE, MALE, UNTOLD = "sex=Female", "sex=Male", "sex=Prefer not to say"
COMING = [FEMALE, FEMALE, MALE, FEMALE, MALE, FEMALE, FEMALE, FEMALE, MALE]


def edit(folder: StudyFolder, **allocation: object) -> None:
    data = yaml.safe_load(folder.protocol.read_text("utf-8"))
    data["allocation"].update(allocation)
    folder.protocol.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study before its lock, and locked: blocks of 4 and 8, four arms, three strata of ten places."""
    place = tmp_path_factory.mktemp("made")
    init_study(place / "unlocked", "lend_an_ear", now=NOW, actor="ann")
    edit(StudyFolder(place / "unlocked"), drawn="ahead", list_length=LENGTH, block_sizes="sealed")
    shutil.copytree(place / "unlocked", place / "locked")
    (place / "seed.txt").write_text("5a" * 32)
    (place / "blocks.txt").write_text("4 8")
    lock(
        StudyFolder(place / "locked"),
        now=NOW,
        actor="ann",
        seed_file=place / "seed.txt",
        blocks_file=place / "blocks.txt",
    )
    return place


@pytest.fixture
def unlocked(made: Path, tmp_path: Path) -> StudyFolder:
    return StudyFolder(shutil.copytree(made / "unlocked", tmp_path / "study"))


@pytest.fixture
def study(made: Path, tmp_path: Path) -> StudyFolder:
    return StudyFolder(shutil.copytree(made / "locked", tmp_path / "study"))


def source(folder: StudyFolder) -> Source:
    return Source(
        seed=registration.seed(folder, 1), study_id="lend_an_ear", wave=1, algorithm="permuted-blocks/2"
    )


def design(folder: StudyFolder) -> Any:
    return registration.resolved(folder, load(folder.protocol).protocol, 1)


def opened(folder: StudyFolder, strata: Sequence[str], before: Before = Before()) -> Drawn:  # noqa: B008 -- frozen
    with reading(folder) as con:
        return drawn_from_list(con, folder, design(folder), source(folder), Arrivals.of(strata), before)


def arms(drawn: Drawn) -> list[str | None]:
    return [None if code < 0 else drawn.arms[code] for code in drawn.arm]


def after(strata: Sequence[str], drawn: Drawn) -> Before:
    """What the wave holds once these are allocated."""
    pairs = list(zip(strata, arms(drawn), strict=True))
    numbers = {(label, arm): pairs.count((label, arm)) for label, arm in pairs if arm is not None}
    return Before(
        tallies=tuple(
            Tally(stratum=label, arm=str(arm), placed=count, regular=count, counting=count)
            for (label, arm), count in numbers.items()
        ),
        arrivals=len(pairs),
    )


def test_the_list_gives_what_drawing_on_arrival_gives(study: StudyFolder) -> None:
    live = allocate(design(study), source(study), Arrivals.of(COMING))
    listed = opened(study, COMING)
    for column in ("arm", "probability", "block", "position"):
        assert np.array_equal(getattr(listed, column), getattr(live, column))
    assert listed.arms == live.arms


def test_people_who_come_apart_get_the_places_of_those_who_come_together(study: StudyFolder) -> None:
    first, then = COMING[:4], COMING[4:]
    early = opened(study, first)
    late = opened(study, then, after(first, early))
    assert arms(early) + arms(late) == arms(opened(study, COMING))


def test_opening_twice_gives_the_same(study: StudyFolder) -> None:
    assert arms(opened(study, COMING)) == arms(opened(study, COMING))


def test_who_comes_to_a_list_that_is_used_up_gets_no_arm(study: StudyFolder) -> None:
    found = arms(opened(study, [FEMALE] * (LENGTH + 2) + [MALE]))
    assert [arm is None for arm in found] == [False] * LENGTH + [True] * 2 + [False]


def test_a_stratum_without_places_gets_no_arm(study: StudyFolder) -> None:
    assert arms(opened(study, ["sex=Other", MALE]))[0] is None


def test_exactly_the_places_that_are_next_are_opened(
    study: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []

    def watched(key: bytes, spot: pure.Spot, record: pure.SealedRecord) -> pure.OpenedRecord:
        seen.append((spot.stratum, spot.place))
        return pure.unseal(key, spot, record)

    first = [FEMALE, FEMALE, MALE]
    before = after(first, opened(study, first))
    monkeypatch.setattr("forethought.steps.sealed.unseal", watched)
    opened(study, [MALE, FEMALE, FEMALE], before)
    assert seen == [(MALE, 2), (FEMALE, 3), (FEMALE, 4)]


def test_the_registration_holds_the_hash_of_the_list_and_the_table_its_records(study: StudyFolder) -> None:
    (one,) = json.loads(study.registration.read_text())["seeds"]
    with reading(study) as con:
        records = sealed_list.of_wave(con, 1)
        frame = rows.read(con, "sealed_list")
    assert one["list_sha256"] == pure.list_hash(records)
    assert len(frame) == len(records) == 3 * LENGTH


def test_the_key_of_the_list_is_in_secrets_alone(study: StudyFolder) -> None:
    kept = study.secrets / "seeds.json"
    key = json.loads(kept.read_text())["waves"]["1"]["list_key"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert registration.list_secret(study, 1)[0] == bytes.fromhex(key)
    assert registration.revealed(study, 1)["list_key"] == key
    assert key not in study.registration.read_text()


def test_whoever_knows_what_is_revealed_makes_the_list_anew(study: StudyFolder) -> None:
    told = registration.revealed(study, 1)
    revealed = json.loads(json.dumps(told))
    redrawn = pure.drawn_ahead(
        load(study.protocol).protocol.allocation.model_copy(update={"block_sizes": tuple(revealed["block_sizes"])}),  # type: ignore[arg-type]
        Source(seed=bytes.fromhex(revealed["seed"]), study_id="lend_an_ear", wave=1, algorithm="permuted-blocks/2"),
        (MALE, FEMALE, UNTOLD),
        bytes.fromhex(revealed["list_key"]),
    )  # fmt: skip
    (one,) = json.loads(study.registration.read_text())["seeds"]
    assert pure.list_hash(redrawn) == one["list_sha256"]


SWAP = (
    "UPDATE sealed_list SET nonce = other.nonce, ciphertext = other.ciphertext FROM (SELECT stratum AS s, "
    "CASE place WHEN 2 THEN 7 ELSE 2 END AS p, nonce, ciphertext FROM sealed_list WHERE place IN (2, 7)) other "
    "WHERE stratum = other.s AND place = other.p AND stratum = 'sex=Male'"
)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE sealed_list SET ciphertext = nonce WHERE stratum = 'sex=Male' AND place = 9", "stratum sex=Male, place 9 of the sealed list: it is not what was sealed"),
        ("DELETE FROM sealed_list WHERE stratum = 'sex=Female' AND place = 10", "stratum sex=Female, place 10 of the sealed list: it is gone"),
        ("DELETE FROM sealed_list WHERE stratum = 'sex=Female'", "at least one stratum of the sealed list: it is gone"),
        (SWAP, "stratum sex=Male, place 2 of the sealed list: it is not what was sealed"),
    ],
    ids=["tampered", "removed", "stratum removed", "swapped"],
)  # fmt: skip
def test_a_list_that_was_changed_anywhere_gives_no_arm(study: StudyFolder, sql: str, said: str) -> None:
    with duckdb.connect(study.database) as con:
        con.execute(sql)
    with pytest.raises(VerificationFailed, match=f"wave 1.*{said}"):
        opened(study, [FEMALE])


def test_a_key_that_is_lost_is_said(study: StudyFolder) -> None:
    kept = study.secrets / "seeds.json"
    data = json.loads(kept.read_text())
    data["waves"]["1"]["list_key"] = None
    kept.write_text(json.dumps(data))
    with pytest.raises(NotLocked, match="wave 1 has no key of a sealed list here"):
        opened(study, [FEMALE])


def test_another_key_opens_nothing(study: StudyFolder) -> None:
    kept = study.secrets / "seeds.json"
    data = json.loads(kept.read_text())
    data["waves"]["1"]["list_key"] = "00" * 32
    kept.write_text(json.dumps(data))
    with pytest.raises(VerificationFailed, match="stratum sex=Female, place 1 of the sealed list: it is not"):
        opened(study, [FEMALE])


def records(folder: StudyFolder) -> list[pure.SealedRecord]:
    with reading(folder) as con:
        return sealed_list.of_wave(con, 1)


def test_locked_twice_the_list_stays(study: StudyFolder) -> None:
    before = records(study)
    lock(study, now=NOW, actor="ann")
    assert records(study) == before


@pytest.mark.parametrize(
    "place", ["forethought.registration.locking.write", "forethought.steps.lock.complete"]
)
def test_a_lock_that_was_broken_off_makes_the_list_that_it_committed_to(
    unlocked: StudyFolder, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(place, die)
        with pytest.raises(Killed):
            lock(unlocked, now=NOW, actor="ann")
    kept = (unlocked.secrets / "seeds.json").read_bytes()
    assert records(unlocked) == []
    lock(unlocked, now=NOW, actor="ann")
    assert (unlocked.secrets / "seeds.json").read_bytes() == kept
    (one,) = json.loads(unlocked.registration.read_text())["seeds"]
    assert pure.list_hash(records(unlocked)) == one["list_sha256"]


def test_a_list_that_other_secrets_would_give_is_not_written(
    unlocked: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object, **__: object) -> None:
        pass

    with monkeypatch.context() as patched:
        patched.setattr("forethought.steps.lock.complete", nothing)
        lock(unlocked, now=NOW, actor="ann")
    kept = unlocked.secrets / "seeds.json"
    data = json.loads(kept.read_text())
    data["waves"]["1"]["list_key"] = "00" * 32
    kept.write_text(json.dumps(data))
    with pytest.raises(VerificationFailed, match="is not the one whose hash was registered"):
        lock(unlocked, now=NOW, actor="ann")
    assert records(unlocked) == []


def test_without_a_file_the_sizes_are_drawn(unlocked: StudyFolder) -> None:
    lock(unlocked, now=NOW, actor="ann")
    sizes = design(unlocked).block_sizes
    assert len(sizes) in (2, 3)
    assert all(size % 4 == 0 for size in sizes)
