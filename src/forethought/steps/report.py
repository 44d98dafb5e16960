"""Write the report: the plan, the newest results and the study's record, as one HTML file."""

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from forethought import registration
from forethought.errors import GateClosed
from forethought.files import write_atomically
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol, load
from forethought.reports.building import build
from forethought.reports.record import Run
from forethought.reports.rendering import render
from forethought.steps.record import gather
from forethought.store import events, meta, milestones
from forethought.store.connection import DEFAULT_WAIT, writing

logger = logging.getLogger("forethought")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """Where the report is, and how large."""

    report: Path
    bytes: int


def report(folder: StudyFolder, *, now: datetime, actor: str, wait: float = DEFAULT_WAIT) -> Reported:
    """Render `reports/report.html` from the newest `results.json`, and record the event.

    A study without an analysis yet has a report without results. Raises NotLocked where the protocol is
    not the locked one, GateClosed where the results were made before unblinding and are now behind it.
    """
    loaded = load(folder.protocol)
    locked = registration.require(folder, loaded) if registration.read(folder) is not None else None
    with writing(folder, wait) as con:
        results = _results(
            folder,
            loaded,
            blinded=loaded.protocol.randomised and not milestones.unblinded(con),
            simulated=meta.is_simulated(con),
            registered=locked is not None,
        )
        analysed = max((finding["n"] for finding in results["findings"]), default=None)
        record = gather(con, folder, loaded.protocol, locked, now=now, analysed=analysed)
    page = render(build(loaded.protocol, results, record, Run(made_at=now, by=actor)))
    target = folder.reports / "report.html"
    write_atomically(target, page)
    with writing(folder, wait) as con:
        detail = {"report_sha256": sha256(page.encode()).hexdigest()}
        events.record(con, now=now, actor=actor, action="report", detail=detail)
    logger.info("report: %s", target)
    return Reported(report=target, bytes=len(page.encode()))


def _results(
    folder: StudyFolder, loaded: LoadedProtocol, *, blinded: bool, simulated: bool, registered: bool
) -> dict[str, Any]:
    """The newest results, which must be of this plan and this side of the gate; none yet is an answer too."""
    if not folder.results.is_file():
        return {
            "fingerprint": loaded.fingerprint,
            "blinded": blinded,
            "simulated": simulated,
            "registered": registered,
            "findings": [],
            "models": [],
            "preparation": [],
        }
    results: dict[str, Any] = json.loads(folder.results.read_text("utf-8"))
    if results["blinded"] != blinded or results["fingerprint"] != loaded.fingerprint:
        raise GateClosed(
            str(folder.results),
            "these results were made before the study was unblinded, or from another protocol",
            "Run `forethought analyze` again first",
        )
    return results
