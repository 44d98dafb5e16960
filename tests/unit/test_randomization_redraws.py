"""Redraws: every possible allocation as often as its probability says, and nothing else."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from forethought.protocol.allocation import (
    BiasedCoin,
    BigStick,
    BlockUrn,
    Cap,
    Complete,
    Dropouts,
    Factor,
    Minimization,
    PermutedBlocks,
    Rerandomization,
    SeedPolicy,
    Simple,
)
from forethought.randomization.arrivals import Arrivals
from forethought.randomization.enumeration import enumerated
from forethought.randomization.recorded import Change, Course
from forethought.randomization.redraws import BATCH_BYTES, batch_size, redraw, redraws

RULES: dict[str, Any] = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
REPLACED: dict[str, Any] = RULES | {
    "dropouts": Dropouts(count="completed", replace="reopen_place", statement="Whoever leaves is replaced.")
}
EVEN = {"a": 1, "b": 1}
UNEVEN = {"a": 2, "b": 1}
TWO_STRATA = ("x", "y", "x", "x", "y", "x")
GONE = (Change(at=2, person=0, counts=False), Change(at=3, person=1, counts=False))
DRAWS = 20_000
WRONG = 1e-6
"""The probability with which right redraws fail one test."""


def course(design: Any, strata: tuple[str, ...] = ("all",) * 6, **more: Any) -> Course:
    units = more.pop("units", None)
    return Course(design=design, arrivals=Arrivals.of(strata, units), **more)


def permuted(*sizes: int, ratio: dict[str, int] = EVEN, **more: Any) -> PermutedBlocks:
    return PermutedBlocks(method="permuted_blocks", block_sizes=sizes, ratio=ratio, **(RULES | more))


COURSES = {
    "simple": course(Simple(method="simple", ratio=UNEVEN, **RULES)),
    "simple with a cap": course(
        Simple(method="simple", ratio=EVEN, caps=(Cap(arm="a", at_most=2),), **RULES)
    ),
    "blocks": course(permuted(4, strata=("s",)), TWO_STRATA),
    "blocks of random sizes": course(permuted(2, 4, strata=("s",)), TWO_STRATA),
    "blocks with a cap": course(permuted(2, 4, caps=(Cap(arm="b", at_most=2),))),
    "blocks after simple units": course(permuted(2, initial_simple=2)),
    "blocks with replacements": course(permuted(4, **REPLACED), changes=GONE),
    "blocks of clusters": course(
        permuted(2, unit="cluster", cluster="school"), units=("p", "q", "p", "r", "q", "s")
    ),
    "complete": course(Complete(method="complete", ratio=EVEN, size=6, **RULES)),
    "complete with a remainder": course(
        Complete(method="complete", ratio={"a": 1, "b": 1, "c": 2}, size=5, **RULES)
    ),
    "biased coin": course(BiasedCoin(method="biased_coin", ratio=UNEVEN, chance="2/3", **RULES)),
    "big stick, some gone": course(
        BigStick(method="big_stick", ratio=EVEN, tolerance=1, **RULES), changes=GONE
    ),
    "block urn": course(BlockUrn(method="block_urn", ratio=UNEVEN, block_size=3, **RULES)),
    "minimisation": course(
        Minimization(
            method="minimization",
            ratio=UNEVEN,
            factors=(Factor(name="f"), Factor(name="g", weight=2)),
            imbalance="variance",
            chance="3/4",
            **RULES,
        ),
        ("f=x|g=u", "f=y|g=u", "f=x|g=v", "f=x|g=u", "f=y|g=v", "f=y|g=u"),
    ),
    "rerandomisation": course(
        Rerandomization(
            method="rerandomization",
            ratio=EVEN,
            variables=("x",),
            criterion="mahalanobis",
            at_most=0.5,
            **RULES,
        ),
        ("x=1", "x=2", "x=4", "x=5", "x=7", "x=11", "x=3", "x=4", "x=8", "x=9"),
        batches=(1, 1, 1, 1, 1, 1, 2, 2, 2, 2),
    ),
}


@pytest.mark.parametrize("name", COURSES)
def test_each_allocation_is_redrawn_as_often_as_its_probability_says(name: str) -> None:
    every = enumerated([COURSES[name]])
    drawn, numbers = np.unique(
        redraw(COURSES[name], DRAWS, np.random.default_rng(7)), axis=0, return_counts=True
    )
    found = {row.tobytes(): int(number) for row, number in zip(drawn, numbers, strict=True)}
    counts = np.array([found.pop(row.tobytes(), 0) for row in every.codes])
    assert not found, "a redraw that the design cannot give"
    tail = WRONG / len(counts) / 2
    assert (counts >= binom.ppf(tail, DRAWS, every.floats)).all()
    assert (counts <= binom.isf(tail, DRAWS, every.floats)).all()


def test_complete_randomisation_keeps_its_fixed_numbers() -> None:
    """randomizr's examples: 101 units at .34, and blocks of 50, 100 and 200 at .1, .2 and .3."""
    ratio = {"control": 66, "treated": 34}
    of_101 = course(Complete(method="complete", ratio=ratio, size=101, **RULES), ("all",) * 101)
    treated = redraw(of_101, 2_000, np.random.default_rng(1)).sum(axis=1)
    assert set(treated.tolist()) == {34, 35}
    assert binom.ppf(WRONG, 2_000, 0.34) <= (treated == 35).sum() <= binom.isf(WRONG, 2_000, 0.34)
    for size, (out_of, share), exactly in ((50, (10, 1), 5), (100, (10, 2), 20), (200, (10, 3), 60)):
        design = Complete(
            method="complete", ratio={"control": out_of - share, "treated": share}, size=size, **RULES
        )
        drawn = redraw(course(design, ("all",) * size), 50, np.random.default_rng(2))
        assert (drawn.sum(axis=1) == exactly).all()


