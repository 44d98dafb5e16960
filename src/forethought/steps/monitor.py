"""Watch an allocation while its people are blinded: answers of yes and no, and what the registered design promises."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forethought import deviations, registration
from forethought.errors import GateClosed, VerificationFailed
from forethought.protocol.allocation import Design, NoAllocation, algorithm
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.protocol.study import Wave
from forethought.registration import Registration
from forethought.reports.record import (
    AllocationChecks,
    BalanceRow,
    Predictability,
    SampleRatio,
    WaveAllocation,
)
from forethought.steps.allocation_checks import allocation_checks
from forethought.steps.burst import Burst, Shares, burst
from forethought.steps.predicted import as_seen, predicted
from forethought.steps.waves import check_wave
from forethought.store import events, milestones
from forethought.store.connection import DEFAULT_WAIT, Connection, reading
from forethought.verification.records import AllocationRecord, of_study

_FEWEST = 100
"""Arrivals of the burst check, where the wave is to be smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """What may be said of the allocation now. `checks` is None before the lock; `balance` has unblinded waves alone."""

    study: str
    checks: AllocationChecks | None
    balance: tuple[BalanceRow, ...]
    predictability: tuple[Predictability, ...]
    bursts: tuple[Burst, ...]

    def lines(self) -> Iterator[str]:
        """The answers in sentences."""
        if self.checks is None:
            yield "Not locked yet: only the design can be looked at."
        else:
            yield from (f"{problem}." for problem in self.checks.problems)
            for wave in self.checks.waves:
                yield from _of_wave(wave)
            yield from map(_of_ratio, self.checks.ratios)
        for row in self.balance:
            arms = ", ".join(f"{arm} {number:,}" for arm, number in row.by_arm.items())
            yield f"Wave {row.wave}, {row.stratum}: {row.allocated:,} allocated: {arms}."
        yield from map(_of_guesses, self.predictability)
        for one in self.bursts:
            yield from _of_burst(one)

    def require(self) -> None:
        """VerificationFailed where a replay disagrees, inside this process or from a revealed seed."""
        waves = self.checks.waves if self.checks else ()
        disagree = [wave.wave for wave in waves if wave.seed_agrees is False or wave.problems]
        disagree += [one.wave for one in waves if one.replay and one.replay.agreed != one.replay.replayed]
        if disagree or (self.checks and self.checks.problems):
            which = f"wave {disagree[0]}: its allocations" if disagree else "the record"
            raise VerificationFailed(
                self.study,
                f"{which} and what the lock holds do not agree",
                "Allocate nobody more, and compare the study with a copy from before",
            )


def monitor(
    folder: StudyFolder,
    *,
    wave: int | None = None,
    arrivals: int | None = None,
    wait: float = DEFAULT_WAIT,
) -> Monitored:
    """Check what can be checked, of one wave or of all; reads, and writes nothing.

    `arrivals` is how many come at once in the burst check: the wave's target without it, and at least 100. Before the
    lock the design alone is looked at. GateClosed for a study that allocates nobody; NotLocked where the ledger has a
    lock whose registration is gone.
    """
    locked = registration.read(folder)
    if locked is None:
        _refuse_a_lost_registration(folder, wait)
    protocol = load(folder.protocol).protocol if locked is None else deviations.planned(locked).now
    design = protocol.allocation
    if isinstance(design, NoAllocation):
        raise GateClosed(str(folder.path), "this study is not randomised", "There is no allocation to watch")
    waves = _chosen(protocol, wave)
    checks, balance = (None, ()) if locked is None else _recorded(folder, protocol, design, waves, wait)
    shown, arithmetic = as_seen(design), _arithmetic(design, locked)
    return Monitored(
        study=str(folder.path),
        checks=checks,
        balance=balance,
        predictability=tuple(predicted(protocol, design, one) for one in waves),
        bursts=tuple(
            burst(protocol, shown, arithmetic, wave=one.number, arrivals=arrivals or max(one.target, _FEWEST))
            for one in waves
        ),
    )


def _refuse_a_lost_registration(folder: StudyFolder, wait: float) -> None:
    with reading(folder, wait) as con:
        registration.agree(folder, events.history(con))


