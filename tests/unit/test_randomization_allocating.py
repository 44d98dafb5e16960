"""Who gets which arm: the same by any road, and recomputed with other programs."""

import hashlib
import hmac
import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from forethought.protocol.allocation import (
    BiasedCoin,
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
    algorithm,
)
from forethought.randomization import first_blocks
from forethought.randomization.allocating import allocate, probabilities
from forethought.randomization.arrivals import Arrivals, Before, Drawn, OpenPlace, Source, Tally
from forethought.randomization.sequence import Sequence

SEED = bytes(range(32))
FOUR_ARMS = {"control": 1, "video": 1, "coach": 1, "combined": 1}
EVEN = {"a": 1, "b": 1}
RULES = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
"""What a design says besides its method, which moves no arm."""


def blocks(ratio: dict[str, int], *sizes: int, **given: object) -> PermutedBlocks:
    return PermutedBlocks(method="permuted_blocks", ratio=ratio, block_sizes=sizes, **RULES | given)


def source(design: Design, name: str | None = None) -> Source:
    return Source(seed=SEED, study_id="lend_an_ear", wave=1, algorithm=name or algorithm(design))


def arms(drawn: Drawn) -> list[str | None]:
    return [drawn.arms[code] if code >= 0 else None for code in drawn.arm.tolist()]


def openssl_words(*labels: str) -> Iterator[int]:
    """The words of a stream: the key by the standard library's hmac, the keystream by the command line's openssl."""
    parts = [label.encode() for label in ("lend_an_ear", "wave 1", *labels, "key")]
    named = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    key = hmac.new(SEED, named + bytes(8), hashlib.sha256).hexdigest()
    command = ["openssl", "enc", "-aes-256-ctr", "-nosalt", "-K", key, "-iv", "0" * 32]
    stream = subprocess.run(command, input=bytes(8 * 200), capture_output=True, check=True).stdout
    return (int.from_bytes(stream[start : start + 8], "big") for start in range(0, len(stream), 8))


@pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the command line of OpenSSL is not on this machine"
)
def test_permuted_blocks_are_what_openssl_and_a_plain_loop_give() -> None:
    """No word is of an incomplete cycle: with totals up to 8 and 12 that is one in 2**60."""
    design = blocks({"video": 2, "coach": 1, "control": 1}, 8, 4, 12)
    for stratum in ("sex=Female|student=No", "sex=Male|student=Yes"):
        sizes, draws = openssl_words(stratum, "block size"), openssl_words(stratum, "arm")
        plain: list[tuple[str, float, int, int]] = []
        for number in range(1, 13):
            size = (8, 4, 12)[next(sizes) % 3]
            rest = sorted(["video", "video", "coach", "control"] * (size // 4))
            for position in range(1, size + 1):
                chosen = next(draws) % len(rest)
                arm, chance = rest[chosen], rest.count(rest[chosen]) / len(rest)
                plain.append((arm, chance, number, position))
                del rest[chosen]
        drawn = allocate(design, source(design), Arrivals.of([stratum] * len(plain)))
        found = (arms(drawn), drawn.probability.tolist(), drawn.block.tolist(), drawn.position.tolist())
        assert list(zip(*found, strict=True)) == plain


def test_the_first_releases_blocks_go_on_as_they_were() -> None:
    design = blocks(FOUR_ARMS, 4, 8)
    strata = ["sex=Female", "sex=Male", "sex=Female"] * 20
    then = first_blocks.allocate(design, "lend_an_ear", 1, SEED, strata)
    drawn = allocate(design, source(design, first_blocks.ALGORITHM), Arrivals.of(strata))
    assert arms(drawn) == [one.arm for one in then]
    assert drawn.probability.tolist() == [one.probability for one in then]
    assert drawn.block.tolist() == [one.block for one in then]
    assert drawn.position.tolist() == [one.position for one in then]


def test_the_first_releases_blocks_go_on_after_those_allocated_before() -> None:
    design = blocks(FOUR_ARMS, 4, 8)
    old = source(design, first_blocks.ALGORITHM)
    whole = arms(allocate(design, old, Arrivals.of(["all"] * 30)))
    tally = Tally(stratum="all", arm="coach", placed=13, regular=13, counting=13)
    rest = allocate(design, old, Arrivals.of(["all"] * 17), Before(tallies=(tally,)))
    assert arms(rest) == whole[13:]
    told = probabilities(design, old, Before(tallies=(tally,)), "all")
    assert float(told[str(whole[13])]) == rest.probability[0]
    assert sum(told.values()) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"initial_simple": 2},
        {"caps": (Cap(arm="a", at_most=3),)},
        {"unit": "cluster", "cluster": "school"},
    ],
)
def test_the_first_releases_blocks_know_nothing_of_later_rules(given: dict[str, object]) -> None:
    design = blocks(EVEN, 4, **given)
    with pytest.raises(ValueError, match="knows blocks alone"):
        allocate(design, source(design, first_blocks.ALGORITHM), Arrivals.of(["all"]))
    with pytest.raises(ValueError, match="whole blocks"):
        Sequence(design, source(design, first_blocks.ALGORITHM))


