"""Permuted blocks: ratio, probability and order, each counted exactly over all shuffles of a block."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import permutations, product
from math import comb, factorial

import pytest

from forethought.errors import ProtocolInvalid
from forethought.protocol.allocation import Dropouts, PermutedBlocks, SeedPolicy
from forethought.randomization.first_blocks import (
    ALGORITHM,
    StratumBlocks,
    allocate,
    content,
    probabilities,
)
from forethought.randomization.streams import shuffled

RULES = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
"""What a design says besides its blocks, which moves no arm."""

SEED = bytes(range(32))
FOUR_ARMS = {"control": 1, "video": 1, "coach": 1, "combined": 1}


def design(ratio: dict[str, int], *block_sizes: int) -> PermutedBlocks:
    return PermutedBlocks(method="permuted_blocks", ratio=ratio, block_sizes=block_sizes, **RULES)


def plain_words(*labels: str) -> Callable[[str], Iterator[int]]:
    """Words for a purpose. None of them is so high that it would have to be passed over (1 in 2**61)."""

    def words(purpose: str) -> Iterator[int]:
        parts = [label.encode() for label in (*labels, purpose)]
        prefix = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        for counter in range(4):
            block = hmac.new(SEED, prefix + counter.to_bytes(8, "big"), hashlib.sha256).digest()
            yield from (int.from_bytes(block[start : start + 8], "big") for start in range(0, 32, 8))

    return words


def every_shuffle(items: list[str]) -> Counter[tuple[str, ...]]:
    """Each order of the items, and of how many of the equally likely sequences of draws it is the shuffle."""
    orders: Counter[tuple[str, ...]] = Counter()
    for draws in product(*(range(n) for n in range(len(items), 1, -1))):
        scripted = iter(draws)
        orders[tuple(shuffled(items, lambda _, scripted=scripted: next(scripted)))] += 1
    return orders


def test_the_same_seed_gives_the_same_arms_in_every_later_release() -> None:
    arms = allocate(design(FOUR_ARMS, 4, 8), "lend_an_ear", 1, SEED, ["all"] * 20)
    assert ALGORITHM == "permuted-blocks/1"
    assert " ".join(assignment.arm for assignment in arms) == (
        "combined control coach video video combined coach control control combined "
        "coach video combined control coach video combined control video coach"
    )
    assert [assignment.block for assignment in arms] == [1] * 4 + [2] * 8 + [3] * 4 + [4] * 4
    assert [assignment.position for assignment in arms][:6] == [1, 2, 3, 4, 1, 2]


def test_the_arms_are_those_of_a_plain_hmac_loop() -> None:
    """A second source: the blocks written out with the standard library's hmac."""
    plain: list[str] = []
    for block in range(1, 8):
        words = plain_words("lend_an_ear", "wave 1", "all", f"block {block}")
        size = (4, 8)[next(words("size")) % 2]
        arms = sorted([*FOUR_ARMS] * (size // 4))
        draws = words("order")
        for last in range(size - 1, 0, -1):
            chosen = next(draws) % (last + 1)
            arms[last], arms[chosen] = arms[chosen], arms[last]
        plain += arms
    given = allocate(design(FOUR_ARMS, 4, 8), "lend_an_ear", 1, SEED, ["all"] * len(plain))
    assert [assignment.arm for assignment in given] == plain


def test_an_unequal_ratio_in_two_strata_gives_the_same_arms_in_every_later_release() -> None:
    strata = ["sex=Female", "sex=Male"] * 10
    arms = allocate(design({"active": 2, "control": 1}, 6), "lend_an_ear", 1, SEED, strata)
    assert " ".join(assignment.arm for assignment in arms) == (
        "control control active active active active active active active control "
        "control active control active active control active active active active"
    )


def test_the_order_in_which_the_ratio_is_written_changes_nothing() -> None:
    one = allocate(design({"a": 1, "b": 2}, 3, 6), "s", 1, SEED, ["all"] * 30)
    other = allocate(design({"b": 2, "a": 1}, 3, 6), "s", 1, SEED, ["all"] * 30)
    assert one == other


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7])
def test_every_permutation_is_the_shuffle_of_exactly_one_sequence_of_draws(size: int) -> None:
    items = [str(number) for number in range(size)]
    assert every_shuffle(items) == Counter(permutations(items))


