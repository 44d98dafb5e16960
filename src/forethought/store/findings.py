"""The findings of each analysis, as they were last computed."""

import json

from duckdb import DuckDBPyConnection
from pandas import DataFrame

from forethought.store import rows

_AS_JSON = ("n_by_arm", "warnings")


def replace(con: DuckDBPyConnection, analysis: str, findings: DataFrame) -> int:
    """Keep one analysis' findings in the place of those it had; returns how many they are.

    A frame with a column for each key of a finding, in their order; `n_by_arm` and `warnings` are JSON values.
    """
    if findings.empty:
        con.execute("DELETE FROM findings WHERE analysis = ?", [analysis])
        return 0
    as_text = {column: [_text(value) for value in findings[column]] for column in _AS_JSON}
    numbered = findings.assign(analysis=analysis, number=range(1, len(findings) + 1), **as_text)
    return rows.replace(con, "findings", numbered, analysis=analysis)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
