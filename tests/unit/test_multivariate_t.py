"""The largest of correlated t statistics against closed forms and other ways to the same number."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.special import ndtr, stdtr
from scipy.stats import multivariate_normal, multivariate_t

from forethought.analysis.designs import Floats
from forethought.analysis.emmeans import adjustments
from forethought.analysis.emmeans.by_direction import ByDirection, by_direction
from forethought.analysis.emmeans.lattice import directions
from forethought.analysis.emmeans.multivariate_t import (
    MaximumDistribution,
    OneFactor,
    maximum_of,
    maximum_p,
    maximum_quantile,
)
from forethought.analysis.emmeans.studentized_range import studentized_range_p, studentized_range_quantile

DFS = (3.0, 10.3, 40.0, math.inf)
LEVELS = (0.9, 0.95, 0.99, 0.999)
INDEPENDENT = np.eye(4)


def all_pairs(k: int) -> Floats:
    """The correlation of all differences between k means of equal variance."""
    rows = np.zeros((math.comb(k, 2), k))
    for row, (one, other) in zip(rows, combinations(range(k), 2), strict=True):
        row[one], row[other] = 1, -1
    return rows @ rows.T / 2


def one_factor(loadings: list[float]) -> Floats:
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def of_any_rank(correlation: Floats, *, two_sided: bool) -> ByDirection:
    """By direction also where there is one common factor."""
    return by_direction(np.linalg.cholesky(correlation), two_sided=two_sided)


def random_correlation(q: int, rank: int, seed: int) -> Floats:
    rows = np.random.default_rng(seed).normal(size=(q, rank))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


@pytest.mark.parametrize("df", DFS)
@pytest.mark.parametrize(("k", "error"), [(3, 1e-10), (4, 2e-7), (5, 3e-6), (6, 5e-6), (7, 1e-5), (9, 1e-5)])
def test_all_differences_of_balanced_means_have_the_studentised_range(
    k: int, error: float, df: float
) -> None:
    found = maximum_of(all_pairs(k), two_sided=True)
    for level in LEVELS:
        c = studentized_range_quantile(level, k, df) / math.sqrt(2)
        assert found.within(c, df) == pytest.approx(level, abs=error)


@pytest.mark.parametrize("df", DFS)
@pytest.mark.parametrize("two_sided", [True, False])
@pytest.mark.parametrize(("q", "error"), [(3, 1e-7), (4, 3e-6), (6, 3e-6), (8, 1e-5)])
def test_the_way_by_direction_agrees_with_the_one_by_common_factor(
    q: int, error: float, two_sided: bool, df: float
) -> None:
    correlation = one_factor([0.5, -0.8, 0.6, 0.9, 0.7, 0.55, -0.65, 0.85][:q])
    exact = maximum_of(correlation, two_sided=two_sided)
    assert isinstance(exact, OneFactor)
    c = maximum_quantile(exact, 0.95, df, q, two_sided=two_sided)
    assert of_any_rank(correlation, two_sided=two_sided).within(c, df) == pytest.approx(0.95, abs=error)


@pytest.mark.parametrize("c", [-0.4, 0.0, 1.0, 2.5])
@pytest.mark.parametrize(("q", "rank"), [(2, 2), (3, 3), (4, 4)])
def test_one_sided_probabilities_agree_with_scipys_normal_distribution(q: int, rank: int, c: float) -> None:
    correlation = random_correlation(q, rank, seed=q)
    rng = np.random.default_rng(1)  # from three dimensions on it draws random numbers
    expected = multivariate_normal.cdf(
        [c] * q, cov=correlation, abseps=1e-6, releps=1e-6, maxpts=1_000_000, rng=rng
    )
    assert maximum_of(correlation, two_sided=False).within(c, math.inf) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("c", [-0.4, 0.3, 1.0, 2.5])
def test_one_sided_probabilities_in_a_plane_agree_with_those_column_by_column(c: float) -> None:
    """Five statistics of rank two: given the first coordinate, the second lies between two bounds."""
    A = np.random.default_rng(8).normal(size=(5, 2))
    A /= np.linalg.norm(A, axis=1, keepdims=True)
    x = np.linspace(-9, 9, 400_001)
    bounds = (c - A[:, [0]] * x) / A[:, [1]]
    high = np.where(A[:, [1]] > 0, bounds, math.inf).min(axis=0)
    low = np.where(A[:, [1]] < 0, bounds, -math.inf).max(axis=0)
    inside = np.maximum(ndtr(high) - ndtr(low), 0) * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    expected = inside.sum() * (x[1] - x[0])
    assert maximum_of(A @ A.T, two_sided=False).within(c, math.inf) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("df", [1.5, 7.0])
def test_one_sided_probabilities_agree_with_scipys_t_distribution(df: float) -> None:
    correlation = random_correlation(3, 3, seed=5)
    expected = multivariate_t.cdf([1.2] * 3, shape=correlation, df=df, maxpts=400_000, random_state=1)
    assert maximum_of(correlation, two_sided=False).within(1.2, df) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("q", [2, 3, 6])
def test_independent_normal_statistics_multiply(q: int) -> None:
    found = maximum_of(np.eye(q), two_sided=True)
    assert found.within(2.1, math.inf) == pytest.approx((1 - 2 * ndtr(-2.1)) ** q, abs=1e-13)


def test_independent_pairs_within_a_family_multiply() -> None:
    """Two blocks of two, of which no common factor is known: rank four, by direction."""
    block = np.array([[1, 0.6], [0.6, 1]])
    both = np.kron(np.eye(2), block)
    one = maximum_of(block, two_sided=True).within(2.2, math.inf)
    assert maximum_of(both, two_sided=True).within(2.2, math.inf) == pytest.approx(one**2, abs=3e-6)


@pytest.mark.parametrize("two_sided", [True, False])
@pytest.mark.parametrize("df", [0.4, 1.0, 12.5, math.inf])
def test_one_statistic_has_students_t(df: float, two_sided: bool) -> None:
    tail = float(ndtr(-1.3)) if math.isinf(df) else float(stdtr(df, -1.3))
    found = maximum_of(np.eye(1), two_sided=two_sided)
    assert 1 - found.within(1.3, df) == pytest.approx(tail * (1 + two_sided), abs=1e-12)


@pytest.mark.parametrize("df", [0.4, 1.0, 12.5, 1e9])
def test_two_uncorrelated_tails_meet_at_a_quarter_circle(df: float) -> None:
    """P(max <= 0) of two statistics of correlation rho is 1/4 + asin(rho) / (2 pi), whatever df."""
    found = of_any_rank(np.array([[1, 0.3], [0.3, 1]]), two_sided=False)
    assert found.within(0.0, df) == pytest.approx(0.25 + math.asin(0.3) / (2 * math.pi), abs=1e-12)


def test_a_contrast_given_twice_or_mirrored_counts_once_where_two_sided() -> None:
    once, twice = np.array([[1, 0.4], [0.4, 1]]), np.array([[1, 0.4, -1], [0.4, 1, -0.4], [-1, -0.4, 1]])
    found = [maximum_of(one, two_sided=True).within(2.0, 9.0) for one in (once, twice)]
    assert found[0] == pytest.approx(found[1], abs=1e-12)


def test_a_mirrored_contrast_is_the_other_side_where_one_sided() -> None:
    mirrored = np.array([[1.0, -1.0], [-1.0, 1.0]])
    found = maximum_of(mirrored, two_sided=False).within(2.0, 9.0)
    assert found == pytest.approx(1 - 2 * stdtr(9.0, -2.0), abs=1e-12)


def test_nearly_the_same_contrast_is_not_trusted_to_the_common_factor() -> None:
    near = one_factor([0.999, 0.999, 0.999])
    expected = maximum_of(np.eye(1), two_sided=True).within(2.0, 20.0)
    assert maximum_of(near, two_sided=True).within(2.0, 20.0) == pytest.approx(expected, abs=5e-3)
    assert maximum_of(near, two_sided=True).within(2.0, 20.0) < expected


@pytest.mark.parametrize("correlation", [all_pairs(4), all_pairs(6), one_factor([0.7] * 5), INDEPENDENT])
@pytest.mark.parametrize("two_sided", [True, False])
def test_p_is_between_that_of_one_test_and_bonferronis_however_large_t_is(
    correlation: Floats, two_sided: bool
) -> None:
    maximum, q = maximum_of(correlation, two_sided=two_sided), len(correlation)
    for t in (0.0, 1.0, 5.0, 12.0, 40.0, 1e5, 1e200):
        single = (1 + two_sided) * float(stdtr(20.0, -t))
        assert single <= maximum_p(maximum, t, 20.0, q, two_sided=two_sided) <= min(1.0, q * single)


@pytest.mark.parametrize("correlation", [all_pairs(3), all_pairs(5), one_factor([0.7] * 5)])
@pytest.mark.parametrize("df", [0.5, 2.0, 30.0, math.inf])
def test_the_bound_is_where_p_is_one_minus_the_level(correlation: Floats, df: float) -> None:
    maximum, q = maximum_of(correlation, two_sided=True), len(correlation)
    bound = maximum_quantile(maximum, 0.95, df, q, two_sided=True)
    assert maximum_p(maximum, bound, df, q, two_sided=True) == pytest.approx(0.05, abs=1e-6)


def test_the_same_question_has_the_same_answer_to_the_last_bit() -> None:
    def asked() -> float:
        directions.cache_clear()
        return maximum_of(all_pairs(6), two_sided=True).within(2.7, 31.7)

    assert asked() == asked()


def test_contrasts_with_different_df_share_one_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what takes time: p values and bounds of fifteen contrasts make it once."""
    made = []

    def counted(correlation: Floats, *, two_sided: bool) -> MaximumDistribution:
        made.append(two_sided)
        return maximum_of(correlation, two_sided=two_sided)

    monkeypatch.setattr(adjustments, "maximum_of", counted)
    family, df = adjustments.TestFamily("mvt", 15, 6, 5, all_pairs(6)), np.linspace(20, 60, 15)
    family.p_values(np.full(15, 2.5), df)
    family.bounds(df, 0.95)
    assert made == [True]


@pytest.mark.parametrize("df", [0.3, 1.0, 2.0, 15.5, 1e4, 1e10, math.inf])
def test_the_range_of_two_means_is_a_difference_of_two(df: float) -> None:
    for q in (0.3, 1.0, 3.0, 9.0):
        tail = float(ndtr(-q / math.sqrt(2))) if math.isinf(df) else float(stdtr(df, -q / math.sqrt(2)))
        assert studentized_range_p(q, 2, df) == pytest.approx(2 * tail, abs=1e-9)


@pytest.mark.parametrize("k", [3, 10, 30])
@pytest.mark.parametrize("df", [1.0, 5.5, 200.0])
def test_the_studentised_range_agrees_with_scipy(k: int, df: float) -> None:
    from scipy.stats import studentized_range

    for q in (0.5, 3.5, 20.0):
        assert studentized_range_p(q, k, df) == pytest.approx(studentized_range.sf(q, k, df), abs=1e-8)
