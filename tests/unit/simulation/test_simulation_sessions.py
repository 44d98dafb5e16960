"""What the participants do: exports that our import reads, told by arm only where an import seals it."""

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from forethought.errors import ProtocolInvalid
from forethought.protocol.loading import read_yaml
from forethought.protocol.measures import Rated
from forethought.protocol.protocol import Protocol
from forethought.schemas.exports.checking import Parsed
from forethought.schemas.exports.parsing import parse
from forethought.schemas.exports.reading import read
from forethought.schemas.exports.recognition import recognise
from forethought.simulation.attendance import People
from forethought.simulation.phrases import Phrases, read_phrases
from forethought.simulation.sessions import Played, play_sessions

Row = dict[str, str]
PeopleOf = Callable[[int], People]

CODES = ("Control", "Influencer", "AICoach", "CoachPlusInfluencer")
COACHED = {"AICoach", "CoachPlusInfluencer"}
WORDS = {"job_loss": "job loss", "passed_over": "promotion", "undervalued": "undervalued",
         "loss_of_father": "loss dad", "mothers_illness": "mom unwell"}  # fmt: skip


def text_of(played: Played, name: str) -> str:
    return next(file.content.decode() for file in played.files if file.name == name)


def rows_of(played: Played, name: str, skip: int = 0) -> list[Row]:
    return list(csv.DictReader(io.StringIO(text_of(played, name), newline="")))[skip:]


@pytest.fixture(scope="module")
def messages(played: Played) -> list[Row]:
    return rows_of(played, "conversations.csv")


