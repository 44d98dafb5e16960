"""Marginal models against R: glm, sandwich, gee, geepack, clubSandwich, polr, clm. Script: tests/reference/lmm/marginal.R."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.marginal import MarginalFit, gee, glm, ordinal

HERE = Path(__file__).parent / "lmm"
EXPECTED = json.loads((HERE / "marginal.json").read_text())

GENERALISED = tuple(EXPECTED["glm"])
EQUATIONS = tuple(EXPECTED["gee"])

each_glm = pytest.mark.parametrize("name", GENERALISED)
each_gee = pytest.mark.parametrize("name", EQUATIONS)
each_link = pytest.mark.parametrize("link", ["logit", "probit"])


@cache
def study() -> pd.DataFrame:
    """study1, every eleventh row left out, so that clusters are of unequal size."""
    data = pd.read_csv(HERE / "study1.csv")
    data["ynum"] = data["y"] - data["y"].min() + 1
    data = data.sort_values(["pid", "conv"])
    return data[np.arange(len(data)) % 11 != 6]


@cache
def first_participants() -> pd.DataFrame:
    first = sorted(pd.read_csv(HERE / "study1.csv")["pid"].unique())[:24]
    return study()[study()["pid"].isin(first)]


@cache
def generalised(name: str, cluster: str | None = None) -> MarginalFit:
    family, link = name.split("_")
    chosen: Any = family
    return glm(EXPECTED["glm"][name]["formula"], study(), family=chosen, link=link, cluster=cluster)


@cache
def equations(name: str, of: str = "gee") -> MarginalFit:
    family, working = name.split("_")
    chosen: Any = family
    assumed: Any = working
    time = "conv" if working == "ar1" else None
    formula = EXPECTED[of][name]["formula"]
    return gee(formula, study(), cluster="pid", family=chosen, covariance=assumed, time=time)


@cache
def cumulative(link: Any, cluster: str | None = None) -> MarginalFit:
    return ordinal("yord ~ arm * time", study(), link=link, cluster=cluster)


def test_the_rows_are_those_of_r() -> None:
    assert (len(study()), study()["pid"].nunique()) == (EXPECTED["rows"], EXPECTED["clusters"])


@each_glm
def test_coefficients_agree_with_glm(name: str) -> None:
    np.testing.assert_allclose(generalised(name).beta, EXPECTED["glm"][name]["beta"], rtol=1e-9)


@each_glm
def test_model_based_standard_errors_agree_with_glm(name: str) -> None:
    np.testing.assert_allclose(generalised(name).coefficients["se"], EXPECTED["glm"][name]["se"], rtol=1e-7)


@each_glm
def test_p_values_agree_with_glm(name: str) -> None:
    np.testing.assert_allclose(generalised(name).coefficients["p"], EXPECTED["glm"][name]["p"], atol=1e-8)


@each_glm
def test_the_log_likelihood_agrees_with_glm(name: str) -> None:
    expected = EXPECTED["glm"][name]["log_likelihood"]
    assert generalised(name).log_likelihood == pytest.approx(expected, rel=1e-12)


@each_glm
def test_the_dispersion_agrees_with_glm(name: str) -> None:
    assert generalised(name).dispersion == pytest.approx(EXPECTED["glm"][name]["dispersion"], rel=1e-8)


@each_glm
def test_the_cluster_robust_covariance_agrees_with_sandwich(name: str) -> None:
    found, expected = generalised(name, "pid").vcov, np.array(EXPECTED["glm"][name]["cr1"])
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max())


@each_gee
def test_coefficients_agree_with_gee(name: str) -> None:
    np.testing.assert_allclose(equations(name).beta, EXPECTED["gee"][name]["beta"], rtol=1e-8)


@each_gee
def test_the_robust_covariance_agrees_with_gee(name: str) -> None:
    found, expected = equations(name).vcov, np.array(EXPECTED["gee"][name]["vcov"])
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("name", [name for name in EQUATIONS if name.endswith("exchangeable")])
def test_the_working_correlation_agrees_with_gee(name: str) -> None:
    assert equations(name).working_correlation == pytest.approx(EXPECTED["gee"][name]["alpha"], rel=1e-9)


@each_gee
def test_the_dispersion_agrees_with_gee(name: str) -> None:
    assert equations(name).dispersion == pytest.approx(EXPECTED["gee"][name]["phi"], rel=1e-9)


@pytest.mark.parametrize("name", EXPECTED["geepack"])
def test_coefficients_agree_with_geeglm_to_a_small_share_of_their_standard_errors(name: str) -> None:
    """geepack divides the correlation by the pairs, not by pairs - p, and estimates ar1 by other equations."""
    expected = EXPECTED["geepack"][name]
    apart = np.abs(equations(name, "geepack").beta - expected["beta"]) / expected["se"]
    assert apart.max() < (2e-2 if name.endswith("ar1") else 1e-4)


@pytest.mark.parametrize("name", EXPECTED["geepack"])
def test_robust_standard_errors_agree_with_geeglm(name: str) -> None:
    tolerance = 1e-3 if name.endswith("ar1") else 5e-6
    found = equations(name, "geepack").coefficients["se"]
    np.testing.assert_allclose(found, EXPECTED["geepack"][name]["se"], rtol=tolerance)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_mancl_and_derouens_covariance_is_their_formula_written_out_in_r(family: Any) -> None:
    expected = EXPECTED["small"][family]
    fit = gee(
        expected["formula"],
        first_participants(),
        cluster="pid",
        family=family,
        small_sample="mancl-derouen",
    )
    np.testing.assert_allclose(fit.vcov, expected["mancl_derouen"], rtol=1e-8)


def test_mancl_and_derouens_covariance_under_independence_is_cr3_of_clubsandwich() -> None:
    fit = gee(
        "ybin ~ arm + time",
        first_participants(),
        cluster="pid",
        covariance="independence",
        small_sample="mancl-derouen",
    )
    np.testing.assert_allclose(fit.vcov, EXPECTED["cr3"], rtol=1e-8)


@each_link
def test_ordinal_coefficients_agree_with_clm(link: str) -> None:
    np.testing.assert_allclose(cumulative(link).beta[1:], EXPECTED["ordinal"][link]["beta"], rtol=1e-10)


@each_link
def test_thresholds_agree_with_clm(link: str) -> None:
    found = cumulative(link).thresholds
    assert found["threshold"].tolist() == EXPECTED["ordinal"][link]["names"]
    np.testing.assert_allclose(found["estimate"], EXPECTED["ordinal"][link]["thresholds"], rtol=1e-10)


@each_link
def test_standard_errors_of_thresholds_and_coefficients_agree_with_clm(link: str) -> None:
    fit = cumulative(link)
    found = [*fit.thresholds["se"], *fit.coefficients["se"][1:]]
    np.testing.assert_allclose(found, EXPECTED["ordinal"][link]["se"], rtol=1e-10)


@each_link
def test_ordinal_coefficients_agree_with_polr(link: str) -> None:
    expected = EXPECTED["ordinal"][link]
    np.testing.assert_allclose(cumulative(link).beta[1:], expected["polr_beta"], rtol=1e-6)


@each_link
def test_the_ordinal_log_likelihood_agrees_with_clm(link: str) -> None:
    expected = EXPECTED["ordinal"][link]["log_likelihood"]
    assert cumulative(link).log_likelihood == pytest.approx(expected, rel=1e-12)


@each_link
def test_the_ordinal_cluster_robust_covariance_agrees_with_sandwich_of_polr(link: str) -> None:
    p = len(EXPECTED["ordinal"][link]["beta"])
    expected = np.array(EXPECTED["ordinal"][link]["cr1"])[:p, :p]
    np.testing.assert_allclose(cumulative(link, "pid").vcov.iloc[1:, 1:], expected, rtol=1e-5)


@each_link
def test_cluster_robust_standard_errors_of_thresholds_agree_with_sandwich_of_polr(link: str) -> None:
    p = len(EXPECTED["ordinal"][link]["beta"])
    expected = np.sqrt(np.diag(EXPECTED["ordinal"][link]["cr1"])[p:])
    np.testing.assert_allclose(cumulative(link, "pid").thresholds["se"], expected, rtol=1e-6)


@each_link
def test_latent_means_of_cells_agree_with_emmeans(link: str) -> None:
    """With the intercept minus the mean threshold, a row of the design is a marginal mean."""
    fit, expected = cumulative(link), EXPECTED["ordinal"][link]["means"]
    rows = fit.fixed.coding.columns(pd.DataFrame({key: expected[key] for key in ("arm", "time")}))
    np.testing.assert_allclose(rows @ fit.beta, expected["mean"], rtol=1e-8)
    spread = np.sqrt(np.diag(rows @ fit.vcov.to_numpy() @ rows.T))
    np.testing.assert_allclose(spread, expected["se"], rtol=1e-8)


def test_the_ordinal_estimates_agree_with_statsmodels_ordered_model() -> None:
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    fit = cumulative("logit")
    model = OrderedModel(study()["yord"].to_numpy(), fit.fixed.X[:, 1:], distr="logit")
    found = model.fit(method="bfgs", disp=False, gtol=1e-7)
    thresholds = model.transform_threshold_params(found.params)[1:-1]
    np.testing.assert_allclose(fit.beta[1:], found.params[: len(fit.beta) - 1], atol=1e-4)
    np.testing.assert_allclose(fit.thresholds["estimate"], thresholds, atol=1e-4)
