"""What glmer accepts, what it refuses, and what its fit says of itself."""

import math
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.fits import fit_to_json
from forethought.analysis.glmm import GeneralizedFit, glmer
from forethought.errors import ModelNotFitted

DATA = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/small.csv")
CBPP = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/cbpp.csv", dtype={"period": str, "herd": str})
FORMULA = "ybin ~ arm + (1 | scenario)"


@cache
def herds() -> GeneralizedFit:
    return glmer("incidence ~ period + (1 | herd)", CBPP, family="binomial", trials="size")


@cache
def counted() -> GeneralizedFit:
    return glmer("ycount ~ arm + time + (1 | pid)", DATA, family="poisson")


def test_the_estimand_is_conditional() -> None:
    assert herds().estimand == "conditional"


def test_inference_is_normal() -> None:
    assert np.isinf(herds().coefficients["df"]).all()


def test_another_inference_is_refused() -> None:
    with pytest.raises(ModelNotFitted, match="normal inference, not satterthwaite"):
        herds().inference("satterthwaite")


def test_odds_ratios_are_exponents_of_coefficients() -> None:
    found, table = herds().odds_ratios, herds().coefficients.iloc[1:]
    np.testing.assert_allclose(found["ratio"], np.exp(table["estimate"]))
    np.testing.assert_allclose(found["ci_high"], np.exp(table["ci_high"]))


def test_odds_ratios_leave_out_the_intercept() -> None:
    assert "Intercept" not in set(herds().odds_ratios["term"])


def test_rate_ratios_belong_to_counts() -> None:
    np.testing.assert_allclose(counted().rate_ratios["ratio"], np.exp(counted().beta[1:]))


def test_a_binomial_fit_has_no_rate_ratios() -> None:
    with pytest.raises(ModelNotFitted, match="logit link no coefficient is the logarithm of a rate ratio"):
        _ = herds().rate_ratios


def test_counts_have_no_odds_ratios() -> None:
    with pytest.raises(ModelNotFitted, match="log link no coefficient is the logarithm of an odds ratio"):
        _ = counted().odds_ratios


def test_there_is_no_residual_among_the_variance_components() -> None:
    assert list(herds().variance_components["group"]) == ["herd"]


def test_fitted_shares_of_trials_lie_between_0_and_1() -> None:
    assert herds().fitted.between(0, 1, inclusive="neither").all()


def test_a_generalised_fit_can_be_written_as_json() -> None:
    assert fit_to_json(herds())["sigma"] == 1.0


def test_each_trial_may_have_a_row_of_its_own() -> None:
    rows = CBPP.loc[CBPP.index.repeat(CBPP["size"])].reset_index()
    place = rows.groupby("index").cumcount()
    single = glmer(
        "ill ~ period + (1 | herd)", rows.assign(ill=(place < rows["incidence"]) * 1), family="binomial"
    )
    np.testing.assert_allclose(single.beta, herds().beta, rtol=1e-6)
    np.testing.assert_allclose(single.coefficients["se"], herds().coefficients["se"], rtol=1e-5)


@pytest.mark.parametrize("kind", ["bool", "text", "category"])
def test_an_outcome_of_two_categories_is_0_and_1(kind: str) -> None:
    values = {
        "bool": DATA["ybin"] == 1,
        "text": DATA["ybin"].map({0: "no", 1: "yes"}),
        "category": pd.Categorical(DATA["ybin"].map({0: "z", 1: "a"}), categories=["z", "a"]),
    }
    found = glmer(FORMULA, DATA.assign(ybin=values[kind]), family="binomial")
    np.testing.assert_array_equal(found.beta, glmer(FORMULA, DATA, family="binomial").beta)


def test_several_coefficients_are_tested_by_chi_squared() -> None:
    beta, vcov = herds().beta[1:], herds().vcov.to_numpy()[1:, 1:]
    tested = herds().inference().test(np.eye(4)[1:], herds().beta)
    assert (tested.num_df, tested.den_df) == (3, math.inf)
    statistic = tested.F * tested.num_df
    assert statistic == pytest.approx(float(beta @ np.linalg.solve(vcov, beta)))


