"""What a correction may say: the options of each kind, and the values of a variable."""

import pytest

from forethought.errors import WrongUsage
from forethought.protocol.imports import Variable
from forethought.steps.correctable import (
    NotCounted,
    RandomisedInError,
    RandomisedTwice,
    WrongValue,
    text_of,
    wrong,
)

MALE = WrongValue(item="sex", value="Male")
NUMBER = Variable(name="age", column="Age", type="number", minimum=18, maximum=99, codes={"old": 80})


@pytest.mark.parametrize("value", ["18", " 40.5 ", "old"])
def test_a_number_in_its_range_or_a_response_word_is_taken(value: str) -> None:
    assert text_of(value, NUMBER) == value.strip()


@pytest.mark.parametrize("value", ["17", "100", "nan", "inf", "young", ""])
def test_another_number_or_word_is_refused(value: str) -> None:
    with pytest.raises(WrongUsage, match="must be a number from 18 up to 99 or one of: old"):
        text_of(value, NUMBER)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"kind": "randomised-in-error"}, RandomisedInError()),
        ({"kind": "not-counted"}, NotCounted()),
        ({"kind": "wrong-value", "item": "sex", "value": "Male"}, MALE),
        ({"kind": "randomised-twice", "first": "p1"}, RandomisedTwice(first="p1")),
    ],
)
def test_each_kind_has_its_options(said: dict[str, str], wanted: object) -> None:
    assert wrong(**said) == wanted


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"kind": "wrong"}, "--kind wrong: it is no kind of correction"),
        ({"kind": "wrong-value", "item": "sex"}, "--value: `--kind wrong-value` needs it"),
        ({"kind": "randomised-twice"}, "--first: `--kind randomised-twice` needs it"),
        ({"kind": "not-counted", "first": "p1"}, "--first: `--kind not-counted` does not take it"),
    ],
)
def test_an_option_that_is_missing_or_too_much_is_said(said: dict[str, str], what: str) -> None:
    with pytest.raises(WrongUsage, match=what):
        wrong(**said)
