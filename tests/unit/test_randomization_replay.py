"""Replay finds what the seed does not give, whatever the method."""

from typing import Any

import pandas as pd
import pytest

from forethought.protocol.allocation import (
    BiasedCoin,
    BigStick,
    BlockUrn,
    Complete,
    Dropouts,
    Minimization,
    PermutedBlocks,
    Rerandomization,
    SeedPolicy,
    Simple,
    algorithm,
)
from forethought.protocol.design import Stimuli
from forethought.randomization.allocating import allocate
from forethought.randomization.arrivals import Arrivals, Before, OpenPlace, Source, Tally
from forethought.randomization.order import orders
from forethought.randomization.replay import differences, order_differences, rederive

SEED = bytes(range(32))
NOTHING = pd.DataFrame(
    {"participant_id": [], "wave": [], "from_arrival": [], "counts": [], "reason": []}, dtype=object
)
RULES: dict[str, Any] = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
    "ratio": {"a": 1, "b": 1},
}
DESIGNS = {
    "simple": Simple(method="simple", **RULES),
    "complete": Complete(method="complete", size=5, strata=("x",), **RULES),
    "blocks": PermutedBlocks(method="permuted_blocks", block_sizes=(4, 6), strata=("x",), **RULES),
    "coin": BiasedCoin(method="biased_coin", chance="2/3", strata=("x",), **RULES),
    "stick": BigStick(method="big_stick", tolerance=2, strata=("x",), **RULES),
    "urn": BlockUrn(method="block_urn", block_size=4, strata=("x",), **RULES),
    "minimization": Minimization.model_validate(
        {"method": "minimization", "factors": ({"name": "x"},), "imbalance": "range", "chance": 0.8, **RULES}
    ),
}


def source(design: Any, name: str | None = None) -> Source:
    return Source(seed=SEED, study_id="s", wave=1, algorithm=name or algorithm(design))


def arrivals(design: Any, people: int = 30) -> pd.DataFrame:
    labels = ["x=1", "x=2", "x=2"] if design.covariates else ["all"]
    return pd.DataFrame(
        {
            "participant_id": [f"p{number:02}" for number in range(people)],
            "stratum": [labels[number % len(labels)] for number in range(people)],
            "arrival": range(1, people + 1),
        }
    )


def record(design: Any, counting: pd.DataFrame = NOTHING, **columns: Any) -> pd.DataFrame:
    """What the seed gives, in no particular order, as a database may give it."""
    came = arrivals(design).assign(**columns)
    given = rederive(design, source(design), came, counting)
    return given.assign(stratum=came["stratum"]).sample(frac=1, random_state=1).reset_index(drop=True)


def with_value(frame: pd.DataFrame, participant: str, column: str, value: object) -> pd.DataFrame:
    return frame.assign(**{column: frame[column].mask(frame["participant_id"] == participant, value)})


def found(design: Any, recorded: pd.DataFrame, counting: pd.DataFrame = NOTHING) -> set[tuple[str, str]]:
    return {
        (each.participant, each.column) for each in differences(design, source(design), recorded, counting)
    }


def changed(*rows: tuple[str, int, bool]) -> pd.DataFrame:
    return pd.DataFrame(
        [{"participant_id": who, "wave": 1, "from_arrival": at, "counts": yes, "reason": "left"} for who, at, yes in rows]
    )  # fmt: skip


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_the_arms_are_those_that_the_design_allocates(design: Any) -> None:
    came = arrivals(design)
    drawn = allocate(design, source(design), Arrivals.of(came["stratum"].tolist()))
    given = rederive(design, source(design), came, NOTHING)
    assert given["arm"].tolist() == [drawn.arms[code] for code in drawn.arm]
    assert given["probability"].tolist() == drawn.probability.tolist()
    assert given["block"].tolist() == drawn.block.tolist()


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_what_was_recorded_is_replayed(design: Any) -> None:
    assert found(design, record(design)) == set()


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_one_at_a_time_gives_the_same_as_all_at_once(design: Any) -> None:
    came = arrivals(design)
    nobody_who_came = changed(("somebody else", 5, False))
    at_once = rederive(design, source(design), came, NOTHING)
    pd.testing.assert_frame_equal(rederive(design, source(design), came, nobody_who_came), at_once)


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_one_changed_arm_is_the_only_difference(design: Any) -> None:
    recorded = record(design)
    true = recorded.set_index("participant_id").at["p07", "arm"]
    (difference,) = differences(
        design, source(design), with_value(recorded, "p07", "arm", "b" if true == "a" else "a"), NOTHING
    )
    assert (difference.participant, difference.wave, difference.column) == ("p07", 1, "arm")
    assert (difference.recorded, difference.replayed) == ("b" if true == "a" else "a", true)


