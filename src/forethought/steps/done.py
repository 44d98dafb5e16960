"""Gather what was done, for the comparison with what was planned."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from forethought import deviations, provenance
from forethought.deviations import Deed, Plan
from forethought.ledger import Event
from forethought.protocol.design import Session
from forethought.protocol.folder import StudyFolder
from forethought.protocol.measures import Rated
from forethought.scheduling.plan import follow
from forethought.steps.freeze import closed, frozen, hashes_again
from forethought.store import corrections, deeds, milestones, people, rows
from forethought.store.connection import Connection

UNTOUCHED = (
    "allocations",
    "conversations",
    "corrections",
    "counting",
    "messages",
    "participants",
    "ratings",
    "responses",
    "scores",
    "sealed_list",
)
"""Tables that no step may change after a freeze; those are compared that the freeze had."""

_HELD = ("done", "out_of_window")


def deed(con: Connection, folder: StudyFolder, plan: Plan, history: Sequence[Event]) -> Deed:
    """What the database and the newest `results.json` of the plan that stands tell of the study."""
    results = _results(folder, plan)
    freeze = frozen(history)
    then = _tables(freeze)
    return Deed(
        first_outcome_at=milestones.first_outcome_at(con),
        waves=_waves(con, plan, results),
        excluded=tuple(
            deviations.Excluded(
                criterion=one.criterion, position=one.position, count=one.count, last_at=one.last_at
            )
            for one in deeds.exclusions(con)
        ),
        sessions=_sessions(con, plan),
        scores=_scores(con, plan),
        analysis=None if results is None else _analysed(plan, results),
        software=provenance.software_versions(),
        frozen_tables=then,
        tables_now=hashes_again(con, folder, freeze, tuple(then)) if freeze and then else {},
        changed_in_waves=_changed_in_waves(con, folder, history),
        emergencies=len(milestones.emergencies(history)),
        corrected_after_unblinding=_corrected_after_unblinding(con, history),
    )


def _results(folder: StudyFolder, plan: Plan) -> dict[str, Any] | None:
    """The newest results, if they are of the true arms and of the plan that stands."""
    if not folder.results.is_file():
        return None
    results: dict[str, Any] = json.loads(folder.results.read_text("utf-8"))
    current = results["fingerprint"] == plan.registration.current_fingerprint
    return results if current and not results["blinded"] else None


def _tables(event: Event | None) -> Mapping[str, str]:
    """The hashes that a freeze or a close has of the tables that may not change afterwards."""
    hashes = event.detail["tables"] if event else {}
    return (
        {table: str(hashes[table]) for table in UNTOUCHED if table in hashes}
        if isinstance(hashes, Mapping)
        else {}
    )


def _changed_in_waves(
    con: Connection, folder: StudyFolder, history: Sequence[Event]
) -> tuple[deviations.ChangedInWave, ...]:
    """Tables in which the rows of a wave that was closed alone are not those of its close."""
    found = []
    for wave in sorted(one.wave for one in deeds.waves(con)):
        close = closed(history, wave)
        if close is not None and close.action == "close":
            then = _tables(close)
            now = hashes_again(con, folder, close, tuple(then))
            found += [
                deviations.ChangedInWave(wave=wave, table=table)
                for table in then
                if now[table] != then[table]
            ]
    return tuple(found)


def _corrected_after_unblinding(con: Connection, history: Sequence[Event]) -> int:
    """How many corrections change what is analysed of somebody whose wave was unblinded by then."""
    wave_of = people.waves(con)
    before: list[Event] = []
    late = 0
    for event in history:
        before.append(event)
        if event.action == "correct" and event.detail["kind"] in corrections.CHANGE_THE_ANALYSIS:
            own = wave_of[str(event.detail["participant"])]
            late += bool(milestones.opened_waves(before, (own,)))
    return late


def _waves(con: Connection, plan: Plan, results: dict[str, Any] | None) -> tuple[deviations.WaveDone, ...]:
    """Each wave's count. In a study that allocates nobody those count who have data that the preparation leaves."""
    found = deeds.waves(con)
    left = results["preparation"][-1]["participants_after"] if results and results["preparation"] else None
    if plan.protocol.randomised:
        completed = {one.wave: one.completed for one in found}
    elif left is not None and len(found) == 1:
        completed = {found[0].wave: int(left)}
    else:
        completed = {one.wave: one.observed for one in found}
    return tuple(
        deviations.WaveDone(
            number=one.wave, closed=one.closed, completed=completed[one.wave], in_progress=one.in_progress
        )
        for one in found
    )


