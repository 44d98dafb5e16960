"""Prolific's demographic export: submissions, their statuses, and demographics with consent marks."""

from dataclasses import replace

import pandas as pd

from forethought.protocol.imports import Recruits
from forethought.schemas.exports import table
from forethought.schemas.exports.checking import Parsed
from forethought.schemas.exports.reading import Export

PARTICIPANT_COLUMNS = ("Participant id", "PROLIFIC_PID")
MISSING = ("", "CONSENT_REVOKED", "DATA_EXPIRED")
"""Blank; the participant took back the consent to demographics; Prolific no longer keeps them."""

STATUSES = (
    "RESERVED",
    "ACTIVE",
    "TIMED-OUT",
    "AWAITING REVIEW",
    "APPROVED",
    "PARTIALLY APPROVED",
    "RETURNED",
    "REJECTED",
    "SCREENED OUT",
)
"""A submission's statuses as Prolific's API documents them."""

_DOCUMENTED = {status.replace("-", " "): status for status in STATUSES}


def recognises(header: tuple[str, ...]) -> bool:
    """Whether the header is that of a Prolific export."""
    return {"Submission id", "Status"} <= set(header) and not set(header).isdisjoint(PARTICIPANT_COLUMNS)


def prepare(export: Export) -> Export:
    """The export with both names of the participant's column: people rename it to the URL parameter."""
    given = next((name for name in PARTICIPANT_COLUMNS if name in export.header), None)
    return export if given is None else replace(export, aliases=dict.fromkeys(PARTICIPANT_COLUMNS, given))


def parse(export: Export, mapping: Recruits) -> Parsed:
    """Submissions as recruits, with documented statuses however they are spelt; times are UTC."""
    missing = tuple(dict.fromkeys((*mapping.missing, *MISSING)))
    return table.recruits(
        export,
        mapping.model_copy(update={"missing": missing}),
        normal_status=documented_status,
        statuses=STATUSES,
    )


def documented_status(cells: pd.Series) -> pd.Series:
    """Statuses in the API's spelling; one that is not documented stays as it is."""
    spelt = cells.str.upper().str.replace(r"[\s_-]+", " ", regex=True)
    return spelt.map(_DOCUMENTED).astype("str").fillna(cells)
