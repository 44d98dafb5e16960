"""The long tables as wide frames, typed by the protocol, and who held the sessions; no arm is in any of them."""

# ruff: noqa: S608 -- names of columns are the protocol's, which are letters, digits and underscores

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection
from pandas import Categorical, DataFrame, Series

from forethought.errors import DataRefused
from forethought.protocol.columns import planned_sessions
from forethought.protocol.imports import Variable
from forethought.protocol.measures import Rated
from forethought.protocol.protocol import Protocol
from forethought.store import corrections

_KEY = "the key"  # with a space in it, so that no variable has this name
_BY_SESSIONS = ("every_session", "sessions_in_window")
_RECRUITMENT = "session IS NOT DISTINCT FROM 'recruitment'"


def records(con: DuckDBPyConnection, protocol: Protocol) -> DataFrame:
    """One row for each imported record, by its id: `participant`, then each variable of the responses."""
    responses = protocol.imports.responses
    variables = responses.variables if responses else ()
    wide = _wide(con, "record_id", variables, f"NOT ({_RECRUITMENT})")
    return pd.concat([wide[["participant"]], _typed(wide, variables)], axis="columns")


def sessions(con: DuckDBPyConnection, protocol: Protocol) -> DataFrame:
    """One row for each planned session of everyone allocated, by participant and the order of sessions.

    The second record of somebody who was randomised twice is left out; of a recruitment variable that was corrected
    the true value stands. Columns: participant, session, the sessions' variables, the stimulus, wave, the outcomes,
    the variables of recruitment. An outcome measured before allocation stands in all of a participant's rows. An
    outcome counts whenever its session was held: leaving out the late ones would select by what happened after
    allocation.
    """
    planned = con.execute(
        "SELECT s.participant_id AS participant, s.session, s.stimulus, CAST(a.wave AS BIGINT) AS wave "
        "FROM sessions s JOIN allocations a ON a.participant_id = s.participant_id "
        "WHERE NOT list_contains($1::VARCHAR[], s.participant_id) ORDER BY s.participant_id, s.position",
        [sorted(corrections.twice(con))],
    ).df()
    ids = [session.id for session in protocol.sessions]
    frame = DataFrame(
        {
            "participant": planned["participant"],
            "session": Categorical(planned["session"], categories=ids),
            **_session_variables(planned["session"], protocol),
        }
    )
    if protocol.stimuli is not None:
        frame[protocol.stimuli.name] = Categorical(planned["stimulus"], categories=protocol.stimuli.items)
    frame["wave"] = planned["wave"]
    return pd.concat(
        [frame, _outcomes(con, planned, protocol), _recruitment(con, planned["participant"], protocol)],
        axis="columns",
    )


def members(con: DuckDBPyConnection) -> Mapping[str, frozenset[str]]:
    """Participants by the rule on their planned sessions that they meet; see `protocol.estimands.Population`.

    `every_session`: all were held, inside their windows or not. `sessions_in_window`: all inside. Known from the
    sessions alone: no arm is read, so that who belongs is the same before and after the unblinding.
    """
    found = con.execute(
        "SELECT participant_id, bool_and(status IN ('done', 'out_of_window')), bool_and(status = 'done') "
        "FROM sessions GROUP BY participant_id"
    ).fetchall()
    return {
        "every_session": frozenset(name for name, every, _ in found if every),
        "sessions_in_window": frozenset(name for name, _, in_window in found if in_window),
    }


def sessions_to_mark(con: DuckDBPyConnection, protocol: Protocol) -> int:
    """How many sessions were held and are not marked so yet, where a population asks which were held.

    People whose sessions came in last would be left out of it without a word.
    """
    if not any(one.rule in _BY_SESSIONS for one in protocol.analysis.populations):
        return 0
    ((unmarked,),) = con.execute(
        "SELECT count(*) FROM sessions SEMI JOIN conversations USING (participant_id, session) "
        "WHERE status NOT IN ('done', 'out_of_window')"
    ).fetchall()
    return int(unmarked)