def test_the_order_in_which_the_ratio_is_written_changes_nothing() -> None:
    one, other = blocks({"a": 1, "b": 2}, 3, 6), blocks({"b": 2, "a": 1}, 3, 6)
    people = Arrivals.of(["all"] * 40)
    assert arms(allocate(one, source(one), people)) == arms(allocate(other, source(other), people))


@pytest.mark.parametrize("given", [{"wave": 2}, {"study_id": "other"}, {"seed": bytes(32)}])
def test_another_wave_study_or_seed_gives_other_arms(given: dict[str, object]) -> None:
    design = blocks(FOUR_ARMS, 4, 8)
    here = {"seed": SEED, "study_id": "lend_an_ear", "wave": 1, "algorithm": "permuted-blocks/2"}
    people = Arrivals.of(["all"] * 40)
    other = allocate(design, Source(**here | given), people)
    assert arms(other) != arms(allocate(design, Source(**here), people))


def test_a_design_with_nobody_to_allocate_allocates_nobody() -> None:
    design = blocks(EVEN, 4)
    assert len(allocate(design, source(design), Arrivals.of([])).arm) == 0


def test_simple_randomisation_has_the_ratio_as_its_shares() -> None:
    """20,000 draws: each arm's number is within four standard errors of its share."""
    design = Simple(method="simple", ratio={"a": 3, "b": 2, "c": 1}, **RULES)
    found = np.bincount(allocate(design, source(design), Arrivals.of(["all"] * 20_000)).arm) / 20_000
    for share, seen in zip((3 / 6, 2 / 6, 1 / 6), found, strict=True):
        assert abs(seen - share) < 4 * (share * (1 - share) / 20_000) ** 0.5


def test_complete_randomisation_of_101_treats_34_or_35_at_a_third_of_the_ratio() -> None:
    """N = 101, p = .34 (randomizr's example): 34 or 35 treated, and the mean over many strata is 34.34."""
    design = Complete(method="complete", ratio={"control": 33, "treated": 17}, size=101, **RULES)
    strata = [f"x={number}" for number in range(2_000)]
    drawn = allocate(design, source(design), Arrivals.of([each for each in strata for _ in range(101)]))
    treated = (drawn.arm.reshape(2_000, 101) == drawn.arms.index("treated")).sum(axis=1)
    assert set(treated.tolist()) == {34, 35}
    assert abs(treated.mean() - 34.34) < 4 * (0.34 * 0.66 / 2_000) ** 0.5