@pytest.fixture(scope="module")
def conversations(messages: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in messages:
        found[row["conversation_id"]].append(row)
    return found


@pytest.fixture(scope="module")
def ratings(played: Played) -> list[Row]:
    return rows_of(played, "ratings.csv")


@pytest.fixture(scope="module")
def surveys(played: Played) -> list[Row]:
    """The participants' rows, without the two other header rows and the previews."""
    return rows_of(played, "qualtrics_survey.csv", skip=4)


def imported(played: Played, name: str, protocol: Protocol) -> Parsed:
    rated = {o.id: o for o in protocol.outcomes if isinstance(o, Rated)}
    return parse(recognise(read(text_of(played, name).encode(), name), protocol.imports), rated)


def test_the_headers_are_those_of_the_platforms(played: Played) -> None:
    assert text_of(played, "conversations.csv").splitlines()[0] == (
        "conversation_id,user_id,conversation_number,condition,starter,message_number,role,text,sent_at,"
        "coach_feedback,forethought_simulation"
    )
    assert text_of(played, "ratings.csv").splitlines()[0] == (
        "conversation_id,rater,validating_emotions,encouraging_elaboration,demonstrating_understanding,"
        "advice_giving,self_oriented,dismissing_emotions,forethought_simulation"
    )


@pytest.mark.parametrize("name", ["conversations.csv", "ratings.csv"])
def test_our_import_reads_every_row(played: Played, protocol: Protocol, name: str) -> None:
    parsed = imported(played, name, protocol)
    assert (len(parsed.rows), len(parsed.refused)) == (len(rows_of(played, name)), 0)


def test_our_import_reads_the_survey_and_refuses_its_previews(played: Played, protocol: Protocol) -> None:
    parsed = imported(played, "qualtrics_survey.csv", protocol)
    assert parsed.refused["reason"].tolist() == ["survey preview", "survey preview"]
    assert len(parsed.rows) == len(rows_of(played, "qualtrics_survey.csv", skip=4))


def test_every_row_of_every_export_bears_the_seed(played: Played) -> None:
    for name, header_rows in (("conversations.csv", 0), ("ratings.csv", 0), ("qualtrics_survey.csv", 2)):
        assert {row["forethought_simulation"] for row in rows_of(played, name, header_rows)} == {"1"}


def test_conversations_are_as_many_and_as_long_as_told(
    played: Played, conversations: dict[str, list[Row]], messages: list[Row]
) -> None:
    assert played.conversations == len(conversations)
    assert played.messages == len(messages)
    # standard deviation 3.6, so that the mean of some 1,180 conversations has a standard error of .105
    assert played.messages / played.conversations == pytest.approx(11.6866, abs=0.5)


def test_conversation_ids_are_times_with_six_digits(conversations: dict[str, list[Row]]) -> None:
    assert all(re.fullmatch(r"202503(28|29)\d{12}", name) for name in conversations)
    for name, rows in conversations.items():
        assert f"{datetime.fromisoformat(rows[0]['sent_at']):%Y%m%d%H%M%S}" == name[:14]


def test_messages_are_numbered_and_sent_one_after_the_other_by_turns(
    conversations: dict[str, list[Row]],
) -> None:
    for rows in conversations.values():
        assert [row["message_number"] for row in rows] == [str(n + 1) for n in range(len(rows))]
        assert [row["role"] for row in rows] == [("seeker", "supporter")[n % 2] for n in range(len(rows))]
        assert all(before["sent_at"] < after["sent_at"] for before, after in pairwise(rows))
        assert len({(row["user_id"], row["conversation_number"], row["starter"]) for row in rows}) == 1


def test_each_conversation_is_about_the_scenario_planned_for_it(
    conversations: dict[str, list[Row]], protocol: Protocol, phrases: Phrases, people: PeopleOf
) -> None:
    those = people(400)
    assert protocol.stimuli is not None
    for rows in conversations.values():
        person, session = int(rows[0]["user_id"], 16), int(rows[0]["conversation_number"]) - 1
        scenario = protocol.stimuli.items[those.stimuli[person, session]]
        assert rows[0]["starter"] == WORDS[scenario]
        assert rows[0]["text"] == phrases.partner[scenario].opener


def test_sessions_follow_each_other_and_most_are_in_their_window(
    conversations: dict[str, list[Row]], protocol: Protocol, people: PeopleOf
) -> None:
    began: dict[tuple[str, int], datetime] = {}
    ended: dict[tuple[str, int], datetime] = {}
    for rows in conversations.values():
        key = (rows[0]["user_id"], int(rows[0]["conversation_number"]) - 1)
        began[key] = datetime.fromisoformat(rows[0]["sent_at"])
        ended[key] = datetime.fromisoformat(rows[-1]["sent_at"])
    allocated = datetime.fromisoformat(f"{people(1).allocated_at[0]}Z")
    kept = []
    for (person, session), start in began.items():
        anchor = began[person, session - 1] if session else allocated
        assert start > (ended[person, session - 1] if session else allocated)
        kept.append((start - anchor).total_seconds() / 60 in protocol.sessions[session].window)
    assert 0.01 < kept.count(False) / len(kept) < 0.05


def test_nobody_comes_back_who_was_lost(conversations: dict[str, list[Row]], played: Played) -> None:
    held = defaultdict(set)
    for rows in conversations.values():
        held[rows[0]["user_id"]].add(rows[0]["conversation_number"])
    assert {frozenset(numbers) for numbers in held.values()} <= {
        frozenset("1"), frozenset("12"), frozenset("123")
    }  # fmt: skip
    assert sum(numbers == set("123") for numbers in held.values()) == played.completers
    # 400 people stay with a chance of .94: five standard deviations
    assert 400 * 0.94 - 5 * 4.8 < played.completers < 400


def test_the_condition_is_the_arm_allocated_but_for_a_few_failures(messages: list[Row]) -> None:
    received = {row["user_id"]: row["condition"] for row in messages}
    differing = {code for person, code in received.items() if code != CODES[int(person, 16) % 4]}
    failed = [person for person, code in received.items() if code != CODES[int(person, 16) % 4]]
    assert differing <= {"Control"}
    assert len(failed) < 8


def test_only_the_coached_get_feedback_and_only_before_another_conversation(
    conversations: dict[str, list[Row]],
) -> None:
    for rows in conversations.values():
        due = rows[0]["condition"] in COACHED and rows[0]["conversation_number"] != "3"
        assert [bool(row["coach_feedback"]) for row in rows] == [False] * (len(rows) - 1) + [due]


def test_the_words_show_what_the_rater_saw(
    conversations: dict[str, list[Row]], ratings: list[Row], phrases: Phrases
) -> None:
    for outcome, sentences in phrases.behaviours.items():
        share: dict[str, list[float]] = defaultdict(list)
        for rating in ratings:
            said = [
                row["text"] for row in conversations[rating["conversation_id"]] if row["role"] == "supporter"
            ]
            shown = sum(any(sentence in text for sentence in sentences) for text in said)
            share[
                "high" if int(rating[outcome]) >= 4 else "low" if int(rating[outcome]) <= 2 else "middle"
            ].append(shown / len(said))
        assert np.mean(share["high"]) > 2 * np.mean(share["low"]), outcome


def test_no_sentence_comes_twice_in_one_conversation_of_usual_length(
    conversations: dict[str, list[Row]],
) -> None:
    for rows in conversations.values():
        told = [row["text"] for row in rows if row["role"] == "seeker"][:11]
        assert len(set(told)) == len(told)


def test_ratings_are_whole_numbers_by_the_scorer_and_few_are_missing(
    ratings: list[Row], conversations: dict[str, list[Row]], protocol: Protocol
) -> None:
    rated = [row["conversation_id"] for row in ratings]
    assert len(set(rated)) == len(rated)
    assert set(rated) <= set(conversations)
    assert len(conversations) - len(rated) < 16
    assert {row["rater"] for row in ratings} == {"llm_judge"}
    outcomes = [outcome.id for outcome in protocol.outcomes if isinstance(outcome, Rated)]
    assert {row[outcome] for row in ratings for outcome in outcomes} == set("12345")


def test_the_survey_has_three_header_rows_in_the_zone_of_the_service(played: Played) -> None:
    names, labels, ids = list(csv.reader(io.StringIO(text_of(played, "qualtrics_survey.csv"))))[:3]
    assert names[0] == "StartDate"
    assert labels[0] == "Start Date"
    assert ids[0] == '{"ImportId": "startDate", "timeZone": "America/Denver"}'
    assert "\n" in labels[names.index("baseline_empathy_item_1")]
    assert ids[names.index("PROLIFIC_PID")] == '{"ImportId": "PROLIFIC_PID"}'


def test_the_survey_asks_about_a_conversation_only_who_held_it(
    surveys: list[Row], messages: list[Row]
) -> None:
    held = {(row["user_id"], row["conversation_number"]) for row in messages}
    assert {row["PROLIFIC_PID"] for row in surveys} == {person for person, _ in held}
    for row in surveys:
        assert row["baseline_empathy_item_8"]
        for number in "123":
            assert bool(row[f"c{number}_self_empathized"]) == ((row["PROLIFIC_PID"], number) in held)
        assert (row["Finished"] == "True") == ((row["PROLIFIC_PID"], "3") in held)


def test_answers_are_the_words_of_the_protocol_and_lean_to_the_high_end(surveys: list[Row]) -> None:
    given = Counter(row["c1_self_empathized"] for row in surveys)
    assert set(given) <= {"not_at_all", "a_little", "somewhat", "quite_a_bit", "very_much"}
    # 1,553 of 2,904 said `very much` in the published study: five standard errors of some 390 answers
    assert given["very_much"] / len(surveys) == pytest.approx(1553 / 2904, abs=0.13)


def test_the_survey_opens_before_the_first_conversation_and_closes_after_the_last(
    surveys: list[Row], messages: list[Row]
) -> None:
    first, last = {}, {}
    for row in messages:
        first.setdefault(row["user_id"], row["sent_at"])
        last[row["user_id"]] = max(row["sent_at"], last.get(row["user_id"], ""))
    for row in surveys:
        started, ended = (
            datetime.fromisoformat(f"{row[column]}-06:00") for column in ("StartDate", "EndDate")
        )  # Denver in March 2025, daylight saving time
        assert started <= datetime.fromisoformat(first[row["PROLIFIC_PID"]])
        assert ended > datetime.fromisoformat(last[row["PROLIFIC_PID"]]).replace(microsecond=0)


def test_all_is_over_when_it_is_said_to_be(played: Played, messages: list[Row]) -> None:
    assert max(datetime.fromisoformat(row["sent_at"]) for row in messages) <= played.ends


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(
    protocol: Protocol, phrases: Phrases, people: PeopleOf
) -> None:
    def contents(seed: int) -> list[bytes]:
        return [file.content for file in play_sessions(protocol, phrases, people(30), seed=seed).files]

    assert contents(11) == contents(11)
    assert all(one != other for one, other in zip(contents(11), contents(12), strict=True))


def test_an_arm_changes_outcomes_and_words_and_nothing_else_of_a_person(
    protocol: Protocol, phrases: Phrases, people: PeopleOf
) -> None:
    those = people(60)
    other = replace(those, arms=(those.arms + 1) % 4)
    one, two = (play_sessions(protocol, phrases, each, seed=4) for each in (those, other))
    assert text_of(one, "qualtrics_survey.csv") == text_of(two, "qualtrics_survey.csv")
    same = ("conversation_id", "user_id", "starter", "message_number", "sent_at")
    assert [[row[c] for c in same] for row in rows_of(one, "conversations.csv")] == [
        [row[c] for c in same] for row in rows_of(two, "conversations.csv")
    ]
    assert text_of(one, "ratings.csv") != text_of(two, "ratings.csv")


def test_where_everybody_is_lost_there_is_no_file(
    protocol: Protocol, phrases: Phrases, people: PeopleOf
) -> None:
    assert protocol.simulation is not None
    flow = protocol.simulation.flow.model_copy(update={"lost_before": {"conversation_1": 1.0}})
    simulation = protocol.simulation.model_copy(update={"flow": flow})
    played = play_sessions(protocol.model_copy(update={"simulation": simulation}), phrases, people(5), seed=1)
    assert (played.files, played.completers, played.conversations) == ((), 0, 0)


def test_the_partner_opens_as_in_the_scenarios(phrases: Phrases, study: Path) -> None:
    scenarios = read_yaml(study / "materials" / "scenarios.yaml")["scenarios"]  # type: ignore[index, call-overload]
    assert {each["id"]: each["opener"] for each in scenarios} == {
        name: told.opener for name, told in phrases.partner.items()
    }


def test_a_scenario_and_an_outcome_without_sentences_are_named(
    protocol: Protocol, study: Path, tmp_path: Path
) -> None:
    text = (study / "materials" / "phrases.yaml").read_text()
    file = tmp_path / "phrases.yaml"
    file.write_text(text.replace("  undervalued:", "  underrated:").replace("  self_oriented:", "  self:"))
    with pytest.raises(ProtocolInvalid, match=r"no sentences for undervalued, self_oriented") as raised:
        read_phrases(file, protocol)
    assert str(raised.value).startswith("phrases.yaml: ")


def test_phrases_of_another_shape_are_refused_with_their_place(protocol: Protocol, tmp_path: Path) -> None:
    file = tmp_path / "phrases.yaml"
    file.write_text("partner: {any: {opener: 'Hello'}}\nneutral: ['Yes.']\nbehaviours: {}\n")
    with pytest.raises(ProtocolInvalid, match=r"phrases\.yaml: partner\.any\.story: Field required"):
        read_phrases(file, protocol)
