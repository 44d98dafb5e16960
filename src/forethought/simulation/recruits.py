"""The recruits: submissions to the study, as a Prolific demographic export."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from forethought.errors import ProtocolInvalid
from forethought.protocol.assumed_world import SimulatedFlow
from forethought.protocol.imports import Recruits
from forethought.protocol.protocol import Protocol
from forethought.schemas.exports.recognition import SIMULATION_COLUMN
from forethought.simulation.exports import ExportFile, Instants, csv_file, iso_times
from forethought.simulation.people import (
    accepted_statuses,
    disqualifying,
    eligible_pool,
    needed,
    peopled,
    screeners,
)
from forethought.simulation.streams import stream

SUBMISSION = (
    "Submission id", "Participant id", "Status", "Custom study tncs accepted at", "Started at", "Completed at",
    "Reviewed at", "Archived at", "Time taken", "Completion code", "Total approvals",
)  # fmt: skip
DEMOGRAPHICS = (
    "Age", "Sex", "Ethnicity simplified", "Country of birth", "Country of residence", "Nationality", "Language",
    "Student status", "Employment status",
)  # fmt: skip
"""The service's columns, before and after the study's screeners."""

DAYS_OF_RECRUITMENT = 2.5
FEWEST_IN_THAT_TIME = 1000
"""Fewer submissions come at the same pace: a small practice wave is over in hours."""
CONSENT_REVOKED_WHEN_UNFINISHED = 0.9
EXPIRED = {"Student status": 0.03, "Employment status": 0.025}
"""Shares of single cells that the service no longer keeps."""

Fate = Literal["goes_on", "ineligible", "returned", "timed_out"]
FATES: tuple[Fate, ...] = ("goes_on", "ineligible", "returned", "timed_out")
Fates = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recruited:
    """The export, when the last of it had happened, and how many people can be enrolled."""

    file: ExportFile
    ends: datetime
    eligible: int


def play_recruits(
    protocol: Protocol, *, opens: datetime, seed: int, wave: int = 1, participants: int | None = None
) -> Recruited:
    """Submissions from `opens` on: as many as the protocol assumes, or until `participants` are eligible.

    Raises ProtocolInvalid where the protocol assumes no world, imports no recruits, or nobody could be
    eligible.
    """
    recruits = protocol.imports.recruits
    if recruits is None or protocol.simulation is None:
        raise ProtocolInvalid(
            "protocol.yaml", "it has no recruits to simulate", "Add imports.recruits and simulation"
        )
    recruits = peopled(recruits, protocol)
    fates = _fates(protocol.simulation.flow, participants, stream(seed, "flow", "fates", wave))
    rng = stream(seed, "recruits", wave)
    submitted = _submissions(recruits, fates, opens, rng)
    people = _people(recruits, fates, rng)
    columns = {
        **{column: submitted[column] for column in SUBMISSION},
        **{column: people[column] for column in people if column not in DEMOGRAPHICS},
        SIMULATION_COLUMN: [str(seed)] * len(fates),
        **{column: people[column] for column in DEMOGRAPHICS},
    }
    latest = max(max(submitted[column]) for column in ("Started at", "Completed at", "Reviewed at"))
    return Recruited(
        file=csv_file(f"prolific_export_{protocol.study.id}.csv", columns),
        ends=datetime.fromisoformat(latest).astimezone(UTC),
        eligible=int((fates == "goes_on").sum()),
    )


def _fates(flow: SimulatedFlow, participants: int | None, rng: np.random.Generator) -> Fates:
    """What becomes of each submission, in order of arrival."""
    others = (flow.ineligible, flow.returned, flow.timed_out)
    if sum(others) >= 1:
        raise ProtocolInvalid(
            "protocol.yaml: simulation.flow", "nobody is left to be enrolled", "Make its shares smaller"
        )
    chances = np.array([1 - sum(others), *others])
    if participants is None:
        return np.array(FATES)[rng.choice(len(FATES), size=flow.submissions, p=chances)]
    drawn = np.empty(0, dtype=np.int64)
    while (drawn == 0).sum() < participants:
        drawn = np.append(drawn, rng.choice(len(FATES), size=participants + 50, p=chances))
    last = np.flatnonzero(drawn == 0)[participants - 1]
    return np.array(FATES)[drawn[: last + 1]]


def _submissions(
    recruits: Recruits, fates: Fates, opens: datetime, rng: np.random.Generator
) -> dict[str, list[str]]:
    """The service's own columns: ids, status, times."""
    n = len(fates)
    started, completed, seconds = _times(fates, opens, rng)
    finished = ~np.isnat(completed)
    statuses = accepted_statuses(recruits, ("AWAITING REVIEW", "APPROVED"))
    if not statuses:
        where = "protocol.yaml: imports.recruits.eligibility"
        raise ProtocolInvalid(
            where, "its criteria on `status` let no submission pass", "Let AWAITING REVIEW or APPROVED pass"
        )
    status = np.array(statuses, dtype=object)[rng.integers(len(statuses), size=n)]
    status[fates == "returned"] = "RETURNED"
    status[fates == "timed_out"] = "TIMED-OUT"
    review = rng.integers(60, 3600, size=n).astype("timedelta64[s]")
    reviewed = np.where(status == "APPROVED", completed + review, np.datetime64("NaT"))
    ids = [rng.bytes(12).hex() for _ in range(2 * n)]
    return {
        "Submission id": ids[:n],
        "Participant id": ids[n:],
        "Status": status.tolist(),
        "Custom study tncs accepted at": ["Not Applicable"] * n,
        "Started at": iso_times(started),
        "Completed at": iso_times(completed),
        "Reviewed at": iso_times(reviewed),
        "Archived at": iso_times(completed),
        "Time taken": np.where(finished, seconds.astype(str), "").tolist(),
        "Completion code": np.where(finished, "NOCODE", "").tolist(),
        "Total approvals": rng.negative_binomial(1, 0.002, size=n).astype(str).tolist(),
    }


