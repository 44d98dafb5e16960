"""Gather a study's record for its report: flow, balance, replay, sessions, deviations, ledger."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd

from forethought import deviations, provenance, registration
from forethought.ledger import Event
from forethought.protocol.allocation import NoAllocation
from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.registration import Registration
from forethought.reports.record import (
    AllocationChecks,
    BalanceRow,
    DeviationRow,
    Flow,
    Followed,
    LedgerHead,
    Moments,
    NotDoneRow,
    Reason,
    Record,
    Replay,
    SessionCount,
)
from forethought.steps.allocation_checks import allocation_checks
from forethought.steps.done import deed
from forethought.steps.predicted import predicted
from forethought.steps.received import arms_received
from forethought.store import deviations as kept
from forethought.store import events, flow, milestones
from forethought.store.connection import Connection
from forethought.verification.records import of_study


def gather(
    con: Connection,
    folder: StudyFolder,
    protocol: Protocol,
    locked: Registration | None,
    *,
    now: datetime,
    analysed: int | None,
) -> Record:
    """The study's record as it stands; writes the deviations that it finds to their table.

    `analysed` is how many participants the analysis of a study that is not randomised had, if it was run. NotLocked
    where the ledger has an amendment, a lock or a timestamp that the registration does not have.
    """
    history = events.history(con)
    registration.agree(folder, history)
    unblinded = protocol.randomised and milestones.unblinded(con)
    received = arms_received(con, folder, protocol) if unblinded else None
    counts = flow.flow(con, arms=[arm.id for arm in protocol.arms], received=received)
    checks = _checks(con, folder, protocol, locked, unblinded=unblinded)
    found, undone = _compared(con, folder, locked, history)
    kept.replace(con, _as_table(found, now))
    return Record(
        registration=locked,
        moments=_moments(con, history),
        flow=_flow(protocol, counts, analysed),
        balance=tuple(
            BalanceRow(wave=row.wave, stratum=row.stratum, allocated=row.allocated, by_arm=row.by_arm)
            for row in flow.balance(con)
        ),
        replay=_replay(checks) if unblinded and checks else None,
        allocation=checks,
        sessions=_sessions(counts),
        deviations=_rows(found),
        not_done=tuple(NotDoneRow(what=one.what, why=one.why, promised=one.promised) for one in undone),
        ledger=_last_of_the_record(history),
        software=provenance.software_versions(),
    )


def _sessions(counts: flow.FlowCounts) -> tuple[SessionCount, ...]:
    return tuple(
        SessionCount(
            session=one.session,
            planned=one.planned,
            done=one.done,
            out_of_window=one.out_of_window,
            missed=one.missed,
        )
        for one in counts.together.sessions
    )


def _rows(found: Sequence[deviations.Deviation]) -> tuple[DeviationRow, ...]:
    """The deviations for the report; without the time of detection, which differs from run to run."""
    return tuple(
        DeviationRow(
            kind=one.kind,
            planned=one.planned,
            done=one.done,
            declared=one.deviation_class.value,
            reason=one.reason,
            amendment=one.amendment,
        )
        for one in found
    )


def _moments(con: Connection, history: Sequence[Event]) -> Moments:
    first = {event.action: event.at for event in reversed(history)}
    return Moments(
        first_allocation=first.get("randomize"),
        first_outcome=milestones.first_outcome_at(con),
        unblinded=next((event.at for event in history if milestones.opens_arms(event)), None),
    )


def _last_of_the_record(history: Sequence[Event]) -> LedgerHead | None:
    """The last event that is not the writing of a report: reports do not change what they report."""
    recorded = [event for event in history if event.action not in ("analyze", "report")]
    return LedgerHead(events=recorded[-1].seq, hash=recorded[-1].hash) if recorded else None


def _flow(protocol: Protocol, counts: flow.FlowCounts, analysed: int | None) -> Flow:
    if not protocol.randomised:
        kept = counts.observed if analysed is None else analysed
        everyone = Followed(
            arm=None,
            allocated=counts.observed,
            analysed=kept,
            not_analysed=_reasons(("no record left after the preparation", counts.observed - kept)),
        )
        return Flow(assessed=counts.observed, randomised=None, together=everyone)
    return Flow(
        assessed=counts.assessed,
        excluded=tuple(Reason(reason=one.reason, count=one.count) for one in counts.excluded),
        awaiting=counts.waiting,
        randomised=counts.randomised,
        together=_followed(protocol, counts.together),
        by_arm=tuple(_followed(protocol, arm) for arm in counts.arms),
    )


def _followed(protocol: Protocol, arm: flow.ArmCounts) -> Followed:
    labels = {session.id: session.label for session in protocol.sessions}
    known = arm.received is not None
    unheard = arm.allocated - (arm.received or 0) - (arm.received_another or 0)
    return Followed(
        arm=arm.arm,
        allocated=arm.allocated,
        received=arm.received,
        not_received=_reasons(
            ("received another arm", arm.received_another or 0),
            ("left before any conversation", unheard if known else 0),
        ),
        lost=_reasons(*((f"did not come to: {labels[session]}", count) for session, count in arm.lost)),
        in_progress=arm.in_progress,
        analysed=arm.analysed,
        not_analysed=_reasons(
            ("no outcome of any session", arm.not_analysed),
            ("randomised twice: the second record of a person", arm.randomised_twice),
        ),
    )


def _reasons(*counted: tuple[str, int]) -> tuple[Reason, ...]:
    return tuple(Reason(reason=reason, count=count) for reason, count in counted if count)


def _checks(
    con: Connection, folder: StudyFolder, protocol: Protocol, locked: Registration | None, *, unblinded: bool
) -> AllocationChecks | None:
    """What was checked of the allocation; nothing where nobody is allocated, or before the lock.

    How well an arm could be guessed tells how long blocks are, which a blinded report withholds.
    """
    design = protocol.allocation
    if locked is None or isinstance(design, NoAllocation):
        return None
    found = allocation_checks(con, folder, protocol, of_study(con, folder))
    guesses = tuple(predicted(protocol, design, wave) for wave in protocol.waves if unblinded)
    return replace(found, predictability=guesses)


def _replay(checks: AllocationChecks) -> Replay:
    """The replay of all waves together; of a wave whose seed was not revealed, nothing agrees."""
    return Replay(
        replayed=sum(wave.allocated for wave in checks.waves),
        agreed=sum(wave.replay.agreed for wave in checks.waves if wave.replay is not None),
    )


def _compared(
    con: Connection, folder: StudyFolder, locked: Registration | None, history: Sequence[Event]
) -> tuple[tuple[deviations.Deviation, ...], tuple[deviations.NotDone, ...]]:
    """The deviations from what was locked, and what was locked and not done; neither without a lock."""
    if locked is None:
        return (), ()
    plan = deviations.planned(locked)
    done = deed(con, folder, plan, history)
    return deviations.find(plan, done), deviations.not_done(plan, done)


def _as_table(found: Sequence[deviations.Deviation], now: datetime) -> pd.DataFrame:
    at = pd.Timestamp(now.astimezone(UTC).replace(tzinfo=None))
    return pd.DataFrame(
        [
            {
                "deviation_id": one.id,
                "kind": one.kind,
                "planned": one.planned,
                "done": one.done,
                "class": one.deviation_class.value,
                "detected_at": at,
            }
            for one in found
        ],
        columns=["deviation_id", "kind", "planned", "done", "class", "detected_at"],
    )
