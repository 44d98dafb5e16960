"""Minimisation side by side: many replicates are as many single calls."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forethought.randomization.minimization import weights


@st.composite
def units(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, str, Fraction]:
    replicates, factors, arms = draw(st.integers(1, 5)), draw(st.integers(1, 4)), draw(st.integers(2, 4))
    size = replicates * factors * arms
    counts = draw(st.lists(st.integers(0, 40), min_size=size, max_size=size))
    ratio = draw(st.lists(st.integers(1, 5), min_size=arms, max_size=arms))
    factor_weights = draw(st.lists(st.integers(1, 9), min_size=factors, max_size=factors))
    imbalance = draw(st.sampled_from(["range", "variance", "standard_deviation"]))
    chance = draw(st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=1000))
    shape = (replicates, factors, arms)
    return np.array(counts).reshape(shape), np.array(ratio), np.array(factor_weights), imbalance, chance


@given(units())
def test_replicates_together_have_the_weights_of_single_ones(
    unit: tuple[np.ndarray, np.ndarray, np.ndarray, str, Fraction],
) -> None:
    counts, *rest = unit
    together = weights(counts, *rest)
    assert together.tolist() == [weights(counts[[row]], *rest)[0].tolist() for row in range(len(counts))]


@given(units())
def test_every_arm_always_has_a_chance(
    unit: tuple[np.ndarray, np.ndarray, np.ndarray, str, Fraction],
) -> None:
    found = weights(*unit)
    assert found.min() > 0
    assert np.all(np.gcd.reduce(found, axis=1) == 1)
