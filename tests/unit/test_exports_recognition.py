"""An export's source and kind are told from its header; what is unclear is asked for, never guessed."""

import pytest

from forethought.errors import DataRefused, ForethoughtError, WrongUsage
from forethought.protocol.imports import Imports, Ratings, Recruits, Responses, Variable
from forethought.schemas.exports.reading import Export, read
from forethought.schemas.exports.recognition import recognise, sources_of

PROLIFIC = "Submission id,Participant id,Status,Started at,Age"
QUALTRICS = "StartDate,EndDate,Status,Finished,ResponseId,Q1,PROLIFIC_PID"
IMPORTS = Imports(
    recruits=Recruits(
        source="prolific",
        participant="Participant id",
        status="Status",
        arrived="Started at",
        variables=(Variable(name="age", column="Age", type="number"),),
    ),
    ratings=Ratings(
        source="csv", conversation="conversation_id", rater="rater", outcomes={"warmth": "warmth"}
    ),
)
PLAIN = Imports(
    responses=Responses(
        source="csv", participant="id", variables=(Variable(name="x", column="x", type="number"),)
    ),
    ratings=Ratings(source="csv", conversation="id", rater="rater", outcomes={"x": "x"}),
)


def file(header: str) -> Export:
    return read(f"{header}\n{',' * header.count(',')}\n".encode(), "e.csv")


def refusal(header: str, imports: Imports = IMPORTS, **given: str) -> ForethoughtError:
    with pytest.raises(ForethoughtError) as refused:
        recognise(file(header), imports, **given)
    return refused.value


@pytest.mark.parametrize(
    ("header", "sources"),
    [
        (PROLIFIC, ("prolific",)),
        ("Submission id,PROLIFIC_PID,Status", ("prolific",)),
        (QUALTRICS, ("qualtrics",)),
        ("HITId,HITTypeId,AssignmentId,WorkerId,Answer.q1", ("mturk",)),
        ("study_id,redcap_event_name,age,demographics_complete", ("redcap",)),
        ("record_id,redcap_repeat_instrument,redcap_repeat_instance,bp", ("redcap",)),
        ("record_id,name_first,race___1,race___2,health_complete", ("redcap",)),
        ("participant_id,redcap_survey_identifier,pmq1", ("redcap",)),
        ("subject,days,reaction", ()),
        (f"{PROLIFIC},StartDate,EndDate,Finished,ResponseId", ("prolific", "qualtrics")),
    ],
)
def test_a_service_is_known_by_its_columns(header: str, sources: tuple[str, ...]) -> None:
    assert sources_of(file(header)) == sources


def test_columns_may_come_in_any_order_and_with_others() -> None:
    found = recognise(file("Age,Started at,New screener,Status,Participant id,Submission id"), IMPORTS)
    assert (found.source, found.kind) == ("prolific", "recruits")


def test_a_plain_file_is_of_the_kind_whose_columns_it_holds() -> None:
    found = recognise(file("rater,conversation_id,warmth,forethought_simulation"), IMPORTS)
    assert (found.source, found.kind) == ("csv", "ratings")


@pytest.mark.parametrize(
    ("header", "service"),
    [("record_id,redcap_event_name,age", "REDCap"), ("HITId,AssignmentId,WorkerId", "MTurk")],
)
def test_services_that_this_release_does_not_read_are_refused_by_name(header: str, service: str) -> None:
    error = refusal(header)
    assert isinstance(error, DataRefused)
    assert f"this release does not read {service} exports yet" in str(error)
    assert f"this release does not read {service} exports yet" in str(
        refusal(PROLIFIC, source=service.lower())
    )


def test_an_ambiguous_source_is_asked_for() -> None:
    header = f"{PROLIFIC},StartDate,EndDate,Finished,ResponseId"
    assert "its header is that of Prolific and Qualtrics. Say which with --source." in str(refusal(header))
    assert recognise(file(header), IMPORTS, source="prolific").kind == "recruits"


def test_an_ambiguous_kind_is_asked_for() -> None:
    assert "Say which with --as responses or --as ratings." in str(refusal("id,x,rater", PLAIN))
    assert recognise(file("id,x,rater"), PLAIN, kind="ratings").kind == "ratings"


def test_a_header_that_fits_nothing_is_not_recognised() -> None:
    error = refusal("a,b,c", PLAIN)
    assert isinstance(error, DataRefused)
    assert "its source is not recognised" in str(error)


def test_a_missing_column_is_named_with_the_one_probably_meant() -> None:
    message = str(refusal("Submission id,Participant id,Status,Started_at,Age"))
    assert message.startswith("e.csv:1: read as recruits (Prolific), it lacks the column `Started at`")
    assert "(did you mean `Started_at`?)" in message


def test_every_missing_column_is_named() -> None:
    message = str(refusal("conversation_id,score", kind="ratings"))
    assert "it lacks the columns `rater`, `warmth`" in message


def test_a_source_that_the_protocol_does_not_expect_is_refused() -> None:
    message = str(refusal(PROLIFIC, PLAIN))
    assert (
        "it is Prolific, and the protocol expects responses from plain CSV, ratings from plain CSV" in message
    )


def test_a_given_source_must_fit_the_header() -> None:
    assert "its header is not that of a Qualtrics export" in str(refusal(PROLIFIC, source="qualtrics"))


def test_a_cleaned_file_of_a_service_is_read_by_the_mapping_when_the_user_says_csv() -> None:
    header = "Participant id,Status,Started at,Age"
    assert isinstance(refusal(header), DataRefused)
    found = recognise(file(header), IMPORTS, source="csv")
    assert (found.source, found.kind) == ("csv", "recruits")


def test_what_the_protocol_does_not_import_is_wrong_usage() -> None:
    assert isinstance(refusal(PROLIFIC, kind="responses"), WrongUsage)
    assert isinstance(refusal(PROLIFIC, source="sona"), WrongUsage)
