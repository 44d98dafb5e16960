"""The placebo allocation knows nothing of the true one."""

import hashlib
import inspect
from collections import Counter

import pytest
from scipy.stats import binom

from forethought.protocol.allocation import (
    BiasedCoin,
    Cap,
    Complete,
    Dropouts,
    PermutedBlocks,
    Rerandomization,
    SeedPolicy,
)
from forethought.randomization.allocating import allocate
from forethought.randomization.arrivals import Arrivals, Source
from forethought.randomization.placebo import placebo

RULES = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
"""What a design says besides its blocks, which moves no arm."""

DESIGN = PermutedBlocks(
    method="permuted_blocks",
    ratio={"control": 1, "video": 1, "coach": 1, "combined": 1},
    block_sizes=(4, 8),
    **RULES,
)
ARRIVALS = [(f"p{number}", "all", None) for number in range(40)]


def test_its_arguments_hold_neither_the_secret_seed_nor_an_allocation() -> None:
    assert list(inspect.signature(placebo).parameters) == [
        "design",
        "study_id",
        "wave",
        "arrivals",
        "data_hash",
    ]


def test_the_same_data_give_the_same_arms() -> None:
    assert placebo(DESIGN, "s", 1, ARRIVALS, "abc") == placebo(DESIGN, "s", 1, ARRIVALS, "abc")


def test_other_data_give_other_arms() -> None:
    assert placebo(DESIGN, "s", 1, ARRIVALS, "abc") != placebo(DESIGN, "s", 1, ARRIVALS, "abd")


def arms_of(design: PermutedBlocks | Complete, seed: bytes, algorithm: str, people: int) -> list[str]:
    source = Source(seed=seed, study_id="s", wave=1, algorithm=algorithm)
    drawn = allocate(design, source, Arrivals.of(["all"] * people))
    return [drawn.arms[code] for code in drawn.arm.tolist()]


def test_it_is_a_draw_from_the_registered_design_over_the_arrivals() -> None:
    seed = hashlib.sha256(b"blinded/abc").digest()
    drawn = arms_of(DESIGN, seed, "permuted-blocks/2", 40)
    assert list(placebo(DESIGN, "s", 1, ARRIVALS, "abc").values()) == drawn
    assert list(placebo(DESIGN, "s", 1, ARRIVALS, "abc")) == [person for person, _, _ in ARRIVALS]


def test_sealed_block_sizes_are_not_needed() -> None:
    sealed = DESIGN.model_copy(update={"block_sizes": "sealed"})
    assert placebo(sealed, "s", 1, ARRIVALS, "abc") == placebo(DESIGN, "s", 1, ARRIVALS, "abc")


def test_a_rerandomised_design_gives_everyone_an_arm_by_complete_randomisation() -> None:
    design = Rerandomization(
        method="rerandomization",
        ratio=dict.fromkeys(DESIGN.ratio, 1),
        variables=("age",),
        criterion="mahalanobis",
        at_most=0.001,
        **RULES,
    )
    people = [(f"p{number}", f"age={number}", None) for number in range(40)]
    drawn = placebo(design, "s", 1, people, "abc")
    complete = Complete(method="complete", ratio=design.ratio, size=40, **RULES)
    seed = hashlib.sha256(b"blinded/abc").digest()
    assert list(drawn.values()) == arms_of(complete, seed, "complete/1", 40)
    assert placebo(design, "s", 1, people[:1], "abc").keys() == {"p0"}


def test_a_cluster_has_one_arm() -> None:
    design = DESIGN.model_copy(update={"unit": "cluster", "cluster": "school"})
    people = [(f"p{number}", "all", f"school {number % 7}") for number in range(40)]
    drawn = placebo(design, "s", 1, people, "abc")
    assert len({(unit, drawn[person]) for person, _, unit in people}) == 7


def test_caps_do_not_hold_because_nobody_who_left_is_known() -> None:
    caps = tuple(Cap(arm=arm, at_most=1) for arm in DESIGN.ratio)
    design = BiasedCoin(method="biased_coin", ratio=DESIGN.ratio, chance="2/3", caps=caps, **RULES)
    assert set(Counter(placebo(design, "s", 1, ARRIVALS, "abc").values())) == set(DESIGN.ratio)
    assert len(placebo(design, "s", 1, ARRIVALS, "abc")) == 40


def test_everyone_has_an_arm_and_complete_blocks_are_balanced() -> None:
    fixed = DESIGN.model_copy(update={"block_sizes": (4,)})
    assert set(Counter(placebo(fixed, "s", 1, ARRIVALS, "abc").values()).values()) == {10}


@pytest.mark.parametrize("participant", [0, 3, 4, 11, 39])
def test_it_agrees_with_a_fixed_allocation_as_often_as_chance_does(participant: int) -> None:
    """Exact binomial bounds at 1e-6 in each tail, over 4,000 data sets."""
    hashes = 4000
    true = arms_of(DESIGN, bytes(range(32)), "permuted-blocks/2", 40)[participant]
    person = ARRIVALS[participant][0]
    agreed = sum(
        placebo(DESIGN, "s", 1, ARRIVALS[: participant + 1], str(number))[person] == true
        for number in range(hashes)
    )
    assert binom.ppf(1e-6, hashes, 0.25) <= agreed <= binom.isf(1e-6, hashes, 0.25)
