"""Ratings, composites and scales: what is missing stays missing, what is wrong is refused."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from forethought.errors import DataRefused, ProtocolInvalid
from forethought.protocol.formats import upgraded
from forethought.protocol.imports import Imports, Recruits, Responses, Variable
from forethought.protocol.measures import Composite, Outcome, Rated, Scale
from forethought.protocol.protocol import Protocol
from forethought.scoring.outcomes import COLUMNS, score, versioned

BEGAN = datetime(2025, 3, 25, 12, 0, tzinfo=UTC).replace(tzinfo=None)


def rated(name: str) -> Rated:
    return Rated(kind="rated", id=name, label=name, minimum=1, maximum=5, better="higher", scorer="judge")


def composite(name: str, **weights: float) -> Composite:
    return Composite(kind="composite", id=name, label=name, weights=weights, better="higher")


def item(name: str, **more: object) -> Variable:
    words = {"not_at_all": 1.0, "somewhat": 3.0, "very_much": 5.0}
    given = {"type": "number", "codes": words, "session": "baseline"} | more
    return Variable.model_validate({"name": name, "column": name, **given})


SCALE = Scale(
    kind="scale", id="trait", label="trait", session="baseline", items=("i1", "i2"), better="higher"
)
OUTCOMES = (rated("VE"), rated("DU"), rated("AG"), composite("overall", VE=1, DU=1, AG=-1))


SMALLEST = Protocol.model_validate_json(
    json.dumps(
        upgraded(
            {
                "format": "forethought-protocol/1",
                "study": {"id": "s", "title": "s", "summary": "s", "authors": [{"name": "a"}], "ethics": "none"},
                "waves": [{"number": 1, "opens": "2025-01-01T00:00:00+00:00", "target": 1}],
                "allocation": "none",
                "imports": {},
                "analysis": {
                    "population": "all_records",
                    "missing_data": "none",
                    "models": [
                        {"id": "m", "kind": "ols", "label": "m", "formula": "y ~ 1", "outcomes": ["VE"],
                         "role": "primary", "cluster": "p"}
                    ],
                },
            }
        )
    )
)  # fmt: skip


def protocol(outcomes: Sequence[Outcome], variables: Sequence[Variable] = ()) -> Protocol:
    survey = Responses(source="csv", participant="id", variables=(*variables, item("other")))
    recruits = Recruits(
        source="csv",
        participant="id",
        status="s",
        arrived="a",
        variables=(item("age", type="number", codes={}, session=None),),
    )
    changes = {"imports": Imports(responses=survey, recruits=recruits), "outcomes": tuple(outcomes)}
    return SMALLEST.model_copy(update=changes)


def ratings(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["conversation_id", "rater", "outcome", "value"]).astype(
        {"value": "float64"}
    )


def conversations(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["conversation_id", "participant_id", "session", "began"])
    return frame.assign(started_at=[BEGAN + timedelta(minutes=minute) for minute in frame.pop("began")])


def responses(*rows: tuple[str, str, str], session: str = "baseline") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["participant_id", "item", "value"])
    return frame.assign(record_id=frame["participant_id"] + f"/{session}", session=session)


def values(scores: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    keys = zip(scores["participant_id"], scores["session"], scores["outcome"], strict=True)
    return dict(zip(keys, scores["value"], strict=True))


TALKS = conversations(("k1", "pa", "c1", 0), ("k2", "pa", "c2", 30), ("k3", "pb", "c1", 5))
COMPLETE = ratings(("k1", "judge", "VE", 4), ("k1", "judge", "DU", 3), ("k1", "judge", "AG", 2))


def test_a_rating_becomes_the_score_of_its_participant_and_session() -> None:
    scores = score(protocol(OUTCOMES[:1]), COMPLETE, TALKS, responses())
    assert scores.to_dict("records") == [
        {
            "participant_id": "pa",
            "session": "c1",
            "outcome": "VE",
            "scorer": "judge",
            "version": "rated/1",
            "value": 4,
        }
    ]


def test_only_the_named_scorers_ratings_count() -> None:
    others = ratings(("k1", "crowd", "VE", 1), ("k3", "expert", "VE", 5))
    scores = score(protocol(OUTCOMES[:1]), pd.concat([COMPLETE, others]), TALKS, responses())
    assert values(scores) == {("pa", "c1", "VE"): 4}


def test_a_composite_is_the_weighted_sum() -> None:
    scores = score(protocol(OUTCOMES), COMPLETE, TALKS, responses())
    overall = scores[scores["outcome"] == "overall"].iloc[0]
    assert (overall["value"], overall["scorer"], overall["version"]) == (5, "composite", "composite/1")


def test_a_composite_is_missing_where_any_part_is_missing() -> None:
    partly = ratings(("k2", "judge", "VE", 4), ("k2", "judge", "DU", 3))
    scores = score(protocol(OUTCOMES), pd.concat([COMPLETE, partly]), TALKS, responses())
    assert set(values(scores)) == {
        ("pa", "c1", "VE"),
        ("pa", "c1", "DU"),
        ("pa", "c1", "AG"),
        ("pa", "c1", "overall"),
        ("pa", "c2", "VE"),
        ("pa", "c2", "DU"),
    }


def test_a_composite_of_composites_is_scored_after_its_parts() -> None:
    nested = (composite("twice", overall=2), *OUTCOMES)
    assert values(score(protocol(nested), COMPLETE, TALKS, responses()))["pa", "c1", "twice"] == 10


def test_a_missing_rating_is_never_filled() -> None:
    scores = score(protocol(OUTCOMES), ratings(("k1", "judge", "VE", float("nan"))), TALKS, responses())
    assert scores.empty
    assert list(scores.columns) == list(COLUMNS)


def test_a_rating_of_a_conversation_that_is_not_there_scores_nobody() -> None:
    assert score(protocol(OUTCOMES), ratings(("k9", "judge", "VE", 3)), TALKS, responses()).empty


@pytest.mark.parametrize("value", [0, 5.5, 6, float("inf")])
def test_a_rating_out_of_range_is_refused_and_never_clipped(value: float) -> None:
    with pytest.raises(DataRefused, match="1 outside 1 to 5, the first of conversation k1"):
        score(protocol(OUTCOMES), ratings(("k1", "judge", "VE", value)), TALKS, responses())


def test_of_two_conversations_of_one_session_the_first_counts() -> None:
    again = conversations(("k7", "pa", "c1", 20), ("k1", "pa", "c1", 0))
    rows = ratings(("k7", "judge", "VE", 1), ("k1", "judge", "VE", 4))
    assert values(score(protocol(OUTCOMES[:1]), rows, again, responses())) == {("pa", "c1", "VE"): 4}


def test_the_first_conversation_without_a_rating_is_not_replaced_by_the_second() -> None:
    again = conversations(("k7", "pa", "c1", 20), ("k1", "pa", "c1", 0))
    assert score(protocol(OUTCOMES[:1]), ratings(("k7", "judge", "VE", 1)), again, responses()).empty


def test_a_scale_is_the_sum_of_its_items_codes() -> None:
    answers = responses(("pa", "i1", "somewhat"), ("pa", "i2", "very_much"), ("pa", "other", "not_at_all"))
    scores = score(protocol([SCALE], [item("i1"), item("i2")]), ratings(), TALKS, answers)
    assert scores.to_dict("records") == [
        {
            "participant_id": "pa",
            "session": "baseline",
            "outcome": "trait",
            "scorer": "scale",
            "version": "scale/1",
            "value": 8,
        }
    ]


def test_a_scale_is_missing_where_any_item_is_missing() -> None:
    answers = responses(("pa", "i1", "somewhat"), ("pb", "i1", "somewhat"), ("pb", "i2", "not_at_all"))
    scores = score(protocol([SCALE], [item("i1"), item("i2")]), ratings(), TALKS, answers)
    assert values(scores) == {("pb", "baseline", "trait"): 4}


def test_a_scale_takes_the_answers_of_its_own_session() -> None:
    asked_twice = [
        item("i1"),
        item("i2"),
        item("i1", session="end", codes={"somewhat": 9}),
        item("i2", session="end"),
    ]
    answers = pd.concat(
        [
            responses(("pa", "i1", "somewhat"), ("pa", "i2", "somewhat")),
            responses(("pa", "i1", "somewhat"), ("pa", "i2", "very_much"), session="end"),
        ]
    )
    at_end = SCALE.model_copy(update={"id": "after", "session": "end"})
    scores = score(protocol([SCALE, at_end], asked_twice), ratings(), TALKS, answers)
    assert values(scores) == {("pa", "baseline", "trait"): 6, ("pa", "end", "after"): 14}


def test_a_word_without_a_code_is_refused() -> None:
    answers = responses(("pa", "i1", "Somewhat"), ("pa", "i2", "very_much"))
    with pytest.raises(DataRefused, match="1 are no number of its scale, the first in record pa/baseline"):
        score(protocol([SCALE], [item("i1"), item("i2")]), ratings(), TALKS, answers)


@pytest.mark.parametrize("answer", ["0", "8", "seven", "nan", "inf"])
def test_a_number_out_of_range_is_refused_and_never_clipped(answer: str) -> None:
    numbers = [item(name, type="number", codes={}, minimum=1, maximum=7) for name in ("i1", "i2")]
    with pytest.raises(DataRefused, match="responses to i1"):
        score(
            protocol([SCALE], numbers), ratings(), TALKS, responses(("pa", "i1", answer), ("pa", "i2", "7"))
        )


def test_an_unbounded_item_takes_any_finite_number_only() -> None:
    numbers = [item(name, type="number", codes={}) for name in ("i1", "i2")]
    answers = responses(("pa", "i1", "-3.5"), ("pa", "i2", "7e3"))
    assert values(score(protocol([SCALE], numbers), ratings(), TALKS, answers)) == {
        ("pa", "baseline", "trait"): 6996.5
    }
    with pytest.raises(DataRefused):
        score(protocol([SCALE], numbers), ratings(), TALKS, responses(("pa", "i1", "inf"), ("pa", "i2", "1")))


def test_an_item_answered_twice_is_refused() -> None:
    answers = responses(("pa", "i1", "somewhat"), ("pa", "i1", "very_much"), ("pa", "i2", "somewhat"))
    with pytest.raises(DataRefused, match="pa answered i1 more than once"):
        score(protocol([SCALE], [item("i1"), item("i2")]), ratings(), TALKS, answers)


def test_words_without_codes_cannot_be_a_scales_item() -> None:
    with pytest.raises(ProtocolInvalid, match="its item i1 is no number of its session"):
        score(
            protocol([SCALE], [item("i1", type="category", codes={}), item("i2")]),
            ratings(),
            TALKS,
            responses(),
        )


REVERSED = SCALE.model_copy(update={"items": ("i1", "i2", "i3", "i4"), "reverse": ("i2", "i4")})
WORDS = {"not_at_all": 1, "somewhat": 3, "very_much": 5}


@pytest.mark.parametrize("word", WORDS)
def test_the_same_answer_to_every_item_of_a_balanced_scale_is_its_middle(word: str) -> None:
    """Half of the items keyed the other way, whoever always ticks the same says nothing: 4 times 3."""
    items = [item(name) for name in REVERSED.items]
    answers = responses(*(("pa", name, word) for name in REVERSED.items))
    assert values(score(protocol([REVERSED], items), ratings(), TALKS, answers)) == {
        ("pa", "baseline", "trait"): 12
    }


@pytest.mark.parametrize(("word", "code"), WORDS.items())
def test_without_reversed_items_the_same_answer_to_each_is_its_multiple(word: str, code: int) -> None:
    plain = REVERSED.model_copy(update={"reverse": ()})
    answers = responses(*(("pa", name, word) for name in plain.items))
    scores = score(protocol([plain], [item(name) for name in plain.items]), ratings(), TALKS, answers)
    assert values(scores) == {("pa", "baseline", "trait"): 4 * code}


def test_only_the_items_named_are_turned_round() -> None:
    one = SCALE.model_copy(update={"reverse": ("i2",)})
    answers = responses(("pa", "i1", "not_at_all"), ("pa", "i2", "not_at_all"))
    scores = score(protocol([one], [item("i1"), item("i2")]), ratings(), TALKS, answers)
    assert values(scores) == {("pa", "baseline", "trait"): 1 + 5}


@pytest.mark.parametrize(
    ("declared", "turned"),
    [
        ({"codes": {}, "minimum": 0, "maximum": 10}, 7),
        ({"codes": {"3": 3, "5": 5}}, 5),
        ({"codes": {"3": 3, "5": 5}, "minimum": 1, "maximum": 8}, 6),  # the bounds come before the codes
        ({"codes": {"3": 3, "5": 5}, "minimum": 1}, 5),  # one bound alone is no range
    ],
)
def test_an_item_is_turned_within_its_bounds_or_else_its_codes(
    declared: dict[str, object], turned: float
) -> None:
    alone = SCALE.model_copy(update={"items": ("i1",), "reverse": ("i1",)})
    scores = score(
        protocol([alone], [item("i1", **declared)]), ratings(), TALKS, responses(("pa", "i1", "3"))
    )
    assert values(scores) == {("pa", "baseline", "trait"): turned}


@pytest.mark.parametrize("answer", ["-1", "11"])
def test_a_reversed_answer_out_of_range_is_refused_and_never_clipped(answer: str) -> None:
    alone = SCALE.model_copy(update={"items": ("i1",), "reverse": ("i1",)})
    numbers = [item("i1", codes={}, minimum=0, maximum=10)]
    with pytest.raises(DataRefused, match="responses to i1"):
        score(protocol([alone], numbers), ratings(), TALKS, responses(("pa", "i1", answer)))


def test_an_item_without_ends_cannot_be_turned_round() -> None:
    alone = SCALE.model_copy(update={"items": ("i1",), "reverse": ("i1",)})
    with pytest.raises(ProtocolInvalid, match="its reversed item i1 has no lowest and highest value"):
        score(
            protocol([alone], [item("i1", codes={}, minimum=0)]),
            ratings(),
            TALKS,
            responses(("pa", "i1", "3")),
        )


def test_a_recruitment_variable_can_be_a_scales_item() -> None:
    age = SCALE.model_copy(update={"session": "recruitment", "items": ("age",)})
    answers = responses(("pa", "age", "31"), session="recruitment")
    assert values(score(protocol([age]), ratings(), TALKS, answers)) == {("pa", "recruitment", "trait"): 31}


def test_nothing_to_score_gives_no_scores() -> None:
    scores = score(
        protocol([*OUTCOMES, SCALE], [item("i1"), item("i2")]), ratings(), conversations(), responses()
    )
    assert scores.empty


def test_the_same_data_give_the_same_rows_in_the_same_order() -> None:
    shuffled = COMPLETE.sample(frac=1, random_state=3)
    first = score(protocol(OUTCOMES), COMPLETE, TALKS, responses())
    pd.testing.assert_frame_equal(score(protocol(OUTCOMES), shuffled, TALKS[::-1], responses()), first)


# --- versions ---


def scored(*values: float | None, version: str = "scale/1") -> pd.DataFrame:
    """Scores of the outcome `trust`, one for each person who has a value."""
    rows = [
        (f"p{number}", "first", "trust", "scale", version, value)
        for number, value in enumerate(values)
        if value is not None
    ]
    return pd.DataFrame(rows, columns=["participant_id", "session", "outcome", "scorer", "version", "value"])


@pytest.mark.parametrize(
    ("now", "before", "version"),
    [
        ((1.0, 2.0), (), "scale/1"),
        ((1.0, 2.0), (1.0, 2.0), "scale/1"),
        ((1.0, 2.0), (1.0, None), "scale/1"),  # somebody came since
        ((1.0, 3.0), (1.0, 2.0), "scale/2"),  # an item is keyed the other way now
        ((1.0, None), (1.0, 2.0), "scale/2"),  # an item that one of them left out counts now
    ],
)
def test_another_way_of_scoring_has_the_next_version(
    now: tuple[float | None, ...], before: tuple[float | None, ...], version: str
) -> None:
    assert set(versioned(scored(*now), scored(*before))["version"]) == {version}


def test_the_newest_of_many_versions_is_compared() -> None:
    before = pd.concat([scored(1.0, version="scale/9"), scored(2.0, version="scale/10")])
    assert set(versioned(scored(2.0), before)["version"]) == {"scale/10"}
    assert set(versioned(scored(1.0), before)["version"]) == {"scale/11"}


def test_other_outcomes_keep_their_version() -> None:
    both = pd.concat([scored(1.0), scored(4.0).assign(outcome="warmth")], ignore_index=True)
    found = versioned(both, scored(3.0)).set_index("outcome")["version"]
    assert found.to_dict() == {"trust": "scale/2", "warmth": "scale/1"}
