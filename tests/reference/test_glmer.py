"""Our generalised mixed models against lme4 1.1-31's glmer. Numbers and scripts: tests/reference/lmm."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.glmm import GeneralizedFit, glmer

HERE = Path(__file__).parent / "lmm"


@dataclass(frozen=True)
class Case:
    formula: str
    file: str
    family: str
    trials: str | None = None


CASES = {
    "binary": Case("ybin ~ arm * time + (1 | pid) + (1 | scenario)", "study1", "binomial"),
    "counts": Case("ycount ~ arm * time + (1 | pid) + (1 | scenario)", "study1", "poisson"),
    "cbpp": Case("incidence ~ period + (1 | herd)", "cbpp", "binomial", "size"),
    "binary_slope": Case("ybin ~ arm + tnum + (tnum | scenario)", "study1", "binomial"),
    "counts_slopes": Case("ycount ~ arm * tnum + (tnum | pid) + (1 | scenario)", "study1", "poisson"),
    "counts_uncorrelated": Case("ycount ~ arm * tnum + (1 | pid) + (tnum || scenario)", "study1", "poisson"),
    "counts_offset": Case("ycount ~ arm + offset(log(conv + 1)) + (1 | pid)", "study1", "poisson"),
    "small_counts": Case("ycount ~ arm + (1 | pid) + (1 | scenario)", "small", "poisson"),
    "small_binary": Case("ybin ~ time + (1 | pid) + (1 | scenario)", "small", "binomial"),
}
SINGULAR = ("counts_uncorrelated", "small_counts", "small_binary")
GIVEN = {"binary": "bin", "counts": "count", "cbpp": "cbpp"}

each_model = pytest.mark.parametrize("name", CASES)
each_given = pytest.mark.parametrize("name", GIVEN)


@cache
def reference(name: str) -> dict[str, Any]:
    return json.loads((HERE / "glmer.json").read_text())[name]


@cache
def given(name: str) -> dict[str, Any]:
    """glmer at its own tolerances, on another machine."""
    return json.loads((HERE / "glmm.json").read_text())[GIVEN[name]]


@cache
def fitted(name: str) -> GeneralizedFit:
    case = CASES[name]
    data = pd.read_csv(HERE / f"{case.file}.csv", dtype={"period": str, "herd": str})
    return glmer(case.formula, data, family=case.family, trials=case.trials)


@each_model
def test_the_laplace_deviance_agrees_with_all_its_constants(name: str) -> None:
    assert fitted(name).criterion == pytest.approx(reference(name)["tight"]["criterion"], rel=1e-8)


@each_model
def test_the_laplace_deviance_is_not_above_glmers(name: str) -> None:
    expected = reference(name)
    least = min(expected["default"]["criterion"], expected["tight"]["criterion"])
    assert fitted(name).criterion <= least + 1e-9


@each_model
def test_the_coefficients_of_a_generalised_model_agree(name: str) -> None:
    np.testing.assert_allclose(fitted(name).beta, reference(name)["tight"]["beta"], rtol=1e-5, atol=5e-6)


@each_model
def test_the_standard_errors_of_a_generalised_model_agree(name: str) -> None:
    np.testing.assert_allclose(
        fitted(name).coefficients["se"],
        reference(name)["tight"]["se"],
        rtol=2e-5 if name != "binary_slope" else 3e-4,
    )


@each_model
def test_the_standard_errors_that_glmer_gives_at_a_tight_optimum_agree(name: str) -> None:
    np.testing.assert_allclose(
        fitted(name).coefficients["se"], reference(name)["tight"]["se_lme4"], rtol=3e-4
    )


@each_model
def test_the_covariance_of_a_generalised_models_coefficients_agrees(name: str) -> None:
    expected = np.array(reference(name)["tight"]["vcov"])
    np.testing.assert_allclose(fitted(name).vcov, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@each_model
def test_theta_of_a_generalised_model_agrees(name: str) -> None:
    np.testing.assert_allclose(fitted(name).theta, reference(name)["tight"]["theta"], rtol=1e-5, atol=5e-6)


@each_model
def test_aic_and_bic_count_no_residual_variance(name: str) -> None:
    expected = reference(name)["tight"]
    assert (fitted(name).aic, fitted(name).bic) == pytest.approx((expected["AIC"], expected["BIC"]), rel=1e-8)


@each_model
def test_the_conditional_modes_agree(name: str) -> None:
    for group, expected in reference(name)["tight"]["modes"].items():
        found = fitted(name).conditional_modes[group]
        np.testing.assert_allclose(found, np.reshape(expected, found.shape), atol=2e-5)


@each_model
def test_singular_generalised_models_are_told(name: str) -> None:
    assert fitted(name).singular == (name in SINGULAR)


@each_model
def test_every_generalised_model_converges(name: str) -> None:
    assert fitted(name).converged


@each_given
def test_the_coefficients_given_for_this_project_agree_to_a_thousandth(name: str) -> None:
    expected = given(name)["beta"]
    np.testing.assert_allclose(fitted(name).beta, list(expected.values()), rtol=0, atol=1e-3)


@each_given
def test_the_standard_errors_given_for_this_project_agree_to_a_hundredth(name: str) -> None:
    np.testing.assert_allclose(fitted(name).coefficients["se"], given(name)["se"], rtol=0, atol=1e-2)
