"""Qualtrics exports: three header rows or two, previews, time zones, text or numbers."""

import csv
import io
from collections.abc import Sequence

import pandas as pd
import pytest

from forethought.errors import DataRefused
from forethought.protocol.imports import Imports, Responses, Variable
from forethought.schemas.exports.checking import Parsed
from forethought.schemas.exports.parsing import parse
from forethought.schemas.exports.reading import read
from forethought.schemas.exports.recognition import Recognised, recognise

WORDS = {"not_at_all": 1.0, "somewhat": 3.0, "very_much": 5.0}
MAPPING = Responses(
    source="qualtrics",
    participant="PROLIFIC_PID",
    finished="EndDate",
    variables=(Variable(name="warmth", column="Q1", type="number", codes=WORDS, minimum=1, maximum=5),),
)
NAMES = [
    "StartDate",
    "EndDate",
    "Status",
    "Finished",
    "ResponseId",
    "DistributionChannel",
    "Q1",
    "PROLIFIC_PID",
]
LABELS = [
    "Start Date",
    "End Date",
    "Response Type",
    "Finished",
    "Response ID",
    "Distribution Channel",
    "How\nwarm?",
    "PROLIFIC_PID",
]


def import_ids(zone: str) -> list[str]:
    ids = [
        "startDate",
        "endDate",
        "status",
        "finished",
        "_recordId",
        "distributionChannel",
        "QID1",
        "PROLIFIC_PID",
    ]
    dates = [f'{{"ImportId":"{one}","timeZone":"{zone}"}}' for one in ids[:2]]
    return [*dates, *(f'{{"ImportId":"{one}"}}' for one in ids[2:])]


def response(who: str, answer: str = "somewhat", **cells: str) -> list[str]:
    usual = {
        "StartDate": "2026-01-15 09:00:00",
        "EndDate": "2026-01-15 09:30:00",
        "Status": "IP Address",
        "Finished": "True",
        "ResponseId": "R_1",
        "DistributionChannel": "anonymous",
        "Q1": answer,
        "PROLIFIC_PID": who,
    }
    return list({**usual, **cells}.values())


def recognised(rows: Sequence[Sequence[str]], *, zone: str = "America/Denver") -> Recognised:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([NAMES, LABELS, import_ids(zone), *rows])
    return recognise(read(out.getvalue().encode(), "survey.csv"), Imports(responses=MAPPING))


def parsed(*rows: Sequence[str], zone: str = "America/Denver") -> Parsed:
    return parse(recognised(rows, zone=zone), {})


def reasons(result: Parsed) -> list[tuple[int, str, str]]:
    return list(result.refused[["row_number", "column", "reason"]].itertuples(index=False, name=None))


def test_label_and_import_id_rows_are_not_data() -> None:
    found = recognised([response("p1"), response("p2")])
    assert list(found.export.cells.index) == [1, 2]
    assert found.export.lines.tolist() == [5, 6]  # a label holds a line break
    assert parse(found, {}).rows["participant"].tolist() == ["p1", "p2"]


def test_times_are_those_of_the_third_rows_zone_in_utc() -> None:
    assert parsed(response("p1")).rows["finished"].tolist() == [pd.Timestamp("2026-01-15 16:30:00")]


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-03-08 02:30:00", "2026-03-08 09:00:00"),  # skipped: clocks go from 02:00 to 03:00
        ("2026-11-01 01:30:00", "2026-11-01 07:30:00"),  # shown twice: the earlier, still in summer time
        ("2026-11-01 02:30:00", "2026-11-01 09:30:00"),
    ],
)
def test_the_hours_of_a_clock_change_have_one_reading(local: str, utc: str) -> None:
    assert parsed(response("p1", EndDate=local)).rows["finished"].tolist() == [pd.Timestamp(utc)]


def test_an_unknown_time_zone_refuses_the_file() -> None:
    with pytest.raises(DataRefused, match=r"survey.csv:4: `Mars/Olympus` is not a time zone"):
        recognised([response("p1")], zone="Mars/Olympus")


@pytest.mark.parametrize(
    "cells",
    [{"Status": "Survey Preview"}, {"Status": "1"}],
    ids=["text export", "numeric export"],
)
def test_previews_are_refused_and_say_so(cells: dict[str, str]) -> None:
    result = parsed(response("", **cells), response("p1"))
    assert reasons(result) == [(1, "Status", "survey preview")]
    assert list(result.rows.index) == [2]


def test_a_preview_is_known_by_its_channel_too() -> None:
    result = parsed(response("p1", Status="0", DistributionChannel="preview"), response("p2"))
    assert reasons(result) == [(1, "DistributionChannel", "survey preview")]


def test_a_file_of_previews_alone_has_no_rows() -> None:
    result = parsed(response("p1", Status="Survey Preview"))
    assert result.rows.empty
    assert reasons(result) == [(1, "Status", "survey preview")]


def test_a_blank_participant_is_refused() -> None:
    assert reasons(parsed(response(""))) == [(1, "PROLIFIC_PID", "blank participant id")]


def test_an_unfinished_survey_keeps_the_answers_it_holds() -> None:
    result = parsed(response("p1", Finished="False", EndDate=""), response("p2", "", Finished="0"))
    assert result.answers["warmth"].isna().tolist() == [False, True]
    assert result.rows["finished"].isna().tolist() == [True, False]


@pytest.mark.parametrize("answer", ["very_much", "5", " 5 "])
def test_answers_come_as_words_or_as_numbers_and_stay_text(answer: str) -> None:
    assert parsed(response("p1", answer)).answers["warmth"].tolist() == [answer.strip()]


@pytest.mark.parametrize("answer", ["6", "0", "extremely", "inf", "nan", "1,5", "0x3", "1_0"])
def test_answers_outside_words_and_range_are_refused(answer: str) -> None:
    result = parsed(response("p1", answer))
    assert reasons(result) == [
        (1, "Q1", "not a number from 1 to 5 or one of: not_at_all, somewhat, very_much")
    ]
    assert result.refused["value"].tolist() == [answer]


def test_the_second_survey_of_a_person_is_refused() -> None:
    result = parsed(response("p1", "1"), response("p1", "5"))
    assert reasons(result) == [(2, "PROLIFIC_PID", "a later response of the same participant")]
    assert result.answers["warmth"].tolist() == ["1"]


def test_a_legacy_export_has_two_header_rows_and_numbered_columns() -> None:
    header = "V1,V3,V7,V8,V9,V10,Q1,PROLIFIC_PID\nResponseID,Name,Status,StartDate,EndDate,Finished,How warm?,PID\n"
    data = header + "R_1,Anonymous,0,2012-05-01 10:00:00,2012-05-01 10:20:00,1,3,p1\nR_2,x,1,,,1,3,p2\n"
    found = recognise(read(data.encode(), "legacy.csv"), Imports(responses=MAPPING))
    result = parse(found, {})
    assert result.rows.loc[1].to_list() == ["p1", pd.Timestamp("2012-05-01 10:20:00")]
    assert reasons(result) == [(2, "V7", "survey preview")]


def test_an_export_without_its_third_row_is_refused() -> None:
    data = ",".join(NAMES) + "\n" + ",".join(response("p1")) + "\n" + ",".join(response("p2")) + "\n"
    with pytest.raises(
        DataRefused, match=r"survey.csv:3: the third row does not hold Qualtrics's import ids"
    ):
        recognise(read(data.encode(), "survey.csv"), Imports(responses=MAPPING))


def test_header_rows_without_data_are_refused() -> None:
    with pytest.raises(DataRefused, match="no row of data"):
        recognised([])
