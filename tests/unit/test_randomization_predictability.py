"""How often the next arm is guessed: the published shares, every course by hand, and courses that are played."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product
from math import comb

import numpy as np
import pytest

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
    exact,
)
from forethought.randomization import weights
from forethought.randomization.predictability import Predictability, _known, _played, predictability

RULES = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
"""What a design says besides its draw, which moves no arm."""

TWO = {"a": 1, "b": 1}
THREE = {"a": 3, "b": 2, "c": 1}


def blocks(*sizes: int, ratio: dict[str, int] = TWO, **rules: object) -> PermutedBlocks:
    return PermutedBlocks(method="permuted_blocks", ratio=ratio, block_sizes=sizes, **(RULES | rules))


def coin(chance: float | str, ratio: dict[str, int] = TWO) -> BiasedCoin:
    return BiasedCoin(method="biased_coin", ratio=ratio, chance=chance, **RULES)


def stick(tolerance: int, ratio: dict[str, int] = TWO, **rules: object) -> BigStick:
    return BigStick(method="big_stick", ratio=ratio, tolerance=tolerance, **(RULES | rules))


def urn(size: int, ratio: dict[str, int] = TWO) -> BlockUrn:
    return BlockUrn(method="block_urn", ratio=ratio, block_size=size, **RULES)


def whole(size: int, ratio: dict[str, int] = TWO) -> Complete:
    return Complete(method="complete", ratio=ratio, size=size, **RULES)


def simple(ratio: dict[str, int] = TWO) -> Simple:
    return Simple(method="simple", ratio=ratio, **RULES)


def minimised(*factors: str, ratio: dict[str, int] = TWO) -> Minimization:
    named = tuple(Factor(name=name) for name in factors)
    return Minimization(
        method="minimization", ratio=ratio, factors=named, imbalance="range", chance="7/10", **RULES
    )


def of(design: Design, units: int) -> Predictability:
    return predictability(design, ("all",) * units)


@pytest.mark.parametrize(
    ("size", "units", "share", "deterministic"),
    [
        (2, 100, 0.7500, Fraction(1, 2)),
        (4, 100, 0.7083, Fraction(1, 3)),
        (10, 100, 0.6532, Fraction(1, 6)),
        (20, 300, 0.6169, Fraction(1, 11)),
    ],
)
def test_permuted_blocks_are_guessed_as_often_as_published(
    size: int, units: int, share: float, deterministic: Fraction
) -> None:
    """Zhao et al. 2012 (PMC3399213)."""
    found = of(blocks(size), units)
    assert round(found.share, 4) == share
    assert found.deterministic == pytest.approx(float(deterministic), abs=1e-12)
    assert found.exact
    assert found.se is None


@pytest.mark.parametrize(("chance", "units", "share"), [(0.7, 300, 0.642), (0.65, 100, 0.614)])
def test_efrons_coin_is_guessed_as_often_as_published(chance: float, units: int, share: float) -> None:
    """Zhao et al. 2012 (PMC3399213)."""
    found = of(coin(chance), units)
    assert round(found.share, 3) == share
    assert found.deterministic == 0
    assert found.exact


@pytest.mark.parametrize("m", [1, 2, 3, 7, 40])
def test_blocks_of_2m_follow_the_closed_form(m: int) -> None:
    expected = Fraction(1, 2) + (Fraction(4**m, comb(2 * m, m)) - 1) / (4 * m)
    found = of(blocks(2 * m), 6 * m)
    assert found.share == pytest.approx(float(expected), abs=1e-12)
    assert found.deterministic == pytest.approx(1 / (m + 1), abs=1e-12)


def guessed_right(counts: tuple[int, ...], ratio: tuple[int, ...], chances: list[Fraction]) -> Fraction:
    """The chance that a guess of the arm furthest behind is right."""
    for_share = [Fraction(count, share) for count, share in zip(counts, ratio, strict=True)]
    guesses = [arm for arm, each in enumerate(for_share) if each == min(for_share)]
    return sum((chances[arm] for arm in guesses), Fraction(0)) / len(guesses)


def by_every_course(design: Design, units: int) -> tuple[Fraction, Fraction]:
    """The share of right guesses and of certain arms, each course of a method that looks at counts taken by itself."""
    ratio = tuple(design.ratio[arm] for arm in sorted(design.ratio))
    guesses = certain = Fraction(0)
    for course in product(range(len(ratio)), repeat=units):
        counts, chance = [0] * len(ratio), Fraction(1)
        for arm in course:
            row = rule(design, counts, ratio)
            chances = [Fraction(weight, sum(row)) for weight in row]
            rest = Fraction(1, len(ratio) ** (units - sum(counts)))
            guesses += chance * rest * guessed_right(tuple(counts), ratio, chances)
            certain += chance * rest * (1 in chances)
            chance *= chances[arm]
            counts[arm] += 1
    return guesses / units, certain / units


def rule(design: Design, counts: list[int], ratio: tuple[int, ...]) -> list[int]:
    state, shares = np.array([counts]), np.array(ratio)
    match design:
        case BiasedCoin():
            return weights.biased_coin(state, shares, exact(design.chance))[0].tolist()
        case BigStick():
            return weights.big_stick(state, shares, design.tolerance)[0].tolist()
        case BlockUrn():
            return weights.block_urn(state, shares, design.block_size)[0].tolist()
    return list(ratio)


@pytest.mark.parametrize(
    ("design", "units"),
    [
        (coin("2/3"), 9),
        (coin("2/3", {"a": 2, "b": 1}), 8),
        (stick(2), 9),
        (stick(1, THREE), 6),
        (urn(6), 9),
        (urn(6, THREE), 6),
        (simple({"a": 2, "b": 1}), 8),
    ],
)
def test_methods_that_look_at_counts_are_guessed_as_often_as_every_course_says(
    design: Design, units: int
) -> None:
    found, (share, certain) = of(design, units), by_every_course(design, units)
    assert found.share == pytest.approx(float(share), abs=1e-12)
    assert found.deterministic == pytest.approx(float(certain), abs=1e-12)


def courses_of_blocks(
    sizes: tuple[int, ...], ratio: tuple[int, ...], units: int
) -> Iterator[tuple[Fraction, list[list[int]]]]:
    """Each sequence of blocks, as likely as it is, until there are so many units: each block an order of its arms."""
    if units <= 0:
        yield Fraction(1), []
        return
    for size in sizes:
        content = [arm for arm, share in enumerate(ratio) for _ in range(share * size // sum(ratio))]
        orders = sorted(set(permutations(content)))
        for chance, later in courses_of_blocks(sizes, ratio, units - size):
            for arms in orders:
                yield chance / len(sizes) / len(orders), [list(arms), *later]


@pytest.mark.parametrize(
    ("sizes", "ratio", "units"),
    [((2, 4), (1, 1), 6), ((3,), (2, 1), 5), ((4,), (1, 1, 1, 1), 6), ((2, 6), (1, 1), 5)],
)
def test_blocks_of_any_size_are_guessed_as_often_as_every_course_says(
    sizes: tuple[int, ...], ratio: tuple[int, ...], units: int
) -> None:
    share = certain = Fraction(0)
    for chance, course in courses_of_blocks(sizes, ratio, units):
        counts, done = [0] * len(ratio), 0
        for block in course:
            for place, arm in enumerate(block[: units - done]):
                rest = block[place:]
                chances = [Fraction(rest.count(one), len(rest)) for one in range(len(ratio))]
                share += chance * guessed_right(tuple(counts), ratio, chances)
                certain += chance * (1 in chances)
                counts[arm] += 1
            done += len(block)
    found = of(blocks(*sizes, ratio=dict(zip("abcd", ratio, strict=False))), units)
    assert found.share == pytest.approx(float(share / units), abs=1e-12)
    assert found.deterministic == pytest.approx(float(certain / units), abs=1e-12)


@pytest.mark.parametrize(
    ("design", "units"),
    [
        (blocks(4, 8), 50),
        (blocks(6, 12, ratio=THREE), 40),
        (coin("2/3"), 60),
        (stick(3), 60),
        (urn(6, THREE), 60),
        (whole(30), 30),
        (whole(10, {"a": 2, "b": 1}), 10),
        (simple({"a": 2, "b": 1}), 40),
    ],
)
def test_courses_that_are_played_agree_with_the_exact_share(design: Design, units: int) -> None:
    played, computed = _played(design, ("all",) * units, 4000), of(design, units)
    assert computed.exact
    assert played.se is not None
    assert abs(played.share - computed.share) < 4 * played.se + 1e-12
    assert played.deterministic == pytest.approx(computed.deterministic, abs=0.01)


def test_simple_randomisation_cannot_be_guessed() -> None:
    found = of(simple({"a": 1, "b": 1, "c": 1}), 10_000)
    assert found.share == pytest.approx(1 / 3, abs=1e-12)
    assert (found.deterministic, found.exact) == (0, True)


def test_people_who_are_allocated_together_cannot_be_guessed_from_each_other() -> None:
    design = Rerandomization(
        method="rerandomization",
        ratio={"a": 1, "b": 1, "c": 1},
        variables=("age",),
        criterion="mahalanobis",
        at_most=1.0,
        **RULES,
    )
    found = of(design, 30)
    assert (found.share, found.deterministic, found.exact) == (1 / 3, 0, True)


def test_the_strata_count_by_their_units() -> None:
    """One unit alone is a guess at random; of two in a block of two, the second is certain."""
    found = predictability(blocks(2), ["x=1", "x=2", "x=1"])
    assert found.share == pytest.approx((0.5 + 0.5 + 1) / 3, abs=1e-12)
    assert found.deterministic == pytest.approx(1 / 3, abs=1e-12)


def test_minimisation_of_people_who_are_alike_is_efrons_coin() -> None:
    played, computed = of(minimised("sex"), 60), of(coin("7/10"), 60)
    assert not played.exact
    assert played.se is not None
    assert abs(played.share - computed.share) < 4 * played.se


def test_minimisation_is_harder_to_guess_by_the_numbers_of_all_when_people_differ() -> None:
    rng = np.random.default_rng(2)
    labels = [f"sex={rng.choice(['F', 'M'])}|school={rng.choice(list('pqrs'))}" for _ in range(60)]
    differing = predictability(minimised("sex", "school"), labels)
    alike = of(minimised("sex", "school"), 60)
    assert differing.share < alike.share - 4 * (alike.se or 0)


def test_in_minimisation_all_that_is_said_of_the_whole_wave_is_that_they_are_alike() -> None:
    assert _known(minimised("sex", "school"), ["all", "sex=F|school=p"]) == [
        "sex=any|school=any",
        "sex=F|school=p",
    ]


def test_a_full_arm_makes_the_rest_certain() -> None:
    """Two arms, of which one takes a single unit: whatever comes after it is certain."""
    found = of(blocks(2, caps=(Cap(arm="a", at_most=1),)), 50)
    assert not found.exact
    assert found.deterministic > 0.95


def test_units_that_get_no_arm_are_not_guessed() -> None:
    full = of(stick(1, caps=(Cap(arm="a", at_most=2), Cap(arm="b", at_most=2))), 50)
    assert full.share == pytest.approx(0.75, abs=1e-12)
    assert full.deterministic == pytest.approx(0.5, abs=1e-12)


def test_more_states_than_can_be_counted_are_played() -> None:
    assert not of(simple(THREE), 150).exact
    assert of(whole(12_000, {"a": 1, "b": 1, "c": 1}), 5).exact is False


def test_blocks_that_lack_a_whole_ratio_are_played_when_they_follow_each_other() -> None:
    assert of(whole(10, {"a": 2, "b": 1}), 10).exact
    assert not of(whole(10, {"a": 2, "b": 1}), 11).exact


def test_the_same_question_has_the_same_answer() -> None:
    assert of(minimised("sex"), 20) == of(minimised("sex"), 20)


def test_nobody_cannot_be_guessed() -> None:
    with pytest.raises(ValueError, match="no unit"):
        of(blocks(2), 0)
