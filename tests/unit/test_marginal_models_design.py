"""Marginal models: closed forms, what an outcome may be, separation. Against R: test_marginal_models.py."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.fits import Fit, fit_to_json
from forethought.analysis.marginal import gee, glm, ordinal
from forethought.analysis.marginal.ordinal_likelihood import Cumulative
from forethought.analysis.ols import ols

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """40 people of three arms, six rows each."""
    chance = np.random.default_rng(1)
    person = np.repeat(np.arange(40), 6)
    arm = np.array(["control", "good", "better"])[person % 3]
    lift = chance.normal(size=40)[person]
    x = chance.normal(size=240)
    return pd.DataFrame(
        {
            "person": person,
            "occasion": np.tile(np.arange(6), 40),
            "arm": arm,
            "x": x,
            "passed": (chance.normal(size=240) + lift > 0.2).astype(int),
            "errors": chance.poisson(np.exp(0.5 + 0.3 * lift)),
            "seconds": np.exp(0.4 * x + 0.3 * lift + 0.2 * chance.normal(size=240)),
            "rating": np.clip(np.round(3 + lift + chance.normal(size=240)), 1, 5).astype(int),
        }
    )


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Twice two cells: 12 of 20 pass with the new form, 5 of 20 with the old."""
    form = np.repeat(["old", "new"], 20)
    passed = np.concatenate([np.arange(20) < 5, np.arange(20) < 12])
    return pd.DataFrame({"form": pd.Categorical(form, ["old", "new"]), "passed": passed})


def test_of_two_by_two_cells_the_odds_ratio_is_that_of_the_cross_product(table: pd.DataFrame) -> None:
    ratios = glm("passed ~ form", table, family="binomial").odds_ratios
    assert ratios["term"].tolist() == ["form[T.new]"]
    assert ratios["ratio"].item() == pytest.approx(12 * 15 / (5 * 8), rel=1e-10)


def test_of_two_by_two_cells_the_interval_is_woolfs(table: pd.DataFrame) -> None:
    ratios = glm("passed ~ form", table, family="binomial").odds_ratios
    se = math.sqrt(1 / 12 + 1 / 8 + 1 / 5 + 1 / 15)
    expected = 4.5 * np.exp(1.959963984540054 * se * np.array([-1, 1]))
    np.testing.assert_allclose(ratios[["ci_low", "ci_high"]].to_numpy()[0], expected, rtol=1e-8)


def test_with_two_levels_the_ordinal_model_is_the_logistic_one(table: pd.DataFrame) -> None:
    fit = ordinal("passed ~ form", table.assign(passed=table["passed"].astype(int)))
    np.testing.assert_allclose(fit.beta, glm("passed ~ form", table, family="binomial").beta, rtol=1e-9)


def test_a_rate_ratio_is_the_ratio_of_the_means(data: pd.DataFrame) -> None:
    ratios = glm("errors ~ arm", data, family="poisson").rate_ratios.set_index("term")["ratio"]
    means = data.groupby("arm")["errors"].mean()
    assert ratios["arm[T.good]"] == pytest.approx(means["good"] / means["better"], rel=1e-9)


def test_an_offset_makes_a_count_a_rate(data: pd.DataFrame) -> None:
    hours = data.assign(hours=np.where(data["arm"] == "good", 4.0, 1.0))
    plain = glm("errors ~ arm", hours, family="poisson").contrast({"arm[T.good]": 1}).estimate
    rate = glm("errors ~ arm + offset(log(hours))", hours, family="poisson").contrast({"arm[T.good]": 1})
    assert rate.estimate == pytest.approx(plain - math.log(4), rel=1e-9)


@pytest.mark.parametrize("of", ["glm", "gee", "ordinal"])
def test_what_an_offset_holds_is_taken_from_the_coefficient(data: pd.DataFrame, of: str) -> None:
    fits: dict[str, Any] = {
        "glm": lambda formula: glm(f"passed ~ {formula}", data, family="binomial"),
        "gee": lambda formula: gee(f"passed ~ {formula}", data, cluster="person"),
        "ordinal": lambda formula: ordinal(f"rating ~ {formula}", data),
    }
    known, plain = fits[of]("x + offset(x / 2)"), fits[of]("x")
    assert known.contrast({"x": 1}).estimate == pytest.approx(
        plain.contrast({"x": 1}).estimate - 0.5, rel=1e-6
    )


def test_the_gaussian_model_with_clusters_is_that_of_least_squares(data: pd.DataFrame) -> None:
    fit = glm("seconds ~ arm * x", data, family="gaussian", cluster="person")
    np.testing.assert_allclose(
        fit.vcov, ols("seconds ~ arm * x", data, cluster="person").vcov, rtol=1e-9, atol=1e-14
    )


def test_a_gaussian_model_without_clusters_has_the_residual_degrees_of_freedom(data: pd.DataFrame) -> None:
    assert glm("seconds ~ x", data, family="gaussian").contrast({"x": 1}).df == 238


