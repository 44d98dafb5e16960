"""Arrived rows against what the study knows: which are new, which are known, which must be refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import pandas as pd

from forethought.protocol.imports import Conversations, Ratings, Recruits, Responses, Variable
from forethought.protocol.rules import Criterion, holds
from forethought.schemas.exports.checking import numbers, refusals, together
from forethought.steps.arrivals import Arrival
from forethought.steps.quotas import turned_away

Known = Callable[[str], pd.DataFrame]
"""A table of the study as it stands, by its name."""

_OTHER_VALUES = "already imported with other values"
_STRANGER = "unknown participant"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Admitted:
    """New rows for each table, what is refused beyond the export's own refusals, and the rows known before."""

    tables: Mapping[str, pd.DataFrame]
    refused: pd.DataFrame
    repeated: frozenset[int]


def admit(arrival: Arrival, known: Known) -> Admitted:
    """Decide on each accepted row of the export; nothing is written."""
    match arrival.recognised.mapping:
        case Recruits() as mapping:
            return _recruits(arrival, mapping, known)
        case Responses() as mapping:
            return _responses(arrival, mapping, known)
        case Conversations() as mapping:
            return _conversations(arrival, mapping, known)
        case Ratings() as mapping:
            return _ratings(arrival, mapping, known)
        case _:
            assert_never(arrival.recognised.mapping)


def first_failed(
    criteria: Sequence[Criterion], status: pd.Series, answers: pd.DataFrame, variables: Sequence[Variable]
) -> pd.Series:
    """The place (from 1) of the first criterion that each person fails; 0 where all hold."""
    typed = {variable.name: variable for variable in variables}
    position = pd.Series(0, index=status.index, dtype="int64")
    for place, criterion in reversed(list(enumerate(criteria, start=1))):
        name = criterion.variable
        values = answers[name] if name in typed else status
        if name in typed and typed[name].type == "number":
            values = numbers(values, typed[name])
        test = holds(criterion.rule)
        codes, distinct = pd.factorize(values)
        verdicts = np.array([*(test(value) for value in distinct), test(None)])  # -1, the last, is missing
        position = position.mask(~verdicts[codes], place)
    return position


def _recruits(arrival: Arrival, mapping: Recruits, known: Known) -> Admitted:
    rows, answers = arrival.parsed.rows, arrival.parsed.answers
    before, there = known("responses"), known("participants")
    failed = first_failed(mapping.eligibility, rows["status"], answers, mapping.variables)
    failed = _with_quotas(arrival, mapping, failed, there, before)
    untimed = refusals(
        rows.index[(failed == 0) & rows["arrived"].isna()],
        column=mapping.arrived,
        reason="no time of arrival",
    )
    people = pd.DataFrame(
        {
            "participant_id": rows["participant"],
            "wave": arrival.wave,
            "status": pd.Series(np.where(failed == 0, "eligible", "excluded"), index=rows.index, dtype="str"),
            "service_status": rows["status"],
            "arrived_at": rows["arrived"],
        }
    )
    record = rows["participant"] + "/recruitment"
    names = [variable.name for variable in mapping.variables]
    items = _long(arrival, dict.fromkeys(names, record), dict.fromkeys(names, "recruitment"))
    same, other = _compared(
        _facts(people, items),
        _facts(there, before.loc[before["session"] == "recruitment"]),
        unit="participant_id",
    )
    changed = refusals(other, column=mapping.participant, reason=_OTHER_VALUES)
    refused = together([untimed, changed])
    tables = {"participants": people, "exclusions": _exclusions(arrival, mapping, failed), "responses": items}
    return _admitted(tables, refused, same)


def _with_quotas(
    arrival: Arrival, mapping: Recruits, failed: pd.Series, there: pd.DataFrame, before: pd.DataFrame
) -> pd.Series:
    """The places of what each person fails, quotas counted on after the last criterion.

    Only people whom the study does not know yet are judged by quotas: a file that comes again changes nothing.
    """
    quotas, rows = arrival.protocol.recruitment.quotas, arrival.parsed.rows
    if not quotas:
        return failed
    new = (failed == 0) & rows["arrived"].notna() & ~rows["participant"].isin(there["participant_id"])
    here = there.loc[(there["wave"] == arrival.wave) & (there["status"] == "eligible"), "participant_id"]
    known = before.loc[(before["session"] == "recruitment") & before["participant_id"].isin(here)]
    names = list(dict.fromkeys(quota.variable for quota in quotas))
    admitted = known.pivot(index="participant_id", columns="item", values="value").reindex(columns=names)
    place = turned_away(quotas, rows.loc[new], arrival.parsed.answers.loc[new], admitted)
    full = place.loc[place > 0]
    return failed.mask(failed.index.isin(full.index), full + len(mapping.eligibility)).astype("int64")


