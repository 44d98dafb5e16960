"""Who came, and who stayed to the end: counted without looking at any outcome's value."""

from duckdb import DuckDBPyConnection

_ARRIVED = """
    SELECT participant_id FROM sessions WHERE held_at IS NOT NULL
    UNION SELECT participant_id FROM conversations
    UNION SELECT participant_id FROM responses WHERE session IS DISTINCT FROM 'recruitment'
"""
_COMPLETED_SESSIONS = """
    SELECT participant_id FROM sessions GROUP BY participant_id
    HAVING bool_and(status IN ('done', 'out_of_window'))
"""
_COMPLETED_SURVEY = (
    "SELECT DISTINCT participant_id FROM responses WHERE session IS DISTINCT FROM 'recruitment'"
)


def arrived(con: DuckDBPyConnection) -> frozenset[str]:
    """Whoever held a session or gave an answer after recruitment."""
    return _people(con, _ARRIVED)


def completed(con: DuckDBPyConnection, *, sessions: bool) -> frozenset[str]:
    """Whoever held every planned session, on time or not; in a study without sessions, whoever answered a survey."""
    return _people(con, completed_query(sessions=sessions))


def completed_query(*, sessions: bool) -> str:
    """The SQL of `completed`: one column, `participant_id`, each person once."""
    return _COMPLETED_SESSIONS if sessions else _COMPLETED_SURVEY


def _people(con: DuckDBPyConnection, query: str) -> frozenset[str]:
    return frozenset(str(name) for (name,) in con.execute(query).fetchall() if name is not None)
