"""The engine: many courses side by side, each as if it were alone."""

import numpy as np
import pytest

from forethought.protocol.allocation import (
    BiasedCoin,
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
)
from forethought.randomization.arrivals import Before, OpenPlace, Tally
from forethought.randomization.replicates import Replicates

EVEN = {"a": 1, "b": 1}


def rules(replace: str = "never") -> dict[str, object]:
    return {
        "dropouts": Dropouts(count="completed", replace=replace, statement="As it is."),
        "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
        "concealment": "Nobody knows the seed.",
    }


def blocks(size: int = 4, replace: str = "never", **given: object) -> PermutedBlocks:
    rest = {"ratio": EVEN, **rules(replace), **given}
    return PermutedBlocks(method="permuted_blocks", block_sizes=(size,), **rest)


def coin(**given: object) -> BiasedCoin:
    rest = {"ratio": EVEN, **rules(), **given}
    return BiasedCoin(method="biased_coin", chance="2/3", **rest)


def codes(*arms: int) -> np.ndarray:
    return np.array(arms, dtype=np.int8)


def after(engine: Replicates, *arms: int, label: str = "all") -> list[list[int]]:
    """The weights once these arms were given, one after the other, in every replicate."""
    for arm in arms:
        engine.weights(label)
        engine.place(label, np.full(engine.size, arm, dtype=np.int8))
    return engine.weights(label).tolist()


def test_a_block_is_drawn_without_replacement_and_followed_by_the_next() -> None:
    engine = Replicates(blocks(), 1)
    weights = [after(engine)[0], *(after(engine, arm)[0] for arm in (0, 0, 1, 1))]
    assert weights == [[2, 2], [1, 2], [0, 2], [0, 1], [2, 2]]


def test_each_replicate_goes_its_own_way() -> None:
    engine = Replicates(coin(), 3)
    engine.place("all", codes(0, 1, -1))
    assert engine.weights("all").tolist() == [[1, 2], [2, 1], [1, 1]]


def test_replicates_that_are_taken_go_on_from_where_they_stood() -> None:
    engine = Replicates(coin(), 2)
    engine.place("all", codes(0, 1))
    engine.take(np.array([1, 1, 0]))
    assert engine.weights("all").tolist() == [[2, 1], [2, 1], [1, 2]]


def test_a_replicate_that_was_taken_twice_is_two() -> None:
    engine = Replicates(blocks(replace="reopen_place", caps=(Cap(arm="a", at_most=2),)), 1)
    after(engine, 0)
    engine.take(np.array([0, 0]))
    engine.place("all", codes(0, 1))
    assert engine.weights("all").tolist() == [[0, 2], [1, 1]]
    engine.recount("p", "all", codes(0, -1), counts=False)
    assert engine.weights("all").tolist() == [[1, 0], [1, 1]]


def test_a_stratum_knows_nothing_of_another() -> None:
    engine = Replicates(blocks(), 1)
    after(engine, 0, 0, label="sex=Female")
    assert engine.weights("sex=Male").tolist() == [[2, 2]]


def test_the_chosen_content_of_each_block_holds() -> None:
    asked: list[tuple[str, list[int]]] = []

    def choose(label: str, block: np.ndarray) -> np.ndarray:
        asked.append((label, block.tolist()))
        return block % 2

    two_sizes = blocks().model_copy(update={"block_sizes": (2, 4)})
    engine = Replicates(two_sizes, 2, choose=choose)
    assert after(engine) == [[2, 2], [2, 2]]
    assert after(engine, 0, 1, 0, 1) == [[1, 1], [1, 1]]
    assert asked == [("all", [1, 1]), ("all", [2, 2])]


def test_a_block_is_not_begun_while_nobody_says_what_it_holds() -> None:
    engine = Replicates(blocks().model_copy(update={"block_sizes": (2, 4)}), 1)
    with pytest.raises(ValueError, match="nothing says which content"):
        engine.weights("all")


def test_a_branch_may_begin_blocks_itself() -> None:
    engine = Replicates(blocks().model_copy(update={"block_sizes": (2, 4)}), 1)
    assert engine.begins("all").tolist() == [True]
    engine.take(np.array([0, 0]))
    engine.begin("all", np.array([0, 1]), engine.begins("all"))
    assert engine.begins("all").tolist() == [False, False]
    assert engine.weights("all").tolist() == [[1, 1], [2, 2]]


def test_the_first_units_of_a_stratum_are_drawn_by_the_ratio_and_count_afterwards() -> None:
    engine = Replicates(coin(initial_simple=2), 1)
    assert [after(engine), after(engine, 0), after(engine, 0)] == [[[1, 1]], [[1, 1]], [[1, 2]]]


def test_blocks_begin_after_the_first_simple_draws() -> None:
    engine = Replicates(blocks(initial_simple=2), 1)
    assert [after(engine), after(engine, 0), after(engine, 0)] == [[[1, 1]], [[1, 1]], [[2, 2]]]


