"""Tests of terms, likelihood ratios and information criteria of models other than linear mixed ones, against R.

car 3.1-1, ordinal 2022.11-16, lme4 1.1-31, gee 4.13-25, sandwich 3.0-2; script: tests/reference/lmm/anova_other.R.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.anova import anova
from forethought.analysis.fits import Fit
from forethought.analysis.glmm import glmer
from forethought.analysis.information_criteria import aic, bic, n_parameters
from forethought.analysis.lmm import lmer
from forethought.analysis.marginal import gee, glm, ordinal
from forethought.analysis.ols import ols
from forethought.errors import ModelNotFitted

HERE = Path(__file__).parents[1] / "reference/lmm"
EXPECTED: dict[str, Any] = json.loads((HERE / "anova_other.json").read_text())

FITTED: dict[str, Callable[[str], Any]] = {
    "ols": lambda formula: ols(formula, terms()),
    "ols_clustered": lambda formula: ols(formula, terms(), cluster="g"),
    "glm_gaussian": lambda formula: glm(formula, terms(), family="gaussian"),
    "glm_gamma": lambda formula: glm(formula, terms(), family="gamma"),
    "glm_binomial": lambda formula: glm(formula, terms(), family="binomial"),
    "glm_poisson": lambda formula: glm(formula, terms(), family="poisson"),
    "glm_clustered": lambda formula: glm(formula, terms(), family="binomial", cluster="g"),
    "gee_binomial": lambda formula: gee(formula, terms(), family="binomial", cluster="g"),
    "gee_poisson": lambda formula: gee(formula, terms(), family="poisson", cluster="g"),
    "ordinal": lambda formula: ordinal(formula, terms()),
    "glmer_poisson": lambda formula: glmer(formula, terms(), family="poisson"),
    "glmer_overdispersed": lambda formula: glmer(formula, terms(), family="poisson"),
    "glmer_binomial": lambda formula: glmer(
        formula.replace("cbind(incidence, size - incidence)", "incidence"),
        pd.read_csv(HERE / "cbpp.csv", dtype={"period": str}),
        family="binomial",
        trials="size",
    ),
}
F_TESTS = ("ols", "glm_gaussian")
BY_OTHERS_DIFFERENCES = ("glmer_poisson",)
"""The covariance is of glmer's second differences, which have three or four digits."""

TABLES = [
    (name, place)
    for name in FITTED
    if isinstance(EXPECTED.get(name), list)
    for place in range(len(EXPECTED[name]))
]
each_table = pytest.mark.parametrize(("name", "place"), TABLES)


@cache
def terms() -> pd.DataFrame:
    """terms.csv with outcomes of other kinds, as anova_other.R makes them."""
    data = pd.read_csv(HERE / "terms.csv")
    y = data["y"]
    return data.assign(
        seen=(y > 4).astype(int),
        count=y.clip(0).round(),
        yord=np.floor(y / 2).clip(0, 3),
        positive=y - y.min() + 1,
        many=np.exp(y / 2).round(),
        row=range(len(data)),
    )


@cache
def fitted(name: str, formula: str) -> Any:
    return FITTED[name](formula)


def tolerance(name: str) -> float:
    return 2e-3 if name in BY_OTHERS_DIFFERENCES else 1e-6


@each_table
def test_the_terms_and_their_degrees_of_freedom_are_rs(name: str, place: int) -> None:
    model = EXPECTED[name][place]
    table = anova(fitted(name, model["formula"]), type=model["type"])
    found = dict(zip(table["term"], table["num_df"], strict=True))
    assert found == dict(zip(model["table"]["term"], model["table"]["df"], strict=True))


@each_table
def test_the_statistics_of_the_terms_are_rs(name: str, place: int) -> None:
    """F, or where the denominator is infinite Wald's chi-squared, which is F times its numerator's degrees of freedom."""
    model = EXPECTED[name][place]
    table = anova(fitted(name, model["formula"]), type=model["type"]).set_index("term")
    found = table["F"] if name in F_TESTS else table["F"] * table["num_df"]
    numbers = model["table"]["statistic"]
    np.testing.assert_allclose(found[model["table"]["term"]], numbers, rtol=tolerance(name))


@each_table
def test_the_p_values_of_the_terms_are_rs(name: str, place: int) -> None:
    model = EXPECTED[name][place]
    table = anova(fitted(name, model["formula"]), type=model["type"]).set_index("term")
    found = table.loc[model["table"]["term"], "p"]
    np.testing.assert_allclose(found, model["table"]["p"], rtol=0, atol=tolerance(name))


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("name", F_TESTS)
def test_the_sums_of_squares_of_least_squares_are_rs(name: str, place: int) -> None:
    model = EXPECTED[name][place]
    table = anova(fitted(name, model["formula"]), type=model["type"])
    np.testing.assert_allclose(table["sum_sq"], model["sum_sq"], rtol=1e-8)


def test_without_a_residual_variance_there_are_no_sums_of_squares() -> None:
    table = anova(fitted("glm_gamma", "positive ~ a + x"))
    assert table["sum_sq"].isna().all()
    assert table["F"].notna().all()


