"""Balance: the mismatch alarm, and bounds that are reached and never exceeded."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, chisquare

from forethought.protocol.allocation import (
    BiasedCoin,
    BigStick,
    BlockUrn,
    Cap,
    Complete,
    Design,
    Dropouts,
    Factor,
    Minimization,
    PermutedBlocks,
    Rerandomization,
    SeedPolicy,
    Simple,
)
from forethought.randomization import weights
from forethought.randomization.arrivals import Arrivals
from forethought.randomization.balance import sample_ratio, simulated_bounds, within
from forethought.randomization.enumeration import enumerated
from forethought.randomization.imbalance import exact_bounds, possible_numbers
from forethought.randomization.recorded import Course

RULES: dict[str, Any] = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
EVEN = {"a": 1, "b": 1}
THREE = {"a": 1, "b": 1, "c": 1}
UNEVEN = {"a": 2, "b": 1, "c": 1}


def permuted(*sizes: int, ratio: dict[str, int] = EVEN, **more: Any) -> PermutedBlocks:
    return PermutedBlocks(method="permuted_blocks", block_sizes=sizes, ratio=ratio, **RULES, **more)


def complete(size: int, ratio: dict[str, int] = EVEN, **more: Any) -> Complete:
    return Complete(method="complete", size=size, ratio=ratio, **RULES, **more)


def stick(tolerance: int, ratio: dict[str, int] = EVEN, **more: Any) -> BigStick:
    return BigStick(method="big_stick", tolerance=tolerance, ratio=ratio, **RULES, **more)


def urn(size: int, ratio: dict[str, int] = EVEN) -> BlockUrn:
    return BlockUrn(method="block_urn", block_size=size, ratio=ratio, **RULES)


def coin(ratio: dict[str, int] = EVEN) -> BiasedCoin:
    return BiasedCoin(method="biased_coin", ratio=ratio, chance="2/3", **RULES)


def minimized() -> Minimization:
    factors = (Factor(name="sex"), Factor(name="age"))
    return Minimization(
        method="minimization", ratio=EVEN, factors=factors, imbalance="range", chance=0.8, **RULES
    )


BOUNDED = {
    "blocks of 2 or 4": (permuted(2, 4), 10),
    "blocks of 4 or 6": (permuted(4, 6), 9),
    "uneven blocks": (permuted(4, ratio=UNEVEN), 9),
    "blocks after simple units": (permuted(4, initial_simple=2), 8),
    "complete": (complete(6, THREE), 8),
    "complete with a remainder": (complete(5, THREE), 8),
    "big stick": (stick(2), 11),
    "big stick of three": (stick(1, THREE), 9),
    "uneven big stick": (stick(1, {"a": 3, "b": 1, "c": 2}), 9),
    "block urn": (urn(6), 11),
    "uneven block urn": (urn(8, UNEVEN), 8),
}


@pytest.mark.parametrize("name", BOUNDED)
def test_every_bound_is_reached_and_never_exceeded_after_any_number_of_units(name: str) -> None:
    design, most = BOUNDED[name]
    shares = np.array([design.ratio[arm] for arm in sorted(design.ratio)])
    for units in range(most + 1):
        every = enumerated([Course(design=design, arrivals=Arrivals.of(["all"] * units))], 200_000).codes
        counts = np.stack([(every == arm).sum(axis=1) for arm in range(len(shares))], axis=1)
        found = possible_numbers(design, units)
        assert found == tuple(zip(counts.min(axis=0).tolist(), counts.max(axis=0).tolist(), strict=True))
        furthest = np.abs(counts * shares.sum() - units * shares).max(axis=0)
        bound = exact_bounds(design, units)
        assert bound is not None
        assert [each * shares.sum() for each in bound.values()] == furthest.tolist()


@pytest.mark.parametrize("name", [name for name in BOUNDED if name != "complete with a remainder"])
def test_the_bound_at_any_time_is_the_largest_of_the_bounds_after_so_many_units(name: str) -> None:
    design, _ = BOUNDED[name]
    at_any_time = exact_bounds(design)
    assert at_any_time is not None
    after = [exact_bounds(design, units) or {} for units in range(40)]
    assert at_any_time == {arm: max(bound[arm] for bound in after) for arm in design.ratio}


def test_two_equal_arms_are_bounded_as_the_literature_says() -> None:
    """Half a block, the tolerance's half, half the urn: |n1 - n2| is twice the distance from the share."""
    for design, difference in ((permuted(6), 3), (stick(4), 4), (urn(6), 3)):
        bound = exact_bounds(design)
        assert bound is not None
        assert {arm: 2 * each for arm, each in bound.items()} == {"a": difference, "b": difference}


