"""The Laplace deviance's exact gradient against differences, and its elimination against dense algebra."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.designs import fixed_design, model_data
from forethought.analysis.glmm import elimination
from forethought.analysis.glmm.elimination import eliminate, layout_of
from forethought.analysis.glmm.laplace import laplace
from forethought.analysis.glmm.outcomes import Binomial, Poisson
from forethought.analysis.glmm.pirls import Model, modes
from forethought.analysis.lmm.covariance import random_design
from forethought.grammar import parse_formula

DATA = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/small.csv")

FORMULAS = (
    "ycount ~ arm + (1 | pid)",
    "ybin ~ arm + (1 | pid) + (1 | scenario)",
    "ycount ~ arm * time + (tnum | pid) + (1 | scenario)",
    "ybin ~ arm + (1 | pid) + (tnum | scenario)",
    "ycount ~ arm + (tnum || pid) + (1 | scenario) + (1 | arm:scenario)",
)

each_model = pytest.mark.parametrize("formula", FORMULAS)


@cache
def model(formula: str) -> Model:
    data = model_data(parse_formula(formula), DATA)
    fixed = fixed_design(data)
    outcome = Poisson(fixed.y) if "ycount" in formula else Binomial(fixed.y, np.ones_like(fixed.y))
    return Model(outcome, fixed.X, np.zeros(len(fixed.y)), layout_of(random_design(data)))


def somewhere(formula: str) -> np.ndarray:
    drawn = np.random.default_rng(11).normal(0.3, 0.3, model(formula).layout.random.n_theta)
    return np.concatenate([drawn, np.full(model(formula).Q.shape[1], 0.1)])


def no_modes(formula: str) -> np.ndarray:
    return np.zeros(model(formula).layout.q)


@each_model
def test_the_laplace_gradient_is_that_of_differences(formula: str) -> None:
    start, u = somewhere(formula), no_modes(formula)
    steps = 1e-4 * np.eye(len(start))
    ahead = [laplace(model(formula), start + step, u).deviance for step in steps]
    behind = [laplace(model(formula), start - step, u).deviance for step in steps]
    expected = (np.array(ahead) - np.array(behind)) / 2e-4
    np.testing.assert_allclose(laplace(model(formula), start, u).gradient, expected, rtol=1e-6, atol=1e-5)


@each_model
def test_the_elimination_is_that_of_the_dense_matrix(formula: str) -> None:
    layout = model(formula).layout
    loadings = layout.loadings(somewhere(formula)[: layout.random.n_theta])
    weights = np.random.default_rng(3).uniform(0.1, 2, len(DATA))
    Z = np.hstack([loadings.first().toarray(), loadings.rest().toarray()])
    S = Z.T @ (weights[:, None] * Z) + np.eye(layout.q)
    found = eliminate(loadings, weights)
    np.testing.assert_allclose(found.solve(np.eye(layout.q)), np.linalg.inv(S), atol=1e-10)
    assert found.logdet == pytest.approx(np.linalg.slogdet(S)[1])


@each_model
def test_rows_in_chunks_give_the_same_entries(formula: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = model(formula).layout
    loadings = layout.loadings(somewhere(formula)[: layout.random.n_theta])
    found = eliminate(loadings, np.ones(len(DATA)))
    whole = found.own_entries()
    monkeypatch.setattr(elimination, "CHUNK", 100)
    for mine, theirs in zip(found.own_entries(), whole, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)


@each_model
def test_at_the_modes_the_penalised_score_is_zero(formula: str) -> None:
    start = somewhere(formula)
    n_theta = model(formula).layout.random.n_theta
    found = modes(model(formula), start[:n_theta], start[n_theta:], no_modes(formula))
    residual = model(formula).outcome.y - found.moments.mean
    np.testing.assert_allclose(found.loadings.transposed(residual), found.u, atol=1e-8)


@each_model
def test_the_laplace_deviance_is_even_in_theta(formula: str) -> None:
    start = somewhere(formula)
    flips = np.ones(len(start))
    flips[: model(formula).layout.random.n_theta] = -1
    turned = laplace(model(formula), flips * start, no_modes(formula)).deviance
    assert turned == pytest.approx(laplace(model(formula), start, no_modes(formula)).deviance, rel=1e-12)