@pytest.mark.parametrize(
    ("ratio", "size", "orders"),
    [
        ({"a": 1, "b": 1}, 2, 2),
        ({"a": 1, "b": 1}, 4, 6),
        ({"a": 1, "b": 1}, 6, 20),
        ({"a": 1, "b": 1, "c": 1}, 3, 6),
        ({"a": 2, "b": 1}, 6, comb(6, 2)),
        ({"a": 1, "b": 1, "c": 1, "d": 1}, 8, factorial(8) // 2**4),
    ],
)
def test_every_order_of_a_block_is_equally_likely(ratio: dict[str, int], size: int, orders: int) -> None:
    counts = every_shuffle(content(ratio, size))
    assert len(counts) == orders
    assert set(counts.values()) == {factorial(size) // orders}


@pytest.mark.parametrize(("ratio", "size"), [({"a": 1, "b": 1}, 6), ({"a": 2, "b": 1}, 6), (FOUR_ARMS, 8)])
def test_the_probability_of_each_arm_is_its_share_of_all_shuffles_that_begin_so(
    ratio: dict[str, int], size: int
) -> None:
    prefixes: Counter[tuple[str, ...]] = Counter()
    for order, ways in every_shuffle(content(ratio, size)).items():
        for length in range(size + 1):
            prefixes[order[:length]] += ways
    for order in every_shuffle(content(ratio, size)):
        for position in range(1, size + 1):
            given = probabilities(order, position)
            assert sum(map(Fraction, given.values())) == pytest.approx(1, abs=1e-15)
            for arm, probability in given.items():
                begun = prefixes[order[: position - 1]]
                assert probability == float(Fraction(prefixes[(*order[: position - 1], arm)], begun))


@pytest.mark.parametrize(
    ("size", "published"), [(2, Fraction(3, 4)), (4, Fraction(17, 24)), (6, None), (8, None)]
)
def test_the_convergence_strategy_guesses_as_often_as_zhao_says(
    size: int, published: Fraction | None
) -> None:
    """Zhao et al. 2012 (PMC3399213): 1/2 + (4^m / C(2m,m) - 1)/(4m); .7500 and .7083 for blocks of 2 and 4."""
    orders = every_shuffle(content({"a": 1, "b": 1}, size))
    m = size // 2
    right = sum((ways * guessed_right(order) for order, ways in orders.items()), Fraction(0))
    share = right / (factorial(size) * size)
    assert share == Fraction(1, 2) + (Fraction(4**m, comb(2 * m, m)) - 1) / (4 * m)
    assert published is None or share == published


def guessed_right(order: tuple[str, ...]) -> Fraction:
    """Guess the arm that is behind; between equals, either with probability one half."""
    right = Fraction(0)
    for position, arm in enumerate(order):
        behind = order[:position].count("b") - order[:position].count("a")
        right += Fraction(1, 2) if behind == 0 else Fraction(arm == ("a" if behind > 0 else "b"))
    return right


@pytest.mark.parametrize(("size", "share"), [(2, (1, 2)), (4, (1, 3)), (10, (1, 6))])
def test_so_many_assignments_are_certain(size: int, share: tuple[int, int]) -> None:
    """Zhao et al. 2012 (PMC3399213): 1/(m+1) of the assignments of a 1:1 block of 2m are certain."""
    orders = set(permutations(content({"a": 1, "b": 1}, size))) if size < 10 else half_and_half(size)
    certain = sum(
        max(probabilities(order, at).values()) == 1 for order in orders for at in range(1, size + 1)
    )
    assert Fraction(certain, len(orders) * size) == Fraction(*share)


def half_and_half(size: int) -> list[tuple[str, ...]]:
    return [arms for arms in product("ab", repeat=size) if arms.count("a") * 2 == size]


def test_the_probability_is_of_the_arm_given_and_counts_down_the_block() -> None:
    given = allocate(design({"active": 2, "control": 1}, 3), "s", 1, SEED, ["all"] * 3)
    arms = [assignment.arm for assignment in given]
    assert [assignment.probability for assignment in given] == [
        probabilities(arms, position)[arm] for position, arm in enumerate(arms, start=1)
    ]
    assert given[-1].probability == 1


def test_any_block_can_be_recomputed_alone() -> None:
    blocks = StratumBlocks(
        design=design(FOUR_ARMS, 4, 8), study_id="s", wave=2, seed=SEED, stratum="sex=Female"
    )
    arms = [given.arm for given in allocate(blocks.design, "s", 2, SEED, ["sex=Female"] * 400)]
    start = sum(blocks.size(number) for number in range(1, 37))
    assert blocks.arms(37) == arms[start : start + blocks.size(37)]


def test_each_registered_size_occurs() -> None:
    blocks = StratumBlocks(design=design(FOUR_ARMS, 4, 8, 12), study_id="s", wave=1, seed=SEED, stratum="all")
    assert {blocks.size(number) for number in range(1, 40)} == {4, 8, 12}


@pytest.mark.parametrize(
    "other",
    [
        {"study_id": "another"},
        {"wave": 2},
        {"strata": ["sex=Male"] * 40},
        {"seed": SEED[::-1]},
    ],
)
def test_another_study_wave_stratum_or_seed_gives_other_arms(other: dict[str, object]) -> None:
    first = {"study_id": "s", "wave": 1, "seed": SEED, "strata": ["sex=Female"] * 40}
    registered = design(FOUR_ARMS, 4, 8)
    one = [given.arm for given in allocate(registered, **first)]
    another = [given.arm for given in allocate(registered, **(first | other))]
    assert one != another


@pytest.mark.parametrize(
    ("ratio", "sizes"),
    [
        ({"a": 1, "b": 1}, (3,)),
        ({"a": 1, "b": 2}, (3, 4)),
    ],
)
def test_a_block_that_cannot_hold_the_ratio_is_refused(ratio: dict[str, int], sizes: tuple[int, ...]) -> None:
    with pytest.raises(ProtocolInvalid, match="cannot hold the ratio"):
        allocate(design(ratio, *sizes), "s", 1, SEED, ["all"])