@pytest.mark.parametrize(
    "name", ["glm_binomial", "glm_clustered", "gee_binomial", "ordinal", "glmer_poisson"]
)
def test_the_denominators_of_generalised_models_are_infinite(name: str) -> None:
    assert np.isinf(anova(fitted(name, EXPECTED[name][0]["formula"]))["den_df"]).all()


@pytest.mark.parametrize("name", EXPECTED["criteria"])
def test_parameters_and_information_criteria_are_rs(name: str) -> None:
    model = EXPECTED["criteria"][name]
    fit = fitted(name, model["formula"])
    assert n_parameters(fit) == model["n_parameters"]
    assert (aic(fit), bic(fit)) == pytest.approx((model["AIC"], model["BIC"]), rel=1e-8)


@pytest.mark.parametrize("name", ["glm_binomial", "ordinal", "glmer_poisson"])
def test_a_fit_gives_its_own_information_criteria(name: str) -> None:
    fit = fitted(name, EXPECTED["criteria"][name]["formula"])
    assert (fit.aic, fit.bic) == (aic(fit), bic(fit))


def test_a_gee_has_no_information_criteria() -> None:
    assert np.isnan(fitted("gee_poisson", "count ~ a * x").aic)


@pytest.mark.parametrize("name", EXPECTED["ratios"])
def test_likelihood_ratios_of_generalised_models_are_rs(name: str) -> None:
    model = EXPECTED["ratios"][name]
    last = anova(*(fitted(name, formula) for formula in model["formulas"])).iloc[-1]
    assert (last["chisq"], last["df"]) == pytest.approx((model["chisq"], model["df"]), rel=1e-6)
    assert (last["p"], last["refitted"], last["note"]) == (pytest.approx(model["p"], abs=1e-8), False, "")


COMPARISONS_REFUSED: dict[str, tuple[Callable[[], tuple[Fit, Fit]], str]] = {
    "a GEE": (
        lambda: (fitted("gee_binomial", "seen ~ a"), fitted("gee_binomial", "seen ~ a * c")),
        r"`seen ~ a` \(gee, binomial, covariance robust\) has no likelihood that a test may rest on",
    ),
    "a robust covariance": (
        lambda: (fitted("glm_clustered", "seen ~ a"), fitted("glm_clustered", "seen ~ a * c")),
        "covariance CR1. has no likelihood that a test may rest on",
    ),
    "an estimated dispersion": (
        lambda: (fitted("glm_gamma", "positive ~ a"), fitted("glm_gamma", "positive ~ a + x")),
        "gamma, covariance model-based. has no likelihood that a test may rest on",
    ),
    "two families": (
        lambda: (fitted("glm_binomial", "seen ~ a"), fitted("glm_poisson", "seen ~ a * c")),
        "is a binomial model with logit link, .* is a poisson model with log link",
    ),
    "a mixed model and one without random effects": (
        lambda: (fitted("glm_poisson", "count ~ a"), fitted("glmer_poisson", "count ~ a + (1 | g)")),
        "Compare models of one kind",
    ),
    "a linear and a generalised mixed model": (
        lambda: (lmer("count ~ a + (1 | g)", terms()), fitted("glmer_poisson", "count ~ a * c + (1 | g)")),
        "is a linear mixed model, .* is a poisson mixed model",
    ),
    "other trials": (
        lambda: (
            glmer("seen ~ 1 + (1 | g)", terms().assign(n=2), family="binomial", trials="n"),
            glmer("seen ~ a + (1 | g)", terms().assign(n=3), family="binomial", trials="n"),
        ),
        "have different weights",
    ),
}


@pytest.mark.parametrize("what", COMPARISONS_REFUSED)
def test_such_fits_are_not_compared(what: str) -> None:
    fits, said = COMPARISONS_REFUSED[what]
    with pytest.raises(ModelNotFitted, match=said):
        anova(*fits())


def test_an_outcome_that_does_not_vary_has_no_test() -> None:
    """Residuals of rounding's size gave p of 1e-49."""
    table = anova(ols("flat ~ a + x", terms().assign(flat=3.0)))
    assert (table["num_df"] == 0).all()
    assert table[["F", "p"]].isna().all(axis=None)


@pytest.mark.parametrize("test_type", [0, 4, "III"])
def test_a_test_of_another_type_is_refused(test_type: Any) -> None:
    with pytest.raises(ModelNotFitted, match="Take type 1, 2 or 3"):
        anova(fitted("ols", "y ~ a * c"), type=test_type)


def test_an_unknown_method_of_degrees_of_freedom_is_refused() -> None:
    with pytest.raises(ModelNotFitted, match="has normal degrees of freedom, not kenward-roger"):
        anova(fitted("gee_poisson", "count ~ a * x"), ddf="kenward-roger")


def test_a_covariance_of_too_few_clusters_does_not_decide_what_type_two_asks() -> None:
    """Combinations without a variance would have a chi-squared of 1e16."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame(
        {name: rng.choice(list(levels), 60) for name, levels in {"a": "pqr", "b": "uv"}.items()}
    )
    rows = rows.assign(cluster=np.arange(60) % 3, count=rng.poisson(2, 60))
    fit = glm("count ~ a * b", rows, family="poisson", cluster="cluster")
    assert (anova(fit, type=2)["F"][:2] < 100).all()