def test_complete_randomisation_of_fixed_numbers_gives_them_exactly() -> None:
    """Blocks of 50, 100 and 200 with shares of a tenth, two and three tenths: 5, 20 and 60 treated."""
    for size, tenths, treated in ((50, 1, 5), (100, 2, 20), (200, 3, 60)):
        ratio = {"control": 10 - tenths, "treated": tenths}
        design = Complete(method="complete", ratio=ratio, size=size, **RULES)
        drawn = allocate(design, source(design), Arrivals.of(["all"] * size))
        assert np.bincount(drawn.arm).tolist() == [size - treated, treated]


def test_once_every_arm_is_full_a_stratum_refuses_and_the_others_go_on() -> None:
    caps = tuple(Cap(arm=arm, stratum={"sex": "Female"}, at_most=2) for arm in EVEN)
    for design in (
        blocks(EVEN, 4, caps=caps),
        BiasedCoin(method="biased_coin", ratio=EVEN, chance="2/3", caps=caps, **RULES),
    ):
        strata = ["sex=Female"] * 6 + ["sex=Male"] * 4 + ["sex=Female"]
        drawn = allocate(design, source(design), Arrivals.of(strata))
        assert np.bincount(drawn.arm[:4]).tolist() == [2, 2]
        assert drawn.arm[[4, 5, 10]].tolist() == [-1, -1, -1]
        assert (drawn.arm[6:10] >= 0).all()
        assert np.isnan(drawn.probability[[4, 5, 10]]).all()


def test_whoever_is_refused_uses_no_word() -> None:
    """The place that opens later is drawn as if nobody had been refused in between."""
    caps = (Cap(arm="a", at_most=1), Cap(arm="b", at_most=1))
    design = BiasedCoin(method="biased_coin", ratio=EVEN, chance="2/3", caps=caps, **RULES)
    found = []
    for refused in (0, 5):
        sequence = Sequence(design, source(design))
        first = sequence.draw("all", "p0")
        assert first is not None
        assert sequence.draw("all", "p1") is not None
        assert [sequence.draw("all", "late") for _ in range(refused)] == [None] * refused
        sequence.recount("p0", "all", first.arm, counts=False)
        found.append(sequence.draw("all", "p2"))
    assert found[0] == found[1] is not None


def test_a_later_member_of_a_cluster_has_its_arm_and_uses_no_word() -> None:
    design = blocks(FOUR_ARMS, 4, unit="cluster", cluster="school")
    units = ["north", "south", "north", "east", "south", "north", "west"]
    drawn = allocate(design, source(design), Arrivals.of(["all"] * 7, units))
    alone = allocate(design, source(design), Arrivals.of(["all"] * 4, ["north", "south", "east", "west"]))
    expected = dict(zip(["north", "south", "east", "west"], range(4), strict=True))
    for name in ("arm", "probability", "block", "position"):
        column, own = getattr(drawn, name).tolist(), getattr(alone, name).tolist()
        assert column == [own[expected[unit]] for unit in units]


def test_a_member_of_a_cluster_that_the_wave_holds_has_its_arm_and_no_known_probability() -> None:
    design = blocks(FOUR_ARMS, 4, unit="cluster", cluster="school")
    before = Before(
        tallies=(Tally(stratum="all", arm="coach", placed=1, regular=1, counting=1),),
        units={"north": ("all", "coach")},
    )
    drawn = allocate(design, source(design), Arrivals.of(["other"], ["north"]), before)
    assert (arms(drawn), drawn.block.tolist()) == (["coach"], [0])
    assert np.isnan(drawn.probability).all()


def test_the_place_of_a_cluster_is_that_of_its_member_who_drew() -> None:
    design = BiasedCoin(
        method="biased_coin", ratio=EVEN, chance="2/3", **RULES | {"unit": "cluster", "cluster": "school"}
    )
    sequence = Sequence(design, source(design))
    first = sequence.draw("all", "p0", "north")
    assert first is not None
    assert sequence.draw("all", "p1", "north") == first
    sequence.recount("p1", "all", first.arm, counts=False)
    assert sequence.probabilities("all")[first.arm] == Fraction(1, 3)
    sequence.recount("p0", "all", first.arm, counts=False)
    assert sequence.probabilities("all")[first.arm] == Fraction(1, 2)