def test_minimisation_begins_after_the_first_units_of_the_wave() -> None:
    design = Minimization(
        method="minimization",
        ratio=EVEN,
        factors=(Factor(name="sex"),),
        imbalance="range",
        chance="4/5",
        initial_simple=2,
        **rules(),
    )
    engine = Replicates(design, 1)
    after(engine, 0, label="sex=Female")
    assert engine.weights("sex=Female").tolist() == [[1, 1]]
    assert after(engine, 0, label="sex=Male") == [[1, 4]]
    assert engine.margins("sex=Female").tolist() == [[[1, 0]]]


def test_minimisation_uses_one_stream_for_the_wave_and_a_stratified_method_one_for_each_stratum() -> None:
    design = Minimization(
        method="minimization",
        ratio=EVEN,
        factors=(Factor(name="sex"),),
        imbalance="range",
        chance="4/5",
        **rules(),
    )
    for made, stream, drawn in ((design, "all", 2), (coin(), "sex=Male", 0)):
        engine = Replicates(made, 1)
        after(engine, 0, 1, label="sex=Female")
        assert (engine.stream("sex=Male"), engine.drawn("sex=Male").tolist()) == (stream, [drawn])


@pytest.mark.parametrize("made", [coin, blocks])
def test_a_full_arm_has_no_weight(made: object) -> None:
    engine = Replicates(made(caps=(Cap(arm="a", at_most=1),)), 1)
    assert after(engine, 0)[0][0] == 0


def test_a_cap_of_one_stratum_leaves_the_others_open() -> None:
    caps = (Cap(arm="a", stratum={"sex": "Female"}, at_most=1),)
    engine = Replicates(coin(caps=caps), 1)
    assert after(engine, 0, label="sex=Female|age=young")[0][0] == 0
    assert engine.weights("sex=Female|age=old")[0].tolist() == [0, 1]
    assert engine.weights("sex=Male|age=old")[0].tolist() == [1, 1]


def test_where_every_arm_is_full_all_weights_are_zero() -> None:
    caps = (Cap(arm="a", at_most=1), Cap(arm="b", at_most=1))
    for made in (coin, blocks):
        engine = Replicates(made(caps=caps), 1)
        assert after(engine, 0, 1) == [[0, 0]]


def test_a_block_of_which_full_arms_are_left_is_followed_by_the_next() -> None:
    engine = Replicates(blocks(caps=(Cap(arm="a", at_most=1),)), 1)
    assert after(engine, 0, 1, 1) == [[0, 2]]
    assert engine.spot("all", 1) == (2, 1, None)


def test_where_only_full_arms_have_weight_the_ratio_of_the_others_decides() -> None:
    design = BlockUrn(
        method="block_urn",
        ratio={"a": 1, "b": 1, "c": 1},
        block_size=3,
        caps=(Cap(arm="a", at_most=1),),
        **rules(),
    )
    engine = Replicates(design, 1)
    assert after(engine, 1, 2) == [[1, 0, 0]]
    assert after(engine, 0, 1, 2) == [[0, 1, 1]]


def test_a_cap_counts_the_places_that_count() -> None:
    engine = Replicates(coin(caps=(Cap(arm="a", at_most=1),)), 1)
    after(engine, 0)
    engine.recount("p", "all", codes(0), counts=False)
    assert engine.weights("all").tolist() == [[1, 1]]
    engine.recount("p", "all", codes(0), counts=True)
    assert engine.weights("all").tolist() == [[0, 2]]


def test_balance_is_of_the_places_that_count() -> None:
    engine = Replicates(coin(), 1)
    assert after(engine, 0) == [[1, 2]]
    engine.recount("p", "all", codes(0), counts=False)
    assert engine.weights("all").tolist() == [[1, 1]]


def test_blocks_do_not_look_at_who_counts() -> None:
    engine = Replicates(blocks(), 1)
    assert after(engine, 0) == [[1, 2]]
    engine.recount("p", "all", codes(0), counts=False)
    assert engine.weights("all").tolist() == [[1, 2]]


def left(replace: str) -> Replicates:
    """Four of five left: first one with `b`, then two with `a`, then one with `b` again."""
    engine = Replicates(blocks(8, replace), 1)
    after(engine, 1, 0, 0, 1, 0)
    for person, arm in enumerate((1, 0, 0, 1)):
        engine.recount(f"p{person}", "all", codes(arm), counts=False)
    return engine


def test_an_open_place_is_drawn_among_those_that_are_open() -> None:
    engine = left("reopen_place")
    assert engine.weights("all").tolist() == [[2, 2]]
    assert engine.spot("all", 0) == (0, 1, "p1")
    assert after(engine, 0) == [[1, 2]]
    assert engine.spot("all", 0) == (0, 2, "p2")


def test_the_next_arrival_takes_the_place_that_was_left_first() -> None:
    engine = left("next_arrival")
    found = [engine.weights("all")[0].tolist(), *(after(engine, arm)[0] for arm in (1, 0, 0))]
    assert found == [[0, 1], [1, 0], [1, 0], [0, 1]]


