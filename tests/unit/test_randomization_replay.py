"""Replay finds what the seed does not give."""

import pandas as pd
import pytest

from forethought.protocol.design import Dropouts, PermutedBlocks, SeedPolicy
from forethought.randomization.replay import differences, replay

RULES = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
"""What a design says besides its blocks, which moves no arm."""

DESIGN = PermutedBlocks(method="permuted_blocks", ratio={"a": 1, "b": 1}, block_sizes=(4, 6), **RULES)
SEEDS = {1: bytes(range(32)), 2: bytes(range(1, 33))}


@pytest.fixture
def recorded() -> pd.DataFrame:
    """Two waves of 30, their rows in no particular order, as a database may give them."""
    waves = []
    for wave, seed in SEEDS.items():
        arrivals = pd.DataFrame(
            {
                "participant_id": [f"p{wave}{number:02}" for number in range(30)],
                "stratum": ["x=1", "x=2", "x=2"] * 10,
                "arrival": range(1, 31),
            }
        )
        waves.append(replay(DESIGN, "s", wave, seed, arrivals))
    return pd.concat(waves).sample(frac=1, random_state=1).reset_index(drop=True)


def with_value(frame: pd.DataFrame, participant: str, column: str, value: object) -> pd.DataFrame:
    return frame.assign(**{column: frame[column].mask(frame["participant_id"] == participant, value)})


def found(recorded: pd.DataFrame) -> set[tuple[str, str]]:
    return {(each.participant, each.column) for each in differences(DESIGN, "s", SEEDS, recorded)}


def test_what_was_recorded_is_replayed(recorded: pd.DataFrame) -> None:
    assert differences(DESIGN, "s", SEEDS, recorded) == ()


def test_no_allocation_differs_in_nothing(recorded: pd.DataFrame) -> None:
    assert differences(DESIGN, "s", SEEDS, recorded.head(0)) == ()


def test_a_changed_arm_is_found(recorded: pd.DataFrame) -> None:
    true = recorded.set_index("participant_id").at["p107", "arm"]
    changed = with_value(recorded, "p107", "arm", "b" if true == "a" else "a")
    (difference,) = differences(DESIGN, "s", SEEDS, changed)
    assert (difference.participant, difference.wave, difference.column) == ("p107", 1, "arm")
    assert (difference.recorded, difference.replayed) == ("b" if true == "a" else "a", true)


@pytest.mark.parametrize(
    ("column", "value"), [("probability", 0.123), ("block", 9), ("position", 9), ("algorithm", "coin/1")]
)
def test_any_other_changed_value_is_found(recorded: pd.DataFrame, column: str, value: object) -> None:
    assert found(with_value(recorded, "p212", column, value)) == {("p212", column)}


def test_a_row_taken_out_is_found_in_those_that_follow_it(recorded: pd.DataFrame) -> None:
    people = {person for person, _ in found(recorded[recorded["participant_id"] != "p110"])}
    assert "p111" in people
    assert all("p110" < person < "p130" for person in people)


def test_two_people_who_changed_places_are_found(recorded: pd.DataFrame) -> None:
    arms = recorded.set_index("participant_id")["arm"]
    same_stratum = [f"p1{number:02}" for number in range(30) if number % 3]
    other = next(person for person in same_stratum if arms[person] != arms[same_stratum[0]])
    swapped = with_value(recorded, other, "arm", arms[same_stratum[0]])
    swapped = with_value(swapped, same_stratum[0], "arm", arms[other])
    assert found(swapped) == {(other, "arm"), (same_stratum[0], "arm")}


def test_another_seed_does_not_give_what_was_recorded(recorded: pd.DataFrame) -> None:
    assert differences(DESIGN, "s", {1: SEEDS[2], 2: SEEDS[2]}, recorded)
