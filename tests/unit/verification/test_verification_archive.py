"""The record as a zip: the same bytes each time, and nothing that a hostile one does ends in a traceback."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from forethought.errors import DataRefused, ForethoughtError, VerificationFailed
from forethought.verification.archive import opened, save
from forethought.verification.records import AllocationRecord
from forethought.verification.replaying import Answer, replay

Make = Callable[..., AllocationRecord]
MEMBERS = ["README.txt", "registration.json", "ledger.jsonl", "allocations.csv", "counting.csv", "orders.csv"]


@pytest.fixture
def kept(make: Make, tmp_path: Path) -> Path:
    """A saved record of a wave that was unblinded, and of one that was not."""
    path = tmp_path / "record.zip"
    save(make().of_waves(frozenset({1})), path)
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, content: dict[str, bytes], **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (content | more).items():
            archive.writestr(name, data)
    return path


def changed(path: Path, name: str, before: bytes, after: bytes) -> Path:
    """The record with one text in one of its files replaced."""
    content = members(path)
    assert before in content[name]
    return packed(path.with_name("changed.zip"), content | {name: content[name].replace(before, after, 1)})


def test_what_was_saved_is_read_back(make: Make, tmp_path: Path) -> None:
    counting = pd.DataFrame(
        [("p103", 1, 9, False, "stale start, left")],
        columns=["participant_id", "wave", "from_arrival", "counts", "reason"],
    )
    record = make(counting=counting, revealed=(1, 2))
    save(record, tmp_path / "record.zip")
    again = opened(tmp_path / "record.zip")
    assert (again.registration, again.events, again.problems) == (record.registration, record.events, ())
    for name in ("allocations", "counting", "orders"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(record, name))


def test_the_saved_record_says_the_same_without_the_study(kept: Path) -> None:
    replayed = replay(opened(kept))
    assert [wave.answer for wave in replayed.waves] == [Answer.AGREED, Answer.NOT_REVEALED]
    assert (replayed.agreed, replayed.waves[0].allocations) == (True, 24)


def test_it_holds_what_a_stranger_needs_and_nothing_else(kept: Path) -> None:
    content = members(kept)
    assert list(content) == MEMBERS
    assert content["allocations.csv"].splitlines()[0] == (
        b"participant_id,wave,arm,probability,stratum,block,position,arrival,algorithm,unit,batch,replaces"
    )


def test_the_rows_of_a_wave_that_is_not_unblinded_stay_out_of_it(kept: Path) -> None:
    content = members(kept)
    assert b"p101" in content["allocations.csv"]
    assert b"p101" in content["orders.csv"]
    assert b"p201" not in b"".join(content.values())


def test_the_same_record_gives_the_same_bytes(make: Make, tmp_path: Path) -> None:
    for name in ("one.zip", "another.zip"):
        save(make(), tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "another.zip").read_bytes()


def test_a_changed_arm_is_found_in_it(kept: Path) -> None:
    first = members(kept)["allocations.csv"].splitlines()[1]
    other = (
        first.replace(b"coached", b"CONTROL").replace(b"control", b"coached").replace(b"CONTROL", b"control")
    )
    (difference,) = replay(opened(changed(kept, "allocations.csv", first, other))).waves[0].differences
    assert (difference.participant, difference.column) == ("p100", "arm")


def test_a_changed_event_breaks_its_chain(kept: Path) -> None:
    record = opened(changed(kept, "ledger.jsonl", b'"allocated":12', b'"allocated":13'))
    assert record.problems == (
        "ledger, event 2: it is not the event that was recorded, or one before it is missing",
    )
    assert not replay(record).agreed


def test_a_registration_that_the_ledger_does_not_know_is_found(kept: Path, tmp_path: Path) -> None:
    locked = json.loads(members(kept)["registration.json"])
    locked["locked_by"] = "somebody else"
    forged = json.dumps(locked).encode()
    record = opened(packed(tmp_path / "forged.zip", members(kept) | {"registration.json": forged}))
    assert record.problems == ("registration.json: it is not the registration that the ledger has",)


def test_a_registration_with_another_plan_than_its_fingerprint_is_refused(kept: Path) -> None:
    with pytest.raises(VerificationFailed, match=r"registration\.json: its copy of the protocol"):
        opened(changed(kept, "registration.json", b'"method": "permuted_blocks"', b'"method": "simple"'))


@pytest.mark.parametrize("name", MEMBERS)
def test_each_file_is_needed(kept: Path, name: str) -> None:
    content = {member: data for member, data in members(kept).items() if member != name}
    with pytest.raises(DataRefused, match=f"{name} is missing"):
        opened(packed(kept.with_name("less.zip"), content))


@pytest.mark.parametrize("name", ["../../escaped", "/etc/passwd", "more.csv", "registration.json/", "a\\b"])
def test_a_file_of_another_name_is_refused_and_nothing_is_written(kept: Path, name: str) -> None:
    more = packed(kept.with_name("more.zip"), members(kept) | {name: b"x"})
    before = sorted(kept.parent.rglob("*"))
    with pytest.raises(DataRefused, match="no part of such a record"):
        opened(more)
    assert sorted(kept.parent.rglob("*")) == before


def test_a_file_that_is_there_twice_is_refused(kept: Path) -> None:
    with zipfile.ZipFile(kept, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("orders.csv", b"")
    with pytest.raises(DataRefused, match="one file twice"):
        opened(kept)


def test_a_file_that_unpacks_to_more_than_the_limit_is_refused(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forethought.verification.archive._LARGEST", 1 << 20)
    bomb = kept.with_name("bomb.zip")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members(kept).items():
            archive.writestr(name, b"0" * (2 << 20) if name == "orders.csv" else data)
    assert bomb.stat().st_size < 1 << 17
    with pytest.raises(DataRefused, match="more than 1 MB"):
        opened(bomb)


@pytest.mark.parametrize("content", [b"", b"words", b"PK\x05\x06" + bytes(10), b"PK\x03\x04" + bytes(99)])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "record.zip"
    path.write_bytes(content)
    with pytest.raises(DataRefused, match="cannot be read as a zip"):
        opened(path)


def exit_code(path: Path) -> int:
    try:
        replay(opened(path))
    except ForethoughtError as error:
        return error.exit_code
    return 0


def test_a_zip_with_any_byte_changed_ends_in_a_sentence(kept: Path) -> None:
    whole = kept.read_bytes()
    damaged = kept.with_name("damaged.zip")
    codes = []
    for place in range(0, len(whole), 97):
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        codes.append(exit_code(damaged))
    assert set(codes) <= {0, 12, 20}
    assert codes.count(12) > len(codes) / 2


_DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("ledger.jsonl", b"{", "ledger.jsonl, line 1 cannot be read"),
        ("ledger.jsonl", b"[]", "line 1 cannot be read"),
        ("ledger.jsonl", b'{"seq": 1}', "it is no event"),
        ("ledger.jsonl", _DEEP, "line 1 cannot be read"),
        ("ledger.jsonl", b"\xff\xfe", "line 1 cannot be read"),
        ("ledger.jsonl", b'{"seq": ' + b"9" * 5000 + b"}", "line 1 cannot be read"),
        ("allocations.csv", b"", "allocations.csv cannot be read"),
        ("allocations.csv", b"participant_id,arm\n", "its columns are not"),
        ("allocations.csv", b"\xff", "allocations.csv cannot be read"),
        ("counting.csv", b"participant_id,wave,from_arrival,counts,reason\np,1,2\n", "another number of cells"),
        ("counting.csv", b"participant_id,wave,from_arrival,counts,reason\np,1,x,true,r\n", "a whole number"),
        ("counting.csv", b"participant_id,wave,from_arrival,counts,reason\np,1,-2,true,r\n", "a whole number"),
        ("counting.csv", b"participant_id,wave,from_arrival,counts,reason\np,1," + b"9" * 40 + b",true,r\n", "a whole number"),
        ("counting.csv", b"participant_id,wave,from_arrival,counts,reason\np,1,2,maybe,r\n", "true or false"),
        ("counting.csv", b"participant_id,wave,from_arrival,counts,reason\n,1,2,true,r\n", "participant_id is empty"),
        ("orders.csv", b'participant_id,session,stimulus\n"p,c1,', "orders.csv cannot be read"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    kept: Path, name: str, content: bytes, words: str
) -> None:
    with pytest.raises(DataRefused) as refused:
        opened(packed(kept.with_name("broken.zip"), members(kept) | {name: content}))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"nothing", _DEEP, b'{"study_id": "s", "study_id": "t"}']
)
def test_a_registration_that_cannot_be_read_is_refused(kept: Path, content: bytes) -> None:
    with pytest.raises(VerificationFailed, match=r"registration\.json"):
        opened(packed(kept.with_name("broken.zip"), members(kept) | {"registration.json": content}))
