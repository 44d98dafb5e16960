"""A design solved again for other outcomes is the model of those outcomes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.designs import model_data
from forethought.analysis.lmm import lmer
from forethought.analysis.lmm.satterthwaite import satterthwaite
from forethought.analysis.lmm.solution import MixedDesign, mixed_design
from forethought.grammar import parse_formula

DATA = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/small.csv")
FORMULA = "y ~ arm * time + (tnum | pid) + (1 | scenario)"
WEIGHTS = np.random.default_rng(2).integers(1, 4, len(DATA)).astype(float)


def other_outcomes(count: int) -> list[np.ndarray]:
    chance = np.random.default_rng(6)
    return [DATA["y"].to_numpy() + chance.normal(size=len(DATA)) for _ in range(count)]


@pytest.fixture(scope="module")
def design() -> MixedDesign:
    return mixed_design(model_data(parse_formula(FORMULA), DATA))


@pytest.mark.parametrize("reml", [True, False])
def test_another_outcome_gives_what_a_fit_of_it_gives(design: MixedDesign, reml: bool) -> None:
    for y in other_outcomes(5):
        found, expected = design.solve(y, reml=reml), lmer(FORMULA, DATA.assign(y=y), reml=reml)
        assert found.criterion == pytest.approx(expected.criterion, rel=1e-12)
        np.testing.assert_allclose(found.beta, expected.beta, rtol=1e-10)


def test_another_outcome_has_its_own_degrees_of_freedom(design: MixedDesign) -> None:
    y = other_outcomes(1)[0]
    found = satterthwaite(design.solve(y))
    expected = lmer(FORMULA, DATA.assign(y=y)).coefficients["df"]
    np.testing.assert_allclose([found.df(weights) for weights in np.eye(6)], expected, rtol=1e-9)


def test_the_first_outcome_is_not_changed_by_another(design: MixedDesign) -> None:
    before = design.solve().criterion
    design.solve(other_outcomes(1)[0])
    assert design.solve().criterion == before


def test_what_does_not_depend_on_the_outcome_is_made_once(design: MixedDesign) -> None:
    first, second = (design.solve(y).deviance.products for y in other_outcomes(2))
    assert first.Z2Z1 is second.Z2Z1
    assert first.Z1Z1 is second.Z1Z1


def test_a_start_elsewhere_leads_to_the_same_minimum(design: MixedDesign) -> None:
    expected = design.solve()
    found = design.solve(start=np.array([2.0, -0.5, 0.7, 0.1]))
    assert found.criterion == pytest.approx(expected.criterion, rel=1e-12)


def test_an_offset_is_subtracted_from_every_outcome() -> None:
    offset = np.linspace(-2, 3, len(DATA))
    data = replace(model_data(parse_formula(FORMULA), DATA), offset=offset)
    y = other_outcomes(1)[0]
    found, expected = mixed_design(data).solve(y), lmer(FORMULA, DATA.assign(y=y - offset))
    np.testing.assert_allclose(found.beta, expected.beta, rtol=1e-10)


def test_weights_that_are_all_one_change_nothing(design: MixedDesign) -> None:
    found = mixed_design(replace(design.data, weights=np.ones(len(DATA)))).solve()
    assert found.criterion == pytest.approx(design.solve().criterion, rel=1e-12)


def test_twice_the_weights_are_the_same_model_with_twice_the_variance(design: MixedDesign) -> None:
    once = mixed_design(replace(design.data, weights=WEIGHTS)).solve()
    twice = mixed_design(replace(design.data, weights=2 * WEIGHTS)).solve()
    np.testing.assert_allclose(twice.beta, once.beta, rtol=1e-8)
    assert twice.sigma == pytest.approx(np.sqrt(2) * once.sigma, rel=1e-8)
    assert twice.criterion == pytest.approx(once.criterion, rel=1e-10)


def test_a_row_of_weight_two_without_random_variation_counts_as_two_rows() -> None:
    """The weighted mean of the outcome, where the groups do not vary."""
    chance = np.random.default_rng(9)
    data = pd.DataFrame({"y": chance.normal(size=40), "g": np.repeat(np.arange(10), 4)})
    data["y"] -= data.groupby("g")["y"].transform("mean")
    weights = np.tile([1.0, 2.0, 2.0, 3.0], 10)
    found = mixed_design(replace(model_data(parse_formula("y ~ 1 + (1 | g)"), data), weights=weights)).solve()
    assert found.theta[0] < 1e-6
    assert found.beta[0] == pytest.approx(np.average(data["y"], weights=weights), abs=1e-10)
