"""Least squares: its inference, its clusters, its refusals. Against R: tests/reference/test_cluster_robust.py."""

import math

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.fits import Fit, fit_to_json
from forethought.analysis.lmm import lmer
from forethought.analysis.ols import ols
from forethought.errors import ModelNotFitted

FORMULA = "score ~ arm * t"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    chance = np.random.default_rng(2)
    person = np.repeat(np.arange(12), 4)
    score = chance.normal(size=12)[person] + chance.normal(size=48)
    arm = np.where(person < 6, "control", "warm")
    return pd.DataFrame({"score": score, "arm": arm, "t": np.tile(np.arange(4.0), 12), "person": person})


def test_the_cluster_robust_covariance_is_the_sandwich_written_out(data: pd.DataFrame) -> None:
    fit = ols(FORMULA, data, cluster="person")
    warm = (data["arm"] == "warm").to_numpy(dtype=float)
    X = np.column_stack([np.ones(48), warm, data["t"], warm * data["t"]])
    residual = data["score"].to_numpy() - X @ fit.beta
    meat = sum(
        np.outer(s, s) for g in range(12) for s in [X[data["person"] == g].T @ residual[data["person"] == g]]
    )
    bread = np.linalg.inv(X.T @ X)
    np.testing.assert_allclose(fit.vcov, 12 / 11 * 47 / 44 * bread @ meat @ bread, rtol=1e-9)


def test_with_clusters_inference_is_normal(data: pd.DataFrame) -> None:
    fit = ols(FORMULA, data, cluster="person")
    assert fit.ddf_method == "normal"
    assert math.isinf(fit.contrast({"t": 1}).df)


def test_without_clusters_inference_has_the_residual_degrees_of_freedom(data: pd.DataFrame) -> None:
    fit = ols(FORMULA, data)
    assert fit.ddf_method == "residual"
    assert fit.contrast({"t": 1}).df == 44


def test_terms_have_the_names_of_the_mixed_model(data: pd.DataFrame) -> None:
    assert ols(FORMULA, data).terms == lmer(f"{FORMULA} + (1 | person)", data).terms


def test_the_residual_is_the_only_variance_component(data: pd.DataFrame) -> None:
    fit = ols(FORMULA, data)
    assert fit.theta == ()
    assert fit.variance_components["group"].tolist() == ["Residual"]


def test_a_missing_cluster_is_a_missing_value(data: pd.DataFrame) -> None:
    holes = data.assign(person=data["person"].where(data["person"] > 0))
    with pytest.raises(ModelNotFitted, match=r"values are missing: person \(4\)"):
        ols(FORMULA, holes, cluster="person")
    assert ols(FORMULA, holes, cluster="person", missing="drop").n_groups == {"person": 11}


def test_one_cluster_is_refused(data: pd.DataFrame) -> None:
    with pytest.raises(ModelNotFitted, match="there is one cluster of `person`"):
        ols(FORMULA, data.assign(person=1), cluster="person")


def test_a_random_term_is_refused(data: pd.DataFrame) -> None:
    with pytest.raises(ModelNotFitted, match="least squares cannot fit the random term"):
        ols(f"{FORMULA} + (1 | person)", data)


def test_a_linear_fit_is_a_fit_and_becomes_json(data: pd.DataFrame) -> None:
    fit: Fit = ols(FORMULA, data, cluster="person")
    assert fit_to_json(fit)["n_groups"] == {"person": 12}


@pytest.fixture(scope="module")
def ceiling() -> pd.DataFrame:
    """One arm varies; in two others everybody has one value at the first time and another at the second."""
    chance = np.random.default_rng(3)
    person, t = np.repeat(np.arange(30), 3), np.tile([0.0, 1.0, 1.0], 30)
    arm = np.array(["control", "good", "better"])[person % 3]
    fixed = np.where(arm == "good", 3 + t, 4 + t)
    score = np.where(arm == "control", chance.integers(1, 6, size=90), fixed)
    return pd.DataFrame({"score": score, "arm": arm, "t": t, "person": person})[chance.random(90) < 0.9]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("cluster", ["person", None])
def test_a_constant_outcome_gives_no_standard_error_and_no_p_value(
    ceiling: pd.DataFrame, cluster: str | None
) -> None:
    found = ols(FORMULA, ceiling.assign(score=2.0), cluster=cluster).contrast({"arm[T.good]": 1})
    assert found.estimate == pytest.approx(0)
    assert all(math.isnan(one) for one in (found.se, found.statistic, found.p, found.ci_low, found.ci_high))


@pytest.mark.filterwarnings("error")
def test_a_contrast_of_cells_without_variation_has_no_standard_error_and_no_p_value(
    ceiling: pd.DataFrame,
) -> None:
    """Rounding would give it a variance of some 1e-32 of either sign, and with it a p value of 0."""
    found = ols(FORMULA, ceiling, cluster="person").contrast({"arm[T.good]:t": -1})
    assert found.estimate == pytest.approx(0)
    assert math.isnan(found.se)
    assert math.isnan(found.p)


@pytest.mark.parametrize("far", [1e6, 1e8])
def test_a_standard_error_does_not_depend_on_where_the_scale_begins(
    ceiling: pd.DataFrame, far: float
) -> None:
    near = ols(FORMULA, ceiling, cluster="person").coefficients["se"]
    away = ols(FORMULA, ceiling.assign(score=ceiling["score"] + far), cluster="person").coefficients["se"]
    np.testing.assert_allclose(away, near, rtol=1e-5)


@pytest.mark.filterwarnings("error")
def test_a_contrast_that_rests_on_a_cell_with_variation_keeps_its_standard_error(
    ceiling: pd.DataFrame,
) -> None:
    assert ols(FORMULA, ceiling, cluster="person").contrast({"arm[T.control]:t": 1}).se > 0.01


def test_an_offset_is_taken_from_the_outcome() -> None:
    chance = np.random.default_rng(2)
    data = pd.DataFrame({"x": chance.normal(size=40), "known": chance.normal(size=40)})
    data["y"] = 1 + 2 * data["x"] + data["known"] + chance.normal(size=40)
    without = data.assign(y=data["y"] - data["known"])
    found = ols("y ~ x + offset(known)", data)
    np.testing.assert_allclose(found.beta, ols("y ~ x", without).beta, rtol=1e-12)
    assert found.sigma == pytest.approx(ols("y ~ x", without).sigma, rel=1e-12)
