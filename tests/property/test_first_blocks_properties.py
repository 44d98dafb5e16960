"""The first release's permuted blocks, for any design, any strata and any way in which people arrive."""

from collections import Counter, defaultdict
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from forethought.protocol.allocation import Dropouts, PermutedBlocks, SeedPolicy
from forethought.randomization.first_blocks import Assignment, StratumBlocks, allocate, content, probabilities
from forethought.randomization.streams import Stream

RULES = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
"""What a design says besides its blocks, which moves no arm."""

ARMS = ("control", "video", "coach", "combined", "sham")


@st.composite
def designs(draw: st.DrawFn) -> PermutedBlocks:
    arms = draw(st.permutations(ARMS))[: draw(st.integers(2, 5))]
    ratio = {arm: draw(st.integers(1, 3)) for arm in arms}
    times = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    sizes = tuple(sum(ratio.values()) * each for each in times)
    return PermutedBlocks(method="permuted_blocks", ratio=ratio, block_sizes=sizes, **RULES)


seeds = st.binary(min_size=32, max_size=32)
strata = st.lists(st.sampled_from(["sex=Female", "sex=Male", "sex=Other"]), max_size=80)


@given(designs(), seeds, strata)
def test_every_complete_block_has_exactly_the_ratio(
    design: PermutedBlocks, seed: bytes, arrivals: list[str]
) -> None:
    blocks: dict[tuple[str, int], list[Assignment]] = defaultdict(list)
    for assignment in allocate(design, "s", 1, seed, arrivals):
        blocks[assignment.stratum, assignment.block].append(assignment)
    for (stratum, number), members in blocks.items():
        size = StratumBlocks(design=design, study_id="s", wave=1, seed=seed, stratum=stratum).size(number)
        assert [member.position for member in members] == list(range(1, len(members) + 1))
        if len(members) == size:
            assert Counter(member.arm for member in members) == Counter(content(design.ratio, size))
        else:
            assert number == max(block for of, block in blocks if of == stratum)


@given(designs(), seeds, st.integers(1, 40))
def test_the_probabilities_of_all_arms_sum_to_one(design: PermutedBlocks, seed: bytes, block: int) -> None:
    arms = StratumBlocks(design=design, study_id="s", wave=1, seed=seed, stratum="all").arms(block)
    for position in range(1, len(arms) + 1):
        given_so_far = probabilities(arms, position)
        shares = [Fraction(probability).limit_denominator(len(arms)) for probability in given_so_far.values()]
        assert sum(shares) == 1
        assert given_so_far[arms[position - 1]] > 0


@given(designs(), seeds, strata, st.data())
def test_one_at_a_time_in_batches_and_all_at_once_are_the_same(
    design: PermutedBlocks, seed: bytes, arrivals: list[str], data: st.DataObject
) -> None:
    at_once = allocate(design, "s", 1, seed, arrivals)
    in_batches: list[Assignment] = []
    while len(in_batches) < len(arrivals):
        start = len(in_batches)
        batch = arrivals[start : start + data.draw(st.integers(1, 7))]
        in_batches += allocate(design, "s", 1, seed, batch, Counter(arrivals[:start]))
    assert in_batches == at_once


@given(designs(), seeds, strata, st.randoms(use_true_random=False))
def test_what_happens_in_another_stratum_changes_nothing(
    design: PermutedBlocks, seed: bytes, arrivals: list[str], mix: Random
) -> None:
    mixed = mix.sample(arrivals, len(arrivals))
    for stratum in set(arrivals):
        one = [each for each in allocate(design, "s", 1, seed, arrivals) if each.stratum == stratum]
        other = [each for each in allocate(design, "s", 1, seed, mixed) if each.stratum == stratum]
        assert one == other


@given(designs(), seeds, st.integers(1, 30))
def test_a_block_is_a_function_of_its_number_alone(design: PermutedBlocks, seed: bytes, number: int) -> None:
    blocks = StratumBlocks(design=design, study_id="s", wave=1, seed=seed, stratum="all")
    before = sum(blocks.size(earlier) for earlier in range(1, number))
    arrivals = allocate(design, "s", 1, seed, ["all"] * (before + blocks.size(number)))
    assert blocks.arms(number) == [assignment.arm for assignment in arrivals[before:]]


@given(designs(), seeds, st.integers(0, 60))
def test_no_position_is_used_twice_or_passed_over(design: PermutedBlocks, seed: bytes, people: int) -> None:
    given_to = [
        (each.block, each.position)
        for count in range(people)
        for each in allocate(design, "s", 1, seed, ["all"], {"all": count})
    ]
    assert given_to == sorted(set(given_to))
    assert all(position == 1 or (block, position - 1) in given_to for block, position in given_to)


@given(seeds, st.lists(st.text(max_size=8), max_size=4), st.lists(st.text(max_size=8), max_size=4))
def test_other_labels_give_another_stream(seed: bytes, labels: list[str], others: list[str]) -> None:
    same = [Stream(seed, *labels).word() for _ in range(2)]
    assert same[0] == same[1]
    assert (Stream(seed, *others).word() == same[0]) == (labels == others)


@settings(max_examples=50)
@given(seeds, st.lists(st.integers(), max_size=30))
def test_a_shuffle_keeps_every_item(seed: bytes, items: list[int]) -> None:
    assert sorted(Stream(seed, "order").shuffle(items)) == sorted(items)
