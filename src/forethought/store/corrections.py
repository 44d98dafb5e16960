"""What was found to be wrong, beside what was recorded: nothing is overwritten."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pandas as pd
from duckdb import DuckDBPyConnection

from forethought.store import rows

WRONG_VALUE, RANDOMISED_TWICE = "wrong_value", "randomised_twice"
RANDOMISED_IN_ERROR, NOT_COUNTED = "randomised_in_error", "not_counted"

CHANGE_THE_ANALYSIS = (WRONG_VALUE, RANDOMISED_TWICE)
"""The kinds after which other values, or other people, are analysed."""

_IN_ORDER = "ORDER BY participant_id, CAST(split_part(correction_id, '/', 2) AS INTEGER)"
_COLUMNS = ("kind", "item", "original", "corrected", "first_participant", "made_by", "reason")


def add(con: DuckDBPyConnection, participant: str, *, now: datetime, **said: str | None) -> None:
    """Append a correction of this participant; `said` has the table's columns from `kind` to `reason`, or some of them.

    Its id is the participant and a number, which keeps the order in which they were made.
    """
    number = len(of(con, participant)) + 1
    row: dict[str, object] = {
        "correction_id": f"{participant}/{number}",
        "participant_id": participant,
        **{column: said.get(column) for column in _COLUMNS},
        "corrected_at": pd.Timestamp(now.astimezone(UTC).replace(tzinfo=None)),
    }
    rows.append(con, "corrections", pd.DataFrame([row]))


def of(con: DuckDBPyConnection, participant: str) -> list[dict[str, object]]:
    """The corrections of one participant, in the order in which they were made, by column."""
    found = con.execute(f"SELECT * FROM corrections WHERE participant_id = ? {_IN_ORDER}", [participant])  # noqa: S608 -- constant text
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def told(con: DuckDBPyConnection) -> list[tuple[str | None, ...]]:
    """Of each correction its participant, kind, item, first participant, and by whom and why it was made."""
    return con.execute(
        "SELECT participant_id, kind, item, first_participant, made_by, reason FROM corrections"
    ).fetchall()


def values(con: DuckDBPyConnection) -> Mapping[str, Mapping[str, str]]:
    """Item to the true value of each participant whose recorded one was wrong; the last correction holds."""
    found: dict[str, dict[str, str]] = {}
    for participant, item, corrected in con.execute(
        f"SELECT participant_id, item, corrected FROM corrections WHERE kind = '{WRONG_VALUE}' {_IN_ORDER}"  # noqa: S608 -- constant text
    ).fetchall():
        found.setdefault(item, {})[participant] = corrected
    return found


def twice(con: DuckDBPyConnection) -> frozenset[str]:
    """The records of people who were in the study already: the first one stands, and these are not analysed."""
    found = con.execute(
        "SELECT DISTINCT participant_id FROM corrections WHERE kind = ?", [RANDOMISED_TWICE]
    ).fetchall()
    return frozenset(participant for (participant,) in found)


def recruitment_value(con: DuckDBPyConnection, participant: str, item: str) -> str | None:
    """What recruitment knew of the person, as it was recorded."""
    found = con.execute(
        "SELECT value FROM responses WHERE participant_id = ? AND item = ? AND session = 'recruitment'",
        [participant, item],
    ).fetchall()
    return str(found[0][0]) if found else None


def on_top(con: DuckDBPyConnection, responses: pd.DataFrame) -> pd.DataFrame:
    """Rows of `responses` with the true values of recruitment in the place of the wrong ones.

    A value that was missing and is known now is a row of its own, without the raw row that it would have come from.
    """
    true = values(con)
    if not true:
        return responses
    known = pd.DataFrame(
        [(person, item, value) for item, people in true.items() for person, value in people.items()],
        columns=["participant_id", "item", "value"],
    ).assign(session="recruitment")
    known["record_id"] = known["participant_id"] + "/recruitment"
    keys = ["record_id", "item"]
    wrong = pd.MultiIndex.from_frame(responses[keys]).isin(pd.MultiIndex.from_frame(known[keys]))
    columns = [*keys, "participant_id", "session", "value"]
    return pd.concat([responses[~wrong], known[columns]], ignore_index=True)
