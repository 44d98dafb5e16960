"""Random words in bulk: the keystream of AES-256 in counter mode, under a key that the secret seed gives.

`streams` makes one digest for every four words, which a million arrivals would wait for. Here HMAC-SHA256 of the seed
over the purpose gives one key, and the keystream under it all the words of that purpose: any of them is computed
without the others, and `openssl enc -aes-256-ctr` with the same key gives the same bytes.
"""

import numpy as np
from numpy.typing import NDArray

from forethought.randomization.streams import Stream

UInt64s = NDArray[np.uint64]

_WORD_BYTES = 8
_BLOCK_BYTES = 16
_KEY_WORDS = 4
_WORD_RANGE = 1 << 64


class Words:
    """Independent uniform 64-bit words for one purpose, each known by its index from 0; the same for ever.

    The key is the first digest of `Stream(seed, *labels, "key")`; word i is the bytes 8i to 8i + 7 of the keystream
    whose counter begins at 0, big-endian.
    """

    __slots__ = ("_key", "_labels", "_seed")

    def __init__(self, seed: bytes, *labels: str) -> None:
        stream = Stream(seed, *labels, "key")
        self._seed = seed
        self._labels = labels
        self._key = b"".join(stream.word().to_bytes(_WORD_BYTES, "big") for _ in range(_KEY_WORDS))

    def at(self, first: int, count: int) -> UInt64s:
        """The words first, first + 1, ..., as an array of `count`."""
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.ciphers.modes import CTR

        counter, skipped = divmod(first * _WORD_BYTES, _BLOCK_BYTES)
        keystream = Cipher(AES(self._key), CTR(counter.to_bytes(_BLOCK_BYTES, "big"))).encryptor()
        drawn = keystream.update(bytes(skipped + count * _WORD_BYTES))[skipped:]
        return np.frombuffer(drawn, dtype=">u8").astype(np.uint64)

    def below(self, first: int, totals: NDArray[np.int64]) -> NDArray[np.int64]:
        """A uniform whole number in 0 <= number < total for each total (at least 1), from the words at first, ...

        A word of the last, incomplete cycle of its total (fewer than one in 2**50 for totals up to 10,000) is replaced
        by a stream of its own: each number is exactly uniform, and no later word moves.
        """
        words, sizes = self.at(first, len(totals)), totals.astype(np.uint64)
        numbers = words % sizes
        # The words up to the last whole cycle: 2**64 is no uint64, and -sizes is 2**64 - sizes there.
        incomplete = (np.uint64(0) - sizes) % sizes
        rejected = (incomplete > 0) & (words >= np.uint64(0) - incomplete)
        for index in np.flatnonzero(rejected):
            again = Stream(self._seed, *self._labels, f"word {first + int(index)} again")
            numbers[index] = again.below(int(totals[index]))
        return numbers.astype(np.int64)
