"""The engine: what a design's next arm depends on, for many courses of the study side by side."""

import numpy as np
from numpy.typing import NDArray

from forethought.protocol.allocation import (
    BiasedCoin,
    BigStick,
    BlockUrn,
    Complete,
    Design,
    Minimization,
    PermutedBlocks,
    Rerandomization,
    exact,
)
from forethought.randomization import weights
from forethought.randomization.arrivals import Before, Tally
from forethought.randomization.block_contents import Contents, contents
from forethought.randomization.caps import Caps
from forethought.randomization.margins import Margins
from forethought.randomization.open_places import OpenPlaces
from forethought.randomization.strata import WHOLE_WAVE
from forethought.randomization.stratum_state import (
    ChooseBlocks,
    Codes,
    Int64s,
    Rows,
    StratumState,
    followed,
    resumed,
)


class Replicates:
    """R courses of one design side by side: weights out, arms in. The live allocation is one with R = 1.

    Arms are coded in the order of their names. A unit is a person, or a cluster in a design of clusters. Before a unit
    is placed, `weights` of its stratum is asked for: it begins a block where the last one is used up. Which of several
    contents the block has says `choose`, or whoever begins it first with `begin`.
    """

    def __init__(
        self,
        design: Design,
        replicates: int,
        before: Before = Before(),  # noqa: B008  # a frozen value
        choose: ChooseBlocks | None = None,
    ) -> None:
        if isinstance(design, Rerandomization):
            raise TypeError("rerandomisation allocates batches, not one unit at a time")
        self.arms: tuple[str, ...] = tuple(sorted(design.ratio))
        self.ratio: Int64s = np.array([design.ratio[arm] for arm in self.arms], dtype=np.int64)
        self.size = replicates
        self.contents: Contents | None = (
            contents(design) if isinstance(design, PermutedBlocks | Complete) else None
        )
        self._design = design
        self._choose = choose or self._only_content
        self._caps = Caps(design.caps, self.arms, replicates)
        self._strata: dict[str, StratumState] = {}
        self._whole = StratumState.empty(replicates, len(self.arms))
        self._margins = Margins(design, replicates) if isinstance(design, Minimization) else None
        for tally in before.tallies:
            self._add(tally)
        for label, state in self._strata.items():
            self._resume(label, state, before)

    def weights(self, label: str) -> Int64s:
        """Shape (R, K): the next unit's weights; a row of zeros where every arm is full."""
        while (beginning := self.begins(label)).any():
            number = self._stratum(label).blocks.number + 1
            self.begin(label, self._choose(label, number), beginning)
        found = self._rule(label)
        if self._design.initial_simple:
            found = np.where(self._initial(label)[:, None], self.ratio, found)
        found = self._capped(label, found)
        state = self._stratum(label)
        if not len(state.open):
            return found
        again = self._to_fill(label)
        if self._design.dropouts.replace == "next_arrival":
            again = state.open.first(again > 0)
        return np.where(again.any(axis=1, keepdims=True), again, found)

    def begins(self, label: str) -> Rows:
        """Shape (R,): where the next unit needs a block to begin, nothing being left in the last for an arm not full."""
        state = self._stratum(label)
        if self.contents is None:
            return np.zeros(self.size, dtype=np.bool_)
        regular = ~(self._initial(label) | self._replaces(label))
        if not self._caps:
            return np.asarray(regular & ~state.blocks.left.any(axis=1))
        takes = ~self._caps.full(label, len(self.arms))
        return np.asarray(regular & takes.any(axis=1) & ~(state.blocks.left * takes).any(axis=1))

    def begin(self, label: str, content: NDArray[np.intp], where: Rows) -> None:
        """In these replicates the next block begins; `content` (R,) says which of `contents` it has."""
        if self.contents is not None:
            self._stratum(label).blocks.begin(where, self.contents.units[content])

    def place(self, label: str, arm: Codes, participant: str | None = None) -> None:
        """The next unit of the stratum gets these arms, (R,); -1 where it gets none, every arm being full."""
        del participant  # a place is known by its arm; who holds it matters once it opens, and is said then
        state = self._stratum(label)
        placed = arm >= 0
        replacing = placed & self._replaces(label)
        regular = placed & ~replacing
        if self.contents is not None:
            state.blocks.use(regular & ~self._initial(label), arm)
        if replacing.any():
            state.open.fill(arm, replacing)
        for counted in (state, self._whole):
            counted.drawn += placed
            counted.regular += regular
        self._count(label, arm, 1)

    def recount(self, participant: str, label: str, arm: Codes, *, counts: bool) -> None:
        """The place that this unit has in these arms counts no longer, or again; -1 where it has none.

        Where the design replaces, a place that counts no longer is open, until it is filled or counts again. One that was
        filled does not open again.
        """
        self._count(label, arm, 1 if counts else -1)
        if self._design.dropouts.replace == "never":
            return
        places = self._stratum(label).open
        places.taken_back(participant) if counts else places.opened(participant, arm)

    def take(self, rows: NDArray[np.intp]) -> None:
        """Keep these replicates, in this order; one that is named twice goes on as two."""
        self.size = len(rows)
        self._caps.take(rows)
        if self._margins is not None:
            self._margins.take(rows)
        for state in (self._whole, *self._strata.values()):
            state.take(rows)

    def stream(self, label: str) -> str:
        """What the stream of words is named after that draws the stratum's units."""
        return WHOLE_WAVE if isinstance(self._design, Minimization) else label

    def drawn(self, label: str) -> Int64s:
        """Shape (R,): how many units that stream has drawn; the next unit's word has this index."""
        return (self._whole if isinstance(self._design, Minimization) else self._stratum(label)).drawn

    def counting(self, label: str) -> Int64s:
        """Shape (R, K): the places of the stratum that count towards balance now."""
        return self._stratum(label).counting

    def margins(self, label: str) -> Int64s:
        """Shape (R, F, K): the counting places that share each level of the stratum, in minimisation."""
        if self._margins is None:
            raise TypeError("only minimisation counts by factor")
        return self._margins.of(label)

    def spot(self, label: str, arm: int) -> tuple[int, int, str | None]:
        """Block, position and whose place is filled, of the first replicate's next unit, if it gets this arm.

        To be asked after `weights`. A replacement has block 0 and its number among the stratum's replacements; other
        units have 0 and 0 where there are no blocks, or none yet.
        """
        state = self._stratum(label)
        if self._replaces(label)[0]:
            return 0, int(state.drawn[0] - state.regular[0]) + 1, state.open.who_left(arm)
        if self.contents is None or self._initial(label)[0]:
            return 0, 0, None
        return int(state.blocks.number[0]), int(state.blocks.position[0]) + 1, None

    def _only_content(self, label: str, block: Int64s) -> NDArray[np.intp]:
        """What a block holds where nobody chooses."""
        if self.contents is not None and len(self.contents.chances) > 1:
            raise ValueError(f"stratum {label}: nothing says which content its next block has")
        return np.zeros(len(block), dtype=np.intp)

    def _rule(self, label: str) -> Int64s:
        """The weights by the method alone."""
        if self._margins is not None:
            return self._margins.weights(label, self.ratio)
        state, design = self._stratum(label), self._design
        match design:
            case PermutedBlocks() | Complete():
                return state.blocks.left
            case BiasedCoin():
                return weights.biased_coin(state.counting, self.ratio, exact(design.chance))
            case BigStick():
                return weights.big_stick(state.counting, self.ratio, design.tolerance)
            case BlockUrn():
                return weights.block_urn(state.counting, self.ratio, design.block_size)
        return weights.simple(self.ratio, self.size)

    def _capped(self, label: str, found: Int64s) -> Int64s:
        """The weights without full arms; where nothing is left of them, the ratio of the arms that are not full."""
        if not self._caps:
            return found
        full = self._caps.full(label, len(self.arms))
        taking = np.where(full, 0, found)
        return np.where(taking.any(axis=1, keepdims=True), taking, np.where(full, 0, self.ratio))

    def _to_fill(self, label: str) -> Int64s:
        """Shape (R, K): the open places of each arm that the next unit may fill; those of full arms wait."""
        places = self._stratum(label).open.per_arm(len(self.arms))
        return np.where(self._caps.full(label, len(self.arms)), 0, places) if self._caps else places

    def _replaces(self, label: str) -> Rows:
        """Where the next unit fills an open place."""
        if not len(self._stratum(label).open):
            return np.zeros(self.size, dtype=np.bool_)
        return np.asarray(self._to_fill(label).any(axis=1))

    def _initial(self, label: str) -> Rows:
        """Where the next unit is one of the first, which the ratio alone decides."""
        whole = isinstance(self._design, Minimization)
        regular = (self._whole if whole else self._stratum(label)).regular
        return np.asarray(regular < self._design.initial_simple)

    def _count(self, label: str, arm: Codes, units: int) -> None:
        """So many units more (or fewer) count towards balance and towards caps."""
        (rows,) = np.nonzero(arm >= 0)
        places = (rows, arm[rows])
        self._stratum(label).counting[places] += units
        if self._margins is not None:
            self._margins.add(label, places, units)
        if self._caps:
            self._caps.add(label, arm, units)

    def _stratum(self, label: str) -> StratumState:
        if label not in self._strata:
            self._strata[label] = StratumState.empty(self.size, len(self.arms))
        return self._strata[label]

    def _add(self, tally: Tally) -> None:
        """What the wave holds already of one arm of a stratum."""
        for state in (self._stratum(tally.stratum), self._whole):
            state.drawn += tally.placed
            state.regular += tally.regular
        arm = np.full(self.size, self.arms.index(tally.arm), dtype=np.int8)
        self._count(tally.stratum, arm, tally.counting)

    def _resume(self, label: str, state: StratumState, before: Before) -> None:
        """The stratum's open places, and the block that it is in."""
        left = [(one.participant, self.arms.index(one.arm)) for one in before.open if one.stratum == label]
        state.open = OpenPlaces(self.size, left)
        if self.contents is None or not state.regular.any():
            return
        if needs_courses(self._design):
            arms = [self.arms.index(arm) for arm in before.courses[label][self._design.initial_simple :]]
            state.blocks = followed(self.contents, self._choose, label, arms, self.size)
            return
        regular = np.zeros(len(self.arms), dtype=np.int64)
        for tally in before.tallies:
            if tally.stratum == label:
                regular[self.arms.index(tally.arm)] += tally.regular
        state.blocks = resumed(self.contents, self._choose, label, regular, self.size)


def needs_courses(design: Design) -> bool:
    """Whether a wave is resumed from the arms of each stratum in order, and not from their numbers alone.

    So it is where blocks may end early or begin late: which block a stratum is in does not follow from its numbers.
    """
    blocked = isinstance(design, PermutedBlocks | Complete)
    return blocked and bool(design.caps or design.initial_simple)
