"""An explanation gives everything that an arm followed from, and it is what the allocation itself drew."""

from collections import Counter
from itertools import accumulate
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.errors import GateClosed
from forethought.protocol.allocation import (
    BiasedCoin,
    BigStick,
    BlockUrn,
    Cap,
    Complete,
    Dropouts,
    Factor,
    Minimization,
    PermutedBlocks,
    Rerandomization,
    SeedPolicy,
    Simple,
    algorithm,
)
from forethought.randomization.arrivals import Arrivals, Source
from forethought.randomization.explanation import ByBatch, ByBlock, ByWord, Explanation, explain
from forethought.randomization.recorded import RecordedDesign
from forethought.randomization.replay import rederive
from forethought.randomization.rerandomization import allocate_batch

RULES: dict[str, Any] = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
REOPENED = {"dropouts": Dropouts(count="completed", replace="reopen_place", statement="Replaced.")}
EVEN, UNEVEN = {"a": 1, "b": 1}, {"a": 2, "b": 1, "c": 1}
SEX = ("sex=F", "sex=F", "sex=M", "sex=F", "sex=M", "sex=M", "sex=F", "sex=F")
LEVELS = ("site=x|sex=F", "site=y|sex=F", "site=x|sex=M", "site=x|sex=F", "site=y|sex=M", "site=y|sex=F")
FACTORS = (Factor(name="site", weight=2), Factor(name="sex"))
NOBODY = pd.DataFrame(columns=["participant_id", "from_arrival", "counts"])

BLOCKS = PermutedBlocks(method="permuted_blocks", ratio=UNEVEN, block_sizes=(4, 8), strata=("sex",), **RULES)
STICK = BigStick(method="big_stick", ratio=EVEN, tolerance=2, strata=("sex",), **RULES)
MINIMIZED = Minimization(
    method="minimization", ratio=EVEN, factors=FACTORS, imbalance="range", chance="4/5", **RULES
)
TOGETHER = Rerandomization(
    method="rerandomization", ratio=EVEN, variables=("sex",), criterion="mahalanobis", at_most=0.2, **RULES
)
DESIGNS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "simple": (Simple(method="simple", ratio=UNEVEN, **RULES), ("all",) * 9),
    "simple with a cap": (
        Simple(method="simple", ratio=EVEN, caps=(Cap(arm="a", at_most=2),), **RULES), ("all",) * 9,
    ),
    "complete": (Complete(method="complete", ratio=EVEN, size=5, strata=("sex",), **RULES), SEX * 3),
    "blocks": (BLOCKS, SEX * 3),
    "blocks after simple": (BLOCKS.model_copy(update={"initial_simple": 2}), SEX * 3),
    "biased coin": (
        BiasedCoin(method="biased_coin", ratio=EVEN, chance=0.7, strata=("sex",), **RULES), SEX * 2,
    ),
    "big stick": (STICK, SEX * 2),
    "block urn": (BlockUrn(method="block_urn", ratio=EVEN, block_size=6, strata=("sex",), **RULES), SEX * 2),
    "minimization": (MINIMIZED, LEVELS * 3),
}  # fmt: skip


def source(design: Any, name: str | None = None) -> Source:
    return Source(seed=bytes(range(32)), study_id="study", wave=1, algorithm=name or algorithm(design))


def arrived(strata: tuple[str, ...], **columns: Any) -> pd.DataFrame:
    """The people p1, p2, ... of a wave, without arms yet."""
    numbers = range(1, len(strata) + 1)
    frame = pd.DataFrame(
        {"participant_id": [f"p{n}" for n in numbers], "stratum": strata, "arrival": numbers}
    )
    return frame.assign(**({"arm": "a", "unit": None, "batch": pd.NA} | columns))


def allocated(
    design: Any, people: pd.DataFrame, counting: pd.DataFrame = NOBODY, name: str | None = None
) -> pd.DataFrame:
    """The people with everything that the seed gives them."""
    given = rederive(design, source(design, name), people, counting)
    return people.assign(**{column: given[column] for column in ("arm", "probability", "block", "position")})


