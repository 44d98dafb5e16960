"""Recruits: a Prolific export that our own import reads, with the shares and quirks that are assumed."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest

from forethought.errors import ProtocolInvalid
from forethought.protocol.protocol import Protocol
from forethought.protocol.rules import AtLeast, Criterion, OneOf
from forethought.schemas.exports.parsing import parse
from forethought.schemas.exports.reading import read
from forethought.schemas.exports.recognition import recognise
from forethought.simulation.recruits import Recruited, play_recruits

OPENS = datetime(2025, 3, 25, 9, 0, tzinfo=UTC)
HEADER = (
    "Submission id,Participant id,Status,Custom study tncs accepted at,Started at,Completed at,Reviewed at,"
    "Archived at,Time taken,Completion code,Total approvals,Fluent languages,forethought_simulation,Age,Sex,"
    "Ethnicity simplified,Country of birth,Country of residence,Nationality,Language,Student status,"
    "Employment status"
)
UNFINISHED = {"RETURNED", "TIMED-OUT"}

Row = dict[str, str]


def rows_of(recruited: Recruited) -> list[Row]:
    return list(csv.DictReader(io.StringIO(recruited.file.content.decode())))


def eligible(row: Row) -> bool:
    finished = row["Status"] in {"APPROVED", "AWAITING REVIEW"}
    return finished and int(row["Age"]) >= 18 and "English" in row["Fluent languages"]


@pytest.fixture(scope="module")
def recruited(protocol: Protocol) -> Recruited:
    return play_recruits(protocol, opens=OPENS, seed=1)


@pytest.fixture(scope="module")
def rows(recruited: Recruited) -> list[Row]:
    return rows_of(recruited)


def test_the_header_is_that_of_a_prolific_demographic_export(recruited: Recruited) -> None:
    assert recruited.file.name == "prolific_export_lend_an_ear.csv"
    assert recruited.file.content.decode().splitlines()[0] == HEADER


def test_as_many_submissions_come_as_the_protocol_assumes(rows: list[Row]) -> None:
    assert len(rows) == 1150


def test_our_import_reads_every_row(recruited: Recruited, protocol: Protocol) -> None:
    export = read(recruited.file.content, recruited.file.name)
    recognised = recognise(export, protocol.imports)
    parsed = parse(recognised, {})
    assert (recognised.kind, recognised.source) == ("recruits", "prolific")
    assert (len(parsed.rows), len(parsed.refused)) == (1150, 0)


def test_ids_are_24_hexadecimal_digits_and_no_two_are_the_same(rows: list[Row]) -> None:
    ids = [row[column] for row in rows for column in ("Submission id", "Participant id")]
    assert all(re.fullmatch(r"[0-9a-f]{24}", each) for each in ids)
    assert len(set(ids)) == len(ids)


def test_people_arrive_one_after_the_other_over_the_first_days(rows: list[Row], recruited: Recruited) -> None:
    arrived = [datetime.fromisoformat(row["Started at"]) for row in rows]
    assert arrived == sorted(arrived)
    assert len(set(arrived)) == len(arrived)
    assert arrived[0] > OPENS
    assert timedelta(days=2) < arrived[-1] - arrived[0] < timedelta(days=3)
    assert recruited.ends >= arrived[-1]


def test_nothing_in_the_export_is_later_than_its_end(rows: list[Row], recruited: Recruited) -> None:
    times = [
        row[name] for row in rows for name in ("Completed at", "Reviewed at", "Archived at") if row[name]
    ]
    assert max(datetime.fromisoformat(time) for time in times) <= recruited.ends


def test_some_return_some_run_out_of_time_and_some_are_not_eligible(
    rows: list[Row], recruited: Recruited
) -> None:
    statuses = [row["Status"] for row in rows]
    assert set(statuses) == {"APPROVED", "AWAITING REVIEW", "RETURNED", "TIMED-OUT"}
    # shares .05, .015 and .04 of 1,150: five standard deviations on either side
    assert 20 < statuses.count("RETURNED") < 95
    assert 1 < statuses.count("TIMED-OUT") < 38
    ineligible = [row for row in rows if row["Status"] not in UNFINISHED and not eligible(row)]
    assert 12 < len(ineligible) < 80
    assert any(int(row["Age"]) < 18 for row in ineligible)
    assert any("English" not in row["Fluent languages"] for row in ineligible)
    assert sum(eligible(row) for row in rows) == recruited.eligible


def test_who_did_not_finish_has_no_times_and_mostly_no_demographics(rows: list[Row]) -> None:
    unfinished = [row for row in rows if row["Status"] in UNFINISHED]
    assert all(row["Completed at"] == row["Time taken"] == row["Completion code"] == "" for row in unfinished)
    revoked = [row for row in unfinished if row["Age"] == "CONSENT_REVOKED"]
    assert len(revoked) > len(unfinished) / 2
    assert all(row["Sex"] == row["Employment status"] == "CONSENT_REVOKED" for row in revoked)


def test_who_finished_shows_all_but_single_expired_cells(rows: list[Row]) -> None:
    finished = [row for row in rows if row["Status"] not in UNFINISHED]
    assert not any("CONSENT_REVOKED" in row.values() for row in finished)
    expired = {column for row in finished for column, value in row.items() if value == "DATA_EXPIRED"}
    assert expired == {"Student status", "Employment status"}


@pytest.mark.parametrize("participants", [1, 12, 300, 2000])
def test_exactly_as_many_can_be_enrolled_as_were_asked_for(protocol: Protocol, participants: int) -> None:
    recruited = play_recruits(protocol, opens=OPENS, seed=5, participants=participants)
    rows = rows_of(recruited)
    assert sum(eligible(row) for row in rows) == participants == recruited.eligible
    assert eligible(rows[-1])


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(protocol: Protocol) -> None:
    def content(seed: int) -> bytes:
        return play_recruits(protocol, opens=OPENS, seed=seed, participants=20).file.content

    assert content(8) == content(8)
    assert content(8) != content(9)


def test_every_row_bears_the_seed(rows: list[Row]) -> None:
    assert {row["forethought_simulation"] for row in rows} == {"1"}


def with_eligibility(protocol: Protocol, *criteria: Criterion) -> Protocol:
    recruits = protocol.imports.recruits
    assert recruits is not None
    changed = recruits.model_copy(update={"eligibility": criteria})
    return protocol.model_copy(update={"imports": protocol.imports.model_copy(update={"recruits": changed})})


def test_criteria_of_another_protocol_are_met_and_failed_too(protocol: Protocol) -> None:
    students = Criterion(
        id="s", variable="student_status", rule=OneOf(test="one_of", values=("Yes",)), reason="no student"
    )
    rows = rows_of(play_recruits(with_eligibility(protocol, students), opens=OPENS, seed=2, participants=80))
    finished = [row for row in rows if row["Status"] not in UNFINISHED]
    assert sum(row["Student status"] == "Yes" for row in finished) == 80
    assert {row["Student status"] for row in finished} == {"Yes", "No"}


def test_a_criterion_that_nobody_can_pass_is_named(protocol: Protocol) -> None:
    old = Criterion(id="very_old", variable="age", rule=AtLeast(test="at_least", value=200), reason="young")
    with pytest.raises(ProtocolInvalid, match=r"eligibility\.very_old: no simulated person has a `Age`"):
        play_recruits(with_eligibility(protocol, old), opens=OPENS, seed=1)


def test_a_status_that_no_submission_has_is_named(protocol: Protocol) -> None:
    odd = Criterion(id="odd", variable="status", rule=OneOf(test="one_of", values=("ACTIVE",)), reason="odd")
    with pytest.raises(ProtocolInvalid, match="let no submission pass"):
        play_recruits(with_eligibility(protocol, odd), opens=OPENS, seed=1)


def test_nobody_can_be_ineligible_without_a_criterion(protocol: Protocol) -> None:
    with pytest.raises(ProtocolInvalid, match=r"simulation\.flow\.ineligible"):
        play_recruits(with_eligibility(protocol), opens=OPENS, seed=1)