def _chosen(protocol: Protocol, wave: int | None) -> Sequence[Wave]:
    if wave is not None:
        check_wave(protocol, wave)
    return [one for one in protocol.waves if wave in (None, one.number)]


def _arithmetic(design: Design, locked: Registration | None) -> str:
    return (locked.current_algorithm if locked else None) or algorithm(design)


def _recorded(
    folder: StudyFolder, protocol: Protocol, design: Design, waves: Sequence[Wave], wait: float
) -> tuple[AllocationChecks, tuple[BalanceRow, ...]]:
    with reading(folder, wait) as con:
        record = of_study(con, folder)
        found = allocation_checks(con, folder, protocol, record)
        balance = tuple(_balance(con, design, record))
    numbers = {one.number for one in waves}
    own = tuple(each for each in found.waves if each.wave in numbers)
    checks = AllocationChecks(waves=own, ratios=found.ratios, problems=found.problems)
    return checks, tuple(row for row in balance if row.wave in numbers)


def _balance(con: Connection, design: Design, record: AllocationRecord) -> Iterator[BalanceRow]:
    """By arm, and of unblinded waves alone."""
    opened = record.of_waves(milestones.unblinded_waves(con)).allocations
    places = zip(*(opened[name].tolist() for name in ("wave", "stratum", "arm")), strict=True)
    counted = Counter(places)
    for wave, stratum in sorted({(wave, stratum) for wave, stratum, _ in counted}):
        by_arm = {arm: counted[wave, stratum, arm] for arm in design.ratio}
        yield BalanceRow(wave=wave, stratum=stratum, allocated=sum(by_arm.values()), by_arm=by_arm)


def _of_wave(wave: WaveAllocation) -> Iterator[str]:
    name = f"Wave {wave.wave}"
    yield f"{name}: {wave.allocated:,} allocated."
    agrees = {True: "yes", False: "NO", None: "not known, for the secret seeds are not here"}[
        wave.seed_agrees
    ]
    yield f"{name}: every allocation is what the secret seed gives: {agrees}."
    bounds = {True: "yes", False: "NO", None: "the design has no bound"}[wave.within_bounds]
    yield f"{name}: every stratum is within the design's exact bounds: {bounds}."
    yield from (f"{name}: {problem}." for problem in wave.problems)
    if wave.replay is not None:
        yield f"{name}: {wave.replay.agreed:,} of {wave.replay.replayed:,} rows are what the revealed seed gives."
    for one in wave.stopped:
        counts = "place counts" if one.count == 1 else "places count"
        yield f"{name}: {one.count:,} {counts} no longer: {one.reason.replace('_', ' ')}."
    if wave.replaced:
        were = "place was" if wave.replaced == 1 else "places were"
        yield f"{name}: {wave.replaced:,} {were} filled again."


def _of_ratio(ratio: SampleRatio) -> str:
    answer = {True: "MISMATCH", False: "no mismatch", None: f"not tested, {ratio.why_not}"}[ratio.mismatch]
    return f"Sample ratio of those {ratio.counted} ({ratio.people:,}): {answer}."


def _of_guesses(one: Predictability) -> str:
    blocks = " (the block sizes are sealed: this is with the shortest)" if one.shortest_blocks else ""
    return (
        f"Wave {one.wave}: of {one.units:,} arms, who knows all before it and guesses the one furthest behind is right "
        f"in {100 * one.guessed:.1f}%{blocks}; who knows the ratio alone, in {100 * one.by_chance:.1f}%."
    )


def _of_burst(one: Burst) -> Iterator[str]:
    name = f"Wave {one.wave}: {one.arrivals:,} arrivals in one minute, {one.seeds} times"
    if one.refused is not None:
        yield f"{name}: nobody could be allocated: {one.refused}."
        return
    yield f"{name}: never all in one arm or one order: {'yes' if one.spread else 'NO'}."
    for shares, noun in ((one.arms, "arm"), (one.orders, "order of materials")):
        if shares is not None:
            yield f"  each {noun} had {_percent(shares)}."


def _percent(shares: Shares) -> str:
    return f"{100 * shares.smallest:.1f}% to {100 * shares.largest:.1f}% ({shares.of:,} of them)"