def test_the_order_of_rows_does_not_matter() -> None:
    shuffled = DATA.sample(frac=1, random_state=5)
    again = glmer("ycount ~ arm + time + (1 | pid)", shuffled, family="poisson")
    np.testing.assert_allclose(again.beta, counted().beta, rtol=1e-7)
    np.testing.assert_allclose(again.theta, counted().theta, rtol=1e-6)


def test_a_badly_scaled_covariate_changes_only_its_own_coefficient() -> None:
    plain = glmer("ycount ~ tnum + (1 | pid)", DATA, family="poisson")
    scaled = glmer("ycount ~ x + (1 | pid)", DATA.assign(x=DATA["tnum"] * 1e-4 + 5), family="poisson")
    assert scaled.beta[1] == pytest.approx(plain.beta[1] * 1e4, rel=1e-5)
    assert scaled.criterion == pytest.approx(plain.criterion, rel=1e-9)


def test_dropped_rows_are_counted() -> None:
    holes = DATA.assign(ycount=DATA["ycount"].where(DATA.index != 3))
    found = glmer("ycount ~ arm + (1 | pid)", holes, family="poisson", missing="drop")
    assert (found.n_obs, found.n_dropped) == (len(DATA) - 1, 1)


def test_an_offset_is_a_known_part_of_the_log_rate() -> None:
    exposed = DATA.assign(known=math.log(2))
    shifted = glmer("ycount ~ arm + time + offset(known) + (1 | pid)", exposed, family="poisson")
    np.testing.assert_allclose(shifted.beta, counted().beta - [math.log(2), 0, 0, 0], atol=1e-6)


def test_separation_is_told_with_its_terms() -> None:
    apart = DATA.assign(ybin=np.where(DATA["arm"] == "C_firm", 1, DATA["ybin"]))
    found = glmer(FORMULA, apart, family="binomial")
    assert found.separated == ("arm[T.C_firm]",)
    assert any("separation" in warning for warning in found.warnings)


def test_outcomes_that_are_not_separated_warn_of_nothing() -> None:
    assert counted().warnings == ()


@pytest.mark.parametrize("value", [-1.0, 0.5])
def test_what_is_no_count_is_refused(value: float) -> None:
    wrong = DATA.assign(ycount=DATA["ycount"].astype(float).where(DATA.index != 2, value))
    with pytest.raises(ModelNotFitted, match="not a count"):
        glmer("ycount ~ arm + (1 | pid)", wrong, family="poisson")


def test_a_binary_outcome_of_other_numbers_is_refused() -> None:
    with pytest.raises(ModelNotFitted, match="other than 0 and 1"):
        glmer("ycount ~ arm + (1 | pid)", DATA, family="binomial")


def test_an_outcome_of_three_categories_is_refused() -> None:
    with pytest.raises(ModelNotFitted, match="3 levels"):
        glmer("arm ~ time + (1 | scenario)", DATA, family="binomial")


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ModelNotFitted, match="more successes than trials"):
        glmer("incidence ~ period + (1 | herd)", CBPP.assign(size=1), family="binomial", trials="size")


def test_trials_that_are_no_numbers_are_refused() -> None:
    texts = CBPP.assign(herd="herd " + CBPP["herd"])
    with pytest.raises(ModelNotFitted, match="`herd` is not numeric"):
        glmer("incidence ~ period + (1 | period)", texts, family="binomial", trials="herd")


def test_counts_have_no_trials() -> None:
    with pytest.raises(ModelNotFitted, match="no trials"):
        glmer("incidence ~ period + (1 | herd)", CBPP, family="poisson", trials="size")


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(ModelNotFitted, match="no family 'gamma'"):
        glmer(FORMULA, DATA, family="gamma")


def test_a_formula_without_random_terms_is_refused() -> None:
    with pytest.raises(ModelNotFitted, match="no random term"):
        glmer("ybin ~ arm", DATA, family="binomial")
