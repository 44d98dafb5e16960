"""What a reader of a form needs to understand the plan: codes, families, whom analyses leave out, existing data."""

from copy import deepcopy
from typing import Any

import pytest

from forethought.protocol import plain_yaml, shipped
from forethought.protocol.formats import upgraded
from forethought.protocol.shape import examine
from forethought.reports.forms.aspredicted import aspredicted
from forethought.reports.forms.form import Filled, Plan
from forethought.reports.forms.osf import osf

DATA: dict[str, Any] = {name: plain_yaml.parse(shipped.text(name)).data for name in shipped.names()}


def plan(data: Any) -> Plan:
    found = examine(upgraded(data))
    assert found.protocol is not None, found.faults
    return Plan(protocol=found.protocol, fingerprint="0" * 64, registration=None)


def changed(name: str = "lend_an_ear", **at: object) -> Plan:
    """A shipped protocol with other values: `study__title="x"` says study.title."""
    data = deepcopy(DATA[name])
    for path, value in at.items():
        *around, key = path.split("__")
        inner = data
        for step in around:
            inner = inner[int(step)] if step.isdigit() else inner[step]
        inner[key] = value
    return plan(data)


def responses(filled: Filled) -> dict[str, Any]:
    payload: Any = filled.payload
    found = payload["data"]["attributes"]["registration_responses"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("form", [osf, aspredicted])
def test_a_formula_s_session_variable_is_explained(form: Any) -> None:
    said = "The variable round is 0, 1 and 1 in the 3 sessions, in order."
    assert said in form(plan(DATA["lend_an_ear"])).text


def test_a_family_names_its_model_contrasts_and_outcomes() -> None:
    said = "Model: `overall`. Contrasts: `coach_vs_video`, `both_vs_video` and `both_vs_coach`. Outcomes: Overall empathy."
    assert said in responses(osf(plan(DATA["lend_an_ear"])))["q19"]


def test_formulas_that_give_way_are_told_in_their_order() -> None:
    simpler = ["y ~ arm * round + (1 | participant)", "y ~ arm * round + (1 | scenario)"]
    answer = responses(osf(changed(analysis__models__2__pruning__formulas=simpler)))["q22"]
    assert f"it gives way to {simpler[0]}, then {simpler[1]}; the last one stands" in answer


def test_whom_a_population_leaves_out_is_told_with_the_exclusions() -> None:
    answer = responses(osf(plan(DATA["lend_an_ear"])))["q20"]
    said = "Per protocol, those who held all three conversations on time” leaves out whoever did not hold every session"
    assert answer.endswith(f"The population “{said} inside its window.")


def test_a_population_that_no_model_has_leaves_out_nobody() -> None:
    everyone = changed(analysis__models__3__population="intention_to_treat")
    assert "leaves out" not in responses(osf(everyone))["q20"]


def test_a_page_without_room_names_the_population_of_the_punctual_in_one_line() -> None:
    answer = responses(aspredicted(plan(DATA["lend_an_ear"])))["outliers"]
    assert "is a deviation; `per_protocol` alone leaves out its participant." in answer


def test_a_form_without_room_for_the_criteria_says_where_they_are() -> None:
    answer = responses(aspredicted(plan(DATA["lend_an_ear"])))["analyses"]
    assert "Corroborated" not in answer
    assert answer.endswith("Criteria for verdicts are in the protocol.")


@pytest.mark.parametrize("name", ["manybabies1", "sleepstudy"])
def test_nobody_is_recruited_for_data_that_exist(name: str) -> None:
    answers = responses(osf(plan(DATA[name])))
    assert answers["q11"].startswith("Data of ")
    assert "recruitment" not in answers["q13"]


def test_a_new_study_without_arms_has_its_sample_to_complete() -> None:
    answers = responses(osf(changed("sleepstudy", study__existing_data__status="prior_to_creation")))
    assert answers["q11"] == "18 participants are to complete the study."
    assert answers["q13"].startswith("The sample size is fixed beforehand")


def test_a_wave_that_is_assumed_is_not_told_as_a_fact() -> None:
    text = osf(plan(DATA["sleepstudy"])).text
    assert "Wave 1 opens on 2003-01-01 00:00 UTC, with a target of 18 participants (an assumption)." in text
