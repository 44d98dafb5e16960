"""The weights of each method, against published sequences and written-out cases."""

from fractions import Fraction

import numpy as np
import pytest

from forethought.randomization.weights import biased_coin, big_stick, block_urn, simple

EVEN = np.array([1, 1])
TWO_TO_ONE = np.array([2, 1])

ZHAO_AND_WENG = (
    # uniform, arm, probability of A
    (".4026", "A", ".5"),
    (".5654", "B", ".4"),
    (".0927", "A", ".5"),
    (".3080", "A", ".4"),
    (".7758", "B", ".25"),
    (".9219", "B", ".4"),
    (".6115", "B", ".5"),
    (".8604", "B", ".6"),
    (".4848", "A", ".75"),
    (".7745", "B", ".6"),
    (".2345", "A", ".75"),
    (".8507", "B", ".6"),
    (".0661", "A", ".75"),
    (".2630", "A", ".6"),
)
"""Zhao and Weng (2011, Contemporary Clinical Trials 32:953; PMC3206733), Table 1: an urn of 6 balls."""


def counts(*rows: tuple[int, ...]) -> np.ndarray:
    return np.array(rows, dtype=np.int64)


def shares(weights: np.ndarray) -> list[Fraction]:
    """The probabilities of the one replicate."""
    (row,) = weights.tolist()
    return [Fraction(weight, sum(row)) for weight in row]


def test_simple_weights_are_the_ratio_whatever_came_before() -> None:
    assert simple(np.array([3, 1, 2]), 2).tolist() == [[3, 1, 2], [3, 1, 2]]


def test_the_block_urn_gives_the_published_sequence() -> None:
    drawn = counts((0, 0))
    for uniform, arm, of_a in ZHAO_AND_WENG:
        assert shares(block_urn(drawn, EVEN, 6))[0] == Fraction(of_a)
        assert "AB"[Fraction(uniform) >= Fraction(of_a)] == arm
        drawn[0, "AB".index(arm)] += 1


def test_the_block_urn_takes_back_complete_sets_of_an_unequal_ratio() -> None:
    assert block_urn(counts((0, 0), (2, 1), (3, 1), (4, 0)), TWO_TO_ONE, 6).tolist() == [
        [4, 2],
        [4, 2],
        [3, 2],
        [0, 2],
    ]


def test_an_urn_whose_places_count_no_longer_has_no_negative_balls() -> None:
    assert block_urn(counts((9, 1)), EVEN, 4).tolist() == [[0, 2]]


@pytest.mark.parametrize(
    ("so_far", "of_first"),
    [((0, 0), "1/2"), ((3, 3), "1/2"), ((1, 0), "1/3"), ((9, 2), "1/3"), ((2, 3), "2/3")],
)
def test_efrons_coin_favours_the_arm_behind(so_far: tuple[int, int], of_first: str) -> None:
    found = shares(biased_coin(counts(so_far), EVEN, Fraction(2, 3)))
    assert found == [Fraction(of_first), 1 - Fraction(of_first)]


@pytest.mark.parametrize(
    ("so_far", "probabilities"),
    [
        ((0, 0, 0), ["1/2", "1/4", "1/4"]),
        ((4, 2, 2), ["1/2", "1/4", "1/4"]),
        ((1, 0, 0), ["1/5", "2/5", "2/5"]),
        ((2, 1, 0), ["2/15", "1/15", "4/5"]),
        ((2, 2, 1), ["8/15", "3/15", "4/15"]),
        ((1, 1, 1), ["4/5", "1/10", "1/10"]),
    ],
)
def test_the_coin_gives_the_arms_behind_their_chance_together(
    so_far: tuple[int, ...], probabilities: list[str]
) -> None:
    """Shares 2:1:1 and 4/5: the arms with the smallest number per share split it by the ratio, as the others the rest."""
    found = shares(biased_coin(counts(so_far), np.array([2, 1, 1]), Fraction(4, 5)))
    assert found == [Fraction(each) for each in probabilities]


def test_a_coin_with_too_many_digits_is_refused_and_does_not_overflow() -> None:
    with pytest.raises(ValueError, match="too many digits"):
        biased_coin(counts((0, 0)), EVEN * 10**9, Fraction(2, 3))


@pytest.mark.parametrize(
    ("so_far", "weights"),
    [((0, 0), [1, 1]), ((2, 0), [1, 1]), ((3, 0), [0, 1]), ((7, 10), [1, 0]), ((8, 10), [1, 1])],
)
def test_the_big_stick_stops_the_arm_that_is_ahead_by_the_tolerance(
    so_far: tuple[int, int], weights: list[int]
) -> None:
    assert big_stick(counts(so_far), EVEN, 3).tolist() == [weights]


def test_the_big_stick_counts_in_shares() -> None:
    assert big_stick(counts((3, 0), (4, 0), (3, 2), (2, 3)), TWO_TO_ONE, 2).tolist() == [
        [2, 1],
        [0, 1],
        [2, 1],
        [2, 0],
    ]


def test_each_replicate_has_the_weights_of_its_own_counts() -> None:
    rows = [(0, 0), (1, 0), (0, 1), (5, 2)]
    for rule in (
        lambda given: biased_coin(given, EVEN, Fraction(2, 3)),
        lambda given: big_stick(given, EVEN, 2),
        lambda given: block_urn(given, EVEN, 6),
    ):
        assert rule(counts(*rows)).tolist() == [rule(counts(row)).tolist()[0] for row in rows]
