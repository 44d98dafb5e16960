"""Rules, times, weights and plans in words, for the forms of registries."""

from copy import deepcopy
from typing import Any

import pytest

from forethought.protocol import plain_yaml, shipped
from forethought.protocol.design import Window
from forethought.protocol.formats import upgraded
from forethought.protocol.imports import Variable
from forethought.protocol.rules import Criterion
from forethought.protocol.shape import examine
from forethought.reports.forms import design, inference, measures, sampling, words
from forethought.reports.forms.form import Plan

DATA: Any = plain_yaml.parse(shipped.text("lend_an_ear")).data


def plan(change: Any = None) -> Plan:
    data = deepcopy(DATA)
    if change:
        change(data)
    found = examine(upgraded(data))
    assert found.protocol is not None, found.faults
    return Plan(protocol=found.protocol, fingerprint="0" * 64, registration=None)


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a, b", "c"], "a, b; and c"),
        (["a and b", "c", "d"], "a and b; c; and d"),
    ],
)
def test_items_are_listed_so_that_they_can_be_told_apart(items: list[str], text: str) -> None:
    assert words.listed(items) == text


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"test": "one_of", "values": ["a"]}, "x is “a”"),
        ({"test": "one_of", "values": ["a", "b"]}, "x is “a” or “b”"),
        ({"test": "none_of", "values": ["a"]}, "x is known and is not “a”"),
        ({"test": "none_of", "values": ["a", "b"]}, "x is known and is none of “a” and “b”"),
        ({"test": "at_least", "value": 18}, "x is at least 18"),
        ({"test": "at_most", "value": 0.5}, "x is at most 0.5"),
        ({"test": "contains", "value": "en"}, "x contains “en”"),
        ({"test": "missing"}, "x is missing"),
    ],
)
def test_a_rule_in_words(rule: dict[str, Any], text: str) -> None:
    criterion = Criterion.model_validate(
        {"id": "c", "variable": "x", "rule": rule, "reason": "r"}, strict=False
    )
    assert words.rule(criterion) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "0 minutes"), (1, "1 minute"), (60, "1 hour"), (90, "90 minutes"), (2880, "2 days")],
)
def test_a_duration_is_told_in_the_largest_unit_without_a_rest(minutes: int, text: str) -> None:
    assert words.duration(minutes) == text


@pytest.mark.parametrize(
    ("anchor", "times", "text"),
    [
        ("allocation", (0, 5, 120), "within 2 hours of allocation, aimed at 5 minutes"),
        (
            "previous_session",
            (5, 60, 1440),
            "from 5 minutes to 1 day after the session before, aimed at 1 hour",
        ),
        ("allocation", (0, 0, 60), "within 1 hour of allocation, aimed at once"),
        ("allocation", (60, 60, 60), "1 hour after allocation"),
    ],
)
def test_a_window_in_words(anchor: Any, times: tuple[int, int, int], text: str) -> None:
    opens, target, closes = times
    assert words.window(Window(anchor=anchor, opens=opens, target=target, closes=closes)) == text


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        ({"a": 1}, "a"),
        ({"a": -1}, "−a"),
        ({"a": -1, "b": 1}, "b − a"),
        ({"a": 0.5, "b": -2}, "0.5 × a − 2 × b"),
    ],
)
def test_weights_become_a_formula_that_begins_with_what_is_added(
    weights: dict[str, float], text: str
) -> None:
    assert words.weighted_sum(weights) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"type": "text"}, "a text"),
        ({"type": "category"}, "a category"),
        ({"type": "category", "levels": ["a", "b"]}, "“a” or “b”"),
        ({"type": "number"}, "a number"),
        ({"type": "number", "minimum": 0}, "a number of at least 0"),
        ({"type": "number", "maximum": 9}, "a number of at most 9"),
        ({"type": "number", "minimum": 0, "maximum": 9}, "a number from 0 to 9"),
        ({"type": "number", "codes": {"some": 2, "no": 1}}, "a number, from the words no = 1 and some = 2"),
        ({"type": "text", "session": "baseline"}, "a text, asked at baseline"),
    ],
)
def test_a_variable_in_words(given: dict[str, Any], text: str) -> None:
    variable = Variable.model_validate({"name": "x", "column": "X", **given}, strict=False)
    assert list(measures.variables_read([variable], plan())) == [f"x: {text}"]


