"""Designs out of the ordinary against lme4 and lmerTest: codings, weights, offsets, slopes of categories, dependent columns.

Numbers and script: tests/reference/lmm/designs.R.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.designs import effect_columns, fixed_design, model_data
from forethought.analysis.lmm import MixedFit, lmer
from forethought.grammar import parse_formula

HERE = Path(__file__).parent / "lmm"
REFERENCE = json.loads((HERE / "designs.json").read_text())
MODELS = REFERENCE["models"]

DATA = {
    "sum": "small",
    "helmert": "small",
    "poly": "small",
    "weights_crossed": "small",
    "offset_both": "small",
    "no_main_effects": "small",
    "no_intercept": "small",
    "empty_cell": "empty",
    "nested": "Machines",
    "joined": "Machines",
    "missing": "holes",
}
"""Which data a model has where it is not sleepstudy."""

OPTIONS: dict[str, dict[str, Any]] = {
    "sum": {"contrasts": {"arm": "contr.sum", "time": "Sum"}},
    "weights": {"weights": "w"},
    "weights_ml": {"weights": "w", "reml": False},
    "weights_crossed": {"weights": "w"},
    "offset_both": {"weights": "w", "offset": "tnum"},
    "missing": {"weights": "w", "missing": "drop"},
}

STUCK = "uncorrelated_levels"
"""An intercept beside every level: lme4 stops at a local optimum of a model that has the same fit as `cells_of_levels`."""

each_model = pytest.mark.parametrize("name", [name for name in MODELS if name != STUCK])
each_regular_model = pytest.mark.parametrize(
    "name", [name for name in MODELS if not MODELS[name]["singular"]]
)


@cache
def frame(name: str) -> pd.DataFrame:
    """The data as designs.R makes them."""
    if name == "small":
        data = pd.read_csv(HERE / "small.csv")
        row = np.arange(1, len(data) + 1)
        return data.assign(w=0.5 + row % 5 / 2, known=np.sin(row))
    if name == "empty":
        small = frame("small")
        return small[~((small["arm"] == "B_warm") & (small["time"] == "b_post"))]
    if name == "Machines":
        return pd.read_csv(HERE / "Machines.csv")
    data = pd.read_csv(HERE / "sleepstudy.csv")
    days = data["Days"].astype(float)
    data = data.assign(Days=days, w=1 + days % 3, known=days**2, tiny=days * 1e-4)
    data["late"] = np.where(days > 4, "late", "early")
    data["phase"] = (days % 3).map({0: "a", 1: "b", 2: "c"})
    if name == "holes":
        data.loc[[2, 49, 50], "Reaction"] = np.nan
        data.loc[[9, 119], "Days"] = np.nan
        data.loc[76, "w"] = np.nan
    return data


@cache
def fitted(name: str) -> MixedFit:
    data = frame(DATA.get(name, "sleepstudy"))
    return lmer(MODELS[name]["formula"], data, **OPTIONS.get(name, {}))


@each_model
def test_the_criterion_of_the_design_agrees_to_eight_digits(name: str) -> None:
    assert fitted(name).criterion == pytest.approx(MODELS[name]["crit"], rel=1e-8)


@each_model
def test_the_log_likelihood_of_the_design_agrees(name: str) -> None:
    assert fitted(name).log_likelihood == pytest.approx(MODELS[name]["logLik"], rel=1e-8)


@each_model
def test_the_coefficients_of_the_design_agree(name: str) -> None:
    np.testing.assert_allclose(fitted(name).coefficients["estimate"], MODELS[name]["beta"], rtol=1e-5)


@each_model
def test_the_standard_errors_of_the_design_agree(name: str) -> None:
    np.testing.assert_allclose(fitted(name).coefficients["se"], MODELS[name]["se"], rtol=1e-5)


@each_model
def test_satterthwaites_degrees_of_freedom_of_the_design_agree(name: str) -> None:
    np.testing.assert_allclose(fitted(name).coefficients["df"], MODELS[name]["df"], rtol=1e-4)


@each_regular_model
def test_theta_of_the_design_agrees(name: str) -> None:
    np.testing.assert_allclose(fitted(name).theta, MODELS[name]["theta"], rtol=1e-4)


@each_model
def test_sigma_of_the_design_agrees(name: str) -> None:
    assert fitted(name).sigma == pytest.approx(MODELS[name]["sigma"], rel=1e-5)


@each_model
def test_the_design_has_as_many_rows(name: str) -> None:
    assert fitted(name).n_obs == MODELS[name]["nobs"]


def test_levels_beside_an_intercept_reach_the_optimum_that_lme4_misses() -> None:
    assert fitted(STUCK).criterion == pytest.approx(MODELS["cells_of_levels"]["crit"], rel=1e-8)
    assert fitted(STUCK).criterion < MODELS[STUCK]["crit"] - 1


@each_model
def test_as_many_columns_are_dropped(name: str) -> None:
    assert len(fitted(name).fixed.dropped) == len(MODELS[name]["dropped"])


@pytest.mark.parametrize("name", ["empty_cell", "no_main_effects", "dependent"])
def test_the_dropped_columns_are_those_of_lme4(name: str) -> None:
    dropped = [spelled_in_r(column).replace(" ", "") for column in fitted(name).fixed.dropped]
    assert [parts(one) for one in dropped] == [parts(one.replace(" ", "")) for one in MODELS[name]["dropped"]]


def spelled_in_r(column: str) -> str:
    """`arm[T.warm]:x` is `armwarm:x` there."""
    return re.sub(r"\[(?:T\.)?([^\]]*)\]", r"\1", column).replace("Intercept", "(Intercept)")


def parts(column: str) -> set[str]:
    """An interaction's factors: R orders them by their first place in the formula, we as the term is written."""
    return set(column.split(":"))


@pytest.mark.parametrize("effects", REFERENCE["columns"])
def test_columns_are_coded_as_in_rs_model_matrix(effects: str) -> None:
    trial = pd.MultiIndex.from_product([range(2), ["c1", "c2"], ["b1", "b2"], ["a1", "a2", "a3"]]).to_frame()
    trial.columns = ["r", "c", "b", "a"]
    trial = trial.assign(x=np.arange(1, 25) ** 1.3, y=np.arange(24.0)).reset_index(drop=True)
    formula = parse_formula(f"y ~ {effects}")
    names, _ = effect_columns(formula.fixed, model_data(formula, trial).frame)
    assert [parts(spelled_in_r(name)) for name in names] == [parts(n) for n in REFERENCE["columns"][effects]]


@pytest.mark.parametrize(
    ("coding", "name"),
    [("Sum", "sum"), ("Helmert", "helmert"), ("Poly", "poly"), ("Treatment('c')", "treatment")],
)
def test_codings_have_rs_numbers(coding: str, name: str) -> None:
    expected = np.array(REFERENCE["contrasts"][name], dtype=float)
    levels = list("abcdefgh"[: len(expected)])
    data = pd.DataFrame({"y": np.arange(2.0 * len(levels)), "g": levels * 2})
    coding_of = fixed_design(model_data(parse_formula(f"y ~ C(g, {coding})"), data)).coding
    found = coding_of.columns(pd.DataFrame({"g": levels}))[:, 1:]
    np.testing.assert_allclose(found, expected, atol=1e-14)
