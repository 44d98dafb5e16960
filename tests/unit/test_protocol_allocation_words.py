"""Any allocation in sentences: what is said of each method, and what is withheld."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from forethought.protocol import allocation_words as words
from forethought.protocol.allocation import Allocation

COMMON = {
    "ratio": {"control": 1, "training": 1},
    "dropouts": {"count": "everyone_allocated", "replace": "never", "statement": "So."},
    "seed": {"drawn_by": "either", "revealed": "at_unblinding"},
    "concealment": "Secret.",
}
BLOCKS = {"method": "permuted_blocks", "block_sizes": (4, 8), "strata": ("sex", "age_group")}
FACTORS = ({"name": "sex", "weight": 2}, {"name": "age_group"})
MINIMIZATION = {
    "method": "minimization",
    "factors": FACTORS,
    "imbalance": "standard_deviation",
    "chance": "2/3",
}
ALIKE = {"method": "rerandomization", "variables": ("age", "sex"), "at_most": 2.5}


def design(given: dict[str, Any], **more: Any) -> Any:
    return TypeAdapter(Allocation).validate_python(COMMON | given | more)


METHODS: list[tuple[dict[str, Any], str, str, str | None]] = [
    ({"method": "simple"}, "simple randomisation", "", None),
    ({"method": "complete", "size": 2000}, "complete randomisation", "without strata", "over 2,000 units"),
    (BLOCKS, "permuted blocks", "within strata of sex and age group", "of 4 or 8 (each block's size drawn by chance)"),
    (BLOCKS | {"block_sizes": (4,)}, "permuted blocks", "within strata of sex and age group", "of 4 (of one size)"),
    (BLOCKS | {"block_sizes": "sealed"}, "permuted blocks", "within strata of sex and age group", "of sizes randomly varying, sealed"),
    ({"method": "biased_coin", "chance": 0.7}, "a biased coin", "without strata", None),
    ({"method": "big_stick", "tolerance": 3}, "the big stick", "without strata", "with a tolerance of 3"),
    ({"method": "block_urn", "block_size": 6}, "the block urn", "without strata", "of 6 balls"),
    (MINIMIZATION, "minimisation", "over sex (weight 2) and age group (weight 1)", None),
    (MINIMIZATION | {"factors": ({"name": "sex"},)}, "minimisation", "over sex", None),
    (ALIKE | {"criterion": "mahalanobis"}, "rerandomisation", "on age and sex", None),
]  # fmt: skip


@pytest.mark.parametrize(("given", "name", "looked_at", "sizes"), METHODS)
def test_a_method_is_said_by_its_name_what_it_looks_at_and_its_numbers(
    given: dict[str, Any], name: str, looked_at: str, sizes: str | None
) -> None:
    found = design(given)
    assert (words.method(found), words.looked_at(found), words.sizes(found)) == (name, looked_at, sizes)


@pytest.mark.parametrize(("given", "name", "looked_at", "sizes"), METHODS)
def test_numbers_that_tell_when_an_arm_is_due_stand_in_sizes_alone(
    given: dict[str, Any], name: str, looked_at: str, sizes: str | None
) -> None:
    found = design(given)
    said = [words.how(found), words.withheld(found), words.dropouts(found), *words.rules(found, str.upper)]
    numbers = [word for word in (sizes or "").split() if word.strip("(,)").replace(",", "").isdigit()]
    assert [one for one in numbers if any(one in (text or "").split() for text in said)] == []


@pytest.mark.parametrize(
    ("given", "withheld"),
    [
        ({"method": "simple"}, None),
        (BLOCKS, "The sizes of the blocks are withheld until the end, so that no allocation can be guessed"),
        (BLOCKS | {"block_sizes": "sealed"}, "Block sizes: randomly varying, sealed"),
        ({"method": "block_urn", "block_size": 6}, "How much the urn holds is withheld until the end, so that no allocation can be guessed"),
        (MINIMIZATION, None),
    ],
)  # fmt: skip
def test_what_is_withheld_is_said_to_be(given: dict[str, Any], withheld: str | None) -> None:
    assert words.withheld(design(given)) == withheld


def test_a_chance_is_said_as_it_was_written() -> None:
    assert words.how(design({"method": "biased_coin", "chance": 0.7})) == (
        "The arms furthest behind their share have the probability 0.7 together"
    )
    assert words.how(design(MINIMIZATION)) == (
        "The arm that would leave the smallest imbalance over these factors, measured by the standard deviation, has the "
        "probability 2/3"
    )


@pytest.mark.parametrize(
    ("criterion", "distance"),
    [
        ("mahalanobis", "the sum over arms of the Mahalanobis distance of their means from the mean of all"),
        ("standardized_difference", "the largest standardised difference of two arms' means"),
    ],
)
def test_rerandomisation_says_what_is_accepted_and_what_is_not(criterion: str, distance: str) -> None:
    found = design(ALIKE, criterion=criterion, most_draws=5000)
    assert words.how(found) == (
        f"Those who wait are allocated together, anew until {distance} is at most 2.5, and by no draw where 5,000 do not "
        "reach it"
    )
    assert words.course(found) == "in batches"


def test_clusters_a_first_phase_caps_and_a_sealed_list_are_each_a_sentence() -> None:
    caps = (
        {"arm": "training", "at_most": 1},
        {"arm": "control", "stratum": {"sex": "Female", "age_group": "old"}, "at_most": 20},
    )
    found = design(
        BLOCKS, unit="cluster", cluster="home_town", initial_simple=4, caps=caps, drawn="ahead", list_length=9
    )
    assert words.unit(found) == "cluster (all people of one home town)"
    assert [*words.rules(found, str.upper)] == [
        "Whoever comes first of a cluster draws its arm, and all others of it get the same",
        "The first 4 clusters are drawn by the ratio alone, in each stratum",
        "TRAINING takes at most 1 cluster in a wave",
        "CONTROL takes at most 20 clusters in a wave, where sex is Female and age group is old",
        "The list is drawn at the lock and sealed one record at a time, its hash in the registration",
    ]


def test_the_first_phase_of_minimisation_is_of_the_wave() -> None:
    (said,) = words.rules(design(MINIMIZATION, initial_simple=1), str)
    assert said == "The first participant is drawn by the ratio alone, in each wave"


RULE = {"count": "completed_or_in_progress", "in_progress_minutes": 90, "statement": "So."}


@pytest.mark.parametrize(
    ("given", "rule", "said"),
    [
        (BLOCKS, COMMON["dropouts"], "Whoever was allocated keeps the place in the block, and nobody is replaced"),
        (MINIMIZATION, COMMON["dropouts"], "Whoever was allocated keeps the place and counts towards balance, and nobody is replaced"),
        (BLOCKS, {"count": "completed", "replace": "never", "statement": "So."}, "Towards balance counts who has completed; nobody is replaced"),
        (BLOCKS, RULE | {"replace": "reopen_place"}, "Towards balance counts who has completed, or was allocated no more than 90 minutes ago and has not left; a place that counts no longer is drawn anew among the open places of its stratum"),
        (BLOCKS, RULE | {"replace": "next_arrival"}, "Towards balance counts who has completed, or was allocated no more than 90 minutes ago and has not left; the next arrival of its stratum takes a place that counts no longer"),
    ],
)  # fmt: skip
def test_who_counts_and_who_is_replaced_is_said(given: dict[str, Any], rule: Any, said: str) -> None:
    assert words.dropouts(design(given, dropouts=rule)) == said


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ({"control": 2, "training": 2}, "has the probability 2/3"),
        (
            {"control": 1, "training": 2},
            "has the probability 2/3 if its share is the smallest, and more if not",
        ),
    ],
)
def test_the_best_arm_is_said_to_have_the_chance_only_where_it_has(ratio: dict[str, int], said: str) -> None:
    found = words.how(design(MINIMIZATION, ratio=ratio))
    assert found is not None
    assert found.endswith(said)
