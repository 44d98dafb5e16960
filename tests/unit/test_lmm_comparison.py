"""Nested mixed models compared: what is refitted, what is refused, what is seen not to be nested."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.anova import anova
from forethought.analysis.information_criteria import aic, bic, n_parameters
from forethought.analysis.lmm import lmer
from forethought.analysis.lmm.comparison import compare
from forethought.analysis.ols import ols
from forethought.errors import ModelNotFitted

SLEEP = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/sleepstudy.csv")
INTERCEPTS = "Reaction ~ Days + (1 | Subject)"
SLOPES = "Reaction ~ Days + (Days | Subject)"
FLAT = "Reaction ~ 1 + (1 | Subject)"


def test_fits_by_reml_are_refitted_and_the_table_says_so() -> None:
    fits = (lmer(INTERCEPTS, SLEEP), lmer(SLOPES, SLEEP, reml=False))
    assert compare(*fits)["refitted"].tolist() == [True, False]


def test_refitting_by_hand_changes_nothing() -> None:
    by_reml = compare(lmer(INTERCEPTS, SLEEP), lmer(SLOPES, SLEEP))
    by_ml = compare(lmer(INTERCEPTS, SLEEP, reml=False), lmer(SLOPES, SLEEP, reml=False))
    pd.testing.assert_frame_equal(by_reml.drop(columns="refitted"), by_ml.drop(columns="refitted"), rtol=1e-8)


def test_models_are_put_in_the_order_of_their_parameters() -> None:
    found = compare(lmer(SLOPES, SLEEP), lmer(FLAT, SLEEP), lmer(INTERCEPTS, SLEEP))
    assert found["formula"].tolist() == [FLAT, INTERCEPTS, SLOPES]


def test_the_statistic_is_the_difference_of_deviances() -> None:
    found = compare(lmer(INTERCEPTS, SLEEP), lmer(SLOPES, SLEEP))
    assert found["chisq"][1] == pytest.approx(found["deviance"][0] - found["deviance"][1])


def test_the_first_model_is_tested_against_none() -> None:
    assert compare(lmer(INTERCEPTS, SLEEP), lmer(SLOPES, SLEEP)).loc[0, ["chisq", "df", "p"]].isna().all()


def test_a_fit_of_another_outcome_is_compared_by_that_outcome() -> None:
    """As of a refit to simulated values: the design's own outcome is not the one that was fitted."""
    simulated = SLEEP.assign(Reaction=np.random.default_rng(4).normal(300, 40, len(SLEEP)))
    y = simulated["Reaction"].to_numpy()
    fits = [lmer(formula, SLEEP) for formula in (FLAT, INTERCEPTS)]
    refits = [replace(fit, solution=fit.solution.design.solve(y)) for fit in fits]
    direct = compare(*(lmer(formula, simulated) for formula in (FLAT, INTERCEPTS)))
    np.testing.assert_allclose(compare(*refits)["deviance"], direct["deviance"], rtol=1e-9)


def test_models_with_as_many_parameters_are_not_tested() -> None:
    found = compare(lmer(INTERCEPTS, SLEEP), lmer("Reaction ~ I(Days ** 2) + (1 | Subject)", SLEEP))
    assert (found["note"][1], math.isnan(found["p"][1])) == (
        "not nested: as many parameters as the model before",
        True,
    )


def test_models_whose_fixed_effects_are_not_nested_are_not_tested() -> None:
    found = compare(lmer(INTERCEPTS, SLEEP), lmer("Reaction ~ log1p(Days) + (Days | Subject)", SLEEP))
    assert (found["note"][1], math.isnan(found["p"][1])) == (
        "not nested: the model before has other fixed effects",
        True,
    )


def test_a_larger_model_that_is_less_likely_is_not_tested() -> None:
    other = SLEEP.assign(half=np.where(np.arange(len(SLEEP)) % 2, "odd", "even"))
    found = compare(lmer(INTERCEPTS, other), lmer("Reaction ~ Days + (Days || half)", other))
    assert found["note"][1].startswith("not nested, or not at its optimum")


def test_the_same_fixed_effects_coded_otherwise_are_nested() -> None:
    other = SLEEP.assign(half=np.where(np.arange(len(SLEEP)) % 2, "odd", "even"))
    found = compare(
        lmer("Reaction ~ C(half, Sum) + (1 | Subject)", other),
        lmer("Reaction ~ half + Days + (1 | Subject)", other),
    )
    assert found["note"][1] == ""


def test_one_fit_is_no_comparison() -> None:
    with pytest.raises(ModelNotFitted, match="one fit cannot be compared"):
        compare(lmer(INTERCEPTS, SLEEP))


def test_least_squares_are_refused() -> None:
    with pytest.raises(ModelNotFitted, match="`Reaction ~ Days` has no likelihood that is compared here"):
        compare(ols("Reaction ~ Days", SLEEP), lmer(INTERCEPTS, SLEEP))


def test_fits_of_different_numbers_of_rows_are_refused() -> None:
    with pytest.raises(ModelNotFitted, match=r"has 180 rows.* has 179"):
        compare(lmer(FLAT, SLEEP), lmer(INTERCEPTS, SLEEP[1:]))


def test_fits_of_different_outcomes_are_refused() -> None:
    with pytest.raises(ModelNotFitted, match="different outcomes"):
        compare(lmer(FLAT, SLEEP), lmer("log(Reaction) ~ Days + (1 | Subject)", SLEEP))


def test_anova_of_several_fits_compares_them() -> None:
    fits = (lmer(INTERCEPTS, SLEEP), lmer(SLOPES, SLEEP))
    pd.testing.assert_frame_equal(anova(*fits), compare(*fits))


def test_coefficients_covariances_and_the_residual_are_parameters() -> None:
    assert n_parameters(lmer(SLOPES, SLEEP)) == 2 + 3 + 1


def test_information_criteria_of_least_squares_are_those_of_r() -> None:
    """R 4.2.2: AIC(lm(Reaction ~ Days, sleepstudy)) and BIC."""
    fit = ols("Reaction ~ Days", SLEEP)
    assert (aic(fit), bic(fit)) == pytest.approx((1906.293, 1915.872), abs=1e-3)
