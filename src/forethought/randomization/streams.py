"""Random streams from a secret seed: HMAC-SHA256 over the purpose and a counter, as 64-bit words.

Our own, because numpy does not promise the same draws in later releases, and because any word of any purpose
must be computable without the state of another.
"""

import hashlib
from collections.abc import Callable, Sequence
from hmac import digest
from struct import Struct
from typing import TypeVar

Item = TypeVar("Item")

SEED_BYTES = hashlib.sha256().digest_size
_LENGTH = Struct(">Q")
_WORDS = Struct(">4Q")
_WORD_RANGE = 1 << 64


class Stream:
    """Independent uniform 64-bit words for one purpose, the same for the same seed and labels for ever.

    Digest number c, from 0, is HMAC-SHA256(seed, each label as its length in bytes (8 bytes, big-endian) and its
    UTF-8, then c in 8 bytes, big-endian); it gives four words, big-endian. The lengths keep ("ab", "c") apart
    from ("a", "bc").
    """

    __slots__ = ("_counter", "_prefix", "_seed", "_words")

    def __init__(self, seed: bytes, *labels: str) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
        encoded = [label.encode() for label in labels]
        self._seed = seed
        self._prefix = b"".join(_LENGTH.pack(len(label)) + label for label in encoded)
        self._counter = 0
        self._words: list[int] = []

    def word(self) -> int:
        """The next word: 0 <= word < 2**64."""
        if not self._words:
            block = digest(self._seed, self._prefix + _LENGTH.pack(self._counter), "sha256")
            self._counter += 1
            self._words = list(reversed(_WORDS.unpack(block)))
        return self._words.pop()

    def below(self, n: int) -> int:
        """A uniform whole number in 0 <= number < n: words of the last, incomplete cycle of n are passed over."""
        if not 1 <= n <= _WORD_RANGE:
            raise ValueError(f"n must be 1 to 2**64, not {n}")
        complete_cycles = _WORD_RANGE - _WORD_RANGE % n
        while (word := self.word()) >= complete_cycles:
            pass
        return word % n

    def shuffle(self, items: Sequence[Item]) -> list[Item]:
        """The items in a uniformly random order, as a new list."""
        return shuffled(items, self.below)


def shuffled(items: Sequence[Item], below: Callable[[int], int]) -> list[Item]:
    """The items in an order that is uniform if `below(n)` is uniform on 0..n-1 (Durstenfeld 1964, Algorithm 235).

    From the last place down to the second, each is exchanged with one at or before it: `below` is asked for
    len(items), len(items) - 1, ..., 2.
    """
    order = list(items)
    for last in range(len(order) - 1, 0, -1):
        chosen = below(last + 1)
        order[last], order[chosen] = order[chosen], order[last]
    return order
