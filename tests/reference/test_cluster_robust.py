"""Least squares against R's lm and sandwich::vcovCL. Numbers and script: tests/reference/lmm."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.ols import ols

HERE = Path(__file__).parent / "lmm"
FORMULA = "y ~ arm * time"
EXPECTED = json.loads((HERE / "cluster_robust.json").read_text())


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return pd.read_csv(HERE / "study1.csv")


def test_coefficients_agree_with_lm(data: pd.DataFrame) -> None:
    np.testing.assert_allclose(ols(FORMULA, data).coefficients["estimate"], EXPECTED["estimate"], rtol=1e-10)


def test_classical_standard_errors_agree_with_lm(data: pd.DataFrame) -> None:
    np.testing.assert_allclose(ols(FORMULA, data).coefficients["se"], EXPECTED["classical_se"], rtol=1e-10)


def test_classical_p_values_agree_with_lm(data: pd.DataFrame) -> None:
    found = ols(FORMULA, data).coefficients["p"]
    np.testing.assert_allclose(found, EXPECTED["classical_p"], rtol=1e-8, atol=1e-300)


def test_residual_df_sigma_and_log_likelihood_agree_with_lm(data: pd.DataFrame) -> None:
    fit = ols(FORMULA, data)
    assert fit.df == EXPECTED["df"]
    assert fit.sigma == pytest.approx(EXPECTED["sigma"], rel=1e-10)
    assert fit.log_likelihood == pytest.approx(EXPECTED["log_likelihood"], rel=1e-10)


def test_cluster_robust_covariance_agrees_with_sandwich(data: pd.DataFrame) -> None:
    vcov = ols(FORMULA, data, cluster="pid").vcov
    np.testing.assert_allclose(vcov, EXPECTED["cluster_covariance"], rtol=1e-9, atol=1e-14)


def test_clusters_are_counted(data: pd.DataFrame) -> None:
    assert ols(FORMULA, data, cluster="pid").n_groups == {"pid": EXPECTED["clusters"]}
