"""Enumeration, redraws and bounds, for any design over any arrivals."""

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from forethought.analysis.arm_statistics import f_statistic
from forethought.analysis.randomization_test import randomization_test
from forethought.protocol.allocation import (
    BiasedCoin,
    BigStick,
    BlockUrn,
    Complete,
    Design,
    Dropouts,
    PermutedBlocks,
    SeedPolicy,
    Simple,
)
from forethought.randomization.arrivals import Arrivals
from forethought.randomization.enumeration import enumerated
from forethought.randomization.imbalance import exact_bounds
from forethought.randomization.recorded import Change, Course, RecordedDesign
from forethought.randomization.redraws import redraw


@st.composite
def designs(draw: st.DrawFn) -> Design:
    ratio = {arm: draw(st.integers(1, 3)) for arm in "abc"[: draw(st.integers(2, 3))]}
    total = sum(ratio.values())
    rules: dict[str, Any] = {
        "ratio": ratio,
        "initial_simple": draw(st.integers(0, 2)),
        "dropouts": Dropouts(
            count="completed",
            replace=draw(st.sampled_from(["never", "reopen_place", "next_arrival"])),
            statement="Whoever leaves.",
        ),
        "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
        "concealment": "Nobody knows the seed.",
    }
    sizes = tuple(total * times for times in draw(st.lists(st.integers(1, 2), min_size=1, max_size=2)))
    return draw(
        st.sampled_from(
            [
                Simple(method="simple", **rules),
                Complete(method="complete", size=draw(st.integers(2, 6)), **rules),
                PermutedBlocks(method="permuted_blocks", block_sizes=sizes, **rules),
                BiasedCoin(method="biased_coin", chance="2/3", **rules),
                BigStick(method="big_stick", tolerance=draw(st.integers(1, 2)), **rules),
                BlockUrn(method="block_urn", block_size=sizes[0], **rules),
            ]
        )
    )


@st.composite
def courses(draw: st.DrawFn) -> Course:
    strata = draw(st.lists(st.sampled_from(["x", "y"]), min_size=1, max_size=6))
    people = st.integers(0, len(strata) - 1)
    gone = sorted(draw(st.sets(people, max_size=2)))
    return Course(
        design=draw(designs()),
        arrivals=Arrivals.of(strata),
        changes=tuple(Change(at=person + 1, person=person, counts=False) for person in gone),
    )


seeds = st.integers(0, 2**32)


@given(courses())
def test_the_probabilities_of_all_allocations_sum_to_one(course: Course) -> None:
    found = enumerated([course])
    assert sum(found.probabilities) == 1
    assert min(found.probabilities) > 0
    assert len({row.tobytes() for row in found.codes}) == len(found.codes)


@settings(deadline=None)
@given(courses(), seeds)
def test_no_redraw_is_an_allocation_that_the_design_cannot_give(course: Course, seed: int) -> None:
    possible = {row.tobytes() for row in enumerated([course]).codes}
    drawn = redraw(course, 40, np.random.default_rng(seed))
    assert {row.tobytes() for row in drawn} <= possible


@given(designs(), st.integers(1, 300), seeds)
@settings(deadline=None)
def test_no_redraw_is_further_from_balance_than_the_bound(design: Design, people: int, seed: int) -> None:
    drawn = redraw(
        Course(design=design, arrivals=Arrivals.of(["all"] * people)), 3, np.random.default_rng(seed)
    )
    after, at_any_time = exact_bounds(design, people), exact_bounds(design)
    for code, arm in enumerate(sorted(design.ratio)):
        share = Fraction(people * design.ratio[arm], sum(design.ratio.values()))
        furthest = max(abs(int(units) - share) for units in (drawn == code).sum(axis=1))
        for bound in (after, at_any_time):
            assert bound is None or furthest <= bound[arm]
        assert after is None or at_any_time is None or after[arm] <= at_any_time[arm]


@settings(deadline=None, max_examples=30)
@given(designs(), st.integers(0, 1000))
def test_a_p_is_never_below_that_of_the_recorded_arms_themselves(design: Design, seed: int) -> None:
    rng = np.random.default_rng(seed)
    course = Course(design=design, arrivals=Arrivals.of(["all"] * 6))
    codes = redraw(course, 1, rng)[0]
    record = RecordedDesign(
        courses=(course,), participants=tuple("uvwxyz"), units=tuple("uvwxyz"), codes=codes
    )
    statistic = f_statistic(record, rng.normal(size=6))
    if np.isnan(statistic(codes[None, :])[0]):
        return
    every = enumerated([course])
    own = every.probabilities[(every.codes == codes).all(axis=1).argmax()]
    found = randomization_test(statistic, record, seed=seed)
    assert float(own) * (1 - 1e-12) <= found.p <= 1 + 1e-12
