"""Prior weights and an offset against lme4 1.1-31 and lmerTest 3.1-3 (lmm/weighted.R wrote the numbers)."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.designs import model_data
from forethought.analysis.lmm.satterthwaite import satterthwaite
from forethought.analysis.lmm.solution import Solution, mixed_design
from forethought.grammar import parse_formula

HERE = Path(__file__).parent / "lmm"
FORMULA = "y ~ arm * time + (tnum | pid) + (1 | scenario)"

each_criterion = pytest.mark.parametrize("name", ["reml", "ml"])


@cache
def expected(name: str) -> dict[str, Any]:
    return json.loads((HERE / "weighted.json").read_text())[name]


@cache
def solved(name: str) -> Solution:
    frame = pd.read_csv(HERE / "weighted.csv")
    data = model_data(parse_formula(FORMULA), frame)
    data = replace(data, weights=frame["w"].to_numpy(), offset=frame["o"].to_numpy())
    return mixed_design(data).solve(reml=name == "reml")


@each_criterion
def test_the_weighted_criterion_agrees(name: str) -> None:
    assert solved(name).criterion == pytest.approx(-2 * expected(name)["logLik"], rel=1e-8)


@each_criterion
def test_weighted_coefficients_agree(name: str) -> None:
    np.testing.assert_allclose(solved(name).beta, expected(name)["beta"], rtol=1e-5)


@each_criterion
def test_weighted_standard_errors_agree(name: str) -> None:
    np.testing.assert_allclose(np.sqrt(np.diag(solved(name).vcov)), expected(name)["se"], rtol=1e-5)


@each_criterion
def test_the_weighted_residual_deviation_agrees(name: str) -> None:
    assert solved(name).sigma == pytest.approx(expected(name)["sigma"], rel=1e-5)


@each_criterion
def test_weighted_variances_agree(name: str) -> None:
    np.testing.assert_allclose(solved(name).theta, expected(name)["theta"], rtol=1e-4, atol=1e-6)


@each_criterion
def test_weighted_degrees_of_freedom_agree(name: str) -> None:
    found = satterthwaite(solved(name))
    np.testing.assert_allclose([found.df(row) for row in np.eye(6)], expected(name)["df"], rtol=1e-4)