def test_a_binomial_model_has_normal_inference(data: pd.DataFrame) -> None:
    assert math.isinf(glm("passed ~ x", data, family="binomial").contrast({"x": 1}).df)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("of", ["glm", "gee", "ordinal"])
def test_tests_do_not_depend_on_a_covariates_scale(data: pd.DataFrame, of: str, scale: float) -> None:
    def statistic(rows: pd.DataFrame) -> float:
        if of == "glm":
            return glm("passed ~ x", rows, family="binomial").contrast({"x": 1}).statistic
        if of == "gee":
            return gee("passed ~ x", rows, cluster="person").contrast({"x": 1}).statistic
        return ordinal("rating ~ x", rows, cluster="person").contrast({"x": 1}).statistic

    assert statistic(data.assign(x=1000 * scale + scale * data["x"])) == pytest.approx(
        statistic(data), rel=1e-5
    )


def test_the_order_of_rows_does_not_matter_to_a_gee(data: pd.DataFrame) -> None:
    mixed = data.sample(frac=1, random_state=3)
    one, other = (gee("passed ~ arm + x", rows, cluster="person") for rows in (data, mixed))
    np.testing.assert_allclose(one.vcov, other.vcov, rtol=1e-8)


def test_the_order_of_rows_does_not_matter_to_ar1(data: pd.DataFrame) -> None:
    mixed = data.sample(frac=1, random_state=3)
    one, other = (
        gee("passed ~ arm + x", rows, cluster="person", covariance="ar1", time="occasion")
        for rows in (data, mixed)
    )
    np.testing.assert_allclose(one.vcov, other.vcov, rtol=1e-8)