def test_a_replacement_is_told_whose_place_it_takes() -> None:
    rules = RULES | {"dropouts": Dropouts(count="completed", replace="next_arrival", statement="In turn.")}
    design = PermutedBlocks(method="permuted_blocks", ratio=EVEN, block_sizes=(4,), **rules)
    before = Before(
        tallies=(
            Tally(stratum="all", arm="a", placed=2, regular=2, counting=1),
            Tally(stratum="all", arm="b", placed=1, regular=1, counting=1),
        ),
        open=(OpenPlace(participant="p1", stratum="all", arm="a"),),
    )
    drawn = allocate(design, source(design), Arrivals.of(["all", "all"]), before)
    assert (arms(drawn), dict(drawn.replaces)) == (["a", "b"], {0: "p1"})
    assert drawn.probability.tolist() == [1.0, 1.0]
    assert (drawn.block.tolist(), drawn.position.tolist()) == ([0, 1], [1, 4])


def test_a_draw_says_all_that_it_followed_from() -> None:
    design = blocks(EVEN, 4)
    sequence = Sequence(design, source(design))
    first, second = sequence.draw("all", "p0"), sequence.draw("all", "p1")
    assert first is not None
    assert second is not None
    assert first.weights == {"a": 2, "b": 2}
    assert second.counts == {"a": int(first.arm == "a"), "b": int(first.arm == "b")}
    assert second.weights == {arm: 2 - n for arm, n in second.counts.items()}
    assert (second.block, second.position, second.replaces) == (1, 2, None)
    assert second.probabilities[second.arm] == Fraction(second.weights[second.arm], 3)


def test_the_probability_of_a_third_is_the_nearest_float_to_a_third() -> None:
    design = BiasedCoin(method="biased_coin", ratio=EVEN, chance="2/3", **RULES)
    drawn = allocate(design, source(design), Arrivals.of(["all"] * 40))
    assert set(drawn.probability.tolist()) == {1 / 2, 1 / 3, 2 / 3}


def test_minimisation_keeps_the_margins_of_every_factor_close() -> None:
    """By chance alone, half of the differences of a level of 100 people would be larger than 6."""
    design = Minimization(
        method="minimization",
        ratio=EVEN,
        factors=(Factor(name="sex"), Factor(name="site")),
        imbalance="range",
        chance="9/10",
        **RULES,
    )
    rng = np.random.default_rng(7)
    people = [(f"sex={rng.integers(2)}", f"site={rng.integers(5)}") for _ in range(200)]
    drawn = allocate(design, source(design), Arrivals.of(["|".join(each) for each in people]))
    for factor in (0, 1):
        for level in {each[factor] for each in people}:
            mine = [
                arm for arm, each in zip(drawn.arm.tolist(), people, strict=True) if each[factor] == level
            ]
            assert abs(len(mine) - 2 * sum(mine)) <= 6


def test_before_anything_is_known_all_arms_of_a_rerandomised_design_are_alike() -> None:
    design = Rerandomization(
        method="rerandomization",
        ratio={"a": 1, "b": 1, "c": 1},
        variables=("age",),
        criterion="mahalanobis",
        at_most=1.0,
        **RULES,
    )
    assert set(probabilities(design, source(design), Before(), "age=31").values()) == {Fraction(1, 3)}


def test_those_who_wait_are_the_batch_after_those_that_the_wave_holds() -> None:
    design = Rerandomization(
        method="rerandomization",
        ratio=EVEN,
        variables=("age",),
        criterion="standardized_difference",
        at_most=0.8,
        **RULES,
    )
    people = Arrivals.of([f"age={20 + number}" for number in range(20)])
    first = allocate(design, source(design), people)
    third = allocate(design, source(design), people, Before(batches=2))
    assert (first.batch, third.batch) == (1, 3)
    assert first.arm.tolist() != third.arm.tolist()