def test_after_the_open_places_the_block_goes_on_where_it_was() -> None:
    engine = left("next_arrival")
    assert after(engine, 1, 0, 0, 1) == [[1, 2]]
    assert engine.spot("all", 1) == (1, 6, None)


def test_a_place_whose_person_counts_again_is_open_no_longer() -> None:
    engine = left("reopen_place")
    engine.recount("p2", "all", codes(0), counts=True)
    assert engine.weights("all").tolist() == [[1, 2]]


def test_a_place_that_was_filled_does_not_open_again() -> None:
    engine = left("next_arrival")
    after(engine, 1)
    engine.recount("p0", "all", codes(1), counts=True)
    engine.recount("p0", "all", codes(1), counts=False)
    assert after(engine, 0, 0, 1) == [[1, 2]]


@pytest.mark.parametrize("replace", ["reopen_place", "next_arrival"])
def test_an_open_place_of_a_full_arm_waits_until_the_arm_takes_somebody_again(replace: str) -> None:
    engine = Replicates(blocks(4, replace, caps=(Cap(arm="a", at_most=1),)), 1)
    after(engine, 0)
    engine.recount("p0", "all", codes(0), counts=False)
    engine.weights("other")
    engine.place("other", codes(0), "elsewhere")
    assert engine.weights("all").tolist() == [[0, 2]]
    assert engine.spot("all", 1) == (1, 2, None)
    engine.recount("elsewhere", "other", codes(0), counts=False)
    assert engine.weights("all").tolist() == [[1, 0]]
    assert engine.spot("all", 0) == (0, 1, "p0")


def test_what_the_wave_holds_already_is_where_the_engine_begins() -> None:
    tallies = (
        Tally(stratum="all", arm="a", placed=4, regular=3, counting=2),
        Tally(stratum="all", arm="b", placed=3, regular=2, counting=3),
    )
    places = (OpenPlace(participant="p7", stratum="all", arm="b"),)
    engine = Replicates(blocks(), 1, Before(tallies=tallies))
    assert engine.weights("all").tolist() == [[1, 2]]
    assert (engine.drawn("all").tolist(), engine.counting("all").tolist()) == ([7], [[2, 3]])
    assert engine.spot("all", 0) == (2, 2, None)
    replacing = Replicates(blocks(replace="reopen_place"), 1, Before(tallies=tallies, open=places))
    assert replacing.weights("all").tolist() == [[0, 1]]
    assert replacing.spot("all", 1) == (0, 3, "p7")


def test_counts_that_no_block_can_have_are_a_fault() -> None:
    tally = Tally(stratum="all", arm="a", placed=3, regular=3, counting=3)
    with pytest.raises(ValueError, match="not those of its blocks"):
        Replicates(blocks(), 1, Before(tallies=(tally,)))


def test_sealed_sizes_are_not_drawn_from() -> None:
    sealed = blocks().model_copy(update={"block_sizes": "sealed"})
    with pytest.raises(ValueError, match="sealed block sizes"):
        Replicates(sealed, 1)


def test_rerandomisation_has_no_next_unit() -> None:
    design = Rerandomization(
        method="rerandomization",
        ratio=EVEN,
        variables=("age",),
        criterion="mahalanobis",
        at_most=1.0,
        **rules(),
    )
    with pytest.raises(TypeError, match="batches"):
        Replicates(design, 1)


@pytest.mark.parametrize(
    ("size", "contents", "chances"),
    [
        (6, [[3, 3]], [1]),
        (5, [[3, 2], [2, 3]], [1, 1]),
    ],
)
def test_complete_randomisation_has_the_contents_that_its_size_allows(
    size: int, contents: list[list[int]], chances: list[int]
) -> None:
    found = Replicates(Complete(method="complete", ratio=EVEN, size=size, **rules()), 1).contents
    assert found is not None
    total = found.chances.sum()
    assert found.units.tolist() == contents
    assert (found.chances * sum(chances)).tolist() == [each * total for each in chances]


@pytest.mark.parametrize("arms", [7, 8])
def test_complete_randomisation_of_many_arms_gives_each_its_exact_share(arms: int) -> None:
    """Seven arms are taken in every order, eight in one."""
    ratio = {f"arm_{number}": number for number in range(1, arms + 1)}
    found = Replicates(Complete(method="complete", ratio=ratio, size=11, **rules()), 1).contents
    assert found is not None
    assert (found.units.sum(axis=1) == 11).all()
    expected = 11 * found.chances.sum() * np.arange(1, arms + 1)
    assert (found.chances @ found.units * sum(ratio.values())).tolist() == expected.tolist()


def test_simple_randomisation_has_no_memory() -> None:
    design: Design = Simple(method="simple", ratio={"a": 2, "b": 1}, **rules())
    assert after(Replicates(design, 1), 0, 0, 0) == [[2, 1]]
