"""What a report needs to know of a study besides its plan and its results: plain values, gathered by the step."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from forethought.registration import Registration


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """How many people left for one reason."""

    reason: str
    count: int


def total(reasons: tuple[Reason, ...]) -> int:
    """How many people the reasons account for."""
    return sum(reason.count for reason in reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What became of those allocated to one arm, or of all together where `arm` is None.

    `received` is None where it is not known, or sealed. `lost` says who left a session out; they may still be
    analysed. `in_progress`: their sessions are not all over yet, and they have nothing to analyse so far.
    """

    arm: str | None
    allocated: int
    received: int | None = None
    not_received: tuple[Reason, ...] = ()
    lost: tuple[Reason, ...] = ()
    in_progress: int = 0
    analysed: int
    not_analysed: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The counts of the flow diagram. `by_arm` is empty while the study is blinded.

    A study that is not randomised has `randomised` None; `together.allocated` counts who is in its data.
    """

    assessed: int
    excluded: tuple[Reason, ...] = ()
    awaiting: int = 0
    randomised: int | None
    together: Followed
    by_arm: tuple[Followed, ...] = ()

    def problems(self) -> Iterator[str]:
        """Every sum of CONSORT 2025 that does not come out, in words."""
        if self.randomised is not None:
            into = total(self.excluded) + self.awaiting + self.randomised
            yield from _unequal(
                "assessed", self.assessed, "excluded, awaiting allocation and randomised", into
            )
            yield from _unequal("randomised", self.randomised, "allocated", self.together.allocated)
        if self.by_arm:
            arms = sum(arm.allocated for arm in self.by_arm)
            yield from _unequal("randomised", self.together.allocated, "the sum of the arms", arms)
        for part in (self.together, *self.by_arm):
            yield from _problems_of(part)


def _problems_of(part: Followed) -> Iterator[str]:
    name = part.arm or "all arms together"
    analysed = part.analysed + part.in_progress + total(part.not_analysed)
    yield from _unequal(
        f"{name}: allocated", part.allocated, "analysed, in progress and not analysed", analysed
    )
    if part.received is not None:
        received = part.received + total(part.not_received)
        yield from _unequal(f"{name}: allocated", part.allocated, "received and not received", received)


def _unequal(left: str, one: int, right: str, other: int) -> Iterator[str]:
    if one != other:
        yield f"{left} ({one:,}) is not {right} ({other:,})"


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """How many were allocated in one stratum; `by_arm` (arm id to count) is empty while blinded."""

    wave: int
    stratum: str
    allocated: int
    by_arm: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What replaying the allocations from the revealed seed gave."""

    replayed: int
    agreed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveAllocation:
    """What is known of one wave's allocation without a word of its arms, and its replay once the seed is revealed.

    `replay` has None while the seed is secret. `seed_agrees`: whether every arm is what the secret seed gives; None
    where the seed is not here. `within_bounds`: whether every stratum is as balanced as the design makes it; None
    where it makes no promise. `stopped` counts places that count no longer, by reason; `replaced` those filled again,
    `replacements` who filled whose, which is said after unblinding.
    """

    wave: int
    allocated: int
    replay: Replay | None = None
    seed_agrees: bool | None = None
    within_bounds: bool | None = None
    problems: tuple[str, ...] = ()
    stopped: tuple[Reason, ...] = ()
    replaced: int = 0
    replacements: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Whether so many people, all arms together, are shared among the arms as the ratio says; None: not tested."""

    counted: str
    people: int
    mismatch: bool | None
    why_not: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictability:
    """The share of allocations that a guesser who knows all before them would get right, in a wave of its target.

    `by_chance` is that of a guesser who knows the ratio alone; `shortest_blocks` where the true sizes are sealed, and
    the shortest possible stand for them.
    """

    wave: int
    units: int
    guessed: float
    by_chance: float
    shortest_blocks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationChecks:
    """What the machine checked of an allocation; `problems` are of the record as a whole."""

    waves: tuple[WaveAllocation, ...] = ()
    ratios: tuple[SampleRatio, ...] = ()
    predictability: tuple[Predictability, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCount:
    """How one planned session went for those allocated."""

    session: str
    planned: int
    done: int
    out_of_window: int
    missed: int

    @property
    def still_open(self) -> int:
        """Planned sessions of which nothing is known yet."""
        return self.planned - self.done - self.out_of_window - self.missed


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviationRow:
    """One difference between plan and deed: what it is, how it was declared, by which amendment, and why."""

    kind: str
    planned: str
    done: str
    declared: str
    reason: str | None = None
    amendment: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDoneRow:
    """Something that was registered and not done; `promised` is false of a question that was only to be explored."""

    what: str
    why: str
    promised: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerHead:
    """The last event of the ledger."""

    events: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """When the study's turning points were; None for what has not happened."""

    first_allocation: datetime | None = None
    first_outcome: datetime | None = None
    unblinded: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The study's record at one moment. Same record, same plan, same results: same report."""

    registration: Registration | None
    moments: Moments
    flow: Flow
    balance: tuple[BalanceRow, ...] = ()
    replay: Replay | None = None
    allocation: AllocationChecks | None = None
    sessions: tuple[SessionCount, ...] = ()
    deviations: tuple[DeviationRow, ...] = ()
    not_done: tuple[NotDoneRow, ...] = ()
    ledger: LedgerHead | None = None
    software: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What differs from run to run and says nothing of the results."""

    made_at: datetime
    by: str
