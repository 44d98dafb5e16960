"""What must not change a mixed model's tests: for crossed, nested, sloped and weighted models, by both small-sample methods.

Tests are those of every coefficient (df, t, p) and of every term (F, both degrees of freedom, p).
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forethought.analysis.anova import anova
from forethought.analysis.lmm import MixedFit, lmer

REFERENCE = Path(__file__).parents[1] / "reference/lmm"
Method = Literal["satterthwaite", "kenward-roger"]
NUM_DF, DEN_DF, F, P = range(4)


@dataclass(frozen=True)
class Model:
    """A formula with the columns that mean something in it: outcome y, a covariate x, groups; and options."""

    file: str
    formula: str
    y: str
    x: str
    groups: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)

    def data(self) -> pd.DataFrame:
        """With `x`, so that each model has a covariate that is not whole numbers."""
        data = pd.read_csv(REFERENCE / f"{self.file}.csv")
        return data.assign(x=np.random.default_rng(5).uniform(0, 3, len(data)))

    def fitted(self, data: pd.DataFrame, method: Method, formula: str = "") -> MixedFit:
        return lmer(formula or self.formula, data, ddf=method, **self.options)


MODELS = {
    "crossed": Model("small", "y ~ arm * time + x + (1 | pid) + (1 | scenario)", "y", "x", ("pid", "scenario")),
    "nested": Model("Machines", "score ~ Machine + x + (1 | Worker/Machine)", "score", "x", ("Worker",)),
    "slopes": Model("sleepstudy", "Reaction ~ Days + (Days | Subject)", "Reaction", "Days", ("Subject",)),
    "weighted": Model(
        "weighted",
        "y ~ arm + x + (tnum | pid) + (1 | scenario)",
        "y",
        "x",
        ("pid", "scenario"),
        {"weights": "w", "offset": "o"},
    ),
    "weighted slopes": Model(
        "weighted", "y ~ arm + x + (x | scenario) + (1 | pid)", "y", "x", ("pid", "scenario"), {"weights": "w"}
    ),
}  # fmt: skip

each_model = pytest.mark.parametrize("name", MODELS)
each_method = pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger"])
seeds = st.integers(0, 2**32 - 1)
shifts = st.floats(-1e3, 1e3)
scales = st.floats(1e-3, 1e3)
signs = st.sampled_from([-1.0, 1.0])
few = settings(max_examples=6, deadline=None)


@cache
def rows(name: str) -> pd.DataFrame:
    return MODELS[name].data()


@cache
def unchanged(name: str, method: Method) -> MixedFit:
    return MODELS[name].fitted(rows(name), method)


def of_coefficients(fit: MixedFit) -> np.ndarray:
    """df, t and p of each, (p, 3)."""
    return fit.coefficients[["df", "statistic", "p"]].to_numpy()


def of_terms(fit: MixedFit) -> np.ndarray:
    """Degrees of freedom, F and p of each, (terms, 4)."""
    return anova(fit)[["num_df", "den_df", "F", "p"]].to_numpy(dtype=float)


def same(found: Any, expected: Any, *, rtol: float = 1e-5, atol: float = 1e-9) -> None:
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def same_tests(found: MixedFit, expected: MixedFit) -> None:
    """And the same criterion."""
    same(of_coefficients(found), of_coefficients(expected))
    same(of_terms(found), of_terms(expected))
    same(found.criterion, expected.criterion, rtol=1e-10)


@each_model
@each_method
@given(seed=seeds)
@few
def test_the_order_of_the_rows_changes_no_test(name: str, method: Method, seed: int) -> None:
    model = MODELS[name]
    data = rows(name)
    same_tests(model.fitted(data.sample(frac=1, random_state=seed), method), unchanged(name, method))


@each_model
@each_method
@given(seed=seeds)
@few
def test_other_names_of_the_groups_change_no_test(name: str, method: Method, seed: int) -> None:
    model = MODELS[name]
    data = rows(name)
    chance = np.random.default_rng(seed)
    names = {
        group: dict(zip(data[group].unique(), chance.permutation(1000).astype(str), strict=False))
        for group in model.groups
    }
    renamed = data.assign(**{group: data[group].map(new) for group, new in names.items()})
    same_tests(model.fitted(renamed, method), unchanged(name, method))


@each_model
@each_method
@given(shift=shifts, scale=scales, sign=signs)
@few
def test_the_outcomes_units_change_no_test(
    name: str, method: Method, shift: float, scale: float, sign: float
) -> None:
    model = MODELS[name]
    data = rows(name)
    known = {"o": sign * scale * data["o"]} if "offset" in model.options else {}
    other = data.assign(**{model.y: shift + sign * scale * data[model.y]}, **known)
    found, expected = model.fitted(other, method), unchanged(name, method)
    same(of_coefficients(found)[1:], of_coefficients(expected)[1:] * [1, sign, 1])
    same(of_terms(found), of_terms(expected))
    same(found.sigma, scale * expected.sigma)
    same(found.theta, expected.theta, rtol=1e-4, atol=1e-6)


@each_model
@each_method
@given(shift=shifts, scale=scales, sign=signs)
@few
def test_a_covariates_units_change_no_test(
    name: str, method: Method, shift: float, scale: float, sign: float
) -> None:
    """With a random slope of it too, as long as that has an intercept that it is correlated with."""
    model = MODELS[name]
    data = rows(name)
    found = model.fitted(data.assign(**{model.x: shift + sign * scale * data[model.x]}), method)
    expected = unchanged(name, method)
    place = expected.terms.index(model.x)
    same(of_coefficients(found)[place], of_coefficients(expected)[place] * [1, sign, 1])
    same(of_terms(found), of_terms(expected))
    same(found.sigma, expected.sigma)
    same(found.beta[place] * sign * scale, expected.beta[place])


@pytest.mark.parametrize("name", ["weighted", "weighted slopes"])
@each_method
@given(scale=scales)
@few
def test_the_units_of_weights_change_no_test(name: str, method: Method, scale: float) -> None:
    model = MODELS[name]
    data = rows(name)
    found, expected = model.fitted(data.assign(w=scale * data["w"]), method), unchanged(name, method)
    same_tests(found, expected)
    same(found.sigma, np.sqrt(scale) * expected.sigma)
    same(np.array(found.theta) * np.sqrt(scale), expected.theta, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["crossed", "weighted"])
@each_method
@given(order=st.permutations(["A_control", "B_warm", "C_firm"]))
@few
def test_other_names_and_another_order_of_levels_change_no_test_of_terms(
    name: str, method: Method, order: list[str]
) -> None:
    """Another level comes first, so that coefficients mean something else; type 3 tests do not.

    Save that the denominator by Satterthwaite depends on the basis where a term has several degrees of freedom.
    """
    model = MODELS[name]
    data = rows(name)
    other = data.assign(arm=pd.Categorical(data["arm"], order).rename_categories(["p", "q", "r"]))
    found, expected = of_terms(model.fitted(other, method)), of_terms(unchanged(name, method))
    same(found[:, [NUM_DF, F]], expected[:, [NUM_DF, F]])
    free_of_basis = (expected[:, NUM_DF] == 1) | (method == "kenward-roger")
    assert free_of_basis.any()
    same(found[free_of_basis], expected[free_of_basis])


@each_method
@given(weights=st.lists(st.integers(1, 3), min_size=72, max_size=72))
@few
def test_a_weight_of_two_is_not_two_rows_but_half_the_variance(method: Method, weights: list[int]) -> None:
    """Rows multiplied by the weights' roots, and so their intercept, have the residual variance of one."""
    data = rows("crossed").assign(w=weights)
    data["root"] = np.sqrt(data["w"])
    rooted = data.assign(y=data["y"] * data["root"], x=data["x"] * data["root"])
    found = lmer("y ~ x + (1 | pid) + (1 | scenario)", data, weights="w", ddf=method)
    by_hand = lmer("y ~ 0 + root + x + (0 + root | pid) + (0 + root | scenario)", rooted, ddf=method)
    same(of_coefficients(found), of_coefficients(by_hand))
    same(found.theta, by_hand.theta, rtol=1e-4, atol=1e-6)
    same(found.criterion + np.log(data["w"]).sum(), by_hand.criterion, rtol=1e-8)