def _times(
    fates: Fates, opens: datetime, rng: np.random.Generator
) -> tuple[Instants, Instants, npt.NDArray[np.int64]]:
    """When each submission started and was completed (NaT where it never was), and its whole seconds."""
    n = len(fates)
    mean_gap = timedelta(days=DAYS_OF_RECRUITMENT) / timedelta(microseconds=1) / max(n, FEWEST_IN_THAT_TIME)
    gaps = rng.exponential(mean_gap, size=n).astype(np.int64) + 1
    opened = np.datetime64(opens.astimezone(UTC).replace(tzinfo=None), "us")
    started = opened + np.cumsum(gaps).astype("timedelta64[us]")
    taken = np.maximum(rng.lognormal(np.log(420), 0.45, size=n), 60)
    completed = started + (taken * 1e6).astype(np.int64).astype("timedelta64[us]")
    completed[np.isin(fates, ("returned", "timed_out"))] = np.datetime64("NaT")
    return started, completed, taken.astype(np.int64)


def _people(recruits: Recruits, fates: Fates, rng: np.random.Generator) -> dict[str, list[str]]:
    """The columns about persons, with what the service withholds."""
    n = len(fates)
    shown = ("Fluent languages", *screeners(recruits, (*SUBMISSION, *DEMOGRAPHICS, "Fluent languages")))
    people = {column: eligible_pool(column, recruits).draw(n, rng) for column in (*shown, *DEMOGRAPHICS)}
    _disqualify(people, recruits, np.flatnonzero(fates == "ineligible"), rng)
    unfinished = np.isin(fates, ("returned", "timed_out"))
    revoked = unfinished & (rng.random(n) < CONSENT_REVOKED_WHEN_UNFINISHED)
    for column, share in EXPIRED.items():
        expired = rng.random(n) < share
        if column not in needed(recruits):
            people[column][expired] = "DATA_EXPIRED"
    for values in people.values():
        values[revoked] = "CONSENT_REVOKED"
    return {column: values.tolist() for column, values in people.items()}


def _disqualify(
    people: dict[str, np.ndarray], recruits: Recruits, rows: npt.NDArray[np.int64], rng: np.random.Generator
) -> None:
    """Give each of these rows one value that fails a criterion."""
    ways = disqualifying(recruits)
    if len(rows) and not ways:
        where = "protocol.yaml: simulation.flow.ineligible"
        raise ProtocolInvalid(where, "no criterion of eligibility can be failed by a person", "Make it 0")
    for row, way in zip(rows, rng.integers(max(len(ways), 1), size=len(rows)), strict=True):
        column, failing = ways[way]
        people[column][row] = failing[rng.integers(len(failing))]
