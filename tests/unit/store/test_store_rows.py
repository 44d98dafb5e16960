"""Rows enter through their table's model, once, and come back as they were."""

from collections.abc import Callable

import pandas as pd
import pytest

from forethought.errors import DataRefused
from forethought.protocol.folder import StudyFolder
from forethought.schemas.tables import TABLES
from forethought.store import catalog, rows
from forethought.store.connection import reading, writing

Append = Callable[[str, pd.DataFrame], int]


def participants(**columns: object) -> pd.DataFrame:
    usual = {
        "participant_id": ["pa", "pb"],
        "wave": 1,
        "status": "eligible",
        "service_status": None,
        "arrived_at": None,
    }
    return pd.DataFrame(usual | columns)


def test_every_table_of_the_database_has_a_model_with_the_same_columns_and_key(study: StudyFolder) -> None:
    with reading(study) as con:
        found = {
            table: (tuple(catalog.columns(con, table)), catalog.primary_key(con, table))
            for table in catalog.tables(con)
        }
    models = {table: model.to_schema() for table, model in TABLES.items()}
    assert found == {table: (tuple(model.columns), tuple(model.unique)) for table, model in models.items()}


def test_every_model_allows_missing_values_where_the_database_does(study: StudyFolder) -> None:
    with reading(study) as con:
        nullable = con.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE is_nullable AND NOT internal"
        ).fetchall()
    assert set(nullable) == {
        (table, name)
        for table, model in TABLES.items()
        for name, column in model.to_schema().columns.items()
        if column.nullable
    }


def test_appending_counts_only_rows_with_a_new_key(append: Append) -> None:
    assert append("participants", participants()) == 2
    assert append("participants", participants(participant_id=["pb", "pc"])) == 1
    assert append("participants", participants()) == 0


def test_a_row_that_is_there_stays_as_it_is(append: Append, study: StudyFolder) -> None:
    append("participants", participants(service_status="ACTIVE"))
    append("participants", participants(service_status="RETURNED"))
    with reading(study) as con:
        assert set(rows.read(con, "participants")["service_status"]) == {"ACTIVE"}


def test_an_empty_frame_appends_nothing(append: Append) -> None:
    assert append("participants", participants().head(0)) == 0


def test_missing_text_and_times_come_back_as_missing(append: Append, study: StudyFolder) -> None:
    append(
        "participants",
        participants(
            service_status=["APPROVED", None], arrived_at=[None, pd.Timestamp("2026-11-01 09:00:00.123456")]
        ),
    )
    with reading(study) as con:
        back = rows.read(con, "participants")
    assert back["service_status"].isna().tolist() == [False, True]
    assert back["arrived_at"].isna().tolist() == [True, False]
    assert back["arrived_at"][1] == pd.Timestamp("2026-11-01 09:00:00.123456")


def test_a_time_with_an_offset_is_stored_in_utc(append: Append, study: StudyFolder) -> None:
    append("participants", participants(arrived_at=pd.Timestamp("2026-11-01T10:00+01:00")))
    with reading(study) as con:
        assert set(rows.read(con, "participants")["arrived_at"]) == {pd.Timestamp("2026-11-01 09:00")}


def test_a_table_is_read_in_the_order_of_its_key(append: Append, study: StudyFolder) -> None:
    append("participants", participants(participant_id=["pz", "pa"]))
    with reading(study) as con:
        assert rows.read(con, "participants")["participant_id"].tolist() == ["pa", "pz"]


def test_sealed_bytes_come_back_as_bytes(append: Append, study: StudyFolder) -> None:
    append(
        "payloads",
        pd.DataFrame(
            {"raw_row_id": ["r"], "participant_id": [None], "nonce": [b"n"], "ciphertext": [b"\x00c"]}
        ),
    )
    with reading(study) as con:
        back = rows.read(con, "payloads").iloc[0]
    assert (back["nonce"], back["ciphertext"]) == (b"n", b"\x00c")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"status": ["eligible", "eligable"]}, r"table participants, row 2, column status: `eligable` does not pass isin"),
        ({"participant_id": ["pa", None]}, r"table participants, row 2, column participant_id: .* not_nullable"),
        ({"wave": [0, 1]}, r"row 1, column wave: `0` does not pass greater_than_or_equal_to"),
        ({"wave": ["one", 1]}, r"row 1, column wave: `one` does not pass"),
        ({"arrived_at": ["soon", None]}, r"row 1, column arrived_at: `soon` does not pass"),
        ({"participant_id": ["pa", "pa"]}, r"column participant_id: `pa` does not pass multiple_fields_uniqueness"),
        ({"age": [1, 2]}, r"table participants: its columns are not those of the frame: age"),
    ],
)  # fmt: skip
def test_a_frame_that_does_not_fit_is_refused_with_table_row_and_column(
    append: Append, study: StudyFolder, columns: dict[str, object], message: str
) -> None:
    with pytest.raises(DataRefused, match=message):
        append("participants", participants(**columns))
    with reading(study) as con:
        assert rows.count(con, "participants") == 0


def test_a_frame_without_one_of_the_columns_is_refused(append: Append) -> None:
    with pytest.raises(DataRefused, match="status"):
        append("participants", participants().drop(columns="status"))


def test_the_frame_that_was_given_is_not_changed(append: Append) -> None:
    frame = participants(wave=["1", "2"])
    before = frame.copy()
    append("participants", frame)
    pd.testing.assert_frame_equal(frame, before)


def test_nobody_is_allocated_twice(filled: StudyFolder) -> None:
    with reading(filled) as con:
        before = rows.read(con, "allocations")
    with writing(filled) as con:
        assert rows.append(con, "allocations", before.assign(arm="control", block=9)) == 0
    with reading(filled) as con:
        pd.testing.assert_frame_equal(rows.read(con, "allocations"), before)


def test_only_derived_tables_are_replaced(filled: StudyFolder) -> None:
    with writing(filled) as con:
        warmth = rows.read(con, "scores").query("outcome == 'warmth'")
        assert rows.replace(con, "scores", warmth.head(2).assign(value=9.0), outcome="warmth") == 2
        assert rows.read(con, "scores")["outcome"].value_counts().to_dict() == {"warmth": 2, "trait": 2}
        with pytest.raises(ValueError, match="not derived"):
            rows.replace(con, "responses", rows.read(con, "responses"))


def test_sessions_are_brought_up_to_what_became_of_them(filled: StudyFolder) -> None:
    with writing(filled) as con:
        held = pd.Timestamp("2026-11-02")
        changed = (
            rows.read(con, "sessions").query("participant_id == 'pd'").assign(status="done", held_at=held)
        )
        assert rows.update_sessions(con, changed.assign(stimulus="other")) == 2
        after = rows.read(con, "sessions").query("participant_id == 'pd'")
    assert after["status"].tolist() == ["done", "done"]
    assert after["held_at"].tolist() == [held, held]
    assert after["stimulus"].tolist() == ["dad", "job"]
