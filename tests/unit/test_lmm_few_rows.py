"""A mixed model of an interim look, with hardly any data: it is fitted or refused in words, and never breaks."""

import warnings

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.designs import model_data
from forethought.analysis.lmm import lmer
from forethought.analysis.lmm.solution import mixed_design
from forethought.errors import ModelNotFitted
from forethought.grammar import parse_formula

FORMULA = "score ~ arm * round + (1 | person) + (1 | scenario)"


def few(seed: int) -> pd.DataFrame:
    """Two to six people of up to four arms, three sessions each, five scenarios; some sessions are missing."""
    chance = np.random.default_rng(seed)
    people = int(chance.integers(2, 7))
    person = np.repeat(np.arange(people), 3)
    arm = np.array(list("abcd"))[chance.permutation(np.resize(np.arange(4), people))][person]
    score = np.clip(np.rint(chance.normal(3, 1, 3 * people)), 1, 5)
    scenario = np.concatenate([chance.permutation(5)[:3] for _ in range(people)])
    data = pd.DataFrame({"score": score, "arm": arm, "person": person, "scenario": scenario})
    return data.assign(round=np.tile([0.0, 1.0, 1.0], people))[chance.random(3 * people) < 0.9]


def test_where_rounding_leaves_nothing_of_the_fixed_effects_the_model_is_refused() -> None:
    design = mixed_design(model_data(parse_formula(FORMULA), few(1)))
    with pytest.raises(ModelNotFitted, match="rounding leaves nothing of the fixed ones"):
        design.solve(start=np.full(2, 1e12))


def test_of_60_samples_each_is_fitted_or_refused_in_words() -> None:
    fitted = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(60):
            try:
                fit = lmer(FORMULA, few(seed))
            except ModelNotFitted:
                continue
            assert len(fit.coefficients) == len(fit.terms)
            fitted += 1
    assert fitted > 45


def test_of_two_minima_among_few_rows_the_lower_is_found() -> None:
    """lme4 1.1-31: criterion 60.317907531395, theta (0.716659, 0). From Lambda = I Newton ends 0.16 higher, at (0.65, 0.45)."""
    rows = pd.DataFrame(
        {
            "g": [1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
            "x": [-14, -209, 117, 177, 46, 146, -22, 29, -122, 69, 40, -86, -106, -33, -148, 18, 9],
            "y": [103, 48, 365, -23, 52, -38, -13, -148, 54, 114, -18, 271, -169, 121, 106, 190, -20],
            "w": [275, 59, 387, 330, 143, 375, 376, 218, 332, 56, 213, 108, 288, 284, 91, 394, 68],
        }
    )
    fit = lmer(
        "y ~ 1 + (x || g)", rows.assign(g=rows["g"].astype(str), **rows[["x", "y", "w"]] / 100), weights="w"
    )
    assert fit.criterion == pytest.approx(60.317907531395, abs=1e-6)
    assert fit.theta == pytest.approx((0.716659, 0), abs=1e-4)


def test_an_outcome_in_tiny_units_has_the_same_degrees_of_freedom() -> None:
    """A squared variance of the estimate would be below the least float."""
    data = few(3)
    tiny = data.assign(score=data["score"] * 1e-150)
    found, expected = (lmer("score ~ round + (1 | person)", each).coefficients["df"] for each in (tiny, data))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
