"""Permuted blocks within strata: every complete block holds its arms in exactly the registered ratio."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from forethought.errors import ProtocolInvalid
from forethought.protocol.allocation import PermutedBlocks
from forethought.randomization.streams import Stream

ALGORITHM = "permuted-blocks/1"
"""Names the exact arithmetic of this module and of `streams`; recorded with each allocation."""

_NOBODY: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The arm of one arrival and the probability that it had, given the block so far; both numbers count from 1."""

    arm: str
    probability: float
    stratum: str
    block: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumBlocks:
    """The blocks of one stratum in one wave; each is a function of its number alone."""

    design: PermutedBlocks
    study_id: str
    wave: int
    seed: bytes
    stratum: str

    def __post_init__(self) -> None:
        if any(size % sum(self.design.ratio.values()) for size in self._sizes):
            raise ProtocolInvalid(
                "allocation",
                "a block cannot hold the ratio",
                "Make each block size a multiple of the ratio's sum",
            )

    def size(self, block: int) -> int:
        """How many arrivals the block takes, each of the registered sizes being equally likely."""
        sizes = self._sizes
        if len(sizes) == 1:
            return sizes[0]
        return sizes[self._stream(block, "size").below(len(sizes))]

    @property
    def _sizes(self) -> tuple[int, ...]:
        sizes = self.design.block_sizes
        if sizes == "sealed":
            raise ValueError("sealed block sizes are read from `secrets/` before anything is drawn")
        return sizes

    def arms(self, block: int) -> list[str]:
        """The arms of the block, in the order in which arrivals get them."""
        return self._stream(block, "order").shuffle(content(self.design.ratio, self.size(block)))

    def following(self, taken: int) -> Iterator[Assignment]:
        """The assignments of this stratum after the first `taken`, without end."""
        block = 1
        while taken >= (size := self.size(block)):
            taken -= size
            block += 1
        while True:
            yield from self._assignments(block, taken)
            block, taken = block + 1, 0

    def _assignments(self, block: int, taken: int) -> Iterator[Assignment]:
        arms = self.arms(block)
        for position in range(taken, len(arms)):
            arm, rest = arms[position], arms[position:]
            yield Assignment(
                arm=arm,
                probability=rest.count(arm) / len(rest),
                stratum=self.stratum,
                block=block,
                position=position + 1,
            )

    def _stream(self, block: int, purpose: str) -> Stream:
        return Stream(self.seed, self.study_id, f"wave {self.wave}", self.stratum, f"block {block}", purpose)


def content(ratio: Mapping[str, int], size: int) -> list[str]:
    """What a block of this size holds before it is shuffled: each arm by its share, in the order of their names.

    The order of names, because a protocol with the same fingerprint may list its ratio in another order.
    """
    times = size // sum(ratio.values())
    return [arm for arm in sorted(ratio) for _ in range(ratio[arm] * times)]


def probabilities(arms: Sequence[str], position: int) -> Mapping[str, float]:
    """Each arm's probability at a block's position (from 1), given the positions before it: its share of the rest."""
    rest = arms[position - 1 :]
    return {arm: rest.count(arm) / len(rest) for arm in sorted(set(arms))}


def allocate(
    design: PermutedBlocks,
    study_id: str,
    wave: int,
    seed: bytes,
    strata: Sequence[str],
    before: Mapping[str, int] = _NOBODY,
) -> list[Assignment]:
    """An assignment for each arrival, given in order of arrival as its stratum.

    `before` counts the arrivals of each stratum that already have theirs: the same people one at a time, in
    batches or all at once get the same arms.
    """
    streams: dict[str, Iterator[Assignment]] = {}
    for stratum in dict.fromkeys(strata):
        blocks = StratumBlocks(design=design, study_id=study_id, wave=wave, seed=seed, stratum=stratum)
        streams[stratum] = blocks.following(before.get(stratum, 0))
    return [next(streams[stratum]) for stratum in strata]
