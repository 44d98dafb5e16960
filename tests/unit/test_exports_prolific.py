"""Prolific's demographic export, with the quirks of real ones; every person here is made up."""

import csv
import io
from collections.abc import Mapping, Sequence

import pandas as pd
import pytest

from forethought.protocol.imports import Imports, Recruits, Variable
from forethought.schemas.exports.checking import Parsed
from forethought.schemas.exports.parsing import parse
from forethought.schemas.exports.reading import read
from forethought.schemas.exports.recognition import recognise

HEADER = [
    "Submission id",
    "Participant id",
    "Status",
    "Custom study tncs accepted at",
    "Started at",
    "Completed at",
    "Reviewed at",
    "Archived at",
    "Time taken",
    "Completion code",
    "Total approvals",
    "Fluent languages",
    "Age",
    "Sex",
]
USUAL = {
    "Status": "APPROVED",
    "Custom study tncs accepted at": "Not Applicable",
    "Started at": "2026-03-02T09:00:00.266000Z",
    "Time taken": "412",
    "Fluent languages": "English, Hindi",
    "Age": "31",
    "Sex": "Female",
}
MAPPING = Recruits(
    source="prolific",
    participant="Participant id",
    status="Status",
    arrived="Started at",
    variables=(
        Variable(name="languages", column="Fluent languages", type="text"),
        Variable(name="age", column="Age", type="number", minimum=18, maximum=100),
        Variable(name="sex", column="Sex", type="category", levels=("Female", "Male")),
    ),
)


def export(people: Sequence[Mapping[str, str]], header: Sequence[str] = HEADER) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\r\n")
    writer.writeheader()
    for number, person in enumerate(people, start=1):
        writer.writerow({"Participant id": f"{number:024x}", **USUAL, **person})
    return out.getvalue().encode("utf-8-sig")


def parsed(people: Sequence[Mapping[str, str]], mapping: Recruits = MAPPING) -> Parsed:
    return parse(recognise(read(export(people), "prolific.csv"), Imports(recruits=mapping)), {})


def reasons(result: Parsed) -> list[tuple[int, str, str]]:
    return list(result.refused[["row_number", "column", "reason"]].itertuples(index=False, name=None))


def test_a_submission_becomes_a_recruit_with_its_time_in_utc() -> None:
    result = parsed([{}])
    row = result.rows.loc[1]
    assert (row["participant"], row["status"]) == ("0" * 23 + "1", "APPROVED")
    assert row["arrived"] == pd.Timestamp("2026-03-02 09:00:00.266")
    assert result.answers.loc[1].to_dict() == {"languages": "English, Hindi", "age": "31", "sex": "Female"}
    assert result.refused.empty


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("TIMED_OUT", "TIMED-OUT"),
        ("timed out", "TIMED-OUT"),
        ("Awaiting-Review", "AWAITING REVIEW"),
        ("SCREENED_OUT", "SCREENED OUT"),
        ("partially approved", "PARTIALLY APPROVED"),
        (" RETURNED ", "RETURNED"),
    ],
)
def test_statuses_are_read_in_every_spelling(written: str, meant: str) -> None:
    assert parsed([{"Status": written}]).rows["status"].tolist() == [meant]


def test_a_status_that_prolific_does_not_document_is_refused_and_shown() -> None:
    result = parsed([{"Status": "CANCELLED"}, {}])
    assert result.refused[["row_number", "column", "value"]].to_numpy().tolist() == [
        [1, "Status", "CANCELLED"]
    ]
    assert list(result.rows.index) == [2]


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-10-20T09:00:00Z", "2026-10-20 09:00:00"),
        ("2026-10-20T09:00:00.123456Z", "2026-10-20 09:00:00.123456"),
        ("2026-10-20 09:00:00.000000", "2026-10-20 09:00:00"),
        ("2026-10-20T09:00:00+05:30", "2026-10-20 03:30:00"),
    ],
)
def test_times_come_in_several_forms(written: str, utc: str) -> None:
    assert parsed([{"Started at": written}]).rows["arrived"].tolist() == [pd.Timestamp(utc)]


@pytest.mark.parametrize("written", ["20/10/2026 09:00", "yesterday", "2026-13-01T00:00:00Z", "1760950800"])
def test_what_is_no_time_is_refused(written: str) -> None:
    assert reasons(parsed([{"Started at": written}])) == [
        (1, "Started at", "not a time like 2026-10-20T09:00:00Z")
    ]


def test_consent_taken_back_and_expired_cells_are_missing_whatever_the_mapping_says() -> None:
    mapping = MAPPING.model_copy(update={"missing": ("",)})
    result = parsed([{"Age": "CONSENT_REVOKED", "Sex": "DATA_EXPIRED", "Fluent languages": " "}], mapping)
    assert result.refused.empty
    assert result.answers.loc[1].isna().all()


def test_a_renamed_participant_column_is_found() -> None:
    header = ["PROLIFIC_PID" if name == "Participant id" else name for name in HEADER]
    text = ",".join(header) + "\n" + ",".join(["s1", "p1", *[USUAL.get(name, "") for name in header[2:]]])
    data = text.replace("English, Hindi", '"English, Hindi"').encode()
    result = parse(recognise(read(data, "p.csv"), Imports(recruits=MAPPING)), {})
    assert result.rows["participant"].tolist() == ["p1"]


def test_every_refused_cell_of_a_row_is_listed_with_its_reason() -> None:
    result = parsed([{"Participant id": " ", "Age": "17", "Sex": "female"}, {"Age": "thirty"}])
    assert reasons(result) == [
        (1, "Participant id", "blank participant id"),
        (1, "Age", "not a number from 18 to 100"),
        (1, "Sex", "not one of: Female, Male"),
        (2, "Age", "not a number from 18 to 100"),
    ]
    assert result.rows.empty


def test_of_two_submissions_by_one_person_the_earlier_stands() -> None:
    result = parsed(
        [
            {"Participant id": "x", "Started at": "2026-03-02T10:00:00Z"},
            {"Participant id": " x", "Started at": "2026-03-02T09:00:00Z"},
            {"Participant id": "y"},
        ]
    )
    assert list(result.rows.index) == [2, 3]
    assert reasons(result) == [(1, "Participant id", "a later submission of the same participant")]


def test_a_participants_id_is_never_shown_in_a_refusal() -> None:
    result = parsed([{"Participant id": "x"}, {"Participant id": "x"}])
    assert result.refused["value"].isna().all()


def test_a_returned_submission_may_have_no_time() -> None:
    result = parsed([{"Status": "RETURNED", "Started at": ""}])
    assert result.rows["arrived"].isna().tolist() == [True]
    assert result.refused.empty
