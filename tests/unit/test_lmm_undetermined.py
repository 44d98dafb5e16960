"""Random effects that the data cannot tell apart, and more of them than fit into memory: what is said of either."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import covariance, lmer
from forethought.errors import ModelNotFitted

SMALL = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/small.csv")
SLOPES = 2 * np.random.default_rng(1).normal(size=24)[pd.factorize(SMALL["pid"])[0]]
TWICE = SMALL.assign(
    person=SMALL["pid"] + "!",
    constant=1.0,
    double=2.0 * SMALL["conv"],
    wide=SMALL["y"] + SLOPES * SMALL["conv"],
)


def test_variances_of_which_only_the_sum_is_known_are_said_not_to_be_determined() -> None:
    fit = lmer("y ~ arm + (1 | pid) + (1 | person)", TWICE)
    assert ["the variances are not determined" in one for one in fit.warnings] == [True]


@pytest.mark.parametrize(
    ("random", "effects"),
    [
        ("(constant || pid)", "Intercept and constant"),
        ("(constant | pid)", "Intercept and constant"),
        ("(conv + double || pid)", "conv and double"),
    ],
)
def test_effects_whose_columns_are_proportional_are_refused(random: str, effects: str) -> None:
    with pytest.raises(ModelNotFitted, match=f"{effects} of `pid` have proportional columns"):
        lmer(f"wide ~ arm + {random}", TWICE)


def test_the_fixed_effects_of_such_a_model_are_those_of_the_model_with_one_of_them() -> None:
    both = lmer("y ~ arm + (1 | pid) + (1 | person)", TWICE).coefficients
    one = lmer("y ~ arm + (1 | pid)", TWICE).coefficients
    pd.testing.assert_frame_equal(both[["estimate", "se"]], one[["estimate", "se"]], rtol=1e-6)


@pytest.mark.parametrize(
    "formula", ["y ~ arm * time + (1 | pid) + (1 | scenario)", "wide ~ arm + (conv || pid)"]
)
def test_of_other_models_nothing_is_said(formula: str) -> None:
    assert not any("determined" in one for one in lmer(formula, TWICE).warnings)


def test_more_random_effects_than_fit_into_memory_are_refused_with_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(covariance, "memory", lambda: 6000.0)
    assert lmer("y ~ 1 + (1 | pid)", SMALL).n_groups == {"pid": 24}
    with pytest.raises(ModelNotFitted, match="beside those of `pid` there are 8 random effects"):
        lmer("y ~ 1 + (1 | pid) + (1 | scenario)", SMALL)


def test_this_machine_says_how_much_memory_it_has() -> None:
    assert 1e8 < covariance.memory() < 1e14
