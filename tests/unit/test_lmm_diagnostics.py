"""What is said of the optimum of a mixed model, where it is good and where it is not."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import lmer
from forethought.analysis.lmm.diagnostics import Curvature, Diagnostics, curvature, diagnostics
from forethought.analysis.lmm.solution import Solution

DATA = Path(__file__).parents[1] / "reference" / "lmm"

FORMULAS = {
    "sleepstudy": "Reaction ~ Days + (Days | Subject)",
    "Penicillin": "diameter ~ 1 + (1 | plate) + (1 | sample)",
    "small": "y ~ arm * time + (1 | pid) + (1 | scenario)",
    "boundary": "y ~ x + (x | g)",
}

each_model = pytest.mark.parametrize("name", FORMULAS)


@cache
def solved(name: str) -> Solution:
    return lmer(FORMULAS[name], pd.read_csv(DATA / f"{name}.csv")).solution


@cache
def found(name: str) -> Diagnostics:
    return diagnostics(solved(name))


def elsewhere(name: str, factor: float) -> Diagnostics:
    """Of a fit that stopped away from the minimum."""
    solution = solved(name)
    theta = solution.optimum.theta * factor
    moved = replace(solution.optimum, theta=theta, deviance=solution.deviance(theta))
    return diagnostics(replace(solution, optimum=moved))


@each_model
def test_a_good_fit_has_converged(name: str) -> None:
    assert found(name).doubts == ()


@each_model
def test_the_second_search_finds_the_same_criterion(name: str) -> None:
    assert abs(found(name).second_search.criterion_difference) < 1e-6


@each_model
def test_the_second_search_starts_elsewhere(name: str) -> None:
    assert found(name).second_search.start != found(name).theta


def test_the_second_search_finds_the_same_theta() -> None:
    result = found("small")
    assert result.second_search.theta == pytest.approx(result.theta, rel=1e-4)


def test_the_curvature_is_that_of_the_deviance() -> None:
    """Against second differences of the deviance itself."""
    solution, h = solved("Penicillin"), 1e-3
    theta, at = solution.optimum.theta, solution.deviance
    a, b = np.eye(2) * h
    mixed = (at(theta + a + b) - at(theta + a - b) - at(theta - a + b) + at(theta - a - b)) / (4 * h**2)
    own = (at(theta + a) - 2 * at(theta) + at(theta - a)) / h**2
    np.testing.assert_allclose(curvature(at, theta)[0], [own, mixed], rtol=1e-3, atol=1e-4 * abs(own))


def test_the_curvature_of_a_regular_fit_is_positive_definite() -> None:
    assert found("sleepstudy").curvature.positive_definite


def test_a_regular_fit_is_not_singular() -> None:
    assert found("sleepstudy").singular_groups == ()


def test_a_singular_fit_names_its_group() -> None:
    assert found("boundary").singular_groups == ("g",)


def test_a_singular_fit_says_so_with_its_theta() -> None:
    theta = ", ".join(f"{value:.3g}" for value in found("boundary").theta)
    assert (
        f"Singular in g: a variance is zero or a correlation is one (theta {theta})."
        in found("boundary").summary()
    )


def test_a_fit_that_stopped_early_has_a_slope() -> None:
    assert "the criterion still has a slope of" in elsewhere("sleepstudy", 1.2).doubts[0]


def test_the_gradient_is_that_of_the_deviance() -> None:
    solution, step = solved("Penicillin"), np.array([1e-5, 0.0])
    theta = solution.optimum.theta * 1.2
    slope = (solution.deviance(theta + step) - solution.deviance(theta - step)) / 2e-5
    other = (solution.deviance(theta + step[::-1]) - solution.deviance(theta - step[::-1])) / 2e-5
    assert elsewhere("Penicillin", 1.2).gradient == pytest.approx(max(abs(slope), abs(other)), rel=1e-5)


def test_a_fit_that_stopped_early_promises_what_is_left() -> None:
    """Near the minimum the deviance is a parabola, so that the promise is the difference to the minimum."""
    solution = solved("Penicillin")
    left = solution.deviance(solution.optimum.theta * 1.02) - solution.optimum.deviance
    assert elsewhere("Penicillin", 1.02).remaining == pytest.approx(left, rel=0.1)


def test_a_lower_criterion_elsewhere_is_a_doubt() -> None:
    assert any(
        "a second search found a criterion lower by" in doubt for doubt in elsewhere("small", 2.0).doubts
    )


def test_a_fit_in_doubt_has_not_converged() -> None:
    assert elsewhere("small", 2.0).summary().startswith("Not converged: ")


def test_a_second_search_that_ends_higher_raises_no_doubt() -> None:
    worse = replace(found("small").second_search, criterion_difference=0.5)
    result = replace(found("small"), second_search=worse)
    assert (result.converged, "ended 0.5 higher" in result.summary()) == (True, True)


def test_a_saddle_is_a_doubt() -> None:
    result = replace(found("small"), curvature=Curvature((-0.1, 1.0)))
    assert result.doubts == ("the criterion falls in some direction from the point that was found",)


def test_a_flat_direction_is_named_but_is_no_doubt() -> None:
    result = replace(found("small"), curvature=Curvature((0.0, 1.0)))
    assert (result.converged, "flat" in result.summary()) == (True, True)


def test_dropped_columns_are_named() -> None:
    data = pd.read_csv(DATA / "sleepstudy.csv").assign(again=lambda frame: frame["Days"] * 2)
    fit = lmer("Reaction ~ Days + again + (1 | Subject)", data)
    assert diagnostics(fit.solution).dropped_columns == ("again",)


def test_the_frame_has_a_row_for_each_check() -> None:
    assert found("small").as_frame()["check"].tolist() == [
        "gradient",
        "remaining decrease",
        "smallest eigenvalue",
        "second search",
    ]


def test_the_frame_marks_the_check_that_failed() -> None:
    assert not elsewhere("small", 2.0).as_frame().set_index("check").loc["gradient", "passed"]


def test_the_json_survives_the_way_to_text_and_back() -> None:
    record = found("boundary").as_json()
    assert json.loads(json.dumps(record))["singular"] is True
