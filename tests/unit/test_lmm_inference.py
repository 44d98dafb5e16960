"""What a mixed model says once it is fitted: contrasts, intervals, modes, JSON."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forethought.analysis.fits import Fit, fit_to_json
from forethought.analysis.inference import wald
from forethought.analysis.lmm import MixedFit, lmer
from forethought.errors import ModelNotFitted

SLEEP = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/sleepstudy.csv")
FORMULA = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def fit() -> MixedFit:
    return lmer(FORMULA, SLEEP)


def test_a_contrast_of_one_coefficient_is_its_row(fit: MixedFit) -> None:
    row = fit.coefficients.set_index("term").loc["Days"]
    found = fit.contrast({"Days": 1})
    assert [found.estimate, found.se, found.df, found.p] == row[["estimate", "se", "df", "p"]].tolist()


def test_a_contrast_adds_weighted_coefficients(fit: MixedFit) -> None:
    beta = fit.coefficients.set_index("term")["estimate"]
    found = fit.contrast({"Intercept": 1, "Days": 5})
    assert found.estimate == pytest.approx(beta["Intercept"] + 5 * beta["Days"])


def test_the_standard_error_of_a_contrast_uses_the_covariance(fit: MixedFit) -> None:
    weights = np.array([1.0, 5.0])
    variance = weights @ fit.vcov.to_numpy() @ weights
    assert fit.contrast({"Intercept": 1, "Days": 5}).se == pytest.approx(math.sqrt(variance))


def test_the_intercept_moved_to_day_five_has_the_contrasts_degrees_of_freedom(fit: MixedFit) -> None:
    moved = lmer("Reaction ~ late + (late | Subject)", SLEEP.assign(late=SLEEP["Days"] - 5))
    expected = moved.contrast({"Intercept": 1})
    found = fit.contrast({"Intercept": 1, "Days": 5})
    assert [found.se, found.df] == pytest.approx([expected.se, expected.df], rel=1e-5)


def test_doubled_weights_change_neither_df_nor_p(fit: MixedFit) -> None:
    once, twice = fit.contrast({"Days": 1}), fit.contrast({"Days": 2})
    assert [twice.df, twice.p] == pytest.approx([once.df, once.p])


def test_the_interval_is_that_of_students_t(fit: MixedFit) -> None:
    found = fit.contrast({"Days": 1}, level=0.9)
    half = stats.t.ppf(0.95, found.df) * found.se
    assert [found.ci_low, found.ci_high] == pytest.approx([found.estimate - half, found.estimate + half])


def test_a_contrast_names_what_the_model_does_not_have(fit: MixedFit) -> None:
    with pytest.raises(ModelNotFitted, match="no estimated coefficient is called Night"):
        fit.contrast({"Night": 1})


def test_a_contrast_of_nothing_is_refused(fit: MixedFit) -> None:
    with pytest.raises(ModelNotFitted, match="all weights are zero"):
        fit.contrast({"Days": 0})


def test_normal_inference_has_infinite_degrees_of_freedom() -> None:
    row = lmer(FORMULA, SLEEP, ddf="normal").coefficients.set_index("term").loc["Days"]
    assert math.isinf(row["df"])
    assert row["p"] == pytest.approx(2 * stats.norm.sf(abs(row["statistic"])))


def test_inference_is_computed_once(fit: MixedFit) -> None:
    assert fit.inference() is fit.inference()


def test_conditional_modes_have_a_row_for_each_level_and_sum_to_zero(fit: MixedFit) -> None:
    modes = fit.conditional_modes["Subject"]
    assert modes.shape == (18, 2)
    np.testing.assert_allclose(modes.sum(), 0, atol=1e-8)


def test_the_conditional_modes_of_subject_308_are_lme4s(fit: MixedFit) -> None:
    """ranef(lmer(Reaction ~ Days + (Days | Subject), sleepstudy))$Subject["308", ]"""
    np.testing.assert_allclose(fit.conditional_modes["Subject"].loc[308], [2.258551, 9.198976], rtol=1e-5)


def test_json_has_the_attributes_of_a_fit(fit: MixedFit) -> None:
    found = fit_to_json(fit)
    assert found["format"] == "forethought-fit/1"
    for name in ("formula", "n_obs", "criterion", "log_likelihood", "reml", "sigma", "converged", "singular"):
        assert found[name] == getattr(fit, name)


def test_json_has_the_columns_of_both_frames(fit: MixedFit) -> None:
    found = fit_to_json(fit)
    assert list(found["coefficients"][0]) == [
        "term",
        "estimate",
        "se",
        "df",
        "statistic",
        "p",
        "ci_low",
        "ci_high",
    ]
    assert list(found["variance_components"][0]) == (
        ["group", "term1", "term2", "variance_or_covariance", "sd_or_correlation"]
    )


def test_json_turns_infinite_degrees_of_freedom_into_null() -> None:
    text = json.dumps(fit_to_json(lmer(FORMULA, SLEEP, ddf="normal")), allow_nan=False)
    assert json.loads(text)["coefficients"][0]["df"] is None


def test_a_mixed_fit_is_a_fit(fit: MixedFit) -> None:
    as_fit: Fit = fit
    assert as_fit.ddf_method == "satterthwaite"


def test_an_estimate_of_its_own_standard_error_has_p_32_percent() -> None:
    assert wald(1.0, 1.0, math.inf).p == pytest.approx(0.31731, abs=1e-5)