def test_the_same_seed_gives_the_same_redraws_and_another_seed_others() -> None:
    one, again, other = (redraw(COURSES["blocks"], 50, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (one == again).all()
    assert (one != other).any()


def test_all_of_a_cluster_are_redrawn_together() -> None:
    drawn = redraw(COURSES["blocks of clusters"], 200, np.random.default_rng(5))
    assert (drawn[:, 0] == drawn[:, 2]).all()
    assert (drawn[:, 1] == drawn[:, 4]).all()
    assert (drawn[:, 0] != drawn[:, 1]).all()


def test_waves_are_redrawn_side_by_side_each_with_blocks_of_its_own() -> None:
    waves = (course(permuted(2), ("all",) * 3), course(permuted(2), ("all",) * 2))
    (drawn,) = redraws(waves, 400, np.random.default_rng(6))
    assert drawn.shape == (400, 5)
    assert (drawn[:, 3] != drawn[:, 4]).all()
    assert (drawn[:, 2] == drawn[:, 3]).any()
    assert (drawn[:, 2] != drawn[:, 3]).any()


@pytest.mark.parametrize("people", [1, 1_000, 100_000, 10_000_000])
def test_a_batch_is_no_larger_than_its_memory_and_holds_at_least_one(people: int) -> None:
    size = batch_size(people, 10_000)
    assert size == 1 or size * people * 8 <= BATCH_BYTES
    assert 1 <= size <= 10_000


def test_the_batches_are_as_many_redraws_as_were_asked_for() -> None:
    strata = ("all",) * 20_000
    batches = list(redraws((course(permuted(4), strata),), 450, np.random.default_rng(8)))
    assert len(batches) > 1
    assert sum(len(batch) for batch in batches) == 450


def test_a_criterion_that_nothing_meets_is_refused() -> None:
    design = Rerandomization(
        method="rerandomization",
        ratio=EVEN,
        variables=("x",),
        criterion="mahalanobis",
        at_most=1e-12,
        most_draws=50,
        **RULES,
    )
    with pytest.raises(ValueError, match="the criterion accepts too few"):
        redraw(course(design, ("x=1", "x=2", "x=4", "x=80")), 20, np.random.default_rng(9))


def test_of_eight_arms_any_may_get_one_person_more_as_in_the_allocation() -> None:
    design = Rerandomization(
        method="rerandomization", ratio=dict.fromkeys("abcdefgh", 1), variables=("age",),
        criterion="mahalanobis", at_most=100.0, **RULES,
    )  # fmt: skip
    ages = tuple(f"age={20 + person}" for person in range(18))
    drawn = redraw(course(design, ages), 1_000, np.random.default_rng(1))
    larger = {tuple(np.flatnonzero(np.bincount(codes, minlength=8) == 3)) for codes in drawn}
    assert len(larger) == 28
