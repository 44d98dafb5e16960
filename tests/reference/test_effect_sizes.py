"""Effect sizes against performance 0.10.2 and emmeans 1.8.4-1. Numbers and script: tests/reference/lmm/effect_sizes.R."""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import MixedFit, lmer
from forethought.analysis.lmm.effect_sizes import (
    StandardDeviation,
    icc,
    r_squared,
    standardized_frame,
    variances,
)
from forethought.errors import ModelNotFitted

HERE = Path(__file__).parent / "lmm"
EXPECTED = json.loads((HERE / "effect_sizes.json").read_text())

MODELS = ("sleep_slope", "sleep_int", "small", "penicillin", "machines", "study1", "study1_slope")
INTERCEPTS_ONLY = ("sleep_int", "small", "penicillin", "machines", "study1")

each_model = pytest.mark.parametrize("name", MODELS)


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = EXPECTED["models"][name]
    return found


@cache
def fitted(name: str) -> MixedFit:
    return lmer(expected(name)["formula"], pd.read_csv(HERE / f"{expected(name)['csv']}.csv"))


@each_model
def test_the_marginal_r2_agrees(name: str) -> None:
    found = r_squared(fitted(name).solution)
    assert found.marginal == pytest.approx(expected(name)["marginal"], rel=1e-5, abs=1e-12)


@each_model
def test_the_conditional_r2_agrees(name: str) -> None:
    assert r_squared(fitted(name).solution).conditional == pytest.approx(
        expected(name)["conditional"], rel=1e-5
    )


@each_model
def test_the_adjusted_icc_agrees(name: str) -> None:
    assert icc(fitted(name).solution).adjusted == pytest.approx(expected(name)["adjusted"], rel=1e-5)


@each_model
def test_the_unadjusted_icc_agrees(name: str) -> None:
    assert icc(fitted(name).solution).unadjusted == pytest.approx(expected(name)["unadjusted"], rel=1e-5)


@pytest.mark.parametrize("name", INTERCEPTS_ONLY)
def test_each_groups_icc_agrees_where_only_intercepts_vary(name: str) -> None:
    found = {
        frozenset(group.split(":")): value for group, value in icc(fitted(name).solution).by_group.items()
    }
    wanted = {frozenset(group.split(":")): value for group, value in expected(name)["by_group"].items()}
    assert found == {group: pytest.approx(value, rel=1e-5) for group, value in wanted.items()}


@each_model
def test_the_groups_iccs_sum_to_the_adjusted_icc(name: str) -> None:
    found = icc(fitted(name).solution)
    assert sum(found.by_group.values()) == pytest.approx(found.adjusted, rel=1e-12)


def test_uncorrelated_slopes_count_as_correlated_ones_do() -> None:
    """performance 0.10.2 leaves the slope of `||` out (.489847), so the variance is checked by its definition."""
    data = pd.read_csv(HERE / "sleepstudy.csv")
    fit = lmer("Reaction ~ Days + (Days || Subject)", data)
    intercept, slope, _ = fit.variance_components["variance_or_covariance"]
    mean = intercept + slope * float((data["Days"] ** 2).mean())
    assert variances(fit.solution).random == pytest.approx(mean, rel=1e-10)


def test_contrasts_by_the_residual_sd_are_those_of_emmeans() -> None:
    fit, wanted = fitted("machines"), EXPECTED["contrasts"]["machines"]["eff_size"]
    found = fit.standardized().set_index("term").loc["Machine[T.B]"]
    assert (-found["estimate"], found["se"]) == pytest.approx(
        (wanted[0]["effect.size"], wanted[0]["SE"]), rel=1e-6
    )


def test_the_test_of_an_effect_size_is_that_of_the_estimate() -> None:
    fit, tests = fitted("machines"), ["df", "statistic", "p"]
    pd.testing.assert_frame_equal(fit.standardized("total")[tests], fit.coefficients[tests])


def test_the_total_sd_is_that_of_random_effects_and_residual() -> None:
    fit = fitted("penicillin")
    found = fit.standardized("total")
    components = json.loads((HERE / "penicillin.json").read_text())["tight"]["vc"]
    total = math.sqrt(sum(row["vcov"] for row in components))
    assert found["divisor"].tolist() == pytest.approx([total] * len(found), rel=1e-6)


def test_a_frame_of_coefficients_is_scaled_row_by_row() -> None:
    fit = fitted("machines")
    found = standardized_frame(fit.coefficients, fit.solution)
    np.testing.assert_allclose(found["ci_low"] * fit.sigma, fit.coefficients["ci_low"])


@pytest.mark.parametrize("by", ["residual", "total"])
def test_a_scaled_frame_names_its_divisor(by: StandardDeviation) -> None:
    assert set(fitted("machines").standardized(by)["by"]) == {by}


def test_the_residual_sd_divides_where_nothing_is_said() -> None:
    assert fitted("machines").standardized()["divisor"][0] == pytest.approx(0.9615766, rel=1e-6)


def test_another_standard_deviation_is_refused() -> None:
    with pytest.raises(ModelNotFitted, match="no standard deviation called `raw`"):
        fitted("machines").standardized("raw")  # type: ignore[arg-type]


def test_a_frame_without_estimates_is_refused() -> None:
    fit = fitted("machines")
    with pytest.raises(ModelNotFitted, match="no column estimate"):
        standardized_frame(pd.DataFrame({"se": [1.0]}), fit.solution)
