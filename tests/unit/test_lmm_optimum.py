"""What happens when the first search does not end at a minimum."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import lmer, optimum
from forethought.analysis.lmm.curvature import curvature
from forethought.analysis.lmm.gradient import scores

SLEEP = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/sleepstudy.csv")
FORMULA = "Reaction ~ Days + (Days | Subject)"


def failing_search(theta: list[float]):
    return lambda deviance, start: (np.array(theta), 1)


@pytest.mark.parametrize("theta", [[1.0, 0.0, 1.0], [1e-9, 0.0, 1e-9], [40.0, 5.0, 30.0]])
def test_a_first_search_that_ends_anywhere_is_made_good(
    theta: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = lmer(FORMULA, SLEEP).criterion
    monkeypatch.setattr(optimum, "_bobyqa", failing_search(theta))
    found = lmer(FORMULA, SLEEP)
    assert found.converged
    assert found.criterion == pytest.approx(expected, rel=1e-10)


def test_a_saddle_is_not_taken_for_a_minimum() -> None:
    """Without random effects the gradient is zero too, because the deviance is even in theta."""
    fit = lmer(FORMULA, SLEEP)
    nothing = optimum.Optimum(np.zeros(3), 0.0, curvature(scores(fit.solution.deviance, np.zeros(3))), 0.0, 0)
    assert nothing.doubt == "the criterion falls in some direction from the point that was found"


def test_a_model_without_a_minimum_is_returned_with_a_warning() -> None:
    """The outcome is constant within groups: the residual variance has no positive estimate."""
    group = np.repeat(np.arange(8), 4)
    chance = np.random.default_rng(1)
    data = pd.DataFrame({"g": group, "y": chance.normal(size=8)[group], "x": chance.normal(size=32)})
    fit = lmer("y ~ x + (1 | g)", data)
    assert not fit.converged
    assert fit.warnings[-1].startswith("not converged: the criterion may still fall by")


def test_a_variance_that_theta_hides_is_missed() -> None:
    """The intercept has none and the slope is held twice; the deviance falls by a variance of the intercept."""
    deviance = lmer(FORMULA, SLEEP).solution.deviance
    assert optimum.beside_zero(scores(deviance, np.array([0.0, 0.3, 0.3]))) > optimum.CONVERGED


def test_at_a_minimum_no_variance_is_missed() -> None:
    solution = lmer(FORMULA, SLEEP).solution
    assert optimum.beside_zero(solution.scores) == 0
