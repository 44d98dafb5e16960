"""Plain tables read by the protocol's mapping: recruits, responses, conversations, ratings."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from forethought.protocol.imports import Conversations, Ratings, Recruits, Responses, Variable
from forethought.protocol.measures import Rated
from forethought.schemas.exports.checking import (
    Judged,
    Parsed,
    instants,
    judge,
    one_of,
    present,
    refusals,
    time,
    together,
    variables,
    whole_number,
    without,
)
from forethought.schemas.exports.reading import Export


def recruits(
    export: Export,
    mapping: Recruits,
    *,
    normal_status: Callable[[pd.Series], pd.Series] = lambda cells: cells,
    statuses: Sequence[str] = (),
) -> Parsed:
    """People and what the service knows of them; of two submissions by one person the earlier stands.

    `rows`: participant, status (NaN where blank), arrived (NaT where blank).
    """
    status = normal_status(without(export.column(mapping.status), mapping.missing))
    kept, refused = judge(
        {
            "participant": _person(export, mapping),
            "status": Judged(
                column=export.named(mapping.status),
                cells=status,
                checks=(one_of(statuses),) if statuses else (),
            ),
            "arrived": Judged(
                column=export.named(mapping.arrived),
                cells=without(export.column(mapping.arrived), mapping.missing),
                checks=(time(export.time_zone),),
            ),
            **_prefixed(variables(export, mapping.variables, mapping.missing)),
        }
    )
    rows = kept[["participant", "status"]].assign(arrived=instants(kept["arrived"], export.time_zone))
    later = rows.sort_values("arrived", kind="stable").duplicated("participant")
    again = refusals(
        later.index[later],
        column=export.named(mapping.participant),
        reason="a later submission of the same participant",
    )
    return _parsed(rows, _answers(kept, mapping.variables), [refused, again])


def responses(export: Export, mapping: Responses) -> Parsed:
    """Survey answers or trial records; of two surveys by one person the first in the file stands.

    `rows`: participant (NaN where blank, in records of rows only), finished (NaT where blank or unmapped).
    """
    one_each = mapping.record == "participant"
    person = _person(export, mapping)
    columns = {"participant": person if one_each else Judged(column=person.column, cells=person.cells)}
    if mapping.finished is not None:
        columns["finished"] = Judged(
            column=export.named(mapping.finished),
            cells=without(export.column(mapping.finished), mapping.missing),
            checks=(time(export.time_zone),),
        )
    kept, refused = judge({**columns, **_prefixed(variables(export, mapping.variables, mapping.missing))})
    rows = kept[["participant"]]
    if mapping.finished is not None:
        rows = rows.assign(finished=instants(kept["finished"], export.time_zone))
    if one_each:
        repeated = rows.index[rows.duplicated("participant")]
        more = refusals(repeated, column=person.column, reason="a later response of the same participant")
    else:
        more = refusals(_blank(export, kept), column=export.header[0], reason="every cell is blank")
    return _parsed(rows, _answers(kept, mapping.variables), [refused, more])


def _blank(export: Export, kept: pd.DataFrame) -> pd.Index:
    """The rows without any text in any column of the file, looked for where no mapped column has any."""
    cells = export.cells.loc[kept.isna().all(axis=1).reindex(export.cells.index, fill_value=False)]
    blank: pd.Series = cells.apply(lambda column: column.str.strip().eq("")).all(axis=1)
    return cells.index[blank]


def ratings(export: Export, mapping: Ratings, rated: Mapping[str, Rated]) -> Parsed:
    """Scores of conversations; of two by one rater for one conversation the first in the file stands.

    `rows`: conversation, rater. `answers`: the text of each rated outcome; blank is no rating.
    """
    scores = {
        outcome: Judged(
            column=export.named(column),
            cells=without(export.column(column), [""]),
            checks=(whole_number(rated[outcome].minimum, rated[outcome].maximum),),
        )
        for outcome, column in mapping.outcomes.items()
    }
    keys = {
        "conversation": _key(export, mapping.conversation, "blank conversation id"),
        "rater": _key(export, mapping.rater, "blank rater"),
    }
    kept, refused = judge({**keys, **_prefixed(scores)})
    rows = kept[["conversation", "rater"]]
    answers = kept[[f"answer {outcome}" for outcome in scores]].set_axis(list(scores), axis=1)
    empty = refusals(
        rows.index[answers.isna().all(axis=1)], column=keys["rater"].column, reason="no rating in the row"
    )
    repeated = rows.index[rows.duplicated()]
    again = refusals(repeated, column=keys["rater"].column, reason="a second rating by the same rater")
    return _parsed(rows, answers, [refused, empty, again])


def conversations(export: Export, mapping: Conversations) -> Parsed:
    """Messages; each conversation is of one participant, session and stimulus, and each session has one.

    `rows`: conversation, participant, session, stimulus (NaN where unmapped), number, role, text, sent. The arm
    received and the sealed columns are not read.
    """
    kept, refused = judge(_message_columns(export, mapping))
    rows = kept.assign(
        session=kept["session"].map(mapping.sessions).astype("str"),
        stimulus=kept["stimulus"].map(mapping.stimuli).astype("str") if mapping.stimuli else kept["stimulus"],
        number=pd.to_numeric(kept["number"]).astype("int64"),
        role=kept["role"].map(mapping.roles).astype("str"),
        sent=instants(kept["sent"], export.time_zone),
    )
    more = [refused]
    for check in (_incoherent, _second_in_session, _repeated_numbers):
        found = check(rows, export, mapping)
        rows = rows.loc[~rows.index.isin(found["row_number"])]
        more.append(found)
    return _parsed(rows, pd.DataFrame(index=rows.index), more)


def _message_columns(export: Export, mapping: Conversations) -> dict[str, Judged]:
    def mapped(column: str, words: Mapping[str, str]) -> Judged:
        cells = without(export.column(column), [])
        return Judged(column=export.named(column), cells=cells, checks=(one_of(words),) if words else ())

    text = export.column(mapping.text)
    nothing = Judged(column="", cells=pd.Series(pd.NA, index=export.cells.index, dtype="str"))
    return {
        "conversation": _key(export, mapping.conversation, "blank conversation id"),
        "participant": _person(export, mapping),
        "session": mapped(mapping.session, mapping.sessions),
        "stimulus": nothing if mapping.stimulus is None else mapped(mapping.stimulus, mapping.stimuli),
        "number": Judged(
            column=export.named(mapping.number),
            cells=without(export.column(mapping.number), []),
            checks=(whole_number(0),),
        ),
        "role": mapped(mapping.role, mapping.roles),
        "text": Judged(
            column=export.named(mapping.text),
            cells=text.mask(text.str.strip() == ""),
            checks=(present("the message is empty"),),
            shown=False,
        ),
        "sent": Judged(
            column=export.named(mapping.sent),
            cells=without(export.column(mapping.sent), [""]),
            checks=(present("no time of sending"), time(export.time_zone)),
        ),
    }


def _incoherent(rows: pd.DataFrame, export: Export, mapping: Conversations) -> pd.DataFrame:
    """Messages whose participant, session or stimulus is not that of their conversation's first message."""
    found = []
    for label, column in (
        ("participant", mapping.participant),
        ("session", mapping.session),
        ("stimulus", mapping.stimulus),
    ):
        if column is None:
            continue
        first = rows.groupby("conversation", sort=False)[label].transform("first")
        reason = f"another {label} than the first message of the conversation has"
        found.append(refusals(rows.index[rows[label] != first], column=export.named(column), reason=reason))
    return together(found)


