"""Random streams of a simulation: one seed, one independent stream for each purpose."""

import hashlib
from typing import Literal

import numpy as np

Purpose = Literal["recruits", "flow", "outcomes", "text", "surveys", "ratings"]


def stream(seed: int, purpose: Purpose, *labels: str | int) -> np.random.Generator:
    """The generator of one purpose: the same arguments give the same draws, any other argument others.

    The seed is of any size, zero or more; purpose and labels become the spawn key of a SeedSequence.
    """
    text = "/".join((purpose, *map(str, labels)))
    words = np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(int(word) for word in words)))
