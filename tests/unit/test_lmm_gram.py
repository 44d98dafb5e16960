"""Z'V^-1 Z by blocks against the dense matrix, n x n."""

from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.designs import fixed_design, model_data
from forethought.analysis.lmm.covariance import Block, RandomDesign, random_design
from forethought.analysis.lmm.crossings import dense_crossings, sparse_crossings
from forethought.analysis.lmm.deviance import ProfiledDeviance
from forethought.analysis.lmm.gradient import scores
from forethought.analysis.lmm.gram import Gram, gram
from forethought.analysis.lmm.products import design_products
from forethought.analysis.lmm.standard import basis_of, standardized
from forethought.grammar import parse_formula

DATA = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/small.csv")

FORMULAS = (
    "y ~ arm + (1 | pid)",
    "y ~ arm * time + (tnum | pid)",
    "y ~ arm + (1 | pid) + (1 | scenario)",
    "y ~ arm * time + (tnum || pid) + (1 | scenario)",
    "y ~ arm * time + (tnum | pid) + (tnum | scenario)",
    "y ~ arm + (1 | arm:scenario) + (1 | pid) + (tnum | scenario)",
)

each_model = pytest.mark.parametrize("formula", FORMULAS)
each_edge = pytest.mark.parametrize("edge", [False, True])


def columns(block: Block) -> np.ndarray:
    """Z of one block, (n, m k)."""
    found = np.zeros((len(block.codes), block.m, block.k))
    found[np.arange(len(block.codes)), block.codes] = block.Z
    return found.reshape(len(found), -1)


@cache
def both(formula: str, edge: bool) -> tuple[Gram, np.ndarray, RandomDesign]:
    """By blocks, and dense, at a theta within or at the edge."""
    data = model_data(parse_formula(formula), DATA)
    fixed, random = fixed_design(data), random_design(data)
    standard = standardized(basis_of(fixed.X), fixed.y)
    deviance = ProfiledDeviance(
        design_products(random, standard.basis.Q).with_outcome(standard.z), random, True
    )
    theta = np.random.default_rng(3).uniform(0.2, 1, random.n_theta) * (np.arange(random.n_theta) != edge - 1)
    pieces = zip(random.blocks, random.lambdas(theta), strict=True)
    Z = np.hstack([columns(block) for block in random.blocks])
    ZL = np.hstack([columns(block) @ np.kron(np.eye(block.m), factor) for block, factor in pieces])
    return gram(scores(deviance, theta)), Z.T @ np.linalg.solve(np.eye(len(Z)) + ZL @ ZL.T, Z), random


def elementary(random: RandomDesign, element: tuple[int, int, int]) -> np.ndarray:
    """E of one element, over all random effects."""
    place, a, b = element
    found = [np.zeros((block.size, block.size)) for block in random.blocks]
    block, own = random.blocks[place], np.zeros((random.blocks[place].k,) * 2)
    own[a, b] = own[b, a] = 1
    found[place] = np.kron(np.eye(block.m), own)
    total = np.zeros((sum(len(each) for each in found),) * 2)
    start = 0
    for each in found:
        total[start : start + len(each), start : start + len(each)] = each
        start += len(each)
    return total


@each_model
@each_edge
def test_the_product_with_columns_is_that_of_the_dense_matrix(formula: str, edge: bool) -> None:
    found, dense, random = both(formula, edge)
    chance = np.random.default_rng(8)
    U = [chance.normal(size=(block.m, block.k, 3)) for block in random.blocks]
    expected = dense @ np.concatenate([each.reshape(-1, 3) for each in U])
    product_ = np.concatenate([each.reshape(-1, 3) for each in found.times(U)])
    np.testing.assert_allclose(product_, expected, atol=1e-10 * np.abs(expected).max())


@each_model
@each_edge
def test_the_diagonal_blocks_are_those_of_the_dense_matrix(formula: str, edge: bool) -> None:
    found, dense, random = both(formula, edge)
    start = 0
    for block, diagonal in zip(random.blocks, found.diagonal(), strict=True):
        own = dense[start : start + block.size, start : start + block.size]
        expected = np.einsum("jajb->jab", own.reshape(block.m, block.k, block.m, block.k))
        np.testing.assert_allclose(diagonal, expected, atol=1e-10 * np.abs(expected).max())
        start += block.size


@each_model
@each_edge
def test_the_traces_with_elements_are_those_of_the_dense_matrix(formula: str, edge: bool) -> None:
    found, dense, random = both(formula, edge)
    expected = [np.trace(dense @ elementary(random, element)) for element in found.elements]
    np.testing.assert_allclose(found.traces(), expected, atol=1e-9 * np.abs(expected).max())


@each_model
@each_edge
def test_the_traces_with_pairs_of_elements_are_those_of_the_dense_matrix(formula: str, edge: bool) -> None:
    found, dense, random = both(formula, edge)
    with_each = [dense @ elementary(random, element) for element in found.elements]
    expected = [np.vdot(left.T, right) for left, right in product(with_each, repeat=2)]
    np.testing.assert_allclose(found.pairs().ravel(), expected, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("formula", ["y ~ arm + (1 | pid) + (1 | scenario)", FORMULAS[4]])
def test_sparse_and_dense_crossings_are_the_same(formula: str) -> None:
    first, *rest = random_design(model_data(parse_formula(formula), DATA)).blocks
    dense, sparse = dense_crossings(first, rest), sparse_crossings(first, rest)
    chance = np.random.default_rng(2)
    blocks = chance.normal(size=(first.m, first.k, first.k))
    q2 = sum(block.size for block in rest)
    U, Q = chance.normal(size=(first.m, first.k, 2)), np.cov(chance.normal(size=(q2, 50)))
    one, other = dense.times(blocks), sparse.times(blocks)
    for left, right in (
        (one.square(), other.square()),
        (one.between(0, first.k - 1), other.between(0, first.k - 1)),
        (one.onto(U), other.onto(U)),
        (one.back(Q), other.back(Q)),
        (one.within(Q), other.within(Q)),
    ):
        np.testing.assert_allclose(left, right, atol=1e-10 * np.abs(left).max())