def test_the_small_sample_covariance_is_larger(data: pd.DataFrame) -> None:
    plain = gee("passed ~ arm", data, cluster="person")
    corrected = gee("passed ~ arm", data, cluster="person", small_sample="mancl-derouen")
    assert (corrected.coefficients["se"] > plain.coefficients["se"]).all()


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_the_ordinal_scores_are_the_derivative_of_the_likelihood(data: pd.DataFrame, link: str) -> None:
    places = data["rating"].to_numpy() - 1
    model = Cumulative(places, data[["x"]].to_numpy(), np.zeros(240), 5, link)
    z, step = np.array([-1.5, -0.4, 0.3, 1.6, 0.2]), 1e-6 * np.eye(5)
    rise = [(model.log_likelihood(z + d) - model.log_likelihood(z - d)) / 2e-6 for d in step]
    np.testing.assert_allclose(model.scores(z).sum(axis=0), rise, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_the_ordinal_information_is_minus_the_derivative_of_the_scores(data: pd.DataFrame, link: str) -> None:
    places = data["rating"].to_numpy() - 1
    model = Cumulative(places, data[["x"]].to_numpy(), np.zeros(240), 5, link)
    z, step = np.array([-1.5, -0.4, 0.3, 1.6, 0.2]), 1e-6 * np.eye(5)
    fall = [(model.scores(z - d).sum(axis=0) - model.scores(z + d).sum(axis=0)) / 2e-6 for d in step]
    np.testing.assert_allclose(model.information(z), fall, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("coded", "counted"),
    [
        (lambda y: y, "passed = 1"),
        (lambda y: y == 1, "passed = True"),
        (lambda y: np.where(y == 1, "yes", "no"), "passed = yes"),
        (lambda y: pd.Categorical(np.where(y == 1, "hit", "miss"), ["miss", "hit"]), "passed = hit"),
    ],
)
def test_a_binary_outcome_is_counted_by_its_second_level(
    data: pd.DataFrame, coded: Any, counted: str
) -> None:
    fit = glm("passed ~ x", data.assign(passed=coded(data["passed"])), family="binomial")
    assert fit.counted == counted
    np.testing.assert_allclose(fit.beta, glm("passed ~ x", data, family="binomial").beta)


def test_an_ordered_category_is_an_ordinal_outcome_with_named_thresholds(data: pd.DataFrame) -> None:
    names = ["never", "rarely", "often", "mostly", "always"]
    codes = data["rating"].to_numpy() - 1
    rows = data.assign(rating=pd.Categorical.from_codes(codes, names, ordered=True))
    fit = ordinal("rating ~ arm", rows)
    assert fit.thresholds["threshold"].tolist()[0] == "never|rarely"
    np.testing.assert_allclose(fit.beta, ordinal("rating ~ arm", data).beta)


def test_the_estimand_is_named_and_is_no_warning(data: pd.DataFrame) -> None:
    fit = gee("passed ~ arm", data, cluster="person")
    assert fit.estimand == "marginal"
    assert "estimand marginal (population-averaged)" in repr(fit)
    assert fit_to_json(fit)["estimand"] == "marginal"
    assert fit.warnings == ()


def test_a_gee_has_no_likelihood_and_json_says_null(data: pd.DataFrame) -> None:
    fit: Fit = gee("passed ~ arm", data, cluster="person")
    assert math.isnan(fit.criterion)
    assert fit_to_json(fit)["log_likelihood"] is None


@pytest.mark.parametrize("of", ["glm", "gee", "ordinal"])
def test_every_marginal_fit_becomes_json(data: pd.DataFrame, of: str) -> None:
    fits: dict[str, Any] = {
        "glm": lambda: glm("seconds ~ x", data, family="gamma"),
        "gee": lambda: gee("errors ~ x", data, cluster="person", family="poisson"),
        "ordinal": lambda: ordinal("rating ~ x", data),
    }
    text = json.dumps(fit_to_json(fits[of]()), allow_nan=False)
    assert json.loads(text)["method"] == of


@pytest.fixture(scope="module")
def nobody(data: pd.DataFrame) -> pd.DataFrame:
    """In the arm `good` nobody passes, nobody errs, and everybody rates 5."""
    good = data["arm"] == "good"
    return data.assign(
        passed=data["passed"].where(~good, 0),
        errors=data["errors"].where(~good, 0),
        rating=data["rating"].where(~good, 5),
    )


SEPARATED: dict[str, Any] = {
    "glm": lambda rows: glm("passed ~ arm + x", rows, family="binomial"),
    "robust glm": lambda rows: glm("passed ~ arm + x", rows, family="binomial", cluster="person"),
    "counts": lambda rows: glm("errors ~ arm + x", rows, family="poisson", cluster="person"),
    "gee": lambda rows: gee("passed ~ arm + x", rows, cluster="person"),
    "ordinal": lambda rows: ordinal("rating ~ arm + x", rows),
    "robust ordinal": lambda rows: ordinal("rating ~ arm + x", rows, cluster="person"),
}
each_separated = pytest.mark.parametrize("of", SEPARATED)


@each_separated
def test_separation_is_a_warning_that_names_the_term(nobody: pd.DataFrame, of: str) -> None:
    fit = SEPARATED[of](nobody)
    assert [text for text in fit.warnings if "separation" in text and "arm[T.good]" in text]
    assert not fit.converged


@each_separated
def test_a_separated_term_is_never_significant(nobody: pd.DataFrame, of: str) -> None:
    """The sandwich alone would give it a p value of next to nothing."""
    assert SEPARATED[of](nobody).contrast({"arm[T.good]": 1}).p > 0.9


@each_separated
def test_separation_leaves_other_terms_their_standard_errors(nobody: pd.DataFrame, of: str) -> None:
    assert SEPARATED[of](nobody).contrast({"x": 1}).se < 1


def test_separation_by_a_covariate_is_found(data: pd.DataFrame) -> None:
    fit = glm("passed ~ x", data.assign(passed=(data["x"] > 0).astype(int)), family="binomial")
    assert "separation" in fit.warnings[0]


def test_ordinal_separation_is_found_where_no_level_becomes_certain(data: pd.DataFrame) -> None:
    rows = data[data["arm"] != "better"]
    low = np.where(rows["passed"] == 1, 2, 1)
    fit = ordinal("rating ~ arm", rows.assign(rating=low + (rows["arm"] == "good")))
    assert "arm[T.good]" in fit.warnings[0]


def test_a_rare_outcome_is_not_separated(data: pd.DataFrame) -> None:
    rare = data.assign(passed=(data.index == 7).astype(int))
    assert glm("passed ~ 1", rare, family="binomial").warnings == ()


def test_too_few_clusters_are_a_warning(data: pd.DataFrame) -> None:
    fit = gee("passed ~ x + occasion", data.assign(person=data["person"] % 3), cluster="person")
    assert "3 clusters of `person` are too few for 3 coefficients" in fit.warnings[0]


def test_with_one_row_in_each_cluster_a_gee_is_the_generalised_linear_model(data: pd.DataFrame) -> None:
    rows = data.assign(person=np.arange(240))
    fit = gee("passed ~ x", rows, cluster="person")
    np.testing.assert_allclose(fit.beta, glm("passed ~ x", data, family="binomial").beta, rtol=1e-8)
    assert fit.warnings == ()


def test_an_impossible_working_correlation_is_a_warning(data: pd.DataFrame) -> None:
    """In each pair one outcome turns the other round, so that the correlation is -1."""
    rows = data.assign(passed=data["occasion"] % 2 == data["person"] % 2, pair=np.arange(240) // 2)
    fit = gee("passed ~ 1", rows, cluster="pair")
    assert "impossible in clusters of 2 rows" in fit.warnings[0]
    assert not fit.converged


def test_dropped_rows_are_counted(data: pd.DataFrame) -> None:
    holes = data.assign(x=data["x"].where(data["x"] < 1))
    fit = gee("passed ~ x", holes, cluster="person", missing="drop")
    assert fit.n_dropped == int((data["x"] >= 1).sum())