def explained(
    design: Any, record: pd.DataFrame, person: str, counting: pd.DataFrame = NOBODY, name: str | None = None
) -> Explanation:
    return explain(design, source(design, name), record, counting, person)


def by_word(found: Explanation) -> ByWord:
    assert isinstance(found.drawn, ByWord)
    return found.drawn


@pytest.mark.parametrize("name", DESIGNS)
def test_each_arm_with_its_probability_and_place_is_that_of_the_allocation(name: str) -> None:
    design, strata = DESIGNS[name]
    record = allocated(design, arrived(strata))
    for row in record.itertuples():
        found = explained(design, record, row.participant_id)
        drawn = by_word(found)
        assert found.agrees
        assert float(drawn.probabilities[row.arm]) == row.probability
        assert (drawn.draw.block, drawn.draw.position) == (row.block, row.position)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_number_is_the_word_modulo_the_weights_and_falls_into_the_arms_share(name: str) -> None:
    design, strata = DESIGNS[name]
    record = allocated(design, arrived(strata))
    for person in record["participant_id"]:
        draw = by_word(explained(design, record, person)).draw
        ends = dict(zip(draw.weights, accumulate(draw.weights.values()), strict=True))
        assert draw.number == draw.word % sum(draw.weights.values())
        assert draw.arm == next(arm for arm, end in ends.items() if end > draw.number)


def test_the_counts_before_are_those_of_the_stratum() -> None:
    record = allocated(STICK, arrived(SEX))
    own = record[(record["stratum"] == "sex=F") & (record["arrival"] < 7)]
    assert len(own) == 3
    assert dict(by_word(explained(STICK, record, "p7")).draw.counts) == {
        "a": 0, "b": 0, **Counter(own["arm"]),
    }  # fmt: skip


def test_minimisation_counts_those_who_share_each_level() -> None:
    record = allocated(MINIMIZED, arrived(LEVELS))
    before = record[record["arrival"] < 6]
    site = before[before["stratum"].str.contains("site=y")]
    sex = before[before["stratum"].str.contains("sex=F")]
    found = by_word(explained(MINIMIZED, record, "p6")).margins
    assert [(one.factor, one.level, dict(one.counts)) for one in found] == [
        ("site", "y", {"a": 0, "b": 0, **Counter(site["arm"])}),
        ("sex", "F", {"a": 0, "b": 0, **Counter(sex["arm"])}),
    ]
    assert (len(site), len(sex)) == (2, 3)


def test_nobody_is_counted_whose_place_counts_no_longer_and_the_arm_follows_from_that() -> None:
    gone = pd.DataFrame({"participant_id": ["p1"], "from_arrival": [4], "counts": [False]})
    record = allocated(STICK, arrived(SEX), gone)
    counts = by_word(explained(STICK, record, "p4", gone)).draw.counts
    assert sum(counts.values()) == 1
    assert all(explained(STICK, record, person, gone).agrees for person in record["participant_id"])


def test_a_list_that_was_drawn_ahead_is_explained_as_it_was_drawn_whoever_counts_later() -> None:
    ahead = STICK.model_copy(update={"drawn": "ahead", "list_length": 8, "tolerance": 1})
    gone = pd.DataFrame({"participant_id": ["p1"], "from_arrival": [2], "counts": [False]})
    record = allocated(ahead, arrived(SEX), gone)
    assert all(explained(ahead, record, person, gone).agrees for person in record["participant_id"])
    assert RecordedDesign.from_frame(ahead, record, gone).courses[0].changes == ()


def test_a_replacement_says_whose_place_it_fills() -> None:
    design = BLOCKS.model_copy(update=REOPENED)
    gone = pd.DataFrame({"participant_id": ["p1"], "from_arrival": [4], "counts": [False]})
    record = allocated(design, arrived(SEX), gone)
    draw = by_word(explained(design, record, "p4", gone)).draw
    assert (draw.replaces, draw.block) == ("p1", 0)
    assert draw.arm == record["arm"].iloc[0]