@pytest.mark.parametrize(
    ("column", "value"),
    [("probability", 0.123), ("block", 9), ("position", 9), ("algorithm", "coin/1"), ("replaces", "p01")],
)
def test_any_other_changed_value_is_found(column: str, value: object) -> None:
    design = DESIGNS["blocks"]
    assert found(design, with_value(record(design), "p12", column, value)) == {("p12", column)}


def test_what_the_record_does_not_tell_yet_is_no_difference() -> None:
    design = DESIGNS["blocks"]
    untold = record(design).assign(probability=None, block=pd.NA, position=pd.NA)
    assert found(design, untold) == set()


def test_no_allocation_differs_in_nothing() -> None:
    design = DESIGNS["blocks"]
    assert found(design, record(design).head(0)) == set()


def test_a_row_taken_out_is_found_in_those_that_follow_it() -> None:
    design = DESIGNS["blocks"]
    recorded = record(design)
    people = {person for person, _ in found(design, recorded[recorded["participant_id"] != "p10"])}
    assert people == {f"p{number}" for number in range(11, 30)}


def test_a_difference_is_a_sentence() -> None:
    design = DESIGNS["simple"]
    (difference,) = differences(
        design, source(design), with_value(record(design), "p03", "algorithm", "coin/1"), NOTHING
    )
    assert difference.words == "wave 1, p03: algorithm is coin/1, and the seed gives simple/1"


def test_another_seed_does_not_give_what_was_recorded() -> None:
    design = DESIGNS["minimization"]
    other = Source(seed=bytes(32), study_id="s", wave=1, algorithm=algorithm(design))
    assert differences(design, other, record(design), NOTHING)


def test_the_first_release_s_blocks_are_replayed_by_their_own_arithmetic() -> None:
    design = DESIGNS["blocks"]
    first = source(design, "permuted-blocks/1")
    given = rederive(design, first, arrivals(design), NOTHING)
    assert set(given["algorithm"]) == {"permuted-blocks/1"}
    recorded = given.assign(stratum=arrivals(design)["stratum"])
    assert differences(design, first, recorded, changed(("p01", 9, False))) == ()
    assert {each.column for each in differences(design, source(design), recorded, NOTHING)} >= {
        "arm",
        "algorithm",
    }


def test_who_stops_counting_moves_the_arms_of_minimisation() -> None:
    design = DESIGNS["minimization"]
    with_them = record(design)
    of_one_arm = with_them[(with_them["arm"] == "a") & (with_them["arrival"] < 15)]["participant_id"]
    left = changed(*((person, 15, False) for person in of_one_arm))
    without = record(design, left)
    assert found(design, without, left) == set()
    assert {int(person[1:]) >= 14 for person, _ in found(design, with_them, left)} == {True}


def test_a_list_that_was_drawn_ahead_does_not_know_who_stopped_counting() -> None:
    on_arrival = DESIGNS["stick"]
    ahead = on_arrival.model_copy(update={"drawn": "ahead", "list_length": 30})
    with_them = record(on_arrival)
    of_one_arm = with_them[(with_them["arm"] == "a") & (with_them["arrival"] < 12)]["participant_id"]
    left = changed(*((person, 12, False) for person in of_one_arm))
    assert record(ahead, left)["arm"].tolist() == with_them["arm"].tolist()
    assert record(on_arrival, left)["arm"].tolist() != with_them["arm"].tolist()


