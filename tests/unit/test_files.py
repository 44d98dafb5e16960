"""Files are whole or not there, and equal values have equal JSON."""

import hashlib
import math
import os
import stat
from pathlib import Path

import pytest

from forethought.files import canonical_json, sha256_file, write_atomically


def test_text_is_written_as_utf_8_and_bytes_as_they_are(tmp_path: Path) -> None:
    write_atomically(tmp_path / "text", "Größe\n")
    write_atomically(tmp_path / "bytes", b"\xff\x00")
    assert (tmp_path / "text").read_bytes() == "Größe\n".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\xff\x00"


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", "old")
    write_atomically(tmp_path / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_has_the_mode_that_was_asked_for(tmp_path: Path, mode: int) -> None:
    write_atomically(tmp_path / "file", "x", mode=mode)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomically(tmp_path / "file", "old")

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        write_atomically(tmp_path / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    data = b"x" * 3_000_000
    (tmp_path / "file").write_bytes(data)
    assert sha256_file(tmp_path / "file") == hashlib.sha256(data).hexdigest()


def test_canonical_json_is_that_of_rfc_8785() -> None:
    # the oracle of facts/statistics.md, section 5
    text = canonical_json({"b": 1.0, "a": [1e21, 0.002, "é"], "n": None})
    assert text == '{"a":[1e+21,0.002,"é"],"b":1,"n":null}'.encode()
    assert (
        hashlib.sha256(text).hexdigest() == "9affa2a2f33f0954545d62933cce26571ae72079275b4dd0c2d339545470d1dd"
    )


def test_a_raw_row_has_its_keys_in_order_and_only_the_needed_escapes() -> None:
    assert canonical_json({"b": 'a"\\\n\x01é', "a": None}) == b'{"a":null,"b":"a\\"\\\\\\n\\u0001\xc3\xa9"}'


@pytest.mark.parametrize("number", [math.nan, math.inf, 2**53])
def test_what_json_has_no_number_for_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_json({"a": number})
