"""A database is made once, migrated forward after a backup, and refused when it is newer."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from forethought.errors import WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.protocol.study import Wave
from forethought.store import meta, migrations, rows, schema
from forethought.store.connection import reading, writing

ADD_COLOUR = schema.Migration(
    version=3,
    name="0003_colour",
    sql="CREATE TABLE waves_new AS SELECT *, 'blue' AS colour FROM waves; DROP TABLE waves; ALTER TABLE waves_new RENAME TO waves",
)
BROKEN = schema.Migration(version=4, name="0004_broken", sql="CREATE TABLE half (x INTEGER); SELECT nothing")


def release_with(monkeypatch: pytest.MonkeyPatch, *later: schema.Migration) -> None:
    known = (*schema.known(), *later)
    monkeypatch.setattr(schema, "known", lambda: known)


def backups(folder: StudyFolder) -> list[str]:
    return sorted(path.name for path in folder.path.glob("*before*"))


def test_the_migrations_are_numbered_from_one_without_a_gap() -> None:
    assert [step.version for step in schema.known()] == list(range(1, schema.latest() + 1))


def test_a_new_database_knows_its_study_its_schema_and_its_waves(study: StudyFolder) -> None:
    with reading(study) as con:
        assert schema.version(con) == 2
        assert meta.study_id(con) == "small"
        assert not meta.is_simulated(con)
        waves = rows.read(con, "waves")
    assert waves["opens_at"].tolist() == [datetime(2026, 11, 1, 9)]  # noqa: DTZ001 -- tables hold naive UTC
    assert waves["target"].tolist() == [4]
    assert waves["closed_at"].isna().all()


def test_making_a_database_again_changes_nothing(study: StudyFolder, now: datetime) -> None:
    before = study.database.read_bytes()
    assert not migrations.create(study, "other", [], now)
    assert study.database.read_bytes() == before


def test_a_database_that_a_crash_left_empty_is_made(
    tmp_path: Path, randomised: Protocol, now: datetime
) -> None:
    folder = StudyFolder(tmp_path)
    duckdb.connect(folder.database).close()
    assert migrations.create(folder, "small", randomised.waves, now)
    with reading(folder) as con:
        assert meta.study_id(con) == "small"


def test_the_opening_of_a_wave_is_stored_in_utc(tmp_path: Path, now: datetime) -> None:
    folder = StudyFolder(tmp_path)
    opens = datetime.fromisoformat("2026-11-01T10:00:00+01:00")
    migrations.create(folder, "small", [Wave(number=1, opens=opens, target=1)], now)
    with reading(folder) as con:
        assert rows.read(con, "waves")["opens_at"].item() == opens.astimezone(UTC).replace(tzinfo=None)


@pytest.mark.parametrize("opening", [reading, writing])
def test_an_older_database_is_migrated_when_it_is_opened(
    study: StudyFolder, monkeypatch: pytest.MonkeyPatch, opening: type[object]
) -> None:
    release_with(monkeypatch, ADD_COLOUR)
    with opening(study) as con:  # type: ignore[attr-defined, call-arg]
        assert schema.version(con) == 3
        assert con.execute("SELECT colour FROM waves").fetchall() == [("blue",)]


def test_a_migration_leaves_a_whole_copy_of_what_was_before(
    study: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_with(monkeypatch, ADD_COLOUR)
    with writing(study):
        pass
    assert backups(study) == ["study.before-0003.duckdb"]
    monkeypatch.undo()
    (study.path / "study.before-0003.duckdb").replace(study.database)
    with reading(study) as con:
        assert schema.version(con) == 2
        assert meta.study_id(con) == "small"
        assert rows.count(con, "waves") == 1


def test_a_migration_that_fails_leaves_the_old_version(
    study: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_with(monkeypatch, ADD_COLOUR, BROKEN)
    with pytest.raises(duckdb.Error), writing(study):
        pass
    monkeypatch.undo()
    with reading(study) as con:
        assert schema.version(con) == 2
        assert "half" not in [
            name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        ]


def test_a_database_of_a_newer_release_is_refused_with_what_to_do(study: StudyFolder) -> None:
    with writing(study) as con:
        meta.put(con, "schema_version", "7")
    with (
        pytest.raises(WrongUsage, match=r"version 7.*up to 2\. Install the release that wrote it"),
        reading(study),
    ):
        pass
    assert backups(study) == []


@pytest.fixture
def first_release(
    tmp_path: Path, randomised: Protocol, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> StudyFolder:
    """A study of the first release: its tables are those of 0001, and two people are allocated."""
    folder, known = StudyFolder(tmp_path), schema.known()
    monkeypatch.setattr(schema, "known", lambda: known[:1])
    migrations.create(folder, "small", randomised.waves, now)
    with writing(folder) as con:
        con.execute(
            "INSERT INTO allocations VALUES "
            "('pa', 1, 'coach', 0.5, 'all', 1, 1, 1, 'permuted-blocks/1', TIMESTAMP '2026-11-01 09:30:00'), "
            "('pb', 1, 'control', 1.0, 'all', 1, 2, 2, 'permuted-blocks/1', TIMESTAMP '2026-11-01 09:31:00')"
        )
    monkeypatch.undo()
    return folder


def test_a_study_of_the_first_release_keeps_its_allocations_with_block_and_position(
    first_release: StudyFolder,
) -> None:
    with reading(first_release) as con:
        assert schema.version(con) == schema.latest()
        kept = rows.valid("allocations", rows.read(con, "allocations"))
        assert (
            rows.count(con, "counting")
            == rows.count(con, "corrections")
            == rows.count(con, "sealed_list")
            == 0
        )
    told = ["participant_id", "arm", "probability", "block", "position", "arrival", "algorithm"]
    assert kept[told].to_numpy().tolist() == [
        ["pa", "coach", 0.5, 1, 1, 1, "permuted-blocks/1"],
        ["pb", "control", 1.0, 1, 2, 2, "permuted-blocks/1"],
    ]
    assert kept[["unit", "batch", "replaces"]].isna().all(axis=None)


def test_the_first_releases_tables_are_kept_beside_it(first_release: StudyFolder) -> None:
    with reading(first_release):
        pass
    assert backups(first_release) == [f"study.before-{schema.latest():04d}.duckdb"]
    with duckdb.connect(first_release.path / backups(first_release)[0], read_only=True) as con:
        assert schema.version(con) == 1
        assert con.execute("SELECT block, position FROM allocations ORDER BY arrival").fetchall() == [
            (1, 1),
            (1, 2),
        ]


def test_after_the_migration_an_allocation_may_leave_block_and_position_untold(
    first_release: StudyFolder,
) -> None:
    with writing(first_release) as con:
        con.execute(
            "INSERT INTO allocations (participant_id, wave, arm, stratum, arrival, algorithm, allocated_at) "
            "VALUES ('pc', 1, 'coach', 'all', 3, 'permuted-blocks/1', TIMESTAMP '2026-11-01 09:32:00')"
        )
        assert rows.count(con, "allocations") == 3
