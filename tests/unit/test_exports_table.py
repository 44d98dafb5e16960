"""Plain CSV by the protocol's mapping: recruits, trial records, conversations, ratings."""

from collections.abc import Sequence

import pandas as pd
import pytest

from forethought.protocol.imports import Conversations, Ratings, Recruits, Responses, Variable
from forethought.protocol.measures import Rated
from forethought.schemas.exports import table
from forethought.schemas.exports.checking import Parsed
from forethought.schemas.exports.reading import Export, read

TRIALS = Responses(
    source="csv",
    participant="baby",
    record="row",
    missing=("", "NA"),
    variables=(
        Variable(name="trial", column="trial_num", type="number", minimum=1),
        Variable(name="kind", column="kind", type="category", levels=("ADS", "IDS")),
        Variable(name="remark", column="remark", type="text"),
    ),
)
TALKS = Conversations(
    source="csv",
    conversation="talk",
    participant="user",
    session="round",
    sessions={"1": "first", "2": "second"},
    stimulus="starter",
    stimuli={"I lost my job": "job", "I lost my dad": "dad"},
    number="n",
    role="role",
    roles={"user": "participant", "bot": "partner"},
    text="text",
    sent="at",
    received="condition",
    sealed=("coach",),
)
SCORES = Ratings(source="csv", conversation="talk", rater="rater", outcomes={"warmth": "w", "advice": "a"})
RATED = {
    name: Rated(kind="rated", id=name, label=name, minimum=1, maximum=5, better="higher", scorer="model")
    for name in ("warmth", "advice")
}


def file(*lines: str) -> Export:
    return read("\n".join(lines).encode(), "e.csv")


def talks(*lines: str) -> Parsed:
    return table.conversations(file("talk,user,round,starter,n,role,text,at,condition,coach", *lines), TALKS)


def message(
    talk: str = "t1",
    user: str = "u1",
    session: str = "1",
    starter: str = "I lost my job",
    n: str = "1",
    role: str = "user",
    text: str = "hello",
    at: str = "2026-03-02T09:00:00Z",
) -> str:
    return ",".join((talk, user, session, starter, n, role, text, at, "AICoach", "well done"))


def reasons(result: Parsed) -> list[tuple[int, str, str]]:
    return list(result.refused[["row_number", "column", "reason"]].itertuples(index=False, name=None))


def test_a_trial_may_name_nobody_and_missing_marks_are_no_values() -> None:
    lines = ("baby,trial_num,kind,remark", "b1,1,IDS, x ", ",2,NA,NA", "NA,3,,")
    result = table.responses(file(*lines), TRIALS)
    assert result.refused.empty
    assert result.rows["participant"].isna().tolist() == [False, True, True]
    assert result.answers.loc[1].to_list() == ["1", "IDS", " x "]
    assert result.answers.loc[2].isna().tolist() == [False, True, True]


def test_many_trials_of_one_person_stand() -> None:
    result = table.responses(file("baby,trial_num,kind,remark", "b1,1,IDS,", "b1,1,IDS,"), TRIALS)
    assert len(result.rows) == 2


def test_a_row_without_any_cell_is_refused() -> None:
    result = table.responses(file("baby,trial_num,kind,remark", ", ,,", "b1,1,IDS,"), TRIALS)
    assert reasons(result) == [(1, "baby", "every cell is blank")]


def test_a_level_that_the_protocol_does_not_know_is_refused() -> None:
    result = table.responses(file("baby,trial_num,kind,remark", "b1,0,train,"), TRIALS)
    assert reasons(result) == [
        (1, "trial_num", "not a number of 1 or more"),
        (1, "kind", "not one of: ADS, IDS"),
    ]
    assert result.refused["value"].tolist() == ["0", "train"]


def test_recruits_of_a_plain_file_have_any_status() -> None:
    mapping = Recruits(source="csv", participant="id", status="state", arrived="came")
    result = table.recruits(file("id,state,came", "a,done,2026-03-02", "b,,2026-03-02 10:00"), mapping)
    assert result.rows["status"].isna().tolist() == [False, True]
    assert result.rows["arrived"].tolist() == [pd.Timestamp("2026-03-02"), pd.Timestamp("2026-03-02 10:00")]


