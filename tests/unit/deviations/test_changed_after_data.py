"""What an amendment changed once outcomes were there is not confirmatory any more."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from forethought.deviations import ChangedAfterData, changed_after_data
from forethought.registration import Registration

FIRST_OUTCOME = datetime(2026, 2, 1, tzinfo=UTC)

Lock = Callable[..., Registration]

TEST = {
    "hypothesis": "h1",
    "model": "main",
    "outcome": "warmth",
    "contrast": "coached_gain",
    "family": "gains",
}


def analysis(part: str, place: int, **changes: Any) -> Callable[[Any], None]:
    """A change of one item of the analysis."""
    return lambda data: data["analysis"][part][place].update(changes)


def change(path: str, value: object) -> Callable[[Any], None]:
    *around, last = path.split(".")

    def apply(data: Any) -> None:
        for step in around:
            data = data[step]
        data[last] = value

    return apply


def test_without_an_amendment_nothing_is_changed(lock: Lock) -> None:
    assert changed_after_data(lock(), FIRST_OUTCOME) == ChangedAfterData()


def test_what_is_amended_before_data_stays_confirmatory(lock: Lock, amend: Any) -> None:
    amended = amend(lock(), change("analysis.alpha", 0.01))
    assert not changed_after_data(amended, FIRST_OUTCOME).touches(**TEST)
    assert not changed_after_data(amended, None).touches(**TEST)


@pytest.mark.parametrize(
    "changing",
    [
        change("analysis.alpha", 0.01),
        change("preparation", []),
        analysis("hypotheses", 0, direction="greater"),
        analysis("models", 0, formula="y ~ arm"),
        analysis("contrasts", 0, weights={"round": 1.0}),
        analysis("families", 0, method="none"),
        analysis("estimands", 0, variable="Something else"),
        analysis("populations", 0, rule="every_session"),
        lambda data: data["outcomes"][0].update(scorer="machine"),
        lambda data: data["raters"][0].update(description="Somebody else"),
        lambda data: data["preparation"].reverse(),
        lambda data: data["analysis"].pop("alpha"),
        lambda data: data["sessions"][1].update(variables={"round": 1}),
        lambda data: data["sessions"].pop(),
        lambda data: data["arms"].reverse(),
    ],
)
def test_a_test_that_rests_on_what_was_changed_after_data_is_touched(
    lock: Lock, amend: Any, changing: Callable[[Any], None]
) -> None:
    assert changed_after_data(amend(lock(), changing, late=True), FIRST_OUTCOME).touches(**TEST)


@pytest.mark.parametrize(
    "changing",
    [
        change("study.title", "Another"),
        change("waves", [{"number": 1, "opens": "2026-01-01T09:00:00+00:00", "target": 120}]),
        analysis("hypotheses", 1, direction="greater"),
        analysis("models", 1, formula="y ~ arm"),
        analysis("contrasts", 1, weights={"round": 1.0}),
        analysis("models", 0, label="The main model"),
        analysis("models", 0, note="A word on it"),
        lambda data: data["outcomes"][1].update(scorer="machine"),
        lambda data: data["analysis"]["contrasts"].reverse(),
        lambda data: data["analysis"]["exploratory"].clear(),
        lambda data: data["sessions"][1].update(label="The second"),
        lambda data: data["sessions"][1]["window"].update(closes=240),
        lambda data: data["arms"][1].update(description="A coach who writes"),
        lambda data: data["imports"]["recruits"]["variables"][0].update(maximum=99),
    ],
)
def test_a_test_that_rests_on_nothing_that_was_changed_is_not_touched(
    lock: Lock, amend: Any, changing: Callable[[Any], None]
) -> None:
    assert not changed_after_data(amend(lock(), changing, late=True), FIRST_OUTCOME).touches(**TEST)


def test_a_window_touches_the_tests_of_those_who_came_on_time(lock: Lock, amend: Any) -> None:
    def on_time(data: Any) -> None:
        data["analysis"]["populations"][0]["rule"] = "sessions_in_window"

    later = amend(lock(on_time), lambda data: data["sessions"][1]["window"].update(closes=240), late=True)
    assert changed_after_data(later, FIRST_OUTCOME).touches(**TEST)


def test_a_variable_touches_the_tests_of_the_models_that_use_it(lock: Lock, amend: Any) -> None:
    def by_sex(data: Any) -> None:
        data["analysis"]["models"][0].update(formula="y ~ arm * round + sex + (1 | participant)")
        data["analysis"]["models"][0].pop("pruning")

    def relevel(data: Any) -> None:
        data["imports"]["recruits"]["variables"][1].update(levels=["Male", "Female"])

    changed = changed_after_data(amend(lock(by_sex), relevel, late=True), FIRST_OUTCOME)
    assert changed.touches(**TEST)
    assert not changed.touches(**TEST | {"hypothesis": "h2", "model": "plain", "outcome": "overall"})


def test_a_rater_s_rubric_that_was_rewritten_touches_what_it_rates(lock: Lock, amend: Any) -> None:
    amended = amend(lock(), late=True, materials={"rubric.md": "b" * 64})
    assert changed_after_data(amended, FIRST_OUTCOME).touches(**TEST)


def test_a_material_of_no_rater_touches_no_test(lock: Lock, amend: Any) -> None:
    amended = amend(lock(), late=True, materials={"script.md": "b" * 64})
    assert not changed_after_data(amended, FIRST_OUTCOME).touches(**TEST)


def test_a_hypothesis_that_was_added_after_data_is_touched_and_the_others_are_not(
    lock: Lock, amend: Any
) -> None:
    def add(data: Any) -> None:
        data["analysis"]["hypotheses"].append(data["analysis"]["hypotheses"][0] | {"id": "h3"})

    changed = changed_after_data(amend(lock(), add, late=True), FIRST_OUTCOME)
    assert changed.touches(**TEST | {"hypothesis": "h3"})
    assert not changed.touches(**TEST)


def test_a_composite_is_touched_with_any_of_its_parts(lock: Lock, amend: Any) -> None:
    amended = amend(lock(), lambda data: data["outcomes"][1].update(maximum=7), late=True)
    changed = changed_after_data(amended, FIRST_OUTCOME)
    assert changed.touches(**TEST | {"outcome": "overall"})
    assert not changed.touches(**TEST)


def test_a_coefficient_without_hypothesis_or_family_is_judged_by_its_model(lock: Lock, amend: Any) -> None:
    own = TEST | {"hypothesis": None, "family": None, "contrast": "round"}
    amended = amend(lock(), analysis("models", 0, formula="y ~ arm"), late=True)
    assert changed_after_data(amended, FIRST_OUTCOME).touches(**own)
    assert not changed_after_data(amended, FIRST_OUTCOME).touches(
        **own | {"model": "plain", "outcome": "advice"}
    )