def test_many_units_are_bounded_as_fewer() -> None:
    assert exact_bounds(permuted(4, 6), 10_001) == exact_bounds(permuted(4, 6), 101)
    assert exact_bounds(stick(3, UNEVEN), 4_000_001) == exact_bounds(stick(3, UNEVEN), 401)
    assert exact_bounds(urn(8, UNEVEN), 4_000_003) == exact_bounds(urn(8, UNEVEN), 403)


@pytest.mark.parametrize("units", range(60))
def test_blocks_may_end_wherever_a_sum_of_their_sizes_does(units: int) -> None:
    ends = {0}
    for _ in range(units):
        ends |= {end + size for end in ends for size in (4, 10) if end + size <= units}
    insides = [(units - end, size) for end in ends for size in (4, 10) if units - end <= size]
    most = max((units - inside) // 2 + min(inside, size // 2) for inside, size in insides)
    assert possible_numbers(permuted(4, 10), units) == ((units - most, most),) * 2


@pytest.mark.parametrize(
    ("design", "rule"),
    [
        (stick(4, UNEVEN | {"d": 1}), lambda counts, ratio: weights.big_stick(counts, ratio, 4)),
        (urn(20, UNEVEN | {"d": 1}), lambda counts, ratio: weights.block_urn(counts, ratio, 20)),
    ],
)
def test_the_numbers_of_four_arms_are_those_that_the_weights_lead_to(design: Any, rule: Any) -> None:
    ratio = np.array([design.ratio[arm] for arm in sorted(design.ratio)])
    states = np.zeros((1, 4), dtype=np.int64)
    for units in range(1, 32):
        places, arms = np.nonzero(rule(states, ratio))
        states = np.unique(states[places] + np.eye(4, dtype=np.int64)[arms], axis=0)
        found = possible_numbers(design, units)
        assert found == tuple(zip(states.min(axis=0).tolist(), states.max(axis=0).tolist(), strict=True))


def test_the_remainders_of_whole_blocks_add_up_without_limit() -> None:
    design = complete(5, THREE)
    assert exact_bounds(design) is None
    after = exact_bounds(design, 50)
    assert after is not None
    assert float(after["a"]) == pytest.approx(10 * 2 / 3)


@pytest.mark.parametrize(
    "design",
    [
        Simple(method="simple", ratio=EVEN, **RULES),
        coin(),
        minimized(),
        permuted(2, caps=(Cap(arm="a", at_most=3),)),
        stick(2, initial_simple=3),
    ],
)
def test_a_design_without_a_limit_has_no_exact_bound(design: Design) -> None:
    assert exact_bounds(design) is None
    assert exact_bounds(design, 20) is None


def test_counts_that_a_design_can_give_are_within() -> None:
    counts = {"sex=Female": {"a": 12, "b": 10}, "sex=Male": {"a": 6, "b": 7}}
    assert within(permuted(4), counts) == ()


def test_an_arm_that_is_further_than_the_design_allows_is_named() -> None:
    found = within(permuted(4), {"sex=Female": {"a": 10, "b": 10}, "sex=Male": {"a": 4, "b": 7}})
    assert [(one.stratum, one.arm, one.units, one.of) for one in found] == [
        ("sex=Male", "a", 4, 11),
        ("sex=Male", "b", 7, 11),
    ]
    assert {(one.imbalance, one.at_most, one.simulated) for one in found} == {(1.5, 0.5, False)}


def test_an_arm_that_nobody_has_counts_as_none() -> None:
    (one, other) = within(permuted(2), {"all": {"a": 4}})
    assert (one.arm, one.units, other.arm, other.units) == ("a", 4, "b", 0)


def test_an_imbalance_beyond_999_of_1000_courses_is_reported_as_simulated() -> None:
    balanced, unbalanced = {"all": {"a": 52, "b": 48}}, {"all": {"a": 60, "b": 40}}
    assert within(coin(), balanced) == ()
    found = within(coin(), unbalanced)
    assert [(one.arm, one.simulated) for one in found] == [("a", True), ("b", True)]
    assert within(Simple(method="simple", ratio=EVEN, **RULES), unbalanced) == ()


def test_the_simulated_range_of_simple_randomisation_is_that_of_the_binomial() -> None:
    design = Simple(method="simple", ratio={"a": 2, "b": 1}, **RULES)
    bound = simulated_bounds(design, {"all": {"a": 1, "b": 899}}, draws=100_000)["all"]["b"]
    tail = [
        binom.cdf(300 - away, 900, 1 / 3) + binom.sf(299 + away, 900, 1 / 3) for away in (bound, bound + 1)
    ]
    assert 0.0005 < tail[1] < tail[0] < 0.0017


def test_the_simulated_range_is_the_same_each_time() -> None:
    counts = {"all": {"a": 30, "b": 30}}
    assert simulated_bounds(coin(), counts) == simulated_bounds(coin(), counts)


def test_a_biased_coin_keeps_many_units_as_near_as_some() -> None:
    some, many = (
        simulated_bounds(coin(), {"all": {"a": n, "b": n}}, draws=1_000)["all"]["a"] for n in (200, 500_000)
    )
    assert abs(some - many) <= 2


def test_minimisation_is_judged_by_level_and_in_the_whole_wave() -> None:
    even = {"a": 10, "b": 10}
    counts = {
        "sex=F|age=old": {"a": 20, "b": 0},
        "sex=F|age=young": {"a": 0, "b": 20},
        "sex=M|age=old": {"a": 0, "b": 20},
        "sex=M|age=young": {"a": 20, "b": 0},
    }
    assert within(minimized(), counts) == ()
    assert {one.stratum for one in within(minimized(), counts | {"sex=M|age=old": even})} == {
        "all",
        "sex=M",
        "age=old",
    }


def test_rerandomised_batches_are_not_judged() -> None:
    design = Rerandomization(
        method="rerandomization",
        ratio=EVEN,
        variables=("x",),
        criterion="mahalanobis",
        at_most=0.5,
        **RULES,
    )
    assert within(design, {"x=1": {"a": 9}, "x=2": {"b": 9}}) == ()


@pytest.mark.parametrize(
    ("counts", "ratio"),
    [((60, 40), (1, 1)), ((247, 245, 244, 246), (1, 1, 1, 1)), ((70, 20, 30), (2, 1, 1))],
)
def test_the_mismatch_is_the_chi_square_of_scipy(counts: tuple[int, ...], ratio: tuple[int, ...]) -> None:
    names = "abcd"[: len(counts)]
    found = sample_ratio(dict(zip(names, counts, strict=True)), dict(zip(names, ratio, strict=True)))
    expected = np.array(ratio) / sum(ratio) * sum(counts)
    of_scipy = chisquare(counts, expected)
    assert found.df == len(counts) - 1
    assert found.statistic == pytest.approx(of_scipy.statistic, rel=1e-12)
    assert found.p == pytest.approx(of_scipy.pvalue, rel=1e-9)


def test_the_alarm_sounds_below_one_in_a_thousand() -> None:
    """Of 1,000 in two equal arms, 552 to 448 has p = .00100659, and 553 to 447 p = .00080226 (chi-square, 1 df)."""
    assert not sample_ratio({"a": 552, "b": 448}, EVEN).alarm
    assert sample_ratio({"a": 553, "b": 447}, EVEN).alarm


def test_an_expected_count_below_five_is_not_tested() -> None:
    assert sample_ratio({"a": 9}, EVEN).p is None
    assert not sample_ratio({"a": 9}, EVEN).alarm
    assert sample_ratio({"a": 10}, EVEN).p == pytest.approx(0.00157, abs=1e-5)
    assert sample_ratio({}, EVEN).p is None
