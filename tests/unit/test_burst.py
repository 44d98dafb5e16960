"""A crowd that arrives at once is spread over arms and orders by the code that allocates in the study."""

from pathlib import Path
from typing import Any

import pytest

from forethought.protocol.allocation import (
    Dropouts,
    Minimization,
    PermutedBlocks,
    Rerandomization,
    SeedPolicy,
    Simple,
    algorithm,
)
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.steps.burst import Burst, Shares, burst, spread
from forethought.steps.predicted import as_seen, predicted

TRIAL = Path(__file__).parent / "allocation_steps" / "small_trial.yaml"
RULES: dict[str, Any] = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
    "ratio": {"control": 1, "coached": 1},
}
SIMPLE = Simple(method="simple", **RULES)
BLOCKS = PermutedBlocks(method="permuted_blocks", block_sizes=(4, 6), strata=("sex",), **RULES)
MINIMIZED = Minimization.model_validate(
    {"method": "minimization", "factors": ({"name": "sex"},), "imbalance": "range", "chance": 0.8, **RULES}
)
BALANCED = Rerandomization(
    method="rerandomization", variables=("sex",), criterion="standardized_difference", at_most=0.5, **RULES
)


@pytest.fixture(scope="module")
def trial() -> Protocol:
    return load(TRIAL).protocol


def crowd(protocol: Protocol, design: Any, arrivals: int = 200, seeds: int = 5) -> Burst:
    return burst(protocol, design, algorithm(design), wave=1, arrivals=arrivals, seeds=seeds)


@pytest.mark.parametrize("design", [SIMPLE, BLOCKS, MINIMIZED, BALANCED], ids=lambda one: one.method)
def test_no_arm_and_no_order_takes_all(trial: Protocol, design: Any) -> None:
    done = crowd(trial, design)
    assert done.spread
    assert done.arms is not None
    assert done.orders is not None
    assert (done.arms.of, done.orders.of) == (2, 6)
    assert 0.3 < done.arms.smallest <= 0.5 <= done.arms.largest < 0.7
    assert done.orders.largest < 0.4


def test_the_same_protocol_has_the_same_answer(trial: Protocol) -> None:
    assert crowd(trial, BLOCKS) == crowd(trial, BLOCKS)


def test_every_seed_is_looked_at(trial: Protocol) -> None:
    few, many = (crowd(trial, SIMPLE, seeds=seeds).arms for seeds in (1, 20))
    assert few is not None
    assert many is not None
    assert many.largest > few.largest


def test_a_single_arrival_is_not_spread(trial: Protocol) -> None:
    done = crowd(trial, SIMPLE, arrivals=1)
    assert done.arms == Shares(of=2, smallest=0.0, largest=1.0)
    assert not done.spread


def test_one_order_for_all_is_not_spread() -> None:
    arms, one_order = Shares(of=2, smallest=0.4, largest=0.6), Shares(of=1, smallest=1.0, largest=1.0)
    assert spread(arms, None)
    assert not spread(arms, one_order)


def test_an_order_that_the_plan_fixes_is_no_fault(trial: Protocol) -> None:
    assert trial.stimuli is not None
    fixed = trial.model_copy(update={"stimuli": trial.stimuli.model_copy(update={"order": "fixed"})})
    done = crowd(fixed, SIMPLE)
    assert (done.orders, done.spread) == (None, True)


def test_a_crowd_that_cannot_be_allocated_is_told_with_the_reason(trial: Protocol) -> None:
    done = crowd(trial, BALANCED, arrivals=3)
    assert done.arms is None
    assert not done.spread
    assert done.refused is not None
    assert "3 wait" in done.refused


def test_clusters_are_allocated_too(trial: Protocol) -> None:
    clusters = BLOCKS.model_copy(update={"unit": "cluster", "cluster": "school"})
    assert crowd(trial, clusters).spread


def test_sealed_block_sizes_are_not_used_and_the_shortest_stand_for_them(trial: Protocol) -> None:
    sealed = BLOCKS.model_copy(update={"block_sizes": "sealed"})
    shown = as_seen(sealed)
    assert isinstance(shown, PermutedBlocks)
    assert shown.block_sizes == (2,)
    answer = predicted(trial, sealed, trial.waves[0])
    assert answer.shortest_blocks
    assert answer.guessed == pytest.approx(0.75, abs=0.02)


def test_who_guesses_simple_randomisation_is_right_by_chance(trial: Protocol) -> None:
    answer = predicted(trial, SIMPLE, trial.waves[0])
    assert (answer.units, answer.guessed, answer.by_chance, answer.shortest_blocks) == (40, 0.5, 0.5, False)