def test_variables_of_the_same_values_are_told_together() -> None:
    same = [Variable(name=name, column=name, type="text") for name in ("a", "b", "c")]
    assert list(measures.variables_read(same, plan())) == ["a, b and c: a text"]


def test_an_unequal_ratio_is_told_arm_by_arm() -> None:
    def more_control(data: Any) -> None:
        data["allocation"]["ratio"]["control"] = 2

    text = design.randomisation(plan(more_control))
    assert (
        "in the ratio Control 2, Didactic Instruction 1, Personalized Feedback 1 and Combined Training 1,"
        in text
    )


def test_equal_shares_are_told_as_such() -> None:
    assert (
        "to one of 4 arms in equal shares, by permuted blocks within strata of sex"
        in design.randomisation(plan())
    )


def test_one_participant_is_one() -> None:
    def one(data: Any) -> None:
        data["waves"][0]["target"] = 1

    assert sampling.sample_size(plan(one)).startswith("1 participant is to complete the study.")


def test_several_waves_are_counted_in_all_and_one_by_one() -> None:
    def two(data: Any) -> None:
        data["waves"].append({"number": 2, "opens": "2026-01-01T00:00:00+00:00", "target": 32})

    text = sampling.sample_size(plan(two))
    assert text.startswith("1,000 participants are to complete the study. 968 in wave 1 and 32 in wave 2.")


def test_planned_looks_are_told_with_their_fractions_and_boundaries() -> None:
    def looks(data: Any) -> None:
        data["recruitment"]["sample_size"]["stopping"] = {
            "rule": "group_sequential",
            "looks": [0.5, 1.0],
            "spending": "hwang_shih_decani",
            "parameter": -4.0,
            "futility": "non_binding",
            "statement": "A statistician looks.",
        }

    text = sampling.stopping(plan(looks))
    assert "looked at 2 times, at 50% and 100% of the information" in text
    assert "spent by the function of Hwang, Shih and DeCani, with the parameter −4;" in text
    assert text.endswith("A statistician looks.")


def test_a_criterion_is_told_in_words_and_as_it_is_written() -> None:
    text = inference.criteria(plan())
    assert "the adjusted p is below alpha (0.05) and the interval's lower end is above 0" in text
    assert "(`p_adjusted < alpha and ci_low > 0`)" in text


def test_hypotheses_of_the_same_criteria_are_told_together() -> None:
    assert inference.criteria(plan()).count("- Corroborated where ") == 2


def test_a_family_without_adjustment_is_not_said_to_be_adjusted() -> None:
    def none(data: Any) -> None:
        for family in data["analysis"]["families"]:
            family["method"] = "none"

    text = inference.criteria(plan(none))
    assert "p values are not adjusted" in text
    assert "Holm" not in text


def test_items_keyed_the_other_way_are_named_with_their_index() -> None:
    def reversed_item(data: Any) -> None:
        scale = next(one for one in data["outcomes"] if one["id"] == "jordan_empathy")
        scale["reverse"] = ["baseline_empathy_item_2"]

    text = measures.indices(plan(reversed_item))
    assert "Keyed the other way, as minimum + maximum − x: baseline_empathy_item_2." in text


def test_exclusions_keep_their_place_among_the_steps_of_the_preparation() -> None:
    data: Any = plain_yaml.parse(shipped.text("manybabies1")).data
    found = examine(upgraded(data)).protocol
    assert found is not None
    of = Plan(protocol=found, fingerprint="0" * 64, registration=None)
    text = measures.exclusions(of)
    assert "- Step 2: records whose trial_type is “train” (training trial)." in text
    assert "- Step 4: age_mo is age_months less its mean over the records" in measures.transformations(of)
