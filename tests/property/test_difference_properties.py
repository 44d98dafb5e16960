"""Whatever two plans say: no difference means one fingerprint, and each change is found once."""

from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from forethought.protocol.differences import differences
from forethought.protocol.fingerprint import fingerprint

NAMES = st.sampled_from(["id", "name", "label", "x", "y", "criterion", "é"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, -0.0, 1.0, 0.5])
    | st.text("aé\u0301 \n", max_size=3)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
PLANS = st.dictionaries(NAMES, VALUES, max_size=5)

Place = tuple[str | int, ...]


def _named(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": f"n{number}", **item} for number, item in enumerate(items)]


FIELDS = st.sampled_from(["x", "y", "z"])
TREES = st.dictionaries(
    FIELDS,
    st.recursive(
        LEAVES,
        lambda inner: (
            st.dictionaries(FIELDS, inner, max_size=3)
            | st.lists(st.dictionaries(FIELDS, inner, max_size=3), max_size=3).map(_named)
        ),
        max_leaves=15,
    ),
    min_size=1,
)
"""Plans whose lists hold named items only, so that every leaf has one place."""


def leaves(value: Any, at: Place = ()) -> list[Place]:
    """The places of all values that hold no others, but for the names of items."""
    if isinstance(value, dict) and value:
        return [place for key in value if key != "id" for place in leaves(value[key], (*at, key))]
    if isinstance(value, list) and value:
        return [place for index, item in enumerate(value) for place in leaves(item, (*at, index))]
    return [at]


def around(value: Any, at: Place) -> Any:
    """The mapping that holds this place."""
    for step in at[:-1]:
        value = value[step]
    return value


def spoken(value: Any, at: Place) -> str:
    """The field of a place: items by their names."""
    words = []
    for step in at:
        value = value[step]
        words.append(value["id"] if isinstance(step, int) else step)
    return ".".join(words)


@given(PLANS)
def test_a_plan_does_not_differ_from_itself(plan: dict[str, Any]) -> None:
    assert differences(plan, deepcopy(plan)) == ()


@given(PLANS, PLANS)
@settings(max_examples=400)
def test_two_plans_differ_where_their_fingerprints_do(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert (differences(a, b) == ()) == (fingerprint(a) == fingerprint(b))


@given(PLANS, PLANS)
def test_what_is_added_one_way_is_removed_the_other(a: dict[str, Any], b: dict[str, Any]) -> None:
    there, back = differences(a, b), differences(b, a)
    added = sorted(repr(one.after) for one in there if one.change == "added")
    removed = sorted(repr(one.before) for one in back if one.change == "removed")
    assert added == removed


@given(TREES.filter(leaves), st.data())
@settings(max_examples=300)
def test_each_changed_leaf_is_found_once_with_both_its_values(tree: Any, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.sampled_from(leaves(tree)), unique=True, min_size=1, max_size=5))
    after = deepcopy(tree)
    for number, place in enumerate(places):
        around(after, place)[place[-1]] = f"new {number}"
    found = {one.field: (one.change, one.before, one.after) for one in differences(tree, after)}
    assert found == {
        spoken(tree, place): ("changed", around(tree, place)[place[-1]], f"new {number}")
        for number, place in enumerate(places)
    }
    assert len(differences(tree, after)) == len(places)


@given(TREES.filter(leaves), st.data())
def test_each_removed_field_is_found_once(tree: Any, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.sampled_from(leaves(tree)), unique=True, min_size=1, max_size=5))
    after = deepcopy(tree)
    for place in places:
        del around(after, place)[place[-1]]
    found = [(one.field, one.change, one.before) for one in differences(tree, after)]
    expected = [(spoken(tree, place), "removed", around(tree, place)[place[-1]]) for place in places]
    assert sorted(found, key=repr) == sorted(expected, key=repr)


@given(PLANS)
def test_each_key_of_a_new_plan_is_added_once(plan: dict[str, Any]) -> None:
    found = differences({}, plan)
    assert [(one.field, one.change) for one in found] == [(key, "added") for key in plan]


@given(PLANS, PLANS)
def test_the_words_are_one_line_and_name_the_field(a: dict[str, Any], b: dict[str, Any]) -> None:
    for one in differences(a, b):
        assert one.field in one.words
        assert "\n" not in one.words
        assert len(one.words) < 4 * 80 + 2 * len(one.field)
