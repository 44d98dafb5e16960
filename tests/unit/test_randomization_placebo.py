"""The placebo allocation knows nothing of the true one."""

import hashlib
import inspect
from collections import Counter

import pytest
from scipy.stats import binom

from forethought.protocol.design import Dropouts, PermutedBlocks, SeedPolicy
from forethought.randomization.blocks import allocate
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
ARRIVALS = [(f"p{number}", "all") for number in range(40)]


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


def test_it_is_a_draw_from_the_registered_design_over_the_arrivals() -> None:
    seed = hashlib.sha256(b"blinded/abc").digest()
    drawn = allocate(DESIGN, "s", 1, seed, ["all"] * 40)
    assert list(placebo(DESIGN, "s", 1, ARRIVALS, "abc").items()) == [
        (f"p{number}", given.arm) for number, given in enumerate(drawn)
    ]


def test_everyone_has_an_arm_and_complete_blocks_are_balanced() -> None:
    fixed = DESIGN.model_copy(update={"block_sizes": (4,)})
    assert set(Counter(placebo(fixed, "s", 1, ARRIVALS, "abc").values()).values()) == {10}


@pytest.mark.parametrize("participant", [0, 3, 4, 11, 39])
def test_it_agrees_with_a_fixed_allocation_as_often_as_chance_does(participant: int) -> None:
    """Exact binomial bounds at 1e-6 in each tail, over 4,000 data sets."""
    hashes = 4000
    true = allocate(DESIGN, "s", 1, bytes(range(32)), ["all"] * 40)[participant].arm
    person = ARRIVALS[participant][0]
    agreed = sum(
        placebo(DESIGN, "s", 1, ARRIVALS[: participant + 1], str(number))[person] == true
        for number in range(hashes)
    )
    assert binom.ppf(1e-6, hashes, 0.25) <= agreed <= binom.isf(1e-6, hashes, 0.25)