def test_a_later_member_of_a_cluster_bears_the_draw_of_the_first() -> None:
    design = STICK.model_copy(update={"unit": "cluster", "cluster": "school", "strata": ()})
    record = allocated(design, arrived(("all",) * 4, unit=["s1", "s2", "s1", "s2"]))
    first, later = (by_word(explained(design, record, person)) for person in ("p1", "p3"))
    assert (later.drawn_for, later.draw) == ("p1", first.draw)
    assert explained(design, record, "p3").unit == "s1"


def test_the_first_releases_blocks_show_the_order_into_which_they_were_shuffled() -> None:
    record = allocated(BLOCKS, arrived(SEX * 3), name="permuted-blocks/1")
    for row in record.itertuples():
        found = explained(BLOCKS, record, row.participant_id, name="permuted-blocks/1")
        assert isinstance(found.drawn, ByBlock)
        assert found.agrees
        assert (found.drawn.block, found.drawn.position) == (row.block, row.position)
        assert float(found.drawn.probabilities[row.arm]) == row.probability
        assert found.drawn.order[row.position - 1] == row.arm
        assert sum(found.drawn.counts.values()) == row.position - 1
        assert 2 * found.drawn.order.count("a") == len(found.drawn.order)


def test_a_batch_says_how_often_it_was_drawn_until_the_arms_were_alike_enough() -> None:
    design = TOGETHER.model_copy(update={"at_most": 0.001})
    strata = tuple(f"sex={number * number}" for number in range(12))
    record = allocated(design, arrived(strata, batch=1))
    found = [explained(design, record, person) for person in record["participant_id"]]
    assert all(one.agrees for one in found)
    drawn = found[0].drawn
    assert isinstance(drawn, ByBatch)
    assert (drawn.batch, drawn.people, dict(drawn.probabilities)) == (1, 12, {"a": 0.5, "b": 0.5})
    assert drawn.draws > 1
    assert drawn.distance <= 0.001
    limited = design.model_copy(update={"most_draws": drawn.draws - 1})
    with pytest.raises(GateClosed, match="none has a distance"):
        allocate_batch(limited, source(design), Arrivals.of(strata), 1)


def test_the_second_batch_has_draws_of_its_own() -> None:
    record = allocated(TOGETHER, arrived(("sex=F", "sex=M") * 8, batch=[1] * 8 + [2] * 8))
    found = explained(TOGETHER, record, "p9")
    assert isinstance(found.drawn, ByBatch)
    assert (found.drawn.batch, found.drawn.people, found.agrees) == (2, 8, True)


def test_an_arm_that_the_seed_does_not_give_is_said_to_differ() -> None:
    record = allocated(STICK, arrived(SEX))
    other = {"a": "b", "b": "a"}[record["arm"].iloc[2]]
    record.loc[2, "arm"] = other
    found = explained(STICK, record, "p3")
    assert (found.recorded, found.agrees) == (other, False)
    assert explained(STICK, record, "p5").agrees


def test_where_every_arm_is_full_the_seed_gives_none() -> None:
    caps = (Cap(arm="a", at_most=1), Cap(arm="b", at_most=1))
    design = Simple(method="simple", ratio=EVEN, caps=caps, **RULES)
    found = explained(design, arrived(("all",) * 3), "p3")
    assert (found.drawn, found.agrees) == (None, False)


def test_somebody_who_is_not_in_the_record_cannot_be_explained() -> None:
    with pytest.raises(KeyError, match="p99"):
        explained(STICK, allocated(STICK, arrived(SEX)), "p99")


def test_the_order_of_the_rows_does_not_matter() -> None:
    record = allocated(BLOCKS, arrived(SEX))
    mixed = record.iloc[np.random.default_rng(1).permutation(len(record))]
    assert explained(BLOCKS, mixed, "p6") == explained(BLOCKS, record, "p6")
