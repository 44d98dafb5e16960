"""The exact derivatives against differences, and the optimiser against itself."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.designs import fixed_design, model_data
from forethought.analysis.lmm.covariance import random_design
from forethought.analysis.lmm.curvature import curvature
from forethought.analysis.lmm.deviance import ProfiledDeviance
from forethought.analysis.lmm.gradient import scores
from forethought.analysis.lmm.optimum import minimum
from forethought.analysis.lmm.products import design_products
from forethought.analysis.lmm.satterthwaite import covariance_slopes
from forethought.analysis.lmm.standard import basis_of, standardized
from forethought.grammar import parse_formula

DATA = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/small.csv")

FORMULAS = (
    "y ~ arm + (1 | pid)",
    "y ~ arm + (1 | pid) + (1 | scenario)",
    "y ~ arm * time + (tnum || pid) + (1 | scenario)",
    "y ~ arm * time + (1 | pid) + (tnum | scenario)",
    "y ~ arm * time + (tnum | pid) + (tnum | scenario)",
    "y ~ arm + (1 | arm:scenario) + (1 | pid) + (1 | scenario)",
)

each_model = pytest.mark.parametrize("formula", FORMULAS)
each_criterion = pytest.mark.parametrize("reml", [True, False])


@cache
def deviance(formula: str, reml: bool = True) -> ProfiledDeviance:
    data = model_data(parse_formula(formula), DATA)
    fixed, random = fixed_design(data), random_design(data)
    standard = standardized(basis_of(fixed.X), fixed.y)
    return ProfiledDeviance(design_products(random, standard.basis.Q).with_outcome(standard.z), random, reml)


def thetas(n_theta: int) -> list[np.ndarray]:
    """A usual one, a large one, and one at the edge."""
    chance = np.random.default_rng(4)
    usual = chance.uniform(0.2, 1, n_theta)
    return [usual, 5 * usual, np.where(np.arange(n_theta) == 0, 0.0, usual)]


def differences(function, theta: np.ndarray) -> np.ndarray:
    """Central differences of a function of theta, (n_theta, ...), extrapolated once."""

    def slope(entry: int, step: float) -> np.ndarray:
        move = step * np.eye(len(theta))[entry]
        return (np.asarray(function(theta + move)) - np.asarray(function(theta - move))) / (2 * step)

    return np.array([(4 * slope(i, 5e-4) - slope(i, 1e-3)) / 3 for i in range(len(theta))])


@each_model
@each_criterion
def test_the_gradient_is_that_of_the_deviance(formula: str, reml: bool) -> None:
    of_model = deviance(formula, reml)
    for theta in thetas(of_model.random.n_theta):
        expected = differences(of_model, theta)
        found = scores(of_model, theta).gradient()
        np.testing.assert_allclose(found, expected, atol=1e-7 * max(1.0, np.abs(expected).max()))


@each_model
def test_the_jacobian_of_the_covariance_is_exact(formula: str) -> None:
    of_model = deviance(formula)

    def vcov(theta: np.ndarray) -> np.ndarray:
        R_X = of_model.factors(theta).R_X
        return variance * np.linalg.inv(R_X.T @ R_X)

    for theta in thetas(of_model.random.n_theta):
        here = scores(of_model, theta)
        variance = here.variance
        found = covariance_slopes(here)[:-1]
        np.testing.assert_allclose(found, differences(vcov, theta), atol=1e-8 * max(1.0, np.abs(found).max()))


@each_model
@each_criterion
def test_the_curvature_is_that_of_the_deviance(formula: str, reml: bool) -> None:
    """Profiling sigma out of the joint curvature leaves the curvature of the profiled deviance."""
    of_model = deviance(formula, reml)
    for theta in thetas(of_model.random.n_theta):
        joint = curvature(scores(of_model, theta))
        profiled = joint[:-1, :-1] - np.outer(joint[:-1, -1], joint[-1, :-1]) / joint[-1, -1]
        expected = differences(lambda at: scores(of_model, at).gradient(), theta)
        np.testing.assert_allclose(profiled, expected, atol=1e-8 * np.abs(expected).max())


@each_model
@each_criterion
def test_the_optimum_has_no_gradient(formula: str, reml: bool) -> None:
    of_model = deviance(formula, reml)
    found = minimum(of_model)
    np.testing.assert_allclose(scores(of_model, found.theta).gradient(), 0, atol=1e-5)


@each_model
def test_no_point_nearby_is_better_than_the_optimum(formula: str) -> None:
    of_model = deviance(formula)
    found = minimum(of_model)
    chance = np.random.default_rng(5)
    nearby = [found.theta + chance.normal(scale=0.05, size=len(found.theta)) for _ in range(50)]
    assert min(of_model(theta) for theta in nearby) >= found.deviance


@each_model
def test_the_diagonal_of_lambda_is_not_negative(formula: str) -> None:
    of_model = deviance(formula)
    assert (minimum(of_model).theta[of_model.random.on_diagonal] >= 0).all()


def test_a_change_of_sign_of_a_column_of_lambda_is_the_same_model() -> None:
    of_model = deviance(FORMULAS[4])
    theta = np.array([-0.5, 0.3, 0.2, 0.4, -0.1, -0.6])
    assert of_model(theta * of_model.random.signs(theta)) == pytest.approx(of_model(theta), rel=1e-12)
