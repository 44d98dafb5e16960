"""Kenward and Roger's inference by blocks against dense matrices, n x n, and what it refuses."""

import tracemalloc
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.designs import model_data
from forethought.analysis.lmm import lmer
from forethought.analysis.lmm.covariance import Block
from forethought.analysis.lmm.kenward_roger import KenwardRoger, kenward_roger
from forethought.analysis.lmm.solution import Solution, mixed_design
from forethought.errors import ModelNotFitted
from forethought.grammar import parse_formula

HERE = Path(__file__).parents[1] / "reference/lmm"
DATA = pd.read_csv(HERE / "terms.csv")

FORMULAS = (
    "y ~ a * x + (1 | g)",
    "y ~ a + x + (x || g) + (z | h)",
    "y ~ a * c + (x | g) + (z || h) + (1 | a:h)",
    "flat ~ a + x + (x | g)",
)

each_model = pytest.mark.parametrize("formula", FORMULAS)
each_weighting = pytest.mark.parametrize("weighted", [False, True])


@cache
def solved(formula: str, weighted: bool) -> Solution:
    data = model_data(parse_formula(formula), DATA)
    weights = np.random.default_rng(5).uniform(0.5, 2, len(DATA)) if weighted else None
    return mixed_design(replace(data, weights=weights)).solve()


def directions(solution: Solution) -> list[np.ndarray]:
    """The derivatives of the covariance of y by each variance and covariance, and by the residual's: (n, n) each."""
    found = []
    for block in solution.design.random.blocks:
        Z = columns(block)
        for piece in block.pieces:
            for a, b in zip(*piece.entries, strict=True):
                product = Z[:, :, a] @ Z[:, :, b].T
                found.append(product + product.T if a != b else product)
    weights = solution.design.data.weights
    return [*found, np.eye(len(DATA)) if weights is None else np.diag(1 / weights)]


def columns(block: Block) -> np.ndarray:
    """Z of one block, (n, m, k)."""
    Z = np.zeros((len(block.codes), block.m, block.k))
    Z[np.arange(len(Z)), block.codes] = block.Z
    return Z


def covariance(solution: Solution) -> np.ndarray:
    """Of y, (n, n)."""
    total = directions(solution)[-1]
    lambdas = solution.design.random.lambdas(solution.optimum.theta)
    for block, factor in zip(solution.design.random.blocks, lambdas, strict=True):
        ZL = (columns(block) @ factor).reshape(len(DATA), -1)
        total = total + ZL @ ZL.T
    return solution.sigma**2 * total


def dense(solution: Solution) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Phi, the adjusted covariance, the P_i and W, as Kenward and Roger write them."""
    X, inverse, G = solution.design.fixed.X, np.linalg.inv(covariance(solution)), directions(solution)
    Phi = np.linalg.inv(X.T @ inverse @ X)
    H = [inverse @ one @ inverse for one in G]
    P = np.array([-X.T @ one @ X for one in H])
    Q = np.array([[X.T @ one @ other @ inverse @ X for other in G] for one in H])
    traces = np.array([[np.sum((inverse @ one) * (inverse @ other).T) for other in G] for one in G])
    of_fixed = 2 * np.einsum("ab,ijba->ij", Phi, Q) - np.einsum("ab,ibc,cd,jda->ij", Phi, P, Phi, P)
    W = 2 * np.linalg.inv(traces - of_fixed)
    U = np.einsum("ij,ijab->ab", W, Q - np.einsum("iab,bc,jcd->ijad", P, Phi, P))
    return Phi, Phi + Phi @ (U + U.T) @ Phi, P, W


def dense_df(L: np.ndarray, parts: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]) -> float:
    Phi, _, P, W = parts
    q = len(L)
    Theta = L.T @ np.linalg.solve(L @ Phi @ L.T, L)
    moved = [Theta @ Phi @ one @ Phi for one in P]
    A1 = sum(W[i, j] * np.trace(a) * np.trace(b) for i, a in enumerate(moved) for j, b in enumerate(moved))
    A2 = sum(W[i, j] * np.trace(a @ b) for i, a in enumerate(moved) for j, b in enumerate(moved))
    B, g = (A1 + 6 * A2) / (2 * q), ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
    c1, c2, c3 = np.array([g, q - g, q + 2 - g]) / (3 * q + 2 * (1 - g))
    mean, variance = 1 / (1 - A2 / q), 2 / q * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
    rho = variance / (2 * mean**2)
    return 4 + (q + 2) / (q * rho - 1)


@each_model
@each_weighting
def test_the_adjusted_covariance_is_that_of_dense_matrices(formula: str, weighted: bool) -> None:
    solution = solved(formula, weighted)
    adjusted = dense(solution)[1]
    np.testing.assert_allclose(
        kenward_roger(solution).vcov, adjusted, rtol=1e-7, atol=1e-9 * np.abs(adjusted).max()
    )


@each_model
@each_weighting
def test_degrees_of_freedom_are_those_of_dense_matrices(formula: str, weighted: bool) -> None:
    solution = solved(formula, weighted)
    inference, parts = kenward_roger(solution), dense(solution)
    for weights in np.eye(len(solution.beta)):
        assert inference.df(weights) == pytest.approx(dense_df(weights[None], parts), rel=1e-6)


@each_model
@each_weighting
def test_the_denominator_of_several_is_that_of_dense_matrices(formula: str, weighted: bool) -> None:
    solution = solved(formula, weighted)
    L = np.eye(len(solution.beta))[1:]
    tested = kenward_roger(solution).test(L, solution.beta)
    assert tested.den_df == pytest.approx(dense_df(L, dense(solution)), rel=1e-6)


def one_mean(rows: int) -> KenwardRoger:
    """Of independent rows with one mean: P = -1 and W = 2 / (rows - 1)."""
    parts = [np.full(shape, value) for shape, value in (((1, 1), 1.0), ((1, 1, 1), -1.0))]
    return KenwardRoger(parts[0], parts[0], parts[1], np.array([[2.0 / (rows - 1)]]))


@pytest.mark.parametrize("rows", [2, 3, 4, 5, 6, 50])
def test_independent_rows_have_the_residuals_degrees_of_freedom(rows: int) -> None:
    assert one_mean(rows).df(np.ones(1)) == pytest.approx(rows - 1)


def test_a_fit_by_maximum_likelihood_is_refused() -> None:
    fit = lmer("y ~ a + (1 | g)", DATA, reml=False)
    with pytest.raises(ModelNotFitted, match="belongs to REML"):
        fit.inference("kenward-roger")


def test_no_matrix_of_rows_by_rows_is_made() -> None:
    """Of the study's 2,904 rows one would take 67 MB."""
    fit = lmer("y ~ arm * time + (tnum | pid) + (tnum | scenario)", pd.read_csv(HERE / "study1.csv"))
    tracemalloc.start()
    kenward_roger(fit.solution)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