def _sessions(con: Connection, plan: Plan) -> tuple[deviations.SessionDone, ...]:
    recorded = rows.read(con, "sessions")
    if recorded.empty:
        return ()
    held = _counted(recorded[recorded["status"].isin(_HELD)])
    outside = _counted(recorded[recorded["status"] == "out_of_window"])
    registered = outside
    if _windows(plan.protocol.sessions) != _windows(plan.now.sessions):
        registered = _outside_as_registered(con, plan, recorded)
    return tuple(
        deviations.SessionDone(
            session=session,
            held=held.get(session, 0),
            outside=outside.get(session, 0),
            outside_registered=registered.get(session, 0),
        )
        for session in dict.fromkeys(recorded.sort_values("position")["session"])
    )


def _windows(sessions: Sequence[Session]) -> list[tuple[str, object]]:
    return [(session.id, session.window.model_dump(exclude={"assumed", "note"})) for session in sessions]


def _outside_as_registered(con: Connection, plan: Plan, recorded: pd.DataFrame) -> Mapping[str, int]:
    """Session to how many were held outside the window that was locked. The arm is not among the columns looked at."""
    there = recorded[recorded["held_at"].notna()]
    whose = zip(there["participant_id"], there["session"], strict=True)
    held: dict[tuple[str, str], datetime] = dict(zip(whose, there["held_at"].dt.to_pydatetime(), strict=True))
    people = rows.read(con, "allocations")[["participant_id", "allocated_at"]]
    over = recorded["closes_at"].max().to_pydatetime()
    then = follow(plan.protocol.sessions, recorded, people, held, over)
    return _counted(then[then["status"] == "out_of_window"])


def _counted(sessions: pd.DataFrame) -> Mapping[str, int]:
    return {str(session): int(count) for session, count in sessions["session"].value_counts().items()}


def _scores(con: Connection, plan: Plan) -> tuple[deviations.Scored, ...]:
    """The scores that an analysis takes: of a rated outcome, those of the rater that it has now."""
    scorers = {one.id: one.scorer for one in plan.now.outcomes if isinstance(one, Rated)}
    return tuple(
        deviations.Scored(outcome=one.outcome, scorer=one.scorer, version=one.version, count=one.count)
        for one in deeds.scores(con)
        if scorers.get(one.outcome, one.scorer) == one.scorer
    )


def _analysed(plan: Plan, results: Mapping[str, Any]) -> deviations.Analysed:
    models = tuple(_fitted(plan, entry) for entry in results["models"])
    errors = {(one.model, one.outcome): one.error for one in models}
    return deviations.Analysed(
        findings=tuple(
            _tested(one, errors.get((one["model"], one["outcome"]))) for one in results["findings"]
        ),
        models=models,
        preparation=tuple(
            deviations.Prepared(reason=step["reason"], records=step["records_before"] - step["records_after"])
            for step in results["preparation"]
            if step["step"] == "exclude"
        ),
    )


def _fitted(plan: Plan, entry: Mapping[str, Any]) -> deviations.Fitted:
    """One entry of the results; those of the first release do not say the formula, which was the plan's."""
    written = {model.id: model.formula for model in plan.now.analysis.models}
    return deviations.Fitted(
        model=entry["model"],
        outcome=entry["outcome"],
        formula=entry.get("formula", written[entry["model"]]),
        pruned=tuple(deviations.Pruned(**step) for step in entry.get("pruned", ())),
        error=entry["error"],
        expected=tuple(one["id"] for one in entry["expected"]),
    )


def _tested(finding: Mapping[str, Any], error: str | None) -> deviations.Examined:
    missing = None
    if finding["estimate"] is None:
        missing = error or "; ".join(finding["warnings"]) or "it has no estimate"
    return deviations.Examined(
        hypothesis=finding["hypothesis"],
        model=finding["model"],
        outcome=finding["outcome"],
        contrast=finding["contrast"],
        ci_level=finding["ci_level"],
        missing_reason=missing,
    )
