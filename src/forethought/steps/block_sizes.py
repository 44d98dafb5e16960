"""Sealed block sizes: from a file that a statistician gives, or drawn here; told to nobody."""

import secrets
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from forethought.errors import WrongUsage
from forethought.protocol.allocation import PermutedBlocks
from forethought.protocol.protocol import Protocol
from forethought.registration import seals_blocks

Below = Callable[[int], int]

_MULTIPLES = 4
"""Sizes that are drawn here are among so many first multiples of the ratio's sum."""
_FEWEST, _MOST = 2, 3
"""How many different sizes are drawn: with one alone, whoever knows a block's beginning knows its end."""


def sizes_for(
    waves: Collection[int],
    protocol: Protocol,
    blocks_file: Path | None,
    below: Below = secrets.randbelow,
) -> Mapping[int, tuple[int, ...]]:
    """Each wave's block sizes, of the file or drawn apart for each wave; none where the protocol seals none.

    WrongUsage where a file is given for a protocol that seals none, or is not what it should be: no message says
    what the file holds.
    """
    design = protocol.allocation
    if not (isinstance(design, PermutedBlocks) and seals_blocks(design)):
        if blocks_file is not None:
            raise WrongUsage(
                "--blocks",
                "the protocol does not seal its block sizes",
                "Leave out --blocks, or write `block_sizes: sealed` in the protocol",
            )
        return {}
    total = sum(design.ratio.values())
    if blocks_file is not None:
        return _given(waves, total, blocks_file)
    return {wave: _drawn(total, below) for wave in waves}


def _drawn(total: int, below: Below) -> tuple[int, ...]:
    """Two or three different multiples of the ratio's sum, each choice as likely as another of its number."""
    left = [total * times for times in range(1, _MULTIPLES + 1)]
    wanted = _FEWEST + below(_MOST - _FEWEST + 1)
    return tuple(sorted(left.pop(below(len(left))) for _ in range(wanted)))


def _given(waves: Collection[int], total: int, blocks_file: Path) -> Mapping[int, tuple[int, ...]]:
    if not blocks_file.is_file():
        raise WrongUsage(
            str(blocks_file), "there is no such file", "Give a file of block sizes, one line for each wave"
        )
    lines = [line for line in blocks_file.read_text("ascii", errors="replace").splitlines() if line.strip()]
    if len(lines) != len(waves):
        raise WrongUsage(
            str(blocks_file),
            f"it has {len(lines)} lines for {len(waves)} waves that need block sizes",
            "Write one line for each of them",
        )
    found = (_of_line(line, total, f"{blocks_file}:{number}") for number, line in enumerate(lines, start=1))
    return dict(zip(waves, found, strict=True))


def _of_line(line: str, total: int, where: str) -> tuple[int, ...]:
    words = line.replace(",", " ").split()
    if not words or not all(word.isdecimal() and len(word) < 6 for word in words):
        raise WrongUsage(
            where, "these are no block sizes", "Write whole numbers with spaces or commas between them"
        )
    sizes = tuple(int(word) for word in words)
    if any(size < 1 or size % total for size in sizes):
        raise WrongUsage(
            where,
            f"a block size is no multiple of {total}, the sum of allocation.ratio",
            "Write multiples of it",
        )
    if len(set(sizes)) < len(sizes):
        raise WrongUsage(where, "a block size stands there twice", "Write each size once")
    return sizes
