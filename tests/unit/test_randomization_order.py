"""Each participant's order of the materials."""

from collections import Counter
from itertools import pairwise, product

import pytest
from scipy.stats import binom

from forethought.errors import ProtocolInvalid
from forethought.protocol.design import Stimuli
from forethought.randomization.order import latin_square, order, orders, williams
from forethought.randomization.streams import Stream, shuffled

SEED = bytes(range(32))
STIMULI = Stimuli(
    name="scenario",
    items=("job", "promotion", "undervalued", "dad", "mom"),
    order="random_without_repetition",
    sessions=("conversation_1", "conversation_2", "conversation_3"),
)


def arriving(people: int) -> dict[str, int]:
    """So many participants, and the arrival of each."""
    return {f"p{number}": number + 1 for number in range(people)}


def planned(kind: str, items: str, sessions: int) -> Stimuli:
    names = tuple(f"session_{number}" for number in range(1, sessions + 1))
    return Stimuli(name="scenario", items=tuple(items), order=kind, sessions=names)


def dealt(kind: str, items: str, sessions: int, people: int, *, wave: int = 1) -> list[tuple[str, ...]]:
    """The rows of so many participants, in order of arrival."""
    return list(orders(planned(kind, items, sessions), "s", wave, SEED, arriving(people)).values())


def test_the_order_is_that_of_every_release() -> None:
    assert order("abcde", 3, Stream(SEED, "lend_an_ear", "wave 1", "order/p1")) == ("b", "a", "d")


def test_nothing_comes_twice() -> None:
    drawn = orders(STIMULI, "s", 1, SEED, arriving(500))
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
    drawn = orders(STIMULI, "s", 1, SEED, arriving(people))
    first = Counter(own[0] for own in drawn.values())
    low, high = binom.ppf(1e-6, people, 0.2), binom.isf(1e-6, people, 0.2)
    assert all(low <= first[item] <= high for item in STIMULI.items)


def test_a_participants_order_does_not_depend_on_who_else_is_there() -> None:
    alone = orders(STIMULI, "s", 1, SEED, {"p7": 1})
    among = orders(STIMULI, "s", 1, SEED, {"p3": 1, "p9": 2, "p7": 3})
    assert alone["p7"] == among["p7"]


def test_another_wave_gives_other_orders() -> None:
    people = arriving(30)
    assert orders(STIMULI, "s", 1, SEED, people) != orders(STIMULI, "s", 2, SEED, people)


def test_too_few_items_are_refused() -> None:
    with pytest.raises(ProtocolInvalid, match="6 sessions need 6 different items"):
        order("abcde", 6, Stream(SEED))


@pytest.mark.parametrize(("items", "sessions"), [("abcde", 3), ("abcd", 4), ("ab", 1)])
def test_a_latin_square_has_each_item_once_at_each_place(items: str, sessions: int) -> None:
    rows = latin_square(items, sessions)
    assert all(sorted(place) == sorted(items) for place in zip(*rows, strict=True))
    assert all(len(set(row)) == sessions for row in rows)


@pytest.mark.parametrize("n", range(2, 10))
def test_a_williams_design_has_each_item_equally_often_at_each_place(n: int) -> None:
    rows = williams("abcdefghi"[:n], n)
    assert len(rows) == (n if n % 2 == 0 else 2 * n)
    for place in zip(*rows, strict=True):
        assert set(Counter(place).values()) == {len(rows) // n}
        assert len(set(place)) == n


@pytest.mark.parametrize("n", range(2, 10))
def test_in_a_williams_design_each_item_follows_each_other_equally_often(n: int) -> None:
    rows = williams("abcdefghi"[:n], n)
    follows = Counter(pair for row in rows for pair in pairwise(row))
    assert len(follows) == n * (n - 1)
    assert set(follows.values()) == {1 if n % 2 == 0 else 2}
    assert all(len(set(row)) == n for row in rows)


def test_the_square_of_four_begins_as_the_published_one() -> None:
    assert williams("1234", 4)[0] == ("1", "2", "4", "3")


@pytest.mark.parametrize(("kind", "rows"), [("latin_square", 5), ("williams", 10)])
def test_all_rows_are_dealt_before_one_comes_again(kind: str, rows: int) -> None:
    given = dealt(kind, "abcde", 5, 40)
    for first in range(0, 40, rows):
        assert len(set(given[first : first + rows])) == rows


@pytest.mark.parametrize("kind", ["latin_square", "williams"])
def test_the_rows_come_in_an_order_of_their_own_in_each_block(kind: str) -> None:
    given = dealt(kind, "abcd", 4, 40)
    assert len({tuple(given[first : first + 4]) for first in range(0, 40, 4)}) > 5


def test_each_order_of_the_rows_is_as_likely_as_chance_lets_it_be() -> None:
    blocks = 3000
    given = dealt("latin_square", "abc", 3, 3 * blocks)
    counts = Counter(tuple(given[first : first + 3]) for first in range(0, 3 * blocks, 3))
    low, high = binom.ppf(1e-6, blocks, 1 / 6), binom.isf(1e-6, blocks, 1 / 6)
    assert len(counts) == 6
    assert all(low <= count <= high for count in counts.values())


@pytest.mark.parametrize("kind", ["latin_square", "williams"])
def test_a_row_is_known_from_the_arrival_alone(kind: str) -> None:
    alone = orders(planned(kind, "abcd", 4), "s", 1, SEED, {"someone else": 23})
    assert alone["someone else"] == dealt(kind, "abcd", 4, 40)[22]


@pytest.mark.parametrize("kind", ["latin_square", "williams"])
def test_another_wave_deals_other_rows(kind: str) -> None:
    assert dealt(kind, "abcd", 4, 40) != dealt(kind, "abcd", 4, 40, wave=2)


def test_a_fixed_order_is_that_of_the_list() -> None:
    assert set(dealt("fixed", "dbca", 3, 9)) == {("d", "b", "c")}


def test_a_williams_design_needs_a_session_for_each_item() -> None:
    with pytest.raises(ProtocolInvalid, match="3 sessions and 4 items"):
        dealt("williams", "abcd", 3, 8)


@pytest.mark.parametrize("kind", ["latin_square", "williams", "fixed"])
def test_too_few_items_are_refused_in_every_order(kind: str) -> None:
    with pytest.raises(ProtocolInvalid, match="4 sessions need 4 different items"):
        dealt(kind, "abc", 4, 8)


def test_an_arrival_before_the_first_is_nobodys() -> None:
    with pytest.raises(ValueError, match="count from 1"):
        orders(planned("latin_square", "abc", 3), "s", 1, SEED, {"p": 0})
