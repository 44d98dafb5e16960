"""A frozen table's hash depends on its rows and on nothing else."""

import hashlib
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.schemas.tables import TABLES
from forethought.store import events, freezing, migrations, rows
from forethought.store.connection import reading, writing


def test_every_table_is_hashed(filled: StudyFolder) -> None:
    with reading(filled) as con:
        assert list(freezing.table_hashes(con)) == sorted(TABLES)


def test_the_hash_is_that_of_the_documented_text(filled: StudyFolder) -> None:
    text = (
        '{"columns":["participant_id","stage","position","criterion","reason","excluded_at"],'
        '"rows":[["pf","eligibility",1,"adult","Under 18","2026-11-01T09:30:00.000000Z"]]}'
    )
    with reading(filled) as con:
        assert freezing.table_hash(con, "exclusions") == hashlib.sha256(text.encode()).hexdigest()


def test_an_empty_table_has_a_hash_too(study: StudyFolder) -> None:
    text = '{"columns":["conversation_id","rater","outcome","value"],"rows":[]}'
    with reading(study) as con:
        assert freezing.table_hash(con, "ratings") == hashlib.sha256(text.encode()).hexdigest()


def test_where_a_large_table_is_cut_leaves_no_trace(filled: StudyFolder, monkeypatch: object) -> None:
    with reading(filled) as con:
        whole = freezing.table_hash(con, "scores")
        monkeypatch.setattr(freezing, "_CHUNK", 3)  # type: ignore[attr-defined]
        assert freezing.table_hash(con, "scores") == whole


def test_the_order_of_writing_does_not_matter(
    filled: StudyFolder, tmp_path: Path, randomised: Protocol, now: datetime
) -> None:
    (tmp_path / "other").mkdir()
    other = StudyFolder(tmp_path / "other")
    migrations.create(other, "small", randomised.waves, now)
    with reading(filled) as con:
        scores = rows.read(con, "scores")
        expected = freezing.table_hash(con, "scores")
    with writing(other) as con:
        rows.append(con, "scores", scores[::-1])
        assert freezing.table_hash(con, "scores") == expected


def test_another_process_computes_the_same_hashes(filled: StudyFolder) -> None:
    program = (
        "from pathlib import Path\n"
        "from forethought.protocol.folder import StudyFolder\n"
        "from forethought.store import connection, freezing\n"
        f"with connection.reading(StudyFolder(Path({str(filled.path)!r}))) as con:\n"
        "    print(*freezing.table_hashes(con).values())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    with reading(filled) as con:
        assert done.stdout.split() == list(freezing.table_hashes(con).values())


def test_a_changed_value_changes_the_hash_of_its_table_only(filled: StudyFolder, now: datetime) -> None:
    with reading(filled) as con:
        before = freezing.table_hashes(con)
    with writing(filled) as con:
        con.execute("UPDATE scores SET value = value + 1e-15 WHERE participant_id = 'pa'")
        events.record(con, now=now, actor="a", action="b", detail={})
        after = freezing.table_hashes(con)
    assert {table for table in before if before[table] != after[table]} == {"scores", "events"}


def test_closing_the_waves_keeps_the_first_time(study: StudyFolder, now: datetime) -> None:
    with writing(study) as con:
        assert freezing.close_waves(con, now) == 1
        assert freezing.close_waves(con, now + timedelta(days=1)) == 0
        assert rows.read(con, "waves")["closed_at"].item() == now.replace(tzinfo=None)
