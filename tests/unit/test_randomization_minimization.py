"""Minimisation: the published example, imbalances by brute force, and the share of each arm."""

from fractions import Fraction
from itertools import product
from math import isclose
from statistics import stdev, variance

import numpy as np
import pytest

from forethought.randomization.minimization import explained, imbalances, weights

POCOCK_SIMON = np.array([[9, 10, 9], [9, 11, 9], [4, 5, 3]])
"""The new patient's margins in section 3.4 of Pocock and Simon (1975)."""

EQUAL = np.array([1, 1, 1])
FACTOR_WEIGHTS = np.array([2, 1, 1])
TWO_THIRDS = Fraction(2, 3)


def chances(
    counts: object, ratio: object, factor_weights: object, imbalance: str, chance: Fraction
) -> list[Fraction]:
    """Each arm's probability for one unit."""
    row = weights(np.array([counts]), np.array(ratio), np.array(factor_weights), imbalance, chance)[0]
    return [Fraction(int(weight), int(row.sum())) for weight in row]


def spread(numbers: list[Fraction], imbalance: str) -> float:
    if imbalance == "range":
        return float(max(numbers) - min(numbers))
    return float(variance(numbers)) if imbalance == "variance" else float(stdev(numbers))


def by_hand(
    counts: list[list[int]], ratio: list[int], factor_weights: list[int], imbalance: str
) -> list[float]:
    """G of each arm, one count after the other."""
    found = []
    for arm in range(len(ratio)):
        total = 0.0
        for factor, weight in zip(counts, factor_weights, strict=True):
            after = [
                Fraction(count + (other == arm), share)
                for other, (count, share) in enumerate(zip(factor, ratio, strict=True))
            ]
            total += weight * spread(after, imbalance)
        found.append(total)
    return found


def some_counts(factors: int, arms: int, seed: int) -> list[list[int]]:
    return np.random.default_rng(seed).integers(0, 9, (factors, arms)).tolist()


def test_the_published_imbalances_are_6_10_and_5() -> None:
    assert imbalances(POCOCK_SIMON[np.newaxis], EQUAL, FACTOR_WEIGHTS, "range").tolist() == [[6, 10, 5]]


def test_the_published_imbalances_are_shown_as_published() -> None:
    assert explained(POCOCK_SIMON, EQUAL, FACTOR_WEIGHTS, "range") == (6, 10, 5)


def test_the_published_probabilities_are_1_6th_1_6th_and_2_3rds() -> None:
    given = chances(POCOCK_SIMON, EQUAL, FACTOR_WEIGHTS, "range", TWO_THIRDS)
    assert given == [Fraction(1, 6), Fraction(1, 6), Fraction(2, 3)]