def _session_variables(session: "Series[str]", protocol: Protocol) -> Mapping[str, "Series[float]"]:
    names = dict.fromkeys(name for planned in protocol.sessions for name in planned.variables)
    return {
        name: session.map(
            {planned.id: planned.variables.get(name, np.nan) for planned in protocol.sessions}
        ).astype("float64")
        for name in names
    }


def _outcomes(con: DuckDBPyConnection, planned: DataFrame, protocol: Protocol) -> DataFrame:
    """Each outcome's column, from the scores of its own scorer in their newest version."""
    number = "CAST(split_part(version, '/', 2) AS INTEGER)"
    scores = con.execute(
        "SELECT participant_id AS participant, session, outcome, scorer, value FROM scores "
        f"QUALIFY {number} = max({number}) OVER (PARTITION BY outcome, scorer)"
    ).df()
    here = pd.MultiIndex.from_frame(planned[["participant", "session"]])
    columns = {}
    for outcome in protocol.outcomes:
        scorer = outcome.scorer if isinstance(outcome, Rated) else outcome.kind
        own = scores[(scores["outcome"] == outcome.id) & (scores["scorer"] == scorer)]
        if planned_sessions(outcome, protocol):
            by_session = own.set_index(["participant", "session"])["value"]
            columns[outcome.id] = by_session.reindex(here).to_numpy(dtype="float64")
        else:
            by_person = own.set_index("participant")["value"]
            columns[outcome.id] = by_person.reindex(planned["participant"]).to_numpy(dtype="float64")
    return DataFrame(columns, index=planned.index)


def _recruitment(con: DuckDBPyConnection, participants: "Series[str]", protocol: Protocol) -> DataFrame:
    """What recruitment knew of each row's participant, corrected where that was wrong."""
    recruits = protocol.imports.recruits
    variables = recruits.variables if recruits else ()
    wide = _wide(con, "participant_id", variables, _RECRUITMENT).set_index(_KEY).reindex(participants)
    for item, true in corrections.values(con).items():
        if item in wide:
            wide[item] = pd.Series(wide.index.map(true), index=wide.index).fillna(wide[item])
    return _typed(wide.reset_index(drop=True), variables)


def _wide(con: DuckDBPyConnection, key: str, variables: Sequence[Variable], condition: str) -> DataFrame:
    """Responses with one row for each key, in its order: the key, `participant`, each variable's text."""
    names = [variable.name for variable in variables]
    cells = "".join(f", max(value) FILTER (item = '{name}') AS \"{name}\"" for name in names)
    return con.execute(
        f'SELECT {key} AS "{_KEY}", any_value(participant_id) AS participant{cells} FROM responses '
        f"WHERE list_contains($1::VARCHAR[], item) AND {condition} GROUP BY {key} ORDER BY {key}",
        [names],
    ).df()


def _typed(wide: DataFrame, variables: Sequence[Variable]) -> DataFrame:
    """Each variable's text in the type that the protocol gives it."""
    return DataFrame(
        {variable.name: _column(wide[variable.name], variable) for variable in variables}, index=wide.index
    )


def _column(texts: "Series[str]", variable: Variable) -> object:
    match variable.type:
        case "number":
            return _numbers(texts, variable)
        case "category":
            found = texts.dropna().unique()
            levels = variable.levels or tuple(sorted(found))
            if unknown := sorted(set(found) - set(levels)):
                raise _refused(variable, unknown[0], f"one of its levels: {', '.join(levels)}")
            return Categorical(texts, categories=levels)
        case "text":
            return texts


def _numbers(texts: "Series[str]", variable: Variable) -> "Series[float]":
    """Numbers as the standard library reads them, to the last bit; response words by their codes."""
    distinct = {text: _number(text, variable) for text in texts.dropna().unique()}
    return texts.map(distinct).astype("float64")


def _number(text: str, variable: Variable) -> float:
    if text in variable.codes:
        return variable.codes[text]
    try:
        return float(text)
    except ValueError as error:
        raise _refused(variable, text, "a number") from error


def _refused(variable: Variable, value: str, wanted: str) -> DataRefused:
    return DataRefused(
        f"table responses, item {variable.name}",
        f"{value!r} is not {wanted}",
        "Correct the protocol's variable, or the data it came from",
    )
