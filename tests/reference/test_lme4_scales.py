"""Covariates in bad units against lme4 1.1-31: with x = (x + shift) times scale, its optimum is known exactly.

beta' = T beta, Sigma' = T Sigma T' with T = [[1, -shift], [0, 1/scale]], and the REML criterion rises by 2 log scale
where x is a fixed effect. lme4's own fits of such columns stop early. Numbers: tests/reference/lmm (fit.R).
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import MixedFit, lmer

HERE = Path(__file__).parent / "lmm"

COVARIATES = {"sleep_slope": "Days", "boundary": "x", "boundary2": "x", "study1_slope": "tnum"}
FILES = {
    "sleep_slope": "sleepstudy",
    "boundary": "boundary",
    "boundary2": "boundary",
    "study1_slope": "study1",
}
SINGULAR = ("boundary", "boundary2")
"""Of rank 1: correlations of -1 and 1."""

UNITS = {
    "of 1e-4": (0.0, 1e-4),
    "of 1e6": (0.0, 1e6),
    "a million on": (1e6, 1.0),
    "a million before, of 1e-4": (-1e6, 1e-4),
}

each_unit = pytest.mark.parametrize("unit", UNITS)
each_model = pytest.mark.parametrize("name", COVARIATES)
each_with_fixed_slope = pytest.mark.parametrize(
    "name", [name for name in COVARIATES if name != "study1_slope"]
)


@cache
def reference(name: str) -> dict[str, Any]:
    return json.loads((HERE / f"{name}.json").read_text())


@cache
def fitted(
    name: str, unit: str, ddf: Literal["satterthwaite", "kenward-roger"] = "satterthwaite"
) -> MixedFit:
    data, (shift, scale) = pd.read_csv(HERE / f"{FILES[name]}.csv"), UNITS[unit]
    covariate = COVARIATES[name]
    changed = data.assign(**{covariate: (data[covariate] + shift) * scale})
    return lmer(reference(name)["formula"], changed, ddf=ddf)


def turn(unit: str) -> np.ndarray:
    """T."""
    shift, scale = UNITS[unit]
    return np.array([[1.0, -shift], [0.0, 1 / scale]])


def lower(theta: Sequence[float]) -> np.ndarray:
    """Lambda of one group with two effects."""
    a, b, c = theta
    return np.array([[a, 0.0], [b, c]])


def expected_theta(name: str, unit: str) -> np.ndarray:
    """Lambda' is the lower triangle of T Lambda, group by group."""
    turned = []
    for a, b, c in np.reshape(reference(name)["tight"]["theta"], (-1, 3)):
        found = np.linalg.qr((turn(unit) @ lower((a, b, c))).T, mode="r").T
        found *= np.where(np.diag(found) < 0, -1.0, 1.0)
        turned += [found[0, 0], found[1, 0], found[1, 1]]
    return np.array(turned)


@each_model
@each_unit
def test_the_criterion_in_bad_units_agrees(name: str, unit: str) -> None:
    rise = 0.0 if name == "study1_slope" else 2 * np.log(UNITS[unit][1])
    assert fitted(name, unit).criterion == pytest.approx(reference(name)["tight"]["crit"] + rise, rel=1e-8)


@pytest.mark.parametrize("name", [name for name in COVARIATES if name not in SINGULAR])
@each_unit
def test_theta_in_bad_units_agrees(name: str, unit: str) -> None:
    np.testing.assert_allclose(fitted(name, unit).theta, expected_theta(name, unit), rtol=1e-4)


@pytest.mark.parametrize("name", SINGULAR)
@each_unit
def test_relative_covariances_of_rank_1_in_bad_units_agree(name: str, unit: str) -> None:
    """Theta's last entry is rounding there, of the size of the others."""
    found, expected = (lower(theta) for theta in (fitted(name, unit).theta, expected_theta(name, unit)))
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, rtol=1e-4)


@each_model
@each_unit
def test_sigma_in_bad_units_agrees(name: str, unit: str) -> None:
    assert fitted(name, unit).sigma == pytest.approx(reference(name)["tight"]["sigma"], rel=1e-5)


@each_with_fixed_slope
@each_unit
def test_the_coefficients_in_bad_units_agree(name: str, unit: str) -> None:
    beta = np.array([row[0] for row in reference(name)["satt"]["tab"]])
    np.testing.assert_allclose(fitted(name, unit).beta, turn(unit) @ beta, rtol=1e-5)


@each_with_fixed_slope
@each_unit
def test_the_covariance_of_the_coefficients_in_bad_units_agrees(name: str, unit: str) -> None:
    vcov = np.reshape(reference(name)["tight"]["vcov"], (2, 2))
    expected = turn(unit) @ vcov @ turn(unit).T
    np.testing.assert_allclose(fitted(name, unit).vcov, expected, rtol=2e-5)


@each_with_fixed_slope
@each_unit
def test_the_slopes_satterthwaite_test_in_bad_units_agrees(name: str, unit: str) -> None:
    _, _, df, statistic, p = reference(name)["satt"]["tab"][1]
    found = fitted(name, unit).coefficients.iloc[1]
    assert found["df"] == pytest.approx(df, rel=1e-4)
    assert (found["statistic"], found["p"]) == (
        pytest.approx(statistic, rel=1e-5),
        pytest.approx(p, abs=1e-8),
    )


@each_unit
def test_the_slopes_kenward_roger_test_in_bad_units_agrees(unit: str) -> None:
    _, _, df, statistic, p = reference("sleep_slope")["kr"]["tab"][1]
    found = fitted("sleep_slope", unit, "kenward-roger").coefficients.iloc[1]
    assert (found["df"], found["statistic"]) == (
        pytest.approx(df, rel=1e-4),
        pytest.approx(statistic, rel=1e-5),
    )
    assert found["p"] == pytest.approx(p, abs=1e-8)


def test_coefficients_without_a_fixed_slope_do_not_depend_on_its_units() -> None:
    expected = [row[:3] for row in reference("study1_slope")["satt"]["tab"]]
    for unit in UNITS:
        found = fitted("study1_slope", unit).coefficients[["estimate", "se", "df"]]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@each_model
@each_unit
def test_fits_in_bad_units_have_converged_and_are_as_singular_as_in_good_ones(name: str, unit: str) -> None:
    assert (fitted(name, unit).converged, fitted(name, unit).singular) == (True, name in SINGULAR)
