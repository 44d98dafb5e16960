"""Words in bulk: the same at any place, in any amount, and numbers below n without bias."""

import numpy as np
import pytest

from forethought.randomization.streams import Stream
from forethought.randomization.words import Words

SEED = bytes(range(32))
WORDS = Words(SEED, "study", "wave 1", "all", "arm")

A_QUARTER_IS_REJECTED = 3 << 61
"""The words of the last, incomplete cycle of this total are a quarter of all."""


def test_words_do_not_depend_on_where_the_reading_begins() -> None:
    everything = WORDS.at(0, 40)
    for first in range(20):
        assert WORDS.at(first, 7).tolist() == everything[first : first + 7].tolist()


def test_another_label_or_seed_gives_other_words() -> None:
    others = (
        Words(SEED, "study", "wave 1", "all", "block size"),
        Words(bytes(32), "study", "wave 1", "all", "arm"),
    )
    for other in others:
        assert not set(other.at(0, 50).tolist()) & set(WORDS.at(0, 50).tolist())


def test_no_words_are_asked_for_and_none_come() -> None:
    assert WORDS.at(5, 0).tolist() == []
    assert WORDS.below(5, np.array([], dtype=np.int64)).tolist() == []


def test_a_number_is_the_remainder_of_its_word() -> None:
    totals = np.array([2, 3, 7, 1, 1000, 10_000_019])
    assert WORDS.below(11, totals).tolist() == [
        word % total for word, total in zip(WORDS.at(11, 6).tolist(), totals.tolist(), strict=True)
    ]


def test_a_word_of_the_incomplete_cycle_gives_way_to_a_stream_of_its_own() -> None:
    totals = np.full(400, A_QUARTER_IS_REJECTED)
    numbers, words = WORDS.below(0, totals).tolist(), WORDS.at(0, 400).tolist()
    complete = (1 << 64) - (1 << 64) % A_QUARTER_IS_REJECTED
    rejected = [index for index, word in enumerate(words) if word >= complete]
    assert 60 < len(rejected) < 140
    for index, (number, word) in enumerate(zip(numbers, words, strict=True)):
        again = Stream(SEED, "study", "wave 1", "all", "arm", f"word {index} again")
        expected = again.below(A_QUARTER_IS_REJECTED) if index in rejected else word % A_QUARTER_IS_REJECTED
        assert number == expected


@pytest.mark.parametrize("total", [3, 6, 7])
def test_numbers_below_a_total_are_uniform(total: int) -> None:
    count = 60_000
    found = np.bincount(WORDS.below(0, np.full(count, total)), minlength=total)
    expected = count / total
    chi_square = float(((found - expected) ** 2 / expected).sum())
    assert (
        chi_square < 28
    )  # the 99.99 % point of chi-square with 6 degrees of freedom is 27.9; the seed is fixed
