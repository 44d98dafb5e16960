"""The gate: true arms meet outcomes after the unblinding event, and never before."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from forethought.errors import DataRefused
from forethought.protocol.columns import record_columns
from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.store import milestones, rows
from forethought.store.connection import reading, writing
from forethought.store.outcome_data import OutcomeData, arrivals, data_hash, outcome_data

Append = Callable[[str, pd.DataFrame], int]
Unblind = Callable[[str], None]

PLACEBO = {"pa": "control", "pb": "control", "pc": "coach", "pd": "coach"}
TRUE = {"pa": "coach", "pb": "control", "pc": "coach", "pd": "control"}


def opened(folder: StudyFolder, protocol: Protocol) -> OutcomeData:
    with reading(folder) as con:
        return outcome_data(con, protocol, PLACEBO)


def arms(data: OutcomeData) -> dict[str, str]:
    return dict(zip(data.frame["participant"], data.frame["arm"].astype(str), strict=True))


def trial_records(**columns: object) -> pd.DataFrame:
    usual = {"participant_id": None, "session": None, "raw_row_id": "f:1"}
    return pd.DataFrame(usual | columns)


def test_before_unblinding_the_arms_are_the_placebo(filled: StudyFolder, randomised: Protocol) -> None:
    data = opened(filled, randomised)
    assert data.blinded
    assert arms(data) == PLACEBO


def test_after_unblinding_the_study_the_arms_are_the_true_ones(
    filled: StudyFolder, randomised: Protocol, unblind: Unblind
) -> None:
    unblind("study")
    data = opened(filled, randomised)
    assert not data.blinded
    assert arms(data) == TRUE


def test_unblinding_one_participant_opens_nothing(
    filled: StudyFolder, randomised: Protocol, unblind: Unblind
) -> None:
    unblind("participant pa")
    assert arms(opened(filled, randomised)) == PLACEBO


def test_the_study_is_open_once_every_wave_is(filled: StudyFolder, unblind: Unblind) -> None:
    with writing(filled) as con:
        con.execute("INSERT INTO waves VALUES (2, '2026-12-01', 4, NULL)")
    unblind("wave 1")
    with reading(filled) as con:
        assert not milestones.unblinded(con)
    unblind("wave 2")
    with reading(filled) as con:
        assert milestones.unblinded(con)


def test_blinded_data_do_not_depend_on_the_true_arms(filled: StudyFolder, randomised: Protocol) -> None:
    before = opened(filled, randomised).frame
    with reading(filled) as con:
        hash_before = data_hash(con)
    with writing(filled) as con:
        con.execute("UPDATE allocations SET arm = 'sealed', probability = 0.1")
        assert data_hash(con) == hash_before
    pd.testing.assert_frame_equal(opened(filled, randomised).frame, before)


def test_nobody_else_can_make_outcome_data(filled: StudyFolder, randomised: Protocol) -> None:
    data = opened(filled, randomised)
    true_frame = data.frame.assign(arm=data.frame["participant"].map(TRUE))
    with pytest.raises(TypeError, match="only made by"):
        OutcomeData(frame=true_frame, blinded=True, gate=object())
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(data, frame=true_frame)
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.blinded = False  # type: ignore[misc]


def test_a_placebo_that_forgets_somebody_is_refused(filled: StudyFolder, randomised: Protocol) -> None:
    with reading(filled) as con:
        for placebo in (None, {"pa": "coach"}):
            with pytest.raises(ValueError, match="no arm for"):
                outcome_data(con, randomised, placebo)


def test_who_held_the_sessions_is_told_apart_from_the_frame(
    filled: StudyFolder, randomised: Protocol
) -> None:
    data = opened(filled, randomised)
    assert data.members == {"every_session": {"pa", "pb"}, "sessions_in_window": {"pa"}}
    assert not set(data.members) & set(data.frame.columns)


def test_who_held_the_sessions_is_the_same_before_and_after_the_unblinding(
    filled: StudyFolder, randomised: Protocol, unblind: Unblind
) -> None:
    blinded = opened(filled, randomised)
    unblind("study")
    assert opened(filled, randomised).members == blinded.members
    assert blinded.blinded


def test_there_is_a_row_for_each_session_with_the_columns_of_the_protocol(
    filled: StudyFolder, randomised: Protocol
) -> None:
    frame = opened(filled, randomised).frame
    expected = ["participant", "session", "arm", "round", "scenario", "wave", "warmth", "trait", "age", "sex"]
    assert list(frame.columns) == expected
    assert set(expected) == set(record_columns(randomised))
    assert list(zip(frame["participant"], frame["session"], strict=True)) == [
        (name, session) for name in ("pa", "pb", "pc", "pd") for session in ("first", "second")
    ]


def test_categories_have_the_protocols_levels_with_the_reference_first(
    filled: StudyFolder, randomised: Protocol
) -> None:
    frame = opened(filled, randomised).frame
    levels = {name: list(frame[name].cat.categories) for name in ("arm", "session", "scenario", "sex")}
    assert levels == {
        "arm": ["control", "coach"],
        "session": ["first", "second"],
        "scenario": ["job", "dad"],
        "sex": ["Female", "Male"],
    }


def test_numbers_are_numbers_and_missing_ones_missing(filled: StudyFolder, randomised: Protocol) -> None:
    frame = opened(filled, randomised).frame
    assert frame.dtypes[["round", "warmth", "trait", "age"]].unique().tolist() == [np.dtype("float64")]
    assert frame["round"].tolist() == [0, 1] * 4
    assert frame["age"].fillna(-1).tolist() == [30, 30, 31, 31, 32, 32, -1, -1]


def test_an_outcome_comes_from_its_own_scorer_and_counts_out_of_its_window_too(
    filled: StudyFolder, randomised: Protocol
) -> None:
    frame = opened(filled, randomised).frame
    assert frame["warmth"].fillna(-1).tolist() == [2, 4, 3, 5, 1, -1, -1, -1]


def test_a_scale_from_before_allocation_stands_in_all_rows_of_a_person(
    filled: StudyFolder, randomised: Protocol
) -> None:
    frame = opened(filled, randomised).frame
    assert frame["trait"].fillna(-1).tolist() == [12, 12, -1, -1, -1, -1, 9, 9]


def test_of_two_versions_of_a_score_the_newer_counts(filled: StudyFolder, randomised: Protocol) -> None:
    with writing(filled) as con:
        newer = rows.read(con, "scores").query("participant_id == 'pc'").assign(version="rated/2", value=5.0)
        rows.append(con, "scores", newer)
    assert opened(filled, randomised).frame["warmth"][4] == 5


def test_who_has_no_score_in_the_newer_version_has_none(filled: StudyFolder, randomised: Protocol) -> None:
    """Two ways of scoring are never mixed in one analysis."""
    with writing(filled) as con:
        newer = rows.read(con, "scores").query("participant_id == 'pc'").assign(version="rated/10", value=5.0)
        rows.append(con, "scores", newer)
    frame = opened(filled, randomised).frame
    assert set(frame.loc[frame["warmth"].notna(), "participant"]) == {"pc"}


def test_a_study_before_its_sessions_has_every_column_and_no_row(
    study: StudyFolder, randomised: Protocol
) -> None:
    frame = opened(study, randomised).frame
    assert frame.empty
    assert set(frame.columns) == set(record_columns(randomised))


def test_arrivals_are_in_order_and_without_arms(filled: StudyFolder) -> None:
    with reading(filled) as con:
        assert arrivals(con, 1) == [
            ("pa", "old", None),
            ("pb", "old", None),
            ("pd", "young", None),
            ("pc", "young", None),
        ]
        assert arrivals(con, 2) == []


def test_the_hash_of_the_data_changes_with_an_outcome_and_a_status(filled: StudyFolder) -> None:
    hashes = set()
    with writing(filled) as con:
        hashes.add(data_hash(con))
        con.execute("UPDATE scores SET value = 5 WHERE participant_id = 'pc'")
        hashes.add(data_hash(con))
        con.execute("UPDATE sessions SET status = 'done' WHERE participant_id = 'pd'")
        hashes.add(data_hash(con))
    assert len(hashes) == 3


def test_records_become_rows_with_a_column_for_each_variable(
    append: Append, study: StudyFolder, observed: Protocol
) -> None:
    append(
        "responses",
        trial_records(
            record_id=["row/00000002", "row/00000001", "row/00000001", "row/00000001", "row/00000002", "row/00000002"],
            item=["looking", "looking", "size", "method", "lab", "remark"],
            participant_id=["p2", "p1", "p1", "p1", "p2", "p2"],
            value=["0.1", "12.345678901234567", "large", "hpp", "oslo", " as it came "],
        ),
    )  # fmt: skip
    with reading(study) as con:
        data = outcome_data(con, observed)
    assert not data.blinded
    frame = data.frame
    assert list(frame.columns) == ["participant", "looking", "size", "method", "lab", "remark"]
    assert frame["participant"].tolist() == ["p1", "p2"]
    assert frame["looking"].tolist() == [12.345678901234567, 0.1]
    assert frame["size"].fillna(-1).tolist() == [2, -1]
    assert frame["method"].tolist()[0] == "hpp"
    assert frame["remark"].tolist()[1] == " as it came "
    assert frame.isna().sum().to_dict() == {
        "participant": 0,
        "looking": 0,
        "size": 1,
        "method": 1,
        "lab": 1,
        "remark": 1,
    }
    assert list(frame["method"].cat.categories) == ["screen", "hpp", "eye"]
    assert list(frame["lab"].cat.categories) == ["oslo"]


def test_what_recruitment_knew_is_no_record_of_an_observed_study(
    append: Append, study: StudyFolder, observed: Protocol
) -> None:
    append(
        "responses",
        trial_records(record_id=["p1/recruitment"], item="looking", session="recruitment", value="1"),
    )
    with reading(study) as con:
        assert outcome_data(con, observed).frame.empty


@pytest.mark.parametrize(
    ("item", "value", "message"),
    [
        ("looking", "soon", "'soon' is not a number"),
        ("method", "ear", "'ear' is not one of its levels: screen, hpp, eye"),
    ],
)
def test_a_value_that_the_protocol_does_not_allow_is_refused(
    append: Append, study: StudyFolder, observed: Protocol, item: str, value: str, message: str
) -> None:
    append("responses", trial_records(record_id=["row/00000001"], item=item, value=value))
    with pytest.raises(DataRefused, match=f"item {item}: {message}"), reading(study) as con:
        outcome_data(con, observed)
