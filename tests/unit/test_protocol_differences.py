"""What differs between two plans is said field by field, in words that a person can check."""

from collections.abc import Mapping
from typing import Any

import pytest

from forethought.protocol.differences import Difference, differences

LONG = "A sentence that goes on for much longer than a line that somebody would like to read in a terminal. "


def words(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [one.words for one in differences(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"alpha": 0.05}, {"alpha": 0.01}, "alpha was changed from 0.05 to 0.01"),
        ({"n": 100000}, {"n": 1e-05}, "n was changed from 100000 to 1e-05"),
        ({"n": 1}, {"n": "1"}, 'n was changed from 1 to "1"'),
        ({"n": 1}, {"n": True}, "n was changed from 1 to true"),
        ({"n": None}, {"n": False}, "n was changed from nothing to false"),
        ({"n": []}, {"n": {}}, "n was changed from [] to {}"),
        ({"study": {"title": "T"}}, {"study": {"title": "U"}}, 'study.title was changed from "T" to "U"'),
        ({}, {"study": {"id": "a", "n": 1}}, 'study was added: {id: "a", n: 1}'),
        ({"arms": [1, None]}, {}, "arms was removed; it was [1, nothing]"),
        ({"t": "a\n"}, {"t": "a"}, r't was changed from "a\n" to "a"'),
    ],
)
def test_a_difference_in_words(before: Mapping[str, Any], after: Mapping[str, Any], said: str) -> None:
    assert words(before, after) == [said]


def test_a_difference_holds_both_values() -> None:
    (found,) = differences({"analysis": {"alpha": 0.05}}, {"analysis": {"alpha": 0.01}})
    assert found == Difference(
        field="analysis.alpha",
        change="changed",
        before=0.05,
        after=0.01,
        words="analysis.alpha was changed from 0.05 to 0.01",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"n": 1}, {"n": 1.0}),
        ({"n": 0.0}, {"n": -0.0}),
        ({"models": [{"id": "m", "y": 1}]}, {"models": [{"y": 1, "id": "m"}]}),
    ],
)
def test_key_order_and_layout_are_no_difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    assert differences(before, after) == ()


@pytest.mark.parametrize("key", ["id", "name", "number", "file", "label", "term", "outcome"])
def test_items_are_matched_by_name_wherever_they_stand(key: str) -> None:
    before = {"list": [{key: 1, "x": 1}, {key: 2, "x": 2}]}
    after = {"list": [{key: 1, "x": 1}, {key: 3, "x": 0}, {key: 2, "x": 5}]}
    assert [(one.field, one.change) for one in differences(before, after)] == [
        ("list.2.x", "changed"),
        ("list.3", "added"),
    ]


def test_an_exclusion_is_known_by_its_criterion() -> None:
    steps = [
        {"step": "exclude", "criterion": {"id": which, "rule": {"test": "missing"}}}
        for which in ("late", "odd")
    ]
    changed = [steps[0], {"step": "exclude", "criterion": {"id": "odd", "rule": {"test": "at_least"}}}]
    assert words({"preparation": steps}, {"preparation": changed}) == [
        'preparation.odd.criterion.rule.test was changed from "missing" to "at_least"'
    ]


def test_the_second_item_of_one_name_says_so() -> None:
    before = {"arms": [{"id": "a", "x": 1}, {"id": "a", "x": 2}]}
    after = {"arms": [{"id": "a", "x": 1}, {"id": "a", "x": 3}]}
    assert words(before, after) == ["arms.a (2).x was changed from 2 to 3"]


def test_another_order_is_said_once_for_the_list() -> None:
    before, after = ([{"id": name} for name in names] for names in ("abcd", "acdb"))
    (found,) = differences({"models": before}, {"models": after})
    assert (found.field, found.change) == ("models", "moved")
    assert (found.before, found.after) == (["a", "b", "c", "d"], ["a", "c", "d", "b"])
    assert found.words == "the order of models was changed from …, b, c, d to …, c, d, b"


