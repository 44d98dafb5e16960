"""Thresholds from moments: exact wherever integers can have the moments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forethought.simulation.thresholds import (
    moments,
    person_variances,
    solve_person_shares,
    solve_thresholds,
)

SHIFTS = np.array([[-0.3, -0.1, 0.0, 0.1, 0.3]])


@settings(max_examples=40, deadline=None)
@given(
    steps=st.integers(2, 10),
    height=st.floats(0.03, 0.97),
    breadth=st.floats(0.02, 0.95),
    shifted=st.booleans(),
)
def test_any_mean_and_variance_that_integers_can_have_are_met(
    steps: int, height: float, breadth: float, shifted: bool
) -> None:
    mean = height * steps
    least, most = (mean % 1) * (1 - mean % 1), mean * (steps - mean)
    variance = least + breadth * (most - least)
    shifts = SHIFTS * shifted
    solved = solve_thresholds(np.array([mean]), np.array([variance]), np.array([steps]), shifts)
    reached = moments(solved, shifts)
    assert reached[0] == pytest.approx([mean], abs=1e-9)
    assert reached[1] == pytest.approx([variance], abs=1e-9)


def test_thresholds_rise_by_equal_steps() -> None:
    solved = solve_thresholds(np.array([1.2]), np.array([1.0]), np.array([4]), SHIFTS)
    gaps = np.diff(solved[0])
    assert gaps == pytest.approx(np.full(3, gaps[0]))
    assert gaps[0] > 0


def test_a_symmetric_cell_is_centred_on_zero() -> None:
    solved = solve_thresholds(np.array([2.0]), np.array([1.0]), np.array([4]), SHIFTS)
    assert solved[0] == pytest.approx(-solved[0, ::-1], abs=1e-9)


def test_cells_with_fewer_steps_have_infinite_thresholds_at_the_end() -> None:
    solved = solve_thresholds(np.array([0.4, 1.2]), np.array([0.3, 1.0]), np.array([2, 4]), np.zeros((2, 1)))
    assert np.isposinf(solved[0]).tolist() == [False, False, True, True]


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.97])
def test_the_share_of_persons_is_found_from_the_variance_it_gives(share: float) -> None:
    thresholds = solve_thresholds(np.array([1.2]), np.array([1.0]), np.array([4]), SHIFTS)
    variance = person_variances(thresholds, SHIFTS, np.array([share]))
    assert solve_person_shares(thresholds, SHIFTS, variance) == pytest.approx([share], abs=1e-9)


def test_one_threshold_in_the_middle_gives_the_arcsine_law() -> None:
    # P(both of two standard normals with correlation r pass 0) = 1/4 + arcsin(r) / (2 pi) (Sheppard 1899)
    shares = np.array([0.2, 0.5, 0.9])
    expected = np.arcsin(shares) / (2 * np.pi)
    assert person_variances(np.zeros((3, 1)), np.zeros((3, 1)), shares) == pytest.approx(expected, abs=1e-12)


def test_no_share_of_persons_gives_more_variance_than_there_is() -> None:
    thresholds = solve_thresholds(np.array([1.2]), np.array([1.0]), np.array([4]), SHIFTS)
    assert np.isnan(solve_person_shares(thresholds, SHIFTS, np.array([1.5]))).all()
