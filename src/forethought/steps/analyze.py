"""Run the registered analysis on the data there are; blinded, on a placebo allocation."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from forethought import registration
from forethought.analysis import registered
from forethought.analysis.findings import Finding
from forethought.deviations import changed_after_data
from forethought.errors import DataRefused, ModelNotFitted
from forethought.files import canonical_json, write_atomically
from forethought.protocol.allocation import NoAllocation
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol, load
from forethought.protocol.protocol import Protocol
from forethought.randomization.placebo import placebo
from forethought.registration import Registration
from forethought.steps.schedule import schedule
from forethought.store import events, findings, meta, milestones
from forethought.store.analysis_frames import sessions_to_mark
from forethought.store.connection import DEFAULT_WAIT, Connection, reading, writing
from forethought.store.outcome_data import OutcomeData, arrivals, data_hash, outcome_data

logger = logging.getLogger("forethought")

FORMAT = "forethought-results/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Analyzed:
    """How much was found, and where it was written."""

    results: Path
    findings: int
    models: int
    blinded: bool


def analyze(folder: StudyFolder, *, now: datetime, actor: str, wait: float = DEFAULT_WAIT) -> Analyzed:
    """Fit every registered model, write `reports/results.json` and the findings, record the event.

    Raises NotLocked where the protocol is not the locked one or the registration lacks what the ledger has,
    DataRefused where there is nothing to analyse, ModelNotFitted where no model could be fitted.
    """
    loaded = load(folder.protocol)
    locked = _registration(folder, loaded)
    _mark_sessions(folder, loaded.protocol, now=now, actor=actor, wait=wait)
    with reading(folder, wait) as con:
        registration.agree(folder, events.history(con))
        fingerprint_of_data = data_hash(con)
        data = outcome_data(con, loaded.protocol, _placebo(con, loaded.protocol, fingerprint_of_data))
        simulated, first_outcome = meta.is_simulated(con), milestones.first_outcome_at(con)
    if data.frame.empty:
        raise DataRefused("analysis", "there is no outcome yet", "Import the outcomes first")
    standing = _standing(loaded.protocol, locked, data, simulated=simulated, first_outcome=first_outcome)
    found = registered.run(loaded.protocol, data.frame, standing, data.members)
    result = replace(found, findings=_as_planned_before_data(found.findings, locked, first_outcome))
    if all(model.fit is None for model in result.models):
        why = (result.models[0].error or "See the data").rstrip(".")
        raise ModelNotFitted("analysis", "no model could be fitted", why)
    results = _as_json(loaded, locked, data, fingerprint_of_data, simulated, result)
    text = json.dumps(results, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    write_atomically(folder.results, text)
    with writing(folder, wait) as con:
        findings.replace(con, _analysis_id(results), pd.DataFrame(results["findings"]))
        detail = {
            "blinded": data.blinded,
            "data_sha256": fingerprint_of_data,
            "findings": len(result.findings),
            "results_sha256": sha256(text.encode()).hexdigest(),
        }
        events.record(con, now=now, actor=actor, action="analyze", detail=detail)
    logger.info("analysis: %s findings%s", len(result.findings), " (blinded)" if data.blinded else "")
    return Analyzed(
        results=folder.results,
        findings=len(result.findings),
        models=sum(model.fit is not None for model in result.models),
        blinded=data.blinded,
    )


def _as_json(
    loaded: LoadedProtocol,
    locked: Registration | None,
    data: OutcomeData,
    fingerprint_of_data: str,
    simulated: bool,
    result: registered.AnalysisResult,
) -> dict[str, Any]:
    """The content of `results.json`, without any time: the same plan and data give the same bytes."""
    return {
        "format": FORMAT,
        "study": {"id": loaded.protocol.study.id, "title": loaded.protocol.study.title},
        "fingerprint": loaded.fingerprint,
        "data_sha256": fingerprint_of_data,
        "blinded": data.blinded,
        "simulated": simulated,
        "registered": locked is not None,
        **registered.as_json(loaded.protocol, result),
    }


def _mark_sessions(
    folder: StudyFolder, protocol: Protocol, *, now: datetime, actor: str, wait: float
) -> None:
    """Bring the schedule up to what was held, where a population rests on it and conversations came in since."""
    with reading(folder, wait) as con:
        behind = protocol.randomised and sessions_to_mark(con, protocol)
    if behind:
        schedule(folder, now=now, actor=actor, wait=wait)


def _registration(folder: StudyFolder, loaded: LoadedProtocol) -> Registration | None:
    """The registration, which a study without allocation may lack; one that is there must fit."""
    if not loaded.protocol.randomised and registration.read(folder) is None:
        return None
    return registration.require(folder, loaded)


def _placebo(con: Connection, protocol: Protocol, fingerprint_of_data: str) -> Mapping[str, str]:
    design = protocol.allocation
    if isinstance(design, NoAllocation):
        return {}
    drawn: dict[str, str] = {}
    for wave in protocol.waves:
        people = arrivals(con, wave.number)
        drawn |= placebo(design, protocol.study.id, wave.number, people, fingerprint_of_data)
    return drawn


def _standing(
    protocol: Protocol,
    locked: Registration | None,
    data: OutcomeData,
    *,
    simulated: bool,
    first_outcome: datetime | None,
) -> registered.Standing:
    before = locked is not None and (first_outcome is None or locked.locked_at <= first_outcome)
    return registered.Standing(
        registered=locked is not None,
        locked_before_outcomes=before,
        blinded=data.blinded,
        simulated=simulated,
        wave=protocol.waves[0].number if len(protocol.waves) == 1 else None,
    )


def _as_planned_before_data(
    found: tuple[Finding, ...], locked: Registration | None, first_outcome: datetime | None
) -> tuple[Finding, ...]:
    """The findings; what was added or changed by amendment once outcomes were there is not confirmatory."""
    if locked is None:
        return found
    changed = changed_after_data(locked, first_outcome)
    return tuple(
        replace(one, confirmatory=False)
        if changed.touches(
            hypothesis=one.hypothesis,
            model=one.model,
            outcome=one.outcome,
            contrast=one.contrast,
            family=one.family,
        )
        else one
        for one in found
    )


def _analysis_id(results: Mapping[str, Any]) -> str:
    """The same for the same plan, data and blinding."""
    parts = {name: results[name] for name in ("fingerprint", "data_sha256", "blinded")}
    return sha256(canonical_json(parts)).hexdigest()[:16]
