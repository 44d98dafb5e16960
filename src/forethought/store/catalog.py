"""What the database says of its own tables."""

from duckdb import DuckDBPyConnection


def tables(con: DuckDBPyConnection) -> tuple[str, ...]:
    """Every table, by name."""
    found = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() ORDER BY table_name"
    ).fetchall()
    return tuple(name for (name,) in found)


def columns(con: DuckDBPyConnection, table: str) -> dict[str, str]:
    """The table's columns in order, with their types."""
    found = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND table_name = ? ORDER BY column_index",
        [table],
    ).fetchall()
    return dict(found)


def primary_key(con: DuckDBPyConnection, table: str) -> tuple[str, ...]:
    """The columns of the table's primary key."""
    found = con.execute(
        "SELECT constraint_column_names FROM duckdb_constraints() "
        "WHERE database_name = current_database() AND table_name = ? AND constraint_type = 'PRIMARY KEY'",
        [table],
    ).fetchall()
    return tuple(found[0][0])


def quoted(names: tuple[str, ...] | dict[str, str]) -> str:
    """Names as SQL lists them: some, such as `class`, are words of other databases."""
    return ", ".join(f'"{name}"' for name in names)
