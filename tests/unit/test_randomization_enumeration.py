"""Enumeration: every allocation once, with its exact probability."""

import tracemalloc
from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from forethought.protocol.allocation import (
    BiasedCoin,
    BigStick,
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
from forethought.randomization.arrivals import Arrivals
from forethought.randomization.enumeration import Enumeration, TooManyAllocations, enumerated
from forethought.randomization.recorded import Change, Course

RULES: dict[str, Any] = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
EVEN = {"a": 1, "b": 1}


def complete(size: int, ratio: Mapping[str, int] = EVEN) -> Complete:
    return Complete(method="complete", ratio=dict(ratio), size=size, **RULES)


def blocks(*sizes: int, **more: Any) -> PermutedBlocks:
    return PermutedBlocks(method="permuted_blocks", block_sizes=sizes, **({"ratio": EVEN} | RULES | more))


def course(design: Design, people: int, **more: Any) -> Course:
    return Course(design=design, arrivals=Arrivals.of(["all"] * people), **more)


def words(found: Enumeration) -> dict[str, Fraction]:
    """Each allocation as its arms' letters, `-` for nobody's arm."""
    return {
        "".join("ab-"[code] for code in row): probability
        for row, probability in zip(found.codes, found.probabilities, strict=True)
    }


@pytest.mark.parametrize(
    ("design", "people", "allocations"),
    [
        (complete(6), 6, 20),
        (complete(10), 10, 252),
        (complete(3), 3, 6),
        (complete(4), 4, 6),
        (complete(10, {"a": 1, "b": 1, "c": 1}), 10, 12_600),
        (Simple(method="simple", ratio=EVEN, **RULES), 3, 8),
        (blocks(2), 30, 2**15),
        (blocks(4), 8, 36),
    ],
)
def test_as_many_allocations_are_found_as_can_be_counted(
    design: Design, people: int, allocations: int
) -> None:
    found = enumerated([course(design, people)], 40_000)
    assert len(found.codes) == len({row.tobytes() for row in found.codes}) == allocations
    assert sum(found.probabilities) == 1


def test_strata_of_two_two_and_three_units_have_twenty_four_allocations_together() -> None:
    found = enumerated([course(complete(size), size) for size in (2, 2, 3)])
    assert found.codes.shape == (24, 7)
    assert set(found.probabilities) == {Fraction(1, 24)}


def test_each_stratum_of_a_design_is_enumerated_within_the_others() -> None:
    arrivals = Arrivals.of(["x", "y", "x", "y", "y"])
    found = enumerated([Course(design=blocks(2, strata=("s",)), arrivals=arrivals)])
    assert len(found.codes) == 2 * 4
    assert (found.codes[:, 0] != found.codes[:, 2]).all()
    assert (found.codes[:, 1] != found.codes[:, 3]).all()


def test_several_ways_to_one_allocation_are_added_up() -> None:
    """Both arms in turn: by a block of 2 (1/2 * 1/2) or within one of 4 (1/2 * 1/2 * 2/3)."""
    found = words(enumerated([course(blocks(2, 4), 2)]))
    assert found["ab"] == found["ba"] == Fraction(5, 12)
    assert found["aa"] == found["bb"] == Fraction(1, 12)


def test_a_biased_coin_gives_each_sequence_the_product_of_its_chances() -> None:
    coin = BiasedCoin(method="biased_coin", ratio=EVEN, chance="2/3", **RULES)
    found = words(enumerated([course(coin, 3)]))
    assert found["aaa"] == Fraction(1, 2) * Fraction(1, 3) * Fraction(1, 3)
    assert found["aba"] == Fraction(1, 2) * Fraction(2, 3) * Fraction(1, 2)


def test_the_minimised_arm_has_its_chance() -> None:
    design = Minimization(
        method="minimization",
        ratio=EVEN,
        factors=(Factor(name="f"),),
        imbalance="range",
        chance="4/5",
        **RULES,
    )
    same = Course(design=design, arrivals=Arrivals.of(["f=x", "f=x"]))
    other = Course(design=design, arrivals=Arrivals.of(["f=x", "f=y"]))
    assert words(enumerated([same]))["ab"] == Fraction(1, 2) * Fraction(4, 5)
    assert words(enumerated([other]))["ab"] == Fraction(1, 4)


def test_the_first_units_are_drawn_by_the_ratio_alone() -> None:
    found = words(enumerated([course(blocks(2, initial_simple=1), 3)]))
    assert set(found) == {"aab", "aba", "bab", "bba"}
    assert set(found.values()) == {Fraction(1, 4)}


def test_a_full_arm_is_given_to_nobody_and_where_all_are_full_nobody_gets_one() -> None:
    capped = {"caps": (Cap(arm="a", at_most=1), Cap(arm="b", at_most=1))}
    design = Simple(method="simple", ratio=EVEN, **RULES | capped)
    assert words(enumerated([course(design, 3)])) == {"ab-": Fraction(1, 2), "ba-": Fraction(1, 2)}


def test_all_of_a_cluster_have_the_arm_of_its_first() -> None:
    design = Complete(method="complete", ratio=EVEN, size=2, unit="cluster", cluster="school", **RULES)
    arrivals = Arrivals.of(["all"] * 5, ["s", "t", "s", "t", "t"])
    found = words(enumerated([Course(design=design, arrivals=arrivals)]))
    assert found == {"ababb": Fraction(1, 2), "babaa": Fraction(1, 2)}


def test_who_counts_no_longer_leaves_the_next_draw_free() -> None:
    stick = BigStick(method="big_stick", ratio=EVEN, tolerance=1, **RULES)
    assert set(words(enumerated([course(stick, 2)]))) == {"ab", "ba"}
    gone = (Change(at=1, person=0, counts=False),)
    assert set(words(enumerated([course(stick, 2, changes=gone)])).values()) == {Fraction(1, 4)}


def test_the_place_of_a_cluster_is_that_of_its_member_who_drew() -> None:
    stick = BigStick(method="big_stick", ratio=EVEN, tolerance=1, unit="cluster", cluster="school", **RULES)
    arrivals = Arrivals.of(["all"] * 3, ["s", "s", "t"])
    drew, joined = (
        Course(design=stick, arrivals=arrivals, changes=(Change(at=2, person=person, counts=False),))
        for person in (0, 1)
    )
    assert set(words(enumerated([drew]))) == {"aaa", "aab", "bba", "bbb"}
    assert set(words(enumerated([joined]))) == {"aab", "bba"}


def test_a_place_that_was_left_is_filled_by_the_next() -> None:
    rules = RULES | {
        "dropouts": Dropouts(
            count="completed", replace="next_arrival", statement="Whoever leaves is replaced."
        )
    }
    gone = (Change(at=1, person=0, counts=False),)
    found = words(enumerated([course(blocks(2, **rules), 3, changes=gone)]))
    assert found == {"aab": Fraction(1, 2), "bba": Fraction(1, 2)}


def test_rerandomisation_leaves_the_allocations_that_are_close_enough() -> None:
    values = [1, 2, 3, 4, 6, 9]
    design = Rerandomization(
        method="rerandomization",
        ratio=EVEN,
        variables=("x",),
        criterion="standardized_difference",
        at_most=0.5,
        **RULES,
    )
    found = enumerated([Course(design=design, arrivals=Arrivals.of([f"x={value}" for value in values]))])
    close = {
        chosen
        for chosen in combinations(range(6), 3)
        if abs(2 * sum(values[i] for i in chosen) - sum(values)) / 3 <= 0.5 * np.std(values, ddof=1)
    }
    assert {tuple(np.flatnonzero(row == 0)) for row in found.codes} == close
    assert set(found.probabilities) == {Fraction(1, len(close))}
    assert 2 < len(close) < 20


def test_each_batch_is_enumerated_for_itself() -> None:
    design = Rerandomization(
        method="rerandomization",
        ratio=EVEN,
        variables=("x",),
        criterion="standardized_difference",
        at_most=9.0,
        **RULES,
    )
    labels = [f"x={value}" for value in (1, 2, 3, 4, 1, 2, 3, 4)]
    found = enumerated(
        [Course(design=design, arrivals=Arrivals.of(labels), batches=(1, 2, 1, 2, 1, 2, 1, 2))]
    )
    assert len(found.codes) == 36
    assert (found.codes[:, ::2].sum(axis=1) == 2).all()


def test_more_allocations_than_the_limit_are_refused_with_their_number() -> None:
    with pytest.raises(TooManyAllocations, match=r"30 arrivals: they have 128 allocations or more, and 100"):
        enumerated([course(blocks(2), 30)], 100)


def test_many_arrivals_are_refused_before_they_fill_the_memory() -> None:
    many = course(blocks(2), 50_000)
    tracemalloc.start()
    with pytest.raises(TooManyAllocations):
        enumerated([many], 4_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000 * 4_000 / 8


def test_the_limit_holds_for_all_waves_together() -> None:
    with pytest.raises(TooManyAllocations, match="400 allocations"):
        enumerated([course(complete(6), 6)] * 2, 399)
    assert len(enumerated([course(complete(6), 6)] * 2, 400).codes) == 400


def test_the_floats_are_the_fractions() -> None:
    found = enumerated([course(complete(6), 6)])
    assert found.floats.tolist() == [0.05] * 20
