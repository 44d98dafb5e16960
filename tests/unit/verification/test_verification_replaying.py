"""A record is held against the seeds that were revealed, wave by wave."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from forethought.ledger import chain
from forethought.registration import block_commitment
from forethought.verification.records import AllocationRecord
from forethought.verification.replaying import Answer, Replayed, replay, revealed_waves

Make = Callable[..., AllocationRecord]

RULES = {
    "unit": "participant",
    "dropouts": {"count": "everyone_allocated", "replace": "never", "statement": "All."},
    "seed": {"drawn_by": "either", "revealed": "at_unblinding"},
    "concealment": "Nobody knows the seed.",
    "ratio": {"control": 1, "coached": 1},
}
METHODS: dict[str, dict[str, Any]] = {
    "simple": {"method": "simple"},
    "complete": {"method": "complete", "size": 5, "strata": ["sex"]},
    "blocks": {"method": "permuted_blocks", "block_sizes": [4, 6], "strata": ["sex"]},
    "coin": {"method": "biased_coin", "chance": "2/3", "strata": ["sex"]},
    "stick": {"method": "big_stick", "tolerance": 2},
    "urn": {"method": "block_urn", "block_size": 4, "strata": ["sex"]},
    "minimization": {
        "method": "minimization", "factors": [{"name": "sex"}], "imbalance": "variance", "chance": 0.8,
    },
}  # fmt: skip
SEALED = {**RULES, "method": "permuted_blocks", "block_sizes": "sealed", "strata": ["sex"]}


def answers(replayed: Replayed) -> dict[int, Answer]:
    return {wave.wave: wave.answer for wave in replayed.waves}


def said(replayed: Replayed) -> tuple[str, ...]:
    return (*replayed.problems, *(problem for wave in replayed.waves for problem in wave.problems))


def with_arm(record: AllocationRecord, person: str, column: str, value: object) -> AllocationRecord:
    rows = record.allocations
    return replace(
        record,
        allocations=rows.assign(**{column: rows[column].mask(rows["participant_id"] == person, value)}),
    )


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_what_the_seeds_gave_agrees(make: Make, method: dict[str, Any]) -> None:
    replayed = replay(make({**RULES, **method}, revealed=(1, 2)))
    assert answers(replayed) == {1: Answer.AGREED, 2: Answer.AGREED}
    assert (replayed.agreed, replayed.revealed, said(replayed)) == (True, True, ())


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_changed_arm_is_named(make: Make, method: dict[str, Any]) -> None:
    record = make({**RULES, **method})
    true = record.allocations.set_index("participant_id").at["p105", "arm"]
    replayed = replay(with_arm(record, "p105", "arm", "coached" if true == "control" else "control"))
    assert [(one.participant, one.column) for wave in replayed.waves for one in wave.differences] == [
        ("p105", "arm")
    ]
    assert answers(replayed) == {1: Answer.DIFFERS, 2: Answer.NOT_REVEALED}
    assert not replayed.agreed


def test_a_wave_that_is_not_unblinded_is_not_replayed(make: Make) -> None:
    replayed = replay(with_arm(make(revealed=()), "p105", "arm", "another"))
    assert answers(replayed) == {1: Answer.NOT_REVEALED, 2: Answer.NOT_REVEALED}
    assert (replayed.revealed, replayed.agreed) == (False, True)


def test_those_who_stopped_counting_are_part_of_the_replay(make: Make) -> None:
    minimised = {**RULES, **METHODS["minimization"]}
    left = pd.DataFrame(
        [(f"p1{number:02}", 1, 12, False, "stale start") for number in range(9)],
        columns=["participant_id", "wave", "from_arrival", "counts", "reason"],
    )
    record = make(minimised, counting=left)
    assert answers(replay(record))[1] is Answer.AGREED
    without = replay(replace(record, counting=record.counting.head(0)))
    assert {one.column for one in without.waves[0].differences} == {"arm", "probability"}


def test_clusters_are_replayed(make: Make) -> None:
    clusters = {**RULES, **METHODS["blocks"], "unit": "cluster", "cluster": "school", "strata": []}
    record = make(clusters, units=True)
    assert answers(replay(record))[1] is Answer.AGREED
    without = with_arm(record, "p105", "unit", None)
    assert "wave 1: somebody has no cluster" in said(replay(without))


def test_a_seed_that_was_not_committed_to_is_none(make: Make) -> None:
    other = {"seed": "ab" * 32, "nonce": bytes(range(2, 34)).hex()}
    replayed = replay(make(secrets={1: other}, revealed=()))
    assert answers(replayed)[1] is Answer.DIFFERS
    assert said(replayed) == ("the revealed seed of wave 1 is not the one that the registration commits to",)


def test_sealed_block_sizes_are_replayed_once_revealed(make: Make) -> None:
    assert answers(replay(make(SEALED, sizes=(2, 6), revealed=(1, 2)))) == {
        1: Answer.AGREED,
        2: Answer.AGREED,
    }


@pytest.mark.parametrize(
    ("sizes", "words"),
    [([4, 6], "are not those that the registration commits to"), (None, "were not revealed")],
)
def test_other_block_sizes_than_the_sealed_ones_are_refused(
    make: Make, sizes: list[int] | None, words: str
) -> None:
    secret = {"seed": bytes(range(32)).hex(), "nonce": bytes(range(2, 34)).hex()}
    secrets = {1: secret | ({"block_sizes": sizes} if sizes else {})}
    replayed = replay(make(SEALED, sizes=(2, 6), revealed=(), secrets=secrets))
    assert answers(replayed)[1] is Answer.DIFFERS
    assert words in said(replayed)[0]


def test_sealed_sizes_without_a_commitment_are_refused(make: Make) -> None:
    record = make(SEALED, sizes=(2, 6))
    bare = tuple(one.model_copy(update={"blocks": None}) for one in record.registration.seeds)
    locked = record.registration.model_copy(update={"seeds": bare})
    assert (
        "are not those that the registration commits to"
        in said(replay(replace(record, registration=locked)))[0]
    )


@pytest.mark.parametrize("secret", [{}, {"seed": "ab"}, "words", None, {"seed": 1, "nonce": 2}, {"seed": "zz" * 32, "nonce": "00" * 32}])  # fmt: skip
def test_a_secret_that_is_none_is_said_to_be_unreadable(make: Make, secret: Any) -> None:
    replayed = replay(make(secrets={1: secret}, revealed=()))
    assert said(replayed) == ("ledger, event 6: what it reveals of wave 1 cannot be read",)
    assert not replayed.agreed


def test_rows_cut_off_the_end_are_missed_by_the_ledger(make: Make) -> None:
    record = make()
    replayed = replay(
        replace(record, allocations=record.allocations[record.allocations["participant_id"] != "p123"])
    )
    assert said(replayed) == ("wave 1: the ledger speaks of 24 allocations, and the record has 23",)
    assert answers(replayed)[1] is Answer.DIFFERS


def test_a_wave_that_was_never_registered_differs(make: Make) -> None:
    record = make()
    stray = record.allocations.head(1).assign(wave=7)
    replayed = replay(replace(record, allocations=pd.concat([record.allocations, stray])))
    assert "the registration commits to no seed of wave 7" in said(replayed)


@pytest.mark.parametrize("name", ["permuted-blocks/9", "simple/1", "nothing"])
def test_an_arithmetic_that_is_not_known_is_not_guessed_at(make: Make, name: str) -> None:
    record = make()
    later = record.registration.model_copy(update={"allocation_algorithm": name})
    (problem,) = said(replay(replace(record, registration=later)))
    assert problem == f"the arms were drawn by `{name}`, which this release does not know for this design"


@pytest.mark.parametrize(
    ("sizes", "words"),
    [((4, 10**12), "a block of more than 1,000,000"), ((3,), "the plan cannot be drawn again")],
)
def test_sizes_that_no_lock_would_take_end_in_a_sentence(
    make: Make, sizes: tuple[int, ...], words: str
) -> None:
    secret = {"seed": bytes(range(32)).hex(), "nonce": bytes(range(2, 34)).hex(), "block_sizes": list(sizes)}
    record = make(SEALED, sizes=(2, 6), revealed=(), secrets={1: secret})
    (first, second) = record.registration.seeds
    forged = block_commitment(sizes, bytes(range(2, 34)), "small_trial", 1)
    committed = (first.model_copy(update={"blocks": forged}), second)
    locked = record.registration.model_copy(update={"seeds": committed})
    assert words in said(replay(replace(record, registration=locked)))[0]


def test_a_stratum_that_the_plan_has_not_is_named(make: Make) -> None:
    replayed = replay(with_arm(make(), "p103", "stratum", "age=old"))
    assert said(replayed) == ("wave 1: `age=old` is no stratum of the plan",)


def test_two_allocations_of_one_person_are_named(make: Make) -> None:
    replayed = replay(with_arm(make(), "p103", "participant_id", "p104"))
    assert said(replayed) == ("wave 1: two allocations have the same participant_id",)


def test_a_material_out_of_order_differs(make: Make) -> None:
    record = make()
    materials = record.orders.assign(
        stimulus=record.orders["stimulus"].mask(record.orders.index == 3, "aunt")
    )
    (difference,) = replay(replace(record, orders=materials)).waves[0].differences
    assert (difference.participant, difference.column) == ("p101", "material of c2")


def test_only_the_waves_whose_seeds_are_there_count_as_revealed(make: Make) -> None:
    record = make(revealed=(2,))
    emergency = {"scope": "participant p101", "by": "A", "reason": "B", "waves": {}}
    last = record.events[-1]
    more = chain(last.hash, last.seq + 1, last.at, "tester", "unblind", emergency)
    assert revealed_waves(replace(record, events=(*record.events, more))) == {2}