@pytest.mark.parametrize("imbalance", ["range", "variance", "standard_deviation"])
@pytest.mark.parametrize("ratio", [[1, 1], [2, 1], [1, 1, 1], [3, 2, 1], [2, 2, 3, 5]])
def test_the_imbalance_is_that_of_every_count_taken_by_hand(imbalance: str, ratio: list[int]) -> None:
    for seed in range(20):
        counts = some_counts(3, len(ratio), seed)
        shown = explained(np.array(counts), np.array(ratio), np.array([3, 1, 2]), imbalance)
        assert shown == pytest.approx(by_hand(counts, ratio, [3, 1, 2], imbalance), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("imbalance", ["range", "variance", "standard_deviation"])
@pytest.mark.parametrize("ratio", [[1, 1, 1], [3, 2, 1]])
def test_the_arms_with_the_smallest_imbalance_have_the_highest_chance_for_their_share(
    imbalance: str, ratio: list[int]
) -> None:
    for seed in range(40):
        counts = some_counts(2, 3, seed)
        by_arm = by_hand(counts, ratio, [1, 2], imbalance)
        given = chances(counts, ratio, [1, 2], imbalance, Fraction(9, 10))
        for_share = [chance / share for chance, share in zip(given, ratio, strict=True)]
        best = [isclose(each, min(by_arm), abs_tol=1e-12) for each in by_arm]
        assert [chance == max(for_share) for chance in for_share] == best


@pytest.mark.parametrize("imbalance", ["range", "variance", "standard_deviation"])
def test_two_arms_that_are_equally_good_have_the_mean_of_both_chances(imbalance: str) -> None:
    given = chances([[2, 2, 9]], [1, 1, 1], [1], imbalance, Fraction(9, 10))
    assert given == [Fraction(19, 40), Fraction(19, 40), Fraction(1, 20)]


def test_where_all_are_equally_good_the_ratio_decides() -> None:
    """By the first factor arm a leaves 1 and b 2, by the second a leaves 2 and b 1, counted in shares."""
    counts, ratio = [[0, 0], [1, 0]], [2, 1]
    assert explained(np.array(counts), np.array(ratio), np.array([1, 1]), "range") == (1.5, 1.5)
    assert chances(counts, ratio, [1, 1], "range", Fraction(4, 5)) == [Fraction(2, 3), Fraction(1, 3)]


def test_standard_deviations_that_are_equal_are_a_tie_though_their_floats_differ() -> None:
    """The first two arms are mirrored: the same square roots are added up in another order."""
    first = [[7, 2, 3], [2, 3, 10], [4, 0, 6]]
    counts = first + [[b, a, c] for a, b, c in reversed(first)]
    factor_weights = [7, 3, 5, 5, 3, 7]
    found = imbalances(np.array([counts]), EQUAL, np.array(factor_weights), "standard_deviation")[0]
    assert found[0] != found[1]
    assert found[2] > found[0] + 1
    given = chances(counts, [1, 1, 1], factor_weights, "standard_deviation", Fraction(4, 5))
    assert given == [Fraction(9, 20), Fraction(9, 20), Fraction(1, 10)]


@pytest.mark.parametrize("ratio", [(1, 1), (2, 1), (1, 2, 3), (245, 245, 231, 247)])
@pytest.mark.parametrize("chance", [Fraction(4, 5), Fraction(95, 100)])
def test_each_arm_keeps_its_share_when_arms_are_best_as_often_as_their_shares(
    ratio: tuple[int, ...], chance: Fraction
) -> None:
    """The condition of Han, Enas and McEntegart (2009): averaged over which arm is the best."""
    arms, total = len(ratio), sum(ratio)
    unconditional = [Fraction(0)] * arms
    for best in range(arms):
        counts = [[1000 * share * (arm != best) for arm, share in enumerate(ratio)]]
        for arm, given in enumerate(chances(counts, ratio, [1], "range", chance)):
            unconditional[arm] += Fraction(ratio[best], total) * given
    assert unconditional == [Fraction(share, total) for share in ratio]


def test_the_smallest_arm_has_the_chance_when_it_is_the_best_and_a_larger_one_more() -> None:
    assert chances([[50, 0]], [2, 1], [1], "range", Fraction(4, 5)) == [Fraction(1, 5), Fraction(4, 5)]
    assert chances([[0, 50]], [2, 1], [1], "range", Fraction(4, 5)) == [Fraction(9, 10), Fraction(1, 10)]


def test_in_the_long_run_a_ratio_of_3_to_1_is_kept() -> None:
    rng = np.random.default_rng(4)
    margins = np.zeros((2, 3, 2), dtype=np.int64)
    for levels in rng.integers(0, 3, (2000, 2)):
        counts = margins[[0, 1], levels]
        row = weights(counts[np.newaxis], np.array([3, 1]), np.array([1, 1]), "range", Fraction(4, 5))[0]
        margins[[0, 1], levels, int(rng.integers(row.sum()) >= row[0])] += 1
    assert margins[0].sum(axis=0)[0] == pytest.approx(1500, abs=8)


@pytest.mark.parametrize("imbalance", ["range", "variance", "standard_deviation"])
def test_the_weights_do_not_depend_on_how_the_ratio_is_written(imbalance: str) -> None:
    for seed in range(10):
        counts = np.array([some_counts(2, 3, seed)])
        written = [
            weights(counts, np.array(ratio), np.array([1, 1]), imbalance, Fraction(3, 4)).tolist()
            for ratio in ([2, 1, 1], [6, 3, 3])
        ]
        assert written[0] == written[1]


def test_with_one_factor_and_two_arms_it_is_efrons_coin() -> None:
    for counts in product(range(4), repeat=2):
        row = weights(np.array([[counts]]), np.array([1, 1]), np.array([1]), "variance", TWO_THIRDS)[0]
        expected = [2, 1] if counts[0] < counts[1] else [1, 2] if counts[0] > counts[1] else [1, 1]
        assert row.tolist() == expected


@pytest.mark.parametrize("imbalance", ["variance", "standard_deviation"])
def test_imbalances_beyond_64_bits_are_right_all_the_same(imbalance: str) -> None:
    """The lowest common multiple of these shares is two million, and its square times 1000 overflows."""
    counts = [[1000, 5, 4], [4, 5, 1000]]
    given = chances(counts, [245, 231, 247], [1, 1], imbalance, Fraction(9, 10))
    assert given == [Fraction(245, 4920), Fraction(9, 10), Fraction(247, 4920)]


@pytest.mark.parametrize("imbalance", ["range", "variance", "standard_deviation"])
def test_shares_without_a_common_multiple_of_64_bits_are_compared_all_the_same(imbalance: str) -> None:
    """The first seven primes above 1000: whoever is behind is the best."""
    ratio = [1009, 1013, 1019, 1021, 1031, 1033, 1039]
    given = chances([[2 * share for share in ratio[:6]] + [1500]], ratio, [1], imbalance, Fraction(9, 10))
    assert given[6] > Fraction(9, 10)
    assert sum(given) == 1


def test_a_ratio_that_is_too_fine_is_refused() -> None:
    with pytest.raises(ValueError, match="too fine"):
        weights(np.array([[[0, 0]]]), np.array([1 << 31, 1]), np.array([1]), "range", TWO_THIRDS)


def test_a_measure_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="no such imbalance"):
        imbalances(POCOCK_SIMON[np.newaxis], EQUAL, FACTOR_WEIGHTS, "entropy")
