"""Simultaneous inference by the multivariate t against mvtnorm 1.1-3, scipy and emmeans. Script: tests/reference/lmm/emmeans.R."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.emmeans import Contrasts, MarginalMeans, emmeans
from forethought.analysis.lmm import lmer
from forethought.analysis.ols import ols

HERE = Path(__file__).parent / "lmm"
EXPECTED = json.loads((HERE / "emmeans.json").read_text())
STUDIES = {name: json.loads((HERE / f"{name}.json").read_text()) for name in ("small", "study1")}
FOUR = {"a": ["a1", "a2", "a3", "a4"]}


@cache
def data() -> pd.DataFrame:
    return pd.read_csv(HERE / "emmeans.csv")


def additive(specs: str = "a", **options: Any) -> MarginalMeans:
    return emmeans(ols("y ~ a + b + x + log(z)", data()), specs, **options)


MULTIVARIATE: dict[str, Callable[[], Contrasts]] = {
    "control3": lambda: additive("b").contrasts("trt.vs.ctrl"),
    "control4": lambda: additive(at=FOUR).contrasts("trt.vs.ctrl"),
    "control5": lambda: additive().contrasts("trt.vs.ctrl"),
    "pairs3": lambda: additive("b").contrasts(adjust="mvt"),
    "pairs4": lambda: additive(at=FOUR).contrasts(adjust="mvt"),
    "pairs5": lambda: additive().contrasts(adjust="mvt"),
    "consec5": lambda: additive().contrasts("consec"),
    "one_way": lambda: emmeans(ols("y ~ a", data()), "a").contrasts("trt.vs.ctrl"),
}


@pytest.mark.parametrize("name", MULTIVARIATE)
def test_the_exact_multivariate_t_agrees_with_mvtnorm_at_a_tight_tolerance(name: str) -> None:
    """mvtnorm's pmvt with abseps 1e-7 states errors to 1.2e-6; ours are a fixed share of p, 3e-6 at rank 4."""
    expected = EXPECTED["mvt"][name]
    np.testing.assert_allclose(MULTIVARIATE[name]().table["p"], expected["p"], rtol=2e-5, atol=3e-7)


def test_the_simultaneous_bound_against_a_control_agrees_with_qmvt() -> None:
    """qmvt's own tolerance is 1e-3."""
    table = MULTIVARIATE["one_way"]().table
    bounds = (table["ci_high"] - table["estimate"]) / table["se"]
    np.testing.assert_allclose(bounds, EXPECTED["mvt"]["one_way"]["quantile"], rtol=1e-3)


def test_dunnett_of_independent_groups_agrees_with_scipy() -> None:
    """scipy.stats.dunnett integrates by randomised quasi-Monte Carlo, to about 1e-4."""
    from scipy.stats import dunnett

    groups = [data().loc[data()["a"] == level, "y"] for level in ("a1", "a2", "a3", "a4", "a5")]
    found = dunnett(*groups[1:], control=groups[0], rng=np.random.default_rng(1))
    np.testing.assert_allclose(MULTIVARIATE["one_way"]().table["p"], found.pvalue, atol=5e-4)


@pytest.mark.parametrize("name", STUDIES)
def test_the_multivariate_t_agrees_with_the_simulated_one_of_emmeans(name: str) -> None:
    fit = lmer("y ~ arm*time + (1|pid) + (1|scenario)", pd.read_csv(HERE / f"{name}.csv"))
    found = emmeans(fit, "arm", by="time").contrasts(adjust="mvt").table
    expected = [row["p.value"] for row in STUDIES[name]["pairs_mvt"]]
    np.testing.assert_allclose(found["p"], expected, atol=5e-4)
