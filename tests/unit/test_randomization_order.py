"""Each participant's order of the materials."""

from collections import Counter
from itertools import product

import pytest
from scipy.stats import binom

from forethought.errors import ProtocolInvalid
from forethought.protocol.design import Stimuli
from forethought.randomization.order import order, orders
from forethought.randomization.streams import Stream, shuffled

SEED = bytes(range(32))
STIMULI = Stimuli(
    name="scenario",
    items=("job", "promotion", "undervalued", "dad", "mom"),
    order="random_without_repetition",
    sessions=("conversation_1", "conversation_2", "conversation_3"),
)


def test_the_order_is_that_of_every_release() -> None:
    assert order("abcde", 3, Stream(SEED, "lend_an_ear", "wave 1", "order/p1")) == ("b", "a", "d")


def test_nothing_comes_twice() -> None:
    drawn = orders(STIMULI, "s", 1, SEED, [f"p{number}" for number in range(500)])
    assert all(len(set(own)) == 3 for own in drawn.values())


def test_each_ordered_choice_is_equally_likely() -> None:
    counts: Counter[tuple[str, ...]] = Counter()
    for draws in product(range(5), range(4), range(3), range(2)):
        scripted = iter(draws)
        counts[tuple(shuffled("abcde", lambda _, scripted=scripted: next(scripted))[:3])] += 1
    assert len(counts) == 60
    assert set(counts.values()) == {2}


def test_each_item_comes_first_as_often_as_chance_lets_it() -> None:
    people = 5000
    drawn = orders(STIMULI, "s", 1, SEED, [f"p{number}" for number in range(people)])
    first = Counter(own[0] for own in drawn.values())
    low, high = binom.ppf(1e-6, people, 0.2), binom.isf(1e-6, people, 0.2)
    assert all(low <= first[item] <= high for item in STIMULI.items)


def test_a_participants_order_does_not_depend_on_who_else_is_there() -> None:
    alone = orders(STIMULI, "s", 1, SEED, ["p7"])
    among = orders(STIMULI, "s", 1, SEED, ["p3", "p9", "p7"])
    assert alone["p7"] == among["p7"]


def test_another_wave_gives_other_orders() -> None:
    people = [f"p{number}" for number in range(30)]
    assert orders(STIMULI, "s", 1, SEED, people) != orders(STIMULI, "s", 2, SEED, people)


def test_too_few_items_are_refused() -> None:
    with pytest.raises(ProtocolInvalid, match="6 sessions need 6 different items"):
        order("abcde", 6, Stream(SEED))
