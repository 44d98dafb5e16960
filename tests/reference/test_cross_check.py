"""Our mixed models against statsmodels' MixedLM, fitted here and now, by way of the cross-check itself."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import lmer
from forethought.analysis.lmm.cross_check import CrossCheck, Difference, NotChecked, cross_check
from forethought.analysis.lmm.solution import Solution

DATA = Path(__file__).parent / "lmm"

CHECKED = {
    "correlated slopes": ("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
    "uncorrelated slopes": ("sleepstudy", "Reaction ~ Days + (Days || Subject)"),
    "intercepts": ("sleepstudy", "Reaction ~ Days + (1 | Subject)"),
    "nested": ("Machines", "score ~ Machine + (1 | Worker/Machine)"),
    "crossed": ("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    "crossed and unbalanced": ("small", "y ~ arm * time + (1 | pid) + (1 | scenario)"),
}
NOT_CHECKED = {
    "2904 rows with crossed grouping factors": ("study1", "y ~ arm + (1 | pid) + (1 | scenario)"),
    "no correlated effects (Intercept, tnum) of pid": ("small", "y ~ tnum + (tnum | pid) + (1 | scenario)"),
}
RANK_ONE = ("boundary", "y ~ x + (x | g)")

each_model = pytest.mark.parametrize("name", CHECKED)


@cache
def solved(csv: str, formula: str) -> Solution:
    return lmer(formula, pd.read_csv(DATA / f"{csv}.csv")).solution


@cache
def checked(csv: str, formula: str) -> CrossCheck:
    found = cross_check(solved(csv, formula))
    assert isinstance(found, CrossCheck)
    return found


def largest(found: CrossCheck, quantity: str) -> Difference:
    return next(difference for difference in found.differences if difference.quantity == quantity)


@each_model
def test_statsmodels_finds_the_same_criterion(name: str) -> None:
    assert largest(checked(*CHECKED[name]), "criterion").difference < 1e-5


@each_model
def test_statsmodels_finds_the_same_coefficients(name: str) -> None:
    assert largest(checked(*CHECKED[name]), "coefficient").difference < 1e-4


@each_model
def test_statsmodels_finds_the_same_variances(name: str) -> None:
    assert largest(checked(*CHECKED[name]), "variance").difference < 1e-3


@each_model
def test_the_cross_check_agrees(name: str) -> None:
    assert checked(*CHECKED[name]).agrees


def test_maximum_likelihood_is_checked_too() -> None:
    fit = lmer(CHECKED["nested"][1], pd.read_csv(DATA / "Machines.csv"), reml=False)
    found = cross_check(fit.solution)
    assert isinstance(found, CrossCheck)
    assert largest(found, "criterion").difference < 1e-5


def test_our_side_is_what_the_fit_says() -> None:
    solution = solved(*CHECKED["crossed"])
    found = checked(*CHECKED["crossed"])
    assert (largest(found, "criterion").ours, largest(found, "coefficient").ours) == (
        solution.criterion,
        solution.beta[0],
    )


def test_a_variance_is_named_and_in_data_units() -> None:
    fit = lmer(CHECKED["uncorrelated slopes"][1], pd.read_csv(DATA / "sleepstudy.csv"))
    found = largest(checked(*CHECKED["uncorrelated slopes"]), "variance")
    rows = fit.variance_components.set_index("term1")["variance_or_covariance"]
    assert found.ours == pytest.approx(rows[found.where.removeprefix("Subject: ")], rel=1e-9)


def test_a_covariate_in_small_units_is_checked_in_good_ones() -> None:
    """Given the columns as they are, MixedLM stops early here and says that it has converged."""
    data = pd.read_csv(DATA / "sleepstudy.csv").assign(Days=lambda frame: frame["Days"] * 1e-4)
    found = cross_check(lmer("Reaction ~ Days + (Days | Subject)", data).solution)
    assert isinstance(found, CrossCheck)
    assert found.agrees


def test_standard_errors_are_compared_without_a_limit() -> None:
    """The joint Hessian's are 0.7 % off in the 72 rows of `small`."""
    found = largest(checked(*CHECKED["crossed and unbalanced"]), "standard error")
    assert (found.limit, found.difference > 1e-3) == (None, True)


def test_where_statsmodels_stops_early_its_criterion_is_higher() -> None:
    assert checked(*RANK_ONE).criterion_excess > 0.1


def test_where_statsmodels_stops_early_the_summary_says_so() -> None:
    assert "higher: it stopped before the minimum." in checked(*RANK_ONE).summary()


def test_what_statsmodels_said_of_its_own_fit_is_kept() -> None:
    found = checked(*RANK_ONE)
    assert (found.converged, any("boundary of the parameter space" in said for said in found.warnings)) == (
        False,
        True,
    )


def test_no_warning_of_statsmodels_escapes(recwarn: pytest.WarningsRecorder) -> None:
    cross_check(solved(*RANK_ONE))
    assert list(recwarn) == []


def test_a_fit_that_is_no_minimum_is_found_out() -> None:
    solution = solved(*CHECKED["crossed"])
    theta = solution.optimum.theta * 2
    moved = replace(solution.optimum, theta=theta, deviance=solution.deviance(theta))
    found = cross_check(replace(solution, optimum=moved))
    assert "lower: the fit is not the minimum." in found.summary()


@pytest.mark.parametrize("reason", NOT_CHECKED)
def test_what_statsmodels_cannot_do_is_not_checked(reason: str) -> None:
    found = cross_check(solved(*NOT_CHECKED[reason]))
    assert isinstance(found, NotChecked)
    assert reason in found.reason


def test_weighted_models_are_not_checked() -> None:
    solution = solved(*CHECKED["intercepts"])
    data = replace(solution.design.data, weights=np.ones(180))
    found = cross_check(replace(solution, design=replace(solution.design, data=data)))
    assert found == NotChecked("its mixed models know no weights")


def test_a_check_that_was_not_made_says_why_in_json() -> None:
    assert NotChecked("why").as_json() == {"checked": False, "reason": "why"}


def test_the_json_survives_the_way_to_text_and_back() -> None:
    record = json.loads(json.dumps(checked(*CHECKED["nested"]).as_json()))
    assert [difference["quantity"] for difference in record["differences"]] == [
        "criterion",
        "coefficient",
        "standard error",
        "residual SD",
        "variance",
    ]


def test_a_standard_error_that_statsmodels_lacks_is_null_in_json() -> None:
    lacking = Difference("standard error", "Days", 1.5, float("nan"), float("nan"))
    assert (lacking.as_json()["theirs"], lacking.small) == (None, True)


def test_a_difference_beyond_its_limit_is_named() -> None:
    found = checked(*CHECKED["nested"])
    apart = replace(largest(found, "variance"), difference=0.02)
    differing = replace(found, differences=(*found.differences[:-1], apart))
    assert "differs in variance (Worker: Intercept). Both criteria are the same" in differing.summary()


def test_the_frame_has_a_row_for_each_kind_of_difference() -> None:
    assert len(checked(*CHECKED["nested"]).as_frame()) == 5