def _second_in_session(rows: pd.DataFrame, export: Export, mapping: Conversations) -> pd.DataFrame:
    """Messages of a conversation that began after another of the same participant and session."""
    began = rows.groupby("conversation", sort=False).agg(
        participant=("participant", "first"), session=("session", "first"), sent=("sent", "min")
    )
    later = began.sort_values("sent", kind="stable").duplicated(["participant", "session"])
    second = rows.index[rows["conversation"].isin(later.index[later])]
    return refusals(
        second, column=export.named(mapping.conversation), reason="a second conversation of the same session"
    )


def _repeated_numbers(rows: pd.DataFrame, export: Export, mapping: Conversations) -> pd.DataFrame:
    repeated = rows.index[rows.duplicated(["conversation", "number"])]
    return refusals(
        repeated,
        column=export.named(mapping.number),
        reason="a second message with this number in the conversation",
    )


def person_ids(export: Export, mapping: Recruits | Responses | Conversations) -> pd.Series:
    """The participant's id of each row; NaN where it is blank, or a word that means missing."""
    missing = () if isinstance(mapping, Conversations) else mapping.missing
    return without(export.column(mapping.participant), ("", *missing))


def _person(export: Export, mapping: Recruits | Responses | Conversations) -> Judged:
    return Judged(
        column=export.named(mapping.participant),
        cells=person_ids(export, mapping),
        checks=(present("blank participant id"),),
        shown=False,
    )


def _key(export: Export, column: str, blank: str) -> Judged:
    cells = without(export.column(column), [""])
    return Judged(column=export.named(column), cells=cells, checks=(present(blank),), shown=False)


def _prefixed(judged: Mapping[str, Judged]) -> dict[str, Judged]:
    """Variables apart from the kind's own columns: a variable may be called `status`."""
    return {f"answer {name}": column for name, column in judged.items()}


def _answers(kept: pd.DataFrame, wanted: Sequence[Variable]) -> pd.DataFrame:
    names = [variable.name for variable in wanted]
    return kept[[f"answer {name}" for name in names]].set_axis(names, axis=1)


def _parsed(rows: pd.DataFrame, answers: pd.DataFrame, refused: Sequence[pd.DataFrame]) -> Parsed:
    every = together(refused)
    stands = rows.index[~rows.index.isin(every["row_number"])]
    return Parsed(rows=rows.loc[stands], answers=answers.loc[stands], refused=every)
