"""Nothing that is printed or written outside secrets/ tells a seed, a key, a block's size or the next arm.

The study has sealed block sizes and a list drawn at the lock. Each command runs as a person would run it, with every
log line; then all that it printed and wrote is searched for each secret.
"""

import csv
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

Forethought = Callable[..., Any]
Rows = Callable[[Path], dict[str, list[tuple[Any, ...]]]]
Everything = Callable[[Path], bytes]
Walk = Any
Search = Any
TOLD_LATER = ("probability", "block", "position")


def test_a_secret_that_is_shown_would_be_found(search: Search, walk: Walk) -> None:
    shown = json.dumps(walk.waves).encode()
    assert len(search.told(shown, walk.waves)) == 6
    for text in ("blocks of [12, 20, 28]", '"sizes":[16,24]', "12, 20 or 28", "[\n  16,\n  24\n]"):
        assert search.sequences(text)


def test_before_the_unblinding_no_secret_is_printed(search: Search, walk: Walk) -> None:
    printed = walk.printed("unblind too early")
    assert len(printed) > 10_000
    assert search.told(printed.encode(), walk.waves) == []


def test_before_the_unblinding_no_secret_is_written_outside_secrets(
    search: Search, walk: Walk, everything: Everything, rows: Rows
) -> None:
    for stage in (walk.locked, walk.blinded):
        assert search.told(everything(stage), walk.waves) == []
        assert search.told(search.blobs(rows(stage)), walk.waves) == []
    assert search.told(walk.assignments.read_bytes(), walk.waves) == []


def test_before_the_unblinding_no_block_size_is_told(search: Search, walk: Walk) -> None:
    shown = walk.printed("unblind too early") + search.own_text(walk.blinded)
    assert search.sequences(shown) == []
    assert not re.search(r"blocks? (sizes?:? )?(of )?(sizes? )?\d", shown, re.IGNORECASE)
    assert '"block_sizes": [' not in shown


def test_the_exports_say_that_block_sizes_are_sealed(walk: Walk) -> None:
    assert "randomly varying, sealed" in walk.said["osf"].out
    registered = json.loads((walk.locked / "registration.json").read_text())
    assert registered["protocol"]["allocation"]["block_sizes"] == "sealed"


def test_before_the_unblinding_no_row_says_where_in_a_block_it_stands(walk: Walk) -> None:
    with duckdb.connect(walk.blinded / "study.duckdb", read_only=True) as con:
        found = con.execute(
            "SELECT count(*), count(probability), count(block), count(position) FROM allocations"
        )
        assert found.fetchall() == [(walk.people, 0, 0, 0)]


def test_what_is_handed_on_has_no_column_of_a_block(search: Search, walk: Walk) -> None:
    with walk.assignments.open(encoding="utf-8", newline="") as file:
        assert not set(next(csv.reader(file))) & set(TOLD_LATER)
    for text in ((walk.blinded / "reports" / "results.json").read_text(), walk.said["analyze"].out):
        assert not set(TOLD_LATER) & search.keys(json.loads(text))
    for name in ("status as JSON", "log as JSON", "randomize again", "schedule again"):
        assert not set(TOLD_LATER) & search.keys(json.loads(walk.said[name].out))


def test_no_plain_record_of_the_list_is_anywhere(walk: Walk, rows: Rows) -> None:
    records = rows(walk.blinded)["sealed_list"]
    assert len(records) == 2 * 3 * 40
    assert len({len(row[4]) for row in records}) == 1
    everything = b"".join(bytes(row[4]) for row in records)
    assert not [arm for arm in ("control", "video", "coach") if arm.encode() in everything]


def test_every_secret_is_for_its_owner_alone(walk: Walk) -> None:
    for study in (walk.locked, walk.opened):
        found = [*(study / "secrets").rglob("*")]
        assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_file()} == {0o600}
        assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_dir()} <= {0o700}
        assert stat.S_IMODE((study / "secrets").stat().st_mode) == 0o700
