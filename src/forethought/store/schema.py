"""The schema of the database: numbered SQL files, applied forward only, each in one transaction."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from forethought.errors import WrongUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of the schema: what leads from version `version - 1` to `version`."""

    version: int
    name: str
    sql: str


@cache
def known() -> tuple[Migration, ...]:
    """Every migration of this release, from version 1 on without a gap."""
    found = sorted(
        (entry.name, entry.read_text(encoding="utf-8"))
        for entry in files("forethought.store").joinpath("migrations").iterdir()
        if entry.name.endswith(".sql")
    )
    return tuple(
        Migration(version=int(name[:4]), name=name.removesuffix(".sql"), sql=sql) for name, sql in found
    )


def latest() -> int:
    """The schema version that this release reads and writes."""
    return known()[-1].version


def version(con: DuckDBPyConnection) -> int:
    """The schema version of an open database; 0 where its tables were never made."""
    try:
        found = con.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    except duckdb.CatalogException:
        return 0
    return int(found[0]) if found else 0


def outdated(con: DuckDBPyConnection) -> bool:
    """Whether the database must be migrated; WrongUsage where it is newer than this release, or empty."""
    current = version(con)
    if current == 0:
        raise WrongUsage(
            "study.duckdb", "it has no tables of a study", "Run `forethought init` on this folder again"
        )
    if current > latest():
        raise WrongUsage(
            "study.duckdb",
            f"its schema is version {current}, and this release of forethought knows versions up to {latest()}",
            "Install the release that wrote it, or a later one",
        )
    return current < latest()


def migrate(con: DuckDBPyConnection, path: Path) -> None:
    """Bring an older database to the latest version, after a whole copy beside it.

    The copy is `study.before-NNNN.duckdb`. All pending migrations are one transaction: a crash leaves the
    old version, and the next opening begins again.
    """
    current = version(con)
    _back_up(con, path.with_name(f"{path.stem}.before-{latest():04d}{path.suffix}"))
    con.begin()
    try:
        for step in known():
            if step.version > current:
                _apply(con, step)
    except BaseException:
        con.rollback()
        raise
    con.commit()


def create_tables(con: DuckDBPyConnection) -> None:
    """Make every table, inside the caller's transaction."""
    for step in known():
        _apply(con, step)


def _apply(con: DuckDBPyConnection, step: Migration) -> None:
    con.execute(step.sql)
    con.execute("INSERT OR REPLACE INTO meta VALUES ('schema_version', ?)", [str(step.version)])


def _back_up(con: DuckDBPyConnection, copy: Path) -> None:
    """Copy the database by SQL: reading its file beside an open connection would drop DuckDB's lock on it."""
    partial = copy.with_name(f".{copy.name}")
    for left_over in (partial, partial.with_name(f"{partial.name}.wal")):
        left_over.unlink(missing_ok=True)
    name = con.execute("SELECT current_database()").fetchall()[0][0]
    con.execute(f"ATTACH '{_quoted(partial)}' AS backup")
    con.execute(f'COPY FROM DATABASE "{name}" TO backup')
    con.execute("DETACH backup")
    partial.replace(copy)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
