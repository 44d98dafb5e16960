"""Our mixed models against lme4 1.1-31 and lmerTest 3.1-3. Numbers and scripts: tests/reference/lmm."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import MixedFit, lmer

HERE = Path(__file__).parent / "lmm"

MODELS = {
    "sleep_int": "sleepstudy",
    "sleep_int_ml": "sleepstudy",
    "sleep_slope": "sleepstudy",
    "sleep_slope_ml": "sleepstudy",
    "sleep_uncorrelated": "sleepstudy",
    "penicillin": "Penicillin",
    "machines": "Machines",
    "small": "small",
    "study1": "study1",
    "study1_ml": "study1",
    "study1_slope": "study1",
    "study1_time": "study1",
    "boundary": "boundary",
    "boundary2": "boundary",
}
SINGULAR = ("boundary", "boundary2")

each_model = pytest.mark.parametrize("name", MODELS)


@cache
def reference(name: str) -> dict[str, Any]:
    return json.loads((HERE / f"{name}.json").read_text())


@cache
def fitted(name: str) -> MixedFit:
    data = pd.read_csv(HERE / f"{MODELS[name]}.csv")
    return lmer(reference(name)["formula"], data, reml=reference(name)["REML"])


def lmertest_table(name: str) -> np.ndarray:
    """Estimate, SE, df, t and p of each coefficient."""
    return np.array(reference(name)["satt"]["tab"], dtype=float).reshape(-1, 5)


@each_model
def test_the_criterion_agrees_to_eight_digits(name: str) -> None:
    assert fitted(name).criterion == pytest.approx(reference(name)["tight"]["crit"], rel=1e-8)


@each_model
def test_the_criterion_is_not_above_that_of_lme4_at_its_own_tolerance(name: str) -> None:
    assert fitted(name).criterion <= reference(name)["default"]["crit"] + 1e-9


@each_model
def test_the_log_likelihood_agrees(name: str) -> None:
    assert fitted(name).log_likelihood == pytest.approx(reference(name)["tight"]["logLik"], rel=1e-8)


@each_model
def test_the_coefficients_agree(name: str) -> None:
    np.testing.assert_allclose(fitted(name).coefficients["estimate"], lmertest_table(name)[:, 0], rtol=1e-5)


@each_model
def test_the_standard_errors_agree(name: str) -> None:
    np.testing.assert_allclose(fitted(name).coefficients["se"], lmertest_table(name)[:, 1], rtol=1e-5)


@each_model
def test_the_whole_covariance_of_the_coefficients_agrees(name: str) -> None:
    expected = np.array(reference(name)["tight"]["vcov"], dtype=float).reshape(fitted(name).vcov.shape)
    np.testing.assert_allclose(fitted(name).vcov, expected, rtol=1e-4, atol=1e-7 * np.abs(expected).max())


@each_model
def test_satterthwaites_degrees_of_freedom_agree(name: str) -> None:
    np.testing.assert_allclose(fitted(name).coefficients["df"], lmertest_table(name)[:, 2], rtol=1e-4)


@each_model
def test_the_t_statistics_agree(name: str) -> None:
    np.testing.assert_allclose(fitted(name).coefficients["statistic"], lmertest_table(name)[:, 3], rtol=1e-5)


@each_model
def test_the_p_values_agree(name: str) -> None:
    np.testing.assert_allclose(fitted(name).coefficients["p"], lmertest_table(name)[:, 4], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in SINGULAR])
def test_theta_agrees_where_the_fit_is_not_singular(name: str) -> None:
    np.testing.assert_allclose(
        fitted(name).theta, np.atleast_1d(reference(name)["tight"]["theta"]), rtol=1e-4
    )


@pytest.mark.parametrize("name", SINGULAR)
def test_theta_agrees_near_zero_where_the_fit_is_singular(name: str) -> None:
    np.testing.assert_allclose(fitted(name).theta, reference(name)["tight"]["theta"], rtol=1e-4, atol=1e-6)


@each_model
def test_sigma_agrees(name: str) -> None:
    assert fitted(name).sigma == pytest.approx(reference(name)["tight"]["sigma"], rel=1e-5)


@each_model
def test_variances_and_covariances_agree(name: str) -> None:
    expected = [row["vcov"] for row in reference(name)["tight"]["vc"]]
    np.testing.assert_allclose(
        fitted(name).variance_components["variance_or_covariance"], expected, rtol=1e-4
    )


@each_model
def test_standard_deviations_and_correlations_agree(name: str) -> None:
    expected = [row["sdcor"] for row in reference(name)["tight"]["vc"]]
    np.testing.assert_allclose(fitted(name).variance_components["sd_or_correlation"], expected, rtol=1e-4)


@each_model
def test_variance_components_stand_in_lme4s_order(name: str) -> None:
    groups = [row["grp"].removesuffix(".1") for row in reference(name)["tight"]["vc"]]
    assert fitted(name).variance_components["group"].tolist() == groups


@each_model
def test_rows_and_levels_are_counted_alike(name: str) -> None:
    fit, expected = fitted(name), reference(name)["tight"]
    assert (fit.n_obs, dict(fit.n_groups)) == (expected["nobs"], expected["ngrps"])


@each_model
def test_singular_fits_are_the_same(name: str) -> None:
    assert fitted(name).singular is reference(name)["tight"]["singular"]


@each_model
def test_every_fit_proves_that_it_has_converged(name: str) -> None:
    assert fitted(name).converged


def test_the_published_numbers_of_machines() -> None:
    """As nlme and lme4 print them: `(1 | Worker/Machine)`, REML."""
    fit = fitted("machines")
    assert fit.log_likelihood == pytest.approx(-107.843784, abs=1e-6)
    assert fit.variance_components["sd_or_correlation"].tolist() == pytest.approx(
        [3.729538, 4.781051, 0.961577], abs=2e-6
    )
