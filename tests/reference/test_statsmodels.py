"""Models that statsmodels can fit too: one grouping factor. Its standard errors follow another definition."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from forethought.analysis.lmm import lmer

SLEEP = pd.read_csv(Path(__file__).parent / "lmm/sleepstudy.csv")

CASES = pytest.mark.parametrize("reml", [True, False])


@CASES
def test_a_random_intercept_agrees_with_mixedlm(reml: bool) -> None:
    other = MixedLM.from_formula("Reaction ~ Days", SLEEP, groups="Subject").fit(reml=reml)
    fit = lmer("Reaction ~ Days + (1 | Subject)", SLEEP, reml=reml)
    assert fit.log_likelihood == pytest.approx(other.llf, rel=1e-8)
    np.testing.assert_allclose(fit.coefficients["estimate"], other.fe_params, rtol=1e-8)
    assert fit.variance_components["variance_or_covariance"][0] == pytest.approx(
        other.cov_re.iloc[0, 0], rel=1e-3
    )


@CASES
def test_a_random_slope_agrees_with_mixedlm(reml: bool) -> None:
    other = MixedLM.from_formula("Reaction ~ Days", SLEEP, groups="Subject", re_formula="~Days").fit(
        reml=reml
    )
    fit = lmer("Reaction ~ Days + (Days | Subject)", SLEEP, reml=reml)
    assert fit.log_likelihood == pytest.approx(other.llf, rel=1e-7)
    covariance = other.cov_re.to_numpy()
    found = fit.variance_components["variance_or_covariance"][:3]
    np.testing.assert_allclose(found, [covariance[0, 0], covariance[1, 1], covariance[0, 1]], rtol=1e-3)