def test_a_place_that_opens_is_filled_by_the_arrival_from_which_on_it_is_open() -> None:
    rule = Dropouts(
        count="completed_or_in_progress", in_progress_minutes=9, replace="next_arrival", statement="x"
    )
    design = DESIGNS["blocks"].model_copy(update={"dropouts": rule})
    recorded = record(design, changed(("p01", 9, False)))
    arm = recorded.set_index("participant_id")["arm"]
    replaced = recorded[recorded["replaces"].notna()]
    assert replaced[["participant_id", "replaces", "block"]].to_numpy().tolist() == [["p08", "p01", 0]]
    assert arm["p08"] == arm["p01"]
    open_place = OpenPlace(participant="p01", stratum="x=2", arm=arm["p01"])
    first = recorded[recorded["arrival"] < 9].groupby(["stratum", "arm"]).size()
    before = Before(
        tallies=tuple(
            Tally(stratum=s, arm=a, placed=n, regular=n, counting=n - ((s, a) == ("x=2", arm["p01"])))
            for (s, a), n in first.items()
        ),
        open=(open_place,),
        arrivals=8,
    )
    later = allocate(design, source(design), Arrivals.of(arrivals(design)["stratum"].tolist()[8:]), before)
    assert [later.arms[code] for code in later.arm] == arm.sort_index().tolist()[8:]


def test_all_of_a_cluster_have_its_arm() -> None:
    design = DESIGNS["blocks"].model_copy(update={"unit": "cluster", "cluster": "school"})
    units = [f"school {number // 3}" for number in range(30)]
    recorded = record(design, unit=units)
    assert (recorded.groupby("unit")["arm"].nunique() == 1).all()
    true = recorded.set_index("participant_id").at["p05", "arm"]
    odd_one_out = with_value(recorded, "p05", "arm", "b" if true == "a" else "a")
    assert found(design, odd_one_out) == {("p05", "arm")}


def test_batches_are_replayed_together() -> None:
    design = Rerandomization(
        method="rerandomization",
        variables=("age",),
        criterion="standardized_difference",
        at_most=0.5,
        **RULES,
    )
    labels = [f"age={20 + number * 7 % 31}" for number in range(30)]
    came = arrivals(DESIGNS["simple"]).assign(stratum=labels, batch=[1] * 12 + [2] * 18)
    given = rederive(design, source(design), came, NOTHING)
    second = allocate(design, source(design), Arrivals.of(labels[12:]), Before(batches=1))
    assert given["arm"].tolist()[12:] == [second.arms[code] for code in second.arm]
    recorded = given.assign(stratum=labels)
    assert found(design, recorded) == set()
    assert found(design, recorded.assign(batch=1)) != set()


def test_a_batch_too_small_to_be_drawn_is_given_nothing() -> None:
    design = Rerandomization(
        method="rerandomization",
        variables=("age",),
        criterion="standardized_difference",
        at_most=0.5,
        **RULES,
    )
    came = arrivals(DESIGNS["simple"], 2).assign(
        stratum=["age=20", "age=30"], batch=1, arm="a", algorithm="rerandomization/1"
    )
    assert found(design, came) == {("p00", "arm"), ("p01", "arm")}


def test_somebody_allocated_to_a_full_arm_differs() -> None:
    capped = Simple.model_validate(
        {"method": "simple", **RULES, "caps": ({"arm": "a", "at_most": 5}, {"arm": "b", "at_most": 5})}
    )
    recorded = rederive(capped, source(capped), arrivals(capped), NOTHING).assign(stratum="all")
    assert recorded["arm"].notna().sum() == 10
    taken = recorded.assign(arm=recorded["arm"].fillna("a"), probability=recorded["probability"].fillna(1.0))
    assert {(each.recorded, each.replayed) for each in differences(capped, source(capped), taken, NOTHING) if each.column == "arm"} == {("a", None)}  # fmt: skip


@pytest.mark.parametrize("order", ["random_without_repetition", "latin_square", "williams", "fixed"])
def test_a_material_that_is_not_the_one_in_the_order_is_found(order: Any) -> None:
    stimuli = Stimuli(name="scenario", items=("job", "dad", "mom"), order=order, sessions=("c1", "c2", "c3"))
    design = DESIGNS["simple"]
    came = arrivals(design)
    drawn = orders(stimuli, "s", 1, SEED, dict(zip(came["participant_id"], came["arrival"], strict=True)))
    sessions = pd.DataFrame(
        [(who, f"c{place + 1}", item) for who, items in drawn.items() for place, item in enumerate(items)]
        + [(who, "last", None) for who in drawn],
        columns=["participant_id", "session", "stimulus"],
    )
    assert order_differences(stimuli, source(design), came, sessions) == ()
    sessions.loc[4, "stimulus"] = "nothing of ours"
    (difference,) = order_differences(stimuli, source(design), came, sessions)
    assert (difference.participant, difference.column) == ("p01", "material of c2")