def test_an_item_that_was_changed_and_moved_is_both() -> None:
    before = {"models": [{"id": "a", "x": 1}, {"id": "b"}]}
    after = {"models": [{"id": "b"}, {"id": "a", "x": 2}]}
    assert [(one.field, one.change) for one in differences(before, after)] == [
        ("models.a.x", "changed"),
        ("models", "moved"),
    ]


def test_an_addition_in_the_middle_moves_nothing() -> None:
    assert words({"strata": ["sex", "age"]}, {"strata": ["sex", "student", "age"]}) == [
        'strata.2 was added: "student"'
    ]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (["a", "b", "c"], ["a", "c"], ['list.2 was removed; it was "b"']),
        (["a", "b", "c"], ["a", "x", "c"], ['list.2 was changed from "b" to "x"']),
        ([1, 1], [1], ["list.2 was removed; it was 1"]),
        ([1, 2], [2, 1], ["the order of list was changed from 1, 2 to 2, 1"]),
        (["a", "b"], ["c", "a"], ['list.1 was changed from "b" to "c"', "the order of list was changed from a, b to b, a"]),
    ],
)  # fmt: skip
def test_items_without_a_name_are_matched_by_value_then_in_their_order(
    before: list[Any], after: list[Any], said: list[str]
) -> None:
    assert words({"list": before}, {"list": after}) == said


def test_a_long_text_is_shortened_around_the_difference() -> None:
    before, after = 3 * LONG + "One." + LONG, 3 * LONG + "Two." + LONG
    (said,) = words({"ethics": before}, {"ethics": after})
    assert len(said) < 220
    assert '"… to read in a terminal. One.A sentence' in said
    assert '"… to read in a terminal. Two.A sentence' in said


def test_a_long_text_that_grows_at_its_end_shows_its_end() -> None:
    (said,) = words({"ethics": LONG}, {"ethics": LONG + "More."})
    assert said == 'ethics was changed from "… to read in a terminal. " to "… to read in a terminal. More."'


def test_long_values_of_other_kinds_are_cut() -> None:
    (said,) = words({"n": {"a": 1}}, {"n": list(range(100))})
    assert said.startswith("n was changed from {a: 1} to [0, 1, 2,")
    assert said.endswith("…")
    assert len(said) < 120


def test_a_name_of_several_lines_is_spoken_on_one() -> None:
    (found,) = differences({"sources": []}, {"sources": [{"label": "A book\nof ours"}]})
    assert found.field == "sources.A book of ours"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("café", "cafe\u0301", r't was changed from "caf\xe9" to "cafe\u0301"'),
        ("ab", "a\u200bb", r't was changed from "ab" to "a\u200bb"'),
        ("a b", "a\u00a0b", r't was changed from "a b" to "a\u00a0b"'),
        ("Ä", "Ö", 't was changed from "Ä" to "Ö"'),
    ],
)
def test_texts_that_look_alike_are_told_apart(before: str, after: str, said: str) -> None:
    assert words({"t": before}, {"t": after}) == [said]


def test_differences_come_in_the_order_of_the_first_plan() -> None:
    before = {"a": 1, "b": {"x": 1, "y": 1}, "c": 1}
    after = {"d": 1, "c": 2, "b": {"y": 2, "x": 2, "z": 1}}
    assert [one.field for one in differences(before, after)] == ["a", "b.x", "b.y", "b.z", "c", "d"]


def test_a_number_written_with_a_point_is_the_same_name() -> None:
    assert differences({"w": [{"number": 1, "t": 4}]}, {"w": [{"number": 1.0, "t": 4}]}) == ()
    (found,) = differences({"w": [{"number": 1, "t": 4}]}, {"w": [{"number": 1.0, "t": 5}]})
    assert found.field == "w.1.t"
