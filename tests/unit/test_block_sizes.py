"""Sealed block sizes are drawn by chance for each wave apart, or come from a file; no message tells them."""

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from pydantic import TypeAdapter

from forethought.errors import WrongUsage
from forethought.protocol.allocation import Allocation
from forethought.protocol.protocol import Protocol
from forethought.steps.block_sizes import sizes_for


def protocol(block_sizes: object = "sealed", **ratio: int) -> Protocol:
    """As much of a protocol as is looked at: its allocation."""
    said = {
        "method": "permuted_blocks",
        "ratio": ratio or {"control": 1, "coach": 1},
        "block_sizes": block_sizes,
        "dropouts": {"count": "everyone_allocated", "replace": "never", "statement": "S"},
        "seed": {"drawn_by": "either", "revealed": "at_unblinding"},
        "concealment": "C",
    }
    allocation = TypeAdapter(Allocation).validate_json(json.dumps(said))
    return cast("Protocol", Protocol.model_construct(allocation=allocation))


def drawn(times: int, **ratio: int) -> list[tuple[int, ...]]:
    below = Random(7).randrange  # noqa: S311 -- a fixed seed, so that the test is the same each time
    sealed = protocol(**ratio)
    return [sizes_for([1], sealed, None, below)[1] for _ in range(times)]


def test_two_or_three_different_sizes_are_drawn_and_never_one_alone() -> None:
    found = drawn(2000)
    assert Counter(map(len, found)).keys() == {2, 3}
    assert all(len(set(sizes)) == len(sizes) for sizes in found)


def test_every_choice_of_sizes_comes_up_about_as_often_as_another_of_its_number() -> None:
    seen = Counter(drawn(4000))
    assert {sizes for sizes in seen if len(sizes) == 2} == {(2, 4), (2, 6), (2, 8), (4, 6), (4, 8), (6, 8)}
    assert {sizes for sizes in seen if len(sizes) == 3} == {(2, 4, 6), (2, 4, 8), (2, 6, 8), (4, 6, 8)}
    assert all(250 < count < 420 for sizes, count in seen.items() if len(sizes) == 2)
    assert all(420 < count < 590 for sizes, count in seen.items() if len(sizes) == 3)


def test_the_sizes_are_multiples_of_the_sum_of_the_ratio() -> None:
    assert {size for sizes in drawn(500, a=2, b=1, c=2) for size in sizes} == {5, 10, 15, 20}


def test_each_wave_has_sizes_of_its_own() -> None:
    below = Random(7).randrange  # noqa: S311 -- a fixed seed, so that the test is the same each time
    waves = sizes_for(range(1, 9), protocol(), None, below)
    assert len(set(waves.values())) > 3


def test_a_protocol_that_tells_its_sizes_has_none_to_seal() -> None:
    assert sizes_for([1, 2], protocol([2, 4]), None) == {}


@pytest.mark.parametrize("text", ["4 2\n6,8,10\n", "4, 2\n\n 6 8\t10 \n", "4,2\r\n6,8,10"])
def test_a_file_has_one_line_for_each_wave(tmp_path: Path, text: str) -> None:
    file = tmp_path / "blocks.txt"
    file.write_text(text)
    assert sizes_for([1, 2], protocol(), file) == {1: (4, 2), 2: (6, 8, 10)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("4 26\n", "it has 1 lines for 2 waves"),
        ("4 26\n6\n8\n", "it has 3 lines for 2 waves"),
        ("4 26\n6 7\n", ":2: a block size is no multiple of 2"),
        ("0\n6\n", ":1: a block size is no multiple of 2"),
        ("26 4 26\n6\n", ":1: a block size stands there twice"),
        ("4 26\n,\n", ":2: these are no block sizes"),
        ("4 26\n-6\n", ":2: these are no block sizes"),
        ("4 26\nsix\n", ":2: these are no block sizes"),
        ("26.0\n6\n", ":1: these are no block sizes"),
        ("²\n6\n", ":1: these are no block sizes"),
        ("2600000\n6\n", ":1: these are no block sizes"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_without_a_word_of_it(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "blocks.txt"
    file.write_text(text)
    with pytest.raises(WrongUsage) as raised:
        sizes_for([1, 2], protocol(), file)
    assert said in str(raised.value)
    assert "26" not in str(raised.value).replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("given", "said"),
    [(protocol([2, 4]), "the protocol does not seal its block sizes"), (protocol(), "there is no such file")],
)
def test_a_file_that_is_not_wanted_or_not_there_is_wrong_usage(tmp_path: Path, given: Any, said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        sizes_for([1], given, tmp_path / "none.txt")
