"""The deviance with one parameter held: its exact gradient, and where profiles end at a bound."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import lmer
from forethought.analysis.lmm.constrained import (
    Held,
    HeldCoefficient,
    HeldCor,
    HeldSd,
    HeldSigma,
    Term,
    least,
)
from forethought.analysis.lmm.profile import profile_intervals
from forethought.analysis.lmm.solution import Solution

HERE = Path(__file__).parents[1] / "reference/lmm"


@cache
def three_effects() -> Solution:
    rng = np.random.default_rng(5)
    g, x, z = np.repeat(np.arange(25), 8), rng.normal(size=200), rng.normal(size=200)
    b = rng.normal(size=(25, 3))[g]
    y = b[:, 0] + b[:, 1] * x + b[:, 2] * z + rng.normal(size=200)
    data = pd.DataFrame({"y": y, "x": x + 2, "z": z - 1, "g": g, "h": np.arange(200) % 7})
    return lmer("y ~ x + z + (x + z | g) + (1 | h)", data, reml=False).solution


def held_parameters(solution: Solution) -> dict[str, tuple[Held, float]]:
    free, random = solution.deviance, solution.design.random
    piece = random.pieces[0]
    return {
        "first sd": (HeldSd(free, Term(random, piece, (0,))), 0.4),
        "last sd": (HeldSd(free, Term(random, piece, (2,))), 0.7),
        "correlation": (HeldCor(free, Term(random, piece, (0, 1))), 0.3),
        "last correlation": (HeldCor(free, Term(random, piece, (1, 2))), -0.6),
        "sigma": (HeldSigma(free), 0.6),
        "coefficient": (HeldCoefficient(free, np.array([0.6, 0.0, 0.8])), 1.5),
    }


each_held = pytest.mark.parametrize("name", held_parameters(three_effects()))


@each_held
def test_the_gradient_is_that_of_differences(name: str) -> None:
    solution = three_effects()
    held, value = held_parameters(solution)[name]
    x = held.start(solution.optimum.theta * 1.1, solution.scores.variance)
    _, gradient = held.deviance(x, value)
    steps = 1e-5 * np.eye(len(x))
    expected = [(held.deviance(x + h, value)[0] - held.deviance(x - h, value)[0]) / 2e-5 for h in steps]
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-4)


@each_held
def test_no_parameter_held_anywhere_has_less_than_the_least_deviance(name: str) -> None:
    solution = three_effects()
    held, value = held_parameters(solution)[name]
    start = held.start(solution.optimum.theta, solution.scores.variance)
    assert least(held, start, value) > solution.optimum.deviance


def test_a_standard_deviation_held_at_its_estimate_has_the_least_deviance() -> None:
    solution = three_effects()
    held, _ = held_parameters(solution)["last sd"]
    covariance = solution.scores.blocks[0].Lambda @ solution.scores.blocks[0].Lambda.T
    unit = solution.design.random.blocks[0].units[2]
    sd = float(np.sqrt(unit @ covariance @ unit * solution.scores.variance))
    start = held.start(solution.optimum.theta, solution.scores.variance)
    assert least(held, start, sd) == pytest.approx(solution.optimum.deviance, abs=1e-8)


def test_a_correlation_of_one_has_one_as_its_limit() -> None:
    fit = lmer("y2 ~ x + (x | g)", pd.read_csv(HERE / "boundary.csv"))
    found = profile_intervals(fit.solution, parameters=["cor(Intercept,x|g)"]).iloc[0]
    assert found["ci_high"] == 1
    assert 0 < found["ci_low"] < 1


def test_a_correlation_that_the_data_do_not_inform_has_both_bounds_as_limits() -> None:
    fit = lmer("y ~ x + (x | g)", pd.read_csv(HERE / "boundary.csv"))
    found = profile_intervals(fit.solution, parameters=["cor(Intercept,x|g)"]).iloc[0]
    assert [found["ci_low"], found["ci_high"]] == [-1, 1]
