"""The words of a stream, beside a second source: a plain loop over the standard library's hmac."""

import hashlib
import hmac
from itertools import islice

import pytest

from forethought.randomization.streams import Stream, shuffled

SEED = bytes(range(32))


def plain_words(seed: bytes, *labels: str) -> "list[int]":
    message = b""
    for label in labels:
        message += len(label.encode()).to_bytes(8, "big") + label.encode()
    words: list[int] = []
    for counter in range(50):
        block = hmac.new(seed, message + counter.to_bytes(8, "big"), hashlib.sha256).digest()
        words += [int.from_bytes(block[start : start + 8], "big") for start in (0, 8, 16, 24)]
    return words


def words(stream: Stream, count: int) -> list[int]:
    return [stream.word() for _ in range(count)]


class Scripted(Stream):
    """A stream whose words are given."""

    def __init__(self, *given: int) -> None:
        super().__init__(SEED)
        self.given = iter(given)

    def word(self) -> int:
        return next(self.given)


def test_the_first_words_are_those_of_every_release() -> None:
    assert words(Stream(SEED, "golden"), 6) == [
        0x240E30BD48887F12,
        0xCD56EEFEC24B16B9,
        0x799521014AFB9BFD,
        0xEF5C9D26D4ADAA31,
        0xA6119599D5AA38A2,
        0x593F4ECE938891EE,
    ]


@pytest.mark.parametrize(
    "labels", [(), ("golden",), ("study", "wave 1", "sex=Female", "block 7", "order"), ("é",)]
)
def test_the_words_are_those_of_a_plain_hmac_loop(labels: tuple[str, ...]) -> None:
    assert words(Stream(SEED, *labels), 200) == plain_words(SEED, *labels)


def test_labels_that_read_the_same_when_joined_give_different_streams() -> None:
    joined = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc")]
    assert len({Stream(SEED, *labels).word() for labels in joined}) == len(joined)


def test_another_seed_gives_another_stream() -> None:
    assert Stream(SEED, "golden").word() != Stream(SEED[::-1], "golden").word()


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_seed_that_is_not_256_bits_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Stream(bytes(length))


def test_a_word_of_the_last_incomplete_cycle_is_passed_over() -> None:
    last_fair = 2**64 - 2**64 % 10 - 1
    assert Scripted(last_fair).below(10) == 9
    assert Scripted(last_fair + 1, 7).below(10) == 7
    assert Scripted(2**64 - 1, last_fair + 1, 13).below(10) == 3


@pytest.mark.parametrize("n", [1, 2, 3, 6, 10, 2**32, 2**63 + 1, 2**64])
def test_each_number_below_n_has_equally_many_words(n: int) -> None:
    accepted = 2**64 - 2**64 % n
    assert accepted % n == 0
    assert Scripted(accepted - 1).below(n) == n - 1
    assert accepted > 2**63


@pytest.mark.parametrize("n", [0, -1, 2**64 + 1])
def test_there_is_no_number_below_nothing(n: int) -> None:
    with pytest.raises(ValueError, match="n must be"):
        Stream(SEED).below(n)


def test_the_first_draws_below_six_are_those_of_every_release() -> None:
    stream = Stream(SEED, "golden")
    assert [stream.below(6) for _ in range(20)] == [
        4,
        5,
        5,
        5,
        0,
        4,
        2,
        1,
        2,
        0,
        4,
        0,
        4,
        1,
        3,
        3,
        4,
        1,
        2,
        0,
    ]


def test_the_shuffle_is_that_of_every_release() -> None:
    assert "".join(Stream(SEED, "golden").shuffle("abcdefgh")) == "debhagfc"


def test_the_shuffle_leaves_what_it_was_given_as_it_was() -> None:
    items = list("abcdefgh")
    Stream(SEED, "golden").shuffle(items)
    assert items == list("abcdefgh")


@pytest.mark.parametrize("items", ["", "a"])
def test_nothing_and_one_need_no_draw(items: str) -> None:
    assert shuffled(items, lambda _: pytest.fail("asked for a draw")) == list(items)


def test_a_shuffle_asks_for_one_number_below_each_length_down_to_two() -> None:
    asked: list[int] = []
    shuffled("abcde", lambda n: asked.append(n) or 0)
    assert asked == [5, 4, 3, 2]


def test_two_streams_do_not_disturb_each_other() -> None:
    alone = words(Stream(SEED, "a"), 8)
    first, second = Stream(SEED, "a"), Stream(SEED, "b")
    together = [first.word() for _ in islice(iter(second.word, None), 8)]
    assert together == alone