def _exclusions(arrival: Arrival, mapping: Recruits, failed: pd.Series) -> pd.DataFrame:
    position = failed.loc[failed > 0]
    rules = (*mapping.eligibility, *arrival.protocol.recruitment.quotas)
    criteria = [rules[place - 1] for place in position]
    return pd.DataFrame(
        {
            "participant_id": arrival.parsed.rows["participant"].loc[position.index],
            "stage": pd.Series("eligibility", index=position.index, dtype="str"),
            "position": position,
            "criterion": pd.Series([one.id for one in criteria], index=position.index, dtype="str"),
            "reason": pd.Series([one.reason for one in criteria], index=position.index, dtype="str"),
            "excluded_at": pd.Series(arrival.at, index=position.index, dtype="datetime64[us]"),
        }
    )


def _facts(people: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Everything that recruitment says of each person, one fact in each row."""
    own = [
        people[["participant_id"]].assign(item=f"/{name}", value=values)
        for name, values in (
            ("wave", people["wave"].astype("str")),
            ("status", people["service_status"]),
            ("arrived", people["arrived_at"].astype("datetime64[us]").astype("int64").astype("str")),
        )
    ]
    return pd.concat([*own, items[["participant_id", "item", "value"]]])


def _responses(arrival: Arrival, mapping: Responses, known: Known) -> Admitted:
    rows = arrival.parsed.rows
    stranger, observed = _strangers(arrival, mapping.participant, known)
    sessions: dict[str, str | None] = {variable.name: variable.session for variable in mapping.variables}
    if mapping.record == "row":
        row = pd.Series([f"row/{number:08d}" for number in rows.index], index=rows.index, dtype="str")
        records = dict.fromkeys(sessions, row)
    else:
        of = {session: rows["participant"] + f"/{session or 'survey'}" for session in set(sessions.values())}
        records = {name: of[session] for name, session in sessions.items()}
    items = _long(arrival, records, sessions)
    same, other = _compared(items, known("responses"), unit="record_id")
    refused = together([stranger, refusals(other, column=mapping.participant, reason=_OTHER_VALUES)])
    return _admitted({"participants": observed, "responses": items}, refused, same)


def _conversations(arrival: Arrival, mapping: Conversations, known: Known) -> Admitted:
    stranger, observed = _strangers(arrival, mapping.participant, known)
    rows = arrival.parsed.rows
    rows = rows.loc[~rows.index.isin(stranger["row_number"])].rename(columns=_MESSAGE_COLUMNS)
    whose = ["participant_id", "session"]
    before = known("conversations")
    held = before.set_index(whose)["conversation_id"]
    there = held.reindex(pd.MultiIndex.from_frame(rows[whose])).to_numpy()
    second = rows.index[pd.notna(there) & (there != rows["conversation_id"].to_numpy())]
    again = refusals(second, column=mapping.conversation, reason="a second conversation of the same session")
    facts = [*whose, "stimulus", "number", "role", "text", "sent_at"]
    same, other = _messages_compared(rows, before.merge(known("messages"), on="conversation_id"), facts)
    changed = refusals(other, column=mapping.conversation, reason=_OTHER_VALUES)
    refused = together([stranger, again, changed])
    new = rows.loc[~rows.index.isin([*refused["row_number"], *same])]
    tables = {"participants": observed, "conversations": _summaries(new), "messages": new[_MESSAGES]}
    return _admitted(tables, refused, same)


_MESSAGE_COLUMNS = {"conversation": "conversation_id", "participant": "participant_id", "sent": "sent_at"}
_MESSAGES = ["conversation_id", "number", "role", "text", "sent_at"]


def _summaries(messages: pd.DataFrame) -> pd.DataFrame:
    """The conversations that these messages make, each at the row of its first message."""
    found = messages.groupby("conversation_id", sort=False).agg(
        participant_id=("participant_id", "first"),
        session=("session", "first"),
        stimulus=("stimulus", "first"),
        started_at=("sent_at", "min"),
        ended_at=("sent_at", "max"),
        messages=("number", "size"),
    )
    first = messages.drop_duplicates("conversation_id").index
    return found.reset_index().set_axis(first)


def _messages_compared(
    rows: pd.DataFrame, before: pd.DataFrame, facts: Sequence[str]
) -> tuple[pd.Index, pd.Index]:
    """Messages of known conversations: those known word for word, and the others.

    A conversation that is known takes no more messages: its length and its end were counted.
    """
    ours = rows.loc[rows["conversation_id"].isin(before["conversation_id"])]
    key = ["conversation_id", *facts]
    found = ours[key].merge(before[key], on=key, how="left", indicator=True)["_merge"].to_numpy() == "both"
    return ours.index[found], ours.index[~found]


def _ratings(arrival: Arrival, mapping: Ratings, known: Known) -> Admitted:
    rows = arrival.parsed.rows.rename(columns={"conversation": "conversation_id"})
    strange = rows.index[~rows["conversation_id"].isin(known("conversations")["conversation_id"])]
    unknown = refusals(strange, column=mapping.conversation, reason="rating of an unknown conversation")
    parts = []
    for outcome in mapping.outcomes:
        values = pd.to_numeric(arrival.parsed.answers[outcome]).dropna().astype("float64")
        parts.append(rows.loc[values.index].assign(outcome=outcome, value=values))
    scores = pd.concat(parts)
    same, other = _compared(_by_rater(scores), _by_rater(known("ratings")), unit="rating")
    refused = together([unknown, refusals(other, column=mapping.conversation, reason=_OTHER_VALUES)])
    return _admitted({"ratings": scores}, refused, same)


def _by_rater(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(rating=scores["conversation_id"] + "\n" + scores["rater"], item=scores["outcome"])[
        ["rating", "item", "value"]
    ]


def _strangers(arrival: Arrival, column: str, known: Known) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of unknown people: refused in a randomised study, the people themselves new in another."""
    people = arrival.parsed.rows["participant"]
    unknown = people.loc[~people.isin(known("participants")["participant_id"])]
    if arrival.protocol.randomised:
        return refusals(unknown.index, column=column, reason=_STRANGER), _observed(arrival, unknown.iloc[:0])
    return refusals([]), _observed(arrival, unknown.dropna())


def _observed(arrival: Arrival, people: pd.Series) -> pd.DataFrame:
    index = people.index
    return pd.DataFrame(
        {
            "participant_id": people,
            "wave": pd.Series(arrival.wave, index=index, dtype="int64"),
            "status": pd.Series("observed", index=index, dtype="str"),
            "service_status": pd.Series(pd.NA, index=index, dtype="str"),
            "arrived_at": pd.Series(pd.NaT, index=index, dtype="datetime64[us]"),
        }
    )


def _long(
    arrival: Arrival, records: Mapping[str, pd.Series], sessions: Mapping[str, str | None]
) -> pd.DataFrame:
    """One row for each value that is there, indexed by row number."""
    people, raw = arrival.parsed.rows["participant"], arrival.raw_row_ids
    parts = []
    for name in records:
        values = arrival.parsed.answers[name].dropna()
        parts.append(
            pd.DataFrame(
                {
                    "record_id": records[name].loc[values.index],
                    "item": pd.Series(name, index=values.index, dtype="str"),
                    "participant_id": people.loc[values.index],
                    "session": pd.Series(sessions[name], index=values.index, dtype="str"),
                    "value": values,
                    "raw_row_id": raw.loc[values.index],
                }
            )
        )
    columns = ["record_id", "item", "participant_id", "session", "value", "raw_row_id"]
    return pd.concat(parts) if parts else pd.DataFrame(columns=columns, dtype="str")


def _compared(new: pd.DataFrame, before: pd.DataFrame, *, unit: str) -> tuple[pd.Index, pd.Index]:
    """Row numbers of new facts: those that say only what is known, and those with other items or values.

    A unit, such as a record, is known wholly or not at all. A row may speak of several.
    """
    shared = new[unit].isin(before[unit])
    ours, fact = new.loc[shared], [unit, "item", "value"]
    theirs = before.loc[before[unit].isin(ours[unit])]
    sides = ours[fact].merge(theirs[fact], on=fact, how="outer", indicator=True)
    differs = ours[unit].isin(sides.loc[sides["_merge"] != "both", unit])
    other = ours.index[differs].unique()
    return ours.index.unique().difference(other).difference(new.index[~shared]), other


def _admitted(tables: Mapping[str, pd.DataFrame], refused: pd.DataFrame, same: pd.Index) -> Admitted:
    """The tables without the rows that are refused or known; a new person only once."""
    out = {*refused["row_number"], *same}
    kept = {name: frame.loc[~frame.index.isin(out)] for name, frame in tables.items()}
    if "participants" in kept:
        kept["participants"] = kept["participants"].drop_duplicates("participant_id")
    return Admitted(tables=kept, refused=refused, repeated=frozenset(int(row) for row in same))
