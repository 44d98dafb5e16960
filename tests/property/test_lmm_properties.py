"""What must not change a mixed model, whatever the numbers: order, names, units."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forethought.analysis.lmm import MixedFit, lmer

REFERENCE = Path(__file__).parents[1] / "reference/lmm"
STUDY = pd.read_csv(REFERENCE / "small.csv")
SLEEP = pd.read_csv(REFERENCE / "sleepstudy.csv")
CROSSED = "y ~ arm * time + (1 | pid) + (1 | scenario)"
SLOPES = "Reaction ~ Days + (Days | Subject)"

shifts = st.floats(-1e4, 1e4)
scales = st.floats(1e-3, 1e3)
signs = st.sampled_from([-1.0, 1.0])
seeds = st.integers(0, 2**32 - 1)
some = settings(max_examples=15, deadline=None)


def inference(fit: MixedFit) -> np.ndarray:
    """What has no units: df, t and p of every coefficient."""
    return fit.coefficients[["df", "statistic", "p"]].to_numpy()


def same(found: object, expected: object, *, rtol: float = 1e-5) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-9)


@given(seeds)
@some
def test_the_order_of_the_random_terms_does_not_matter(seed: int) -> None:
    terms = np.random.default_rng(seed).permutation(["(1 | pid)", "(1 | scenario)", "(0 + tnum | scenario)"])
    found = lmer(f"y ~ arm + {' + '.join(terms)}", STUDY)
    expected = lmer("y ~ arm + (1 | pid) + (tnum || scenario)", STUDY)
    assert found.criterion == pytest.approx(expected.criterion, rel=1e-10)
    same(inference(found), inference(expected))


@given(shifts, scales, signs)
@some
def test_the_outcomes_units_change_only_units(shift: float, scale: float, sign: float) -> None:
    found = lmer(CROSSED, STUDY.assign(y=shift + sign * scale * STUDY["y"]))
    expected = lmer(CROSSED, STUDY)
    same(found.theta, expected.theta, rtol=1e-4)
    same(found.sigma, scale * expected.sigma)
    same(found.coefficients["estimate"][1:], sign * scale * expected.coefficients["estimate"][1:])
    same(found.coefficients["df"], expected.coefficients["df"])
    same(found.criterion, expected.criterion + 2 * (72 - 6) * np.log(scale))


@given(shifts, scales, signs)
@some
def test_a_covariates_units_change_only_units(shift: float, scale: float, sign: float) -> None:
    formula = "Reaction ~ x + (1 | Subject)"
    found = lmer(formula, SLEEP.assign(x=shift + sign * scale * SLEEP["Days"]))
    expected = lmer(formula, SLEEP.assign(x=SLEEP["Days"]))
    same(found.theta, expected.theta)
    same(found.coefficients["estimate"][1] * scale * sign, expected.coefficients["estimate"][1])
    same(inference(found)[1], inference(expected)[1] * [1, sign, 1])
    same(found.criterion, expected.criterion + 2 * np.log(scale))


@given(scales, signs)
@some
def test_the_scale_of_a_random_slope_changes_only_units(scale: float, sign: float) -> None:
    found = lmer("Reaction ~ x + (x | Subject)", SLEEP.assign(x=sign * scale * SLEEP["Days"]))
    expected = lmer(SLOPES, SLEEP)
    same(inference(found), inference(expected) * [1, 1, 1] * np.array([[1, 1, 1], [1, sign, 1]]))
    sd = expected.variance_components["sd_or_correlation"].to_numpy()
    same(found.variance_components["sd_or_correlation"], sd * [1, 1 / scale, sign, 1])


@given(st.floats(-100, 100))
@some
def test_where_a_random_slope_is_centred_does_not_matter(centre: float) -> None:
    found = lmer("Reaction ~ x + (x | Subject)", SLEEP.assign(x=SLEEP["Days"] - centre))
    expected = lmer(SLOPES, SLEEP)
    assert found.criterion == pytest.approx(expected.criterion, rel=1e-9)
    same(inference(found)[1], inference(expected)[1])


@pytest.mark.parametrize("year", [2000, -1e6])
def test_a_random_slope_over_calendar_years_fits_as_one_over_years_of_study(year: float) -> None:
    found = lmer("Reaction ~ x + (x | Subject)", SLEEP.assign(x=SLEEP["Days"] + year))
    expected = lmer(SLOPES, SLEEP)
    assert found.converged
    assert found.criterion == pytest.approx(expected.criterion, rel=1e-8)
    same(inference(found)[1], inference(expected)[1])


ARMS = ("A_control", "B_warm", "C_firm")
codings = st.sampled_from(["Treatment", 'Treatment("B_warm")', "Sum", "Helmert", "Poly"])


@given(codings, codings)
@some
def test_the_coding_of_factors_changes_no_fit(arm: str, time: str) -> None:
    """By maximum likelihood; REML's criterion moves by log|T| of the change of basis T."""
    time = time.replace("B_warm", "b_post")
    found = lmer(CROSSED, STUDY, contrasts={"arm": arm, "time": time}, reml=False)
    expected = lmer(CROSSED, STUDY, reml=False)
    assert found.criterion == pytest.approx(expected.criterion, rel=1e-10)
    same(found.theta, expected.theta, rtol=1e-4)
    same(found.fixed.X @ found.beta, expected.fixed.X @ expected.beta)


@given(codings)
@some
def test_the_coding_of_a_random_slope_changes_no_fit(arm: str) -> None:
    found = lmer(f"y ~ arm * time + (C(arm, {arm}) | scenario)", STUDY)
    expected = lmer("y ~ arm * time + (0 + arm | scenario)", STUDY)
    assert found.criterion == pytest.approx(expected.criterion, rel=1e-8)


@given(st.permutations(ARMS))
@some
def test_the_names_of_levels_do_not_matter_beside_their_order(names: list[str]) -> None:
    renamed = dict(zip(ARMS, names, strict=True))
    arm = pd.Categorical(STUDY["arm"].map(renamed), names)
    found, expected = lmer(CROSSED, STUDY.assign(arm=arm)), lmer(CROSSED, STUDY)
    assert found.criterion == pytest.approx(expected.criterion, rel=1e-12)
    same(inference(found), inference(expected))


@given(st.permutations(["arm", "time", "arm:time"]))
@some
def test_the_order_of_the_fixed_terms_does_not_matter(terms: list[str]) -> None:
    found = lmer(f"y ~ {' + '.join(terms)} + (1 | pid) + (1 | scenario)", STUDY)
    expected = lmer(CROSSED, STUDY)
    assert found.criterion == pytest.approx(expected.criterion, rel=1e-10)
    same(sorted(found.coefficients["statistic"]), sorted(expected.coefficients["statistic"]))


@given(seeds)
@some
def test_an_offset_is_taken_from_the_outcome(seed: int) -> None:
    known = np.random.default_rng(seed).normal(size=len(STUDY))
    data = STUDY.assign(known=known, rest=STUDY["y"] - known)
    found = lmer(CROSSED, data, offset="known")
    expected = lmer(CROSSED.replace("y ~", "rest ~"), data)
    assert found.criterion == pytest.approx(expected.criterion, rel=1e-10)
    same(found.coefficients["estimate"], expected.coefficients["estimate"])
