"""Findings, milestones and relations: the store's smaller questions."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pandas as pd
import pytest

from forethought.errors import DataRefused
from forethought.protocol.folder import StudyFolder
from forethought.store import findings, milestones, relations, rows
from forethought.store.connection import reading, writing

Append = Callable[[str, pd.DataFrame], int]

FINDING: dict[str, Any] = {
    "hypothesis": None, "model": "m", "outcome": "warmth", "contrast": "coach", "estimate": 0.5, "se": 0.1, "df": None,
    "statistic": 5.0, "p": 0.01, "p_adjusted": None, "ci_low": 0.3, "ci_high": 0.7, "effect_size": None, "ci_level": 0.95,
    "smallest_effect": None, "n": 4, "n_by_arm": {"control": 2, "coach": 2}, "population": "all_records", "estimand": None,
    "family": None, "role": "primary", "registered": True, "confirmatory": False, "blinded": True, "simulated": False,
    "wave": 1, "verdict": "inconclusive", "warnings": ["Größe"],
}  # fmt: skip


def raw_rows(**columns: object) -> pd.DataFrame:
    usual = {
        "raw_row_id": ["0123456789abcdef:1"],
        "file_sha256": "0" * 64,
        "source": "csv",
        "kind": "recruits",
        "row_number": 1,
        "imported_at": pd.Timestamp("2026-11-01 09:00"),
        "disposition": "kept",
        "row_hash": "1" * 64,
    }
    return pd.DataFrame(usual | columns)


def test_findings_are_numbered_in_their_order_with_lists_as_json(study: StudyFolder) -> None:
    with writing(study) as con:
        assert (
            findings.replace(
                con, "a", pd.DataFrame([FINDING, FINDING | {"contrast": "x", "estimate": None, "n": 0}])
            )
            == 2
        )
        kept = rows.read(con, "findings")
    assert kept["number"].tolist() == [1, 2]
    assert kept["contrast"].tolist() == ["coach", "x"]
    assert kept["n_by_arm"][0] == '{"control": 2, "coach": 2}'
    assert kept["warnings"][0] == '["Größe"]'
    assert kept["estimate"].isna().tolist() == [False, True]
    assert kept["registered"].tolist() == [True, True]


def test_the_findings_of_one_analysis_replace_its_own_and_no_other(study: StudyFolder) -> None:
    two = pd.DataFrame([FINDING, FINDING])
    with writing(study) as con:
        findings.replace(con, "a", two)
        findings.replace(con, "b", two)
        findings.replace(con, "a", two.head(1))
        assert rows.read(con, "findings")["analysis"].tolist() == ["a", "b", "b"]
        assert findings.replace(con, "b", pd.DataFrame([])) == 0
        assert rows.read(con, "findings")["analysis"].tolist() == ["a"]


def test_a_finding_with_a_missing_flag_is_refused(study: StudyFolder) -> None:
    with pytest.raises(DataRefused, match="column blinded"), writing(study) as con:
        findings.replace(con, "a", pd.DataFrame([FINDING | {"blinded": None}]))


def test_the_first_outcome_is_the_first_row_that_is_no_recruit(append: Append, study: StudyFolder) -> None:
    append("raw_rows", raw_rows())
    with reading(study) as con:
        assert milestones.first_outcome_at(con) is None
    for number, hour in ((2, 12), (3, 11)):
        append(
            "raw_rows",
            raw_rows(
                raw_row_id=[f"0123456789abcdef:{number}"],
                row_number=number,
                kind="ratings",
                disposition="quarantined",
                imported_at=pd.Timestamp(2026, 11, 1, hour),
            ),
        )
    with reading(study) as con:
        assert milestones.first_outcome_at(con) == datetime.fromisoformat("2026-11-01T11:00+00:00")


def test_arrivals_with_a_gap_or_twice_are_found(filled: StudyFolder) -> None:
    words = "the arrivals of wave 1 in allocations are not numbered from 1 without a gap"
    with writing(filled) as con:
        assert words not in relations.broken(con)
        con.execute("UPDATE allocations SET arrival = 5 WHERE arrival = 4")
        assert words in relations.broken(con)
        con.execute("UPDATE allocations SET arrival = 2 WHERE arrival = 5")
        assert words in relations.broken(con)


def test_rows_that_speak_of_nothing_are_found(append: Append, study: StudyFolder) -> None:
    with reading(study) as con:
        assert relations.broken(con) == ()
    append(
        "ratings",
        pd.DataFrame({"conversation_id": ["c1", "c2"], "rater": "judge", "outcome": "warmth", "value": 3.0}),
    )
    with reading(study) as con:
        assert relations.broken(con) == (
            "2 rows of ratings have a conversation_id that is not in conversations",
        )