def test_a_message_has_the_protocols_words_for_session_stimulus_and_role() -> None:
    row = talks(message(session="2", starter="I lost my dad", n="7.0", role="bot")).rows.loc[1]
    assert row.to_dict() == {
        "conversation": "t1",
        "participant": "u1",
        "session": "second",
        "stimulus": "dad",
        "number": 7,
        "role": "partner",
        "text": "hello",
        "sent": pd.Timestamp("2026-03-02 09:00"),
    }


def test_the_arm_received_and_sealed_columns_are_not_read() -> None:
    result = talks(message(), message(text=" "))
    said = result.rows.to_csv() + result.answers.to_csv() + result.refused.to_csv()
    assert "AICoach" not in said
    assert "well done" not in said


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ({"talk": ""}, "talk", "blank conversation id"),
        ({"user": " "}, "user", "blank participant id"),
        ({"session": "3"}, "round", "not one of: 1, 2"),
        ({"starter": ""}, "starter", "not one of: I lost my job, I lost my dad"),
        ({"n": "1.5"}, "n", "not a whole number of 0 or more"),
        ({"n": "-1"}, "n", "not a whole number of 0 or more"),
        ({"role": "assistant"}, "role", "not one of: user, bot"),
        ({"text": "  "}, "text", "the message is empty"),
        ({"at": ""}, "at", "no time of sending"),
        ({"at": "noon"}, "at", "not a time like 2026-10-20T09:00:00Z"),
    ],
)
def test_only_the_refused_message_of_a_conversation_leaves(
    cells: dict[str, str], column: str, reason: str
) -> None:
    result = talks(message(), message(**{"n": "2", **cells}), message(n="3"))
    assert reasons(result) == [(2, column, reason)]
    assert list(result.rows.index) == [1, 3]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (message(), (2, "n", "a second message with this number in the conversation")),
        (
            message(user="u2", n="2"),
            (2, "user", "another participant than the first message of the conversation has"),
        ),
        (
            message(session="2", n="2"),
            (2, "round", "another session than the first message of the conversation has"),
        ),
        (
            message(starter="I lost my dad", n="2"),
            (2, "starter", "another stimulus than the first message of the conversation has"),
        ),
    ],
)
def test_a_conversation_is_of_one_person_session_and_stimulus(
    second: str, expected: tuple[int, str, str]
) -> None:
    assert reasons(talks(message(), second)) == [expected]


def test_of_two_conversations_in_one_session_the_earlier_stands() -> None:
    late = "2026-03-02T10:00:00Z"
    result = talks(message("t2", at=late), message("t2", n="2", at=late), message("t1"), message("t3", "u2"))
    reason = "a second conversation of the same session"
    assert reasons(result) == [(1, "talk", reason), (2, "talk", reason)]
    assert result.rows["conversation"].tolist() == ["t1", "t3"]


def scores(*lines: str) -> Parsed:
    return table.ratings(file("talk,rater,w,a", *lines), SCORES, RATED)


def test_ratings_are_whole_numbers_in_their_outcomes_range() -> None:
    result = scores("t1,m,1,5", "t2,m,0,5", "t3,m,2.5,1", "t4,m,3.0,6", "t5,m,x,2")
    assert list(result.rows.index) == [1]
    assert reasons(result) == [
        (2, "w", "not a whole number from 1 to 5"),
        (3, "w", "not a whole number from 1 to 5"),
        (4, "a", "not a whole number from 1 to 5"),
        (5, "w", "not a whole number from 1 to 5"),
    ]


def test_a_blank_rating_is_missing_and_a_row_without_any_is_refused() -> None:
    result = scores("t1,m,,5", "t2,m,,")
    assert result.answers.loc[1].isna().tolist() == [True, False]
    assert reasons(result) == [(2, "rater", "no rating in the row")]


def test_of_two_ratings_by_one_rater_the_first_stands() -> None:
    result = scores("t1,m,1,1", "t1,human,2,2", "t1,m,3,3", ",m,1,1", "t2,,1,1")
    assert list(result.rows.index) == [1, 2]
    assert reasons(result) == [
        (3, "rater", "a second rating by the same rater"),
        (4, "talk", "blank conversation id"),
        (5, "rater", "blank rater"),
    ]


@pytest.mark.parametrize("bad", [["t1,m,9,9"] * 3, ["t1,m,9,1", "t1,m,1,1"]])
def test_a_row_is_either_accepted_or_refused(bad: Sequence[str]) -> None:
    result = scores(*bad)
    assert set(result.rows.index).isdisjoint(result.refused["row_number"])
    assert set(result.rows.index) | set(result.refused["row_number"]) == set(range(1, len(bad) + 1))
