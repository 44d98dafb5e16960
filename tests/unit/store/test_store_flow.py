"""Everyone is counted once at each stage, and by arm only once the arms may be known."""

from collections.abc import Callable

import pandas as pd

from forethought.protocol.folder import StudyFolder
from forethought.store import flow
from forethought.store.connection import reading, writing
from forethought.store.flow import ArmCounts, FlowCounts, ReasonCount, SessionCount, StratumCount

Unblind = Callable[[str], None]


def counted(folder: StudyFolder, **options: object) -> FlowCounts:
    with reading(folder) as con:
        return flow.flow(con, **options)  # type: ignore[arg-type]


def assert_adds_up(counts: FlowCounts) -> None:
    assert (
        counts.assessed
        == sum(reason.count for reason in counts.excluded) + counts.waiting + counts.randomised
    )
    assert counts.together.allocated == counts.randomised
    for part in (counts.together, *counts.arms):
        assert part.allocated == part.analysed + part.in_progress + part.not_analysed
        assert min(part.analysed, part.in_progress, part.not_analysed) >= 0
        assert sum(count for _, count in part.lost) <= part.allocated
        assert all(session.planned <= part.allocated for session in part.sessions)
    if counts.arms:
        assert sum(arm.allocated for arm in counts.arms) == counts.randomised
        assert sum(arm.analysed for arm in counts.arms) == counts.together.analysed


def test_everyone_who_came_is_excluded_waiting_or_randomised(filled: StudyFolder) -> None:
    counts = counted(filled)
    assert_adds_up(counts)
    assert (counts.assessed, counts.waiting, counts.randomised) == (6, 1, 4)
    assert counts.excluded == (ReasonCount(criterion="adult", reason="Under 18", count=1),)


def test_before_unblinding_all_arms_are_counted_together(filled: StudyFolder) -> None:
    counts = counted(filled, arms=["control", "coach"], received={"pa": "coach"})
    assert counts.arms == ()
    assert counts.together == ArmCounts(
        arm=None,
        allocated=4,
        received=None,
        received_another=None,
        sessions=(
            SessionCount(session="first", done=3, out_of_window=0, missed=0, still_open=1),
            SessionCount(session="second", done=1, out_of_window=1, missed=1, still_open=1),
        ),
        lost=(("second", 1),),
        in_progress=1,
        analysed=3,
    )


def test_after_unblinding_each_arm_is_counted_in_the_protocols_order(
    filled: StudyFolder, unblind: Unblind
) -> None:
    unblind("study")
    counts = counted(filled, arms=["control", "coach"])
    assert_adds_up(counts)
    assert [(arm.arm, arm.allocated, arm.analysed, arm.in_progress) for arm in counts.arms] == [
        ("control", 2, 1, 1),
        ("coach", 2, 2, 0),
    ]
    assert counts.arms[1].lost == (("second", 1),)
    assert counts.arms[0].received is None


def test_the_arm_received_is_counted_where_it_is_known(filled: StudyFolder, unblind: Unblind) -> None:
    unblind("study")
    counts = counted(filled, arms=["control", "coach"], received={"pa": "coach", "pb": "coach"})
    assert [(arm.received, arm.received_another) for arm in counts.arms] == [(0, 1), (1, 0)]
    assert (counts.together.received, counts.together.received_another) == (1, 1)


def test_somebody_without_a_score_whose_sessions_are_over_is_not_analysed(filled: StudyFolder) -> None:
    with writing(filled) as con:
        con.execute("UPDATE sessions SET status = 'missed' WHERE participant_id = 'pd'")
    counts = counted(filled)
    assert_adds_up(counts)
    assert (counts.together.analysed, counts.together.in_progress, counts.together.not_analysed) == (3, 0, 1)
    assert counts.together.lost == (("first", 1), ("second", 1))


def test_somebody_allocated_and_not_yet_scheduled_is_in_progress(filled: StudyFolder) -> None:
    with writing(filled) as con:
        con.execute("DELETE FROM sessions WHERE participant_id = 'pd'")
    counts = counted(filled)
    assert_adds_up(counts)
    assert counts.together.in_progress == 1


def test_an_outcome_that_came_out_of_its_window_is_analysed_all_the_same(filled: StudyFolder) -> None:
    with writing(filled) as con:
        con.execute("UPDATE sessions SET status = 'out_of_window' WHERE participant_id = 'pc'")
    assert counted(filled).together.analysed == 3


def test_an_empty_study_counts_nobody(study: StudyFolder) -> None:
    counts = counted(study)
    assert_adds_up(counts)
    assert (counts.assessed, counts.observed, counts.records) == (0, 0, 0)


def test_a_study_that_is_not_randomised_counts_participants_and_records(
    study: StudyFolder, append: Callable[[str, pd.DataFrame], int]
) -> None:
    append(
        "participants",
        pd.DataFrame({"participant_id": ["p1", "p2"], "wave": 1, "status": "observed", "service_status": None, "arrived_at": None}),
    )  # fmt: skip
    append(
        "responses",
        pd.DataFrame({"record_id": ["row/1", "row/1", "row/2", "row/3"], "item": ["a", "b", "a", "a"], "participant_id": ["p1", "p1", "p1", "p2"],
                      "session": None, "value": "1", "raw_row_id": "f:1"}),
    )  # fmt: skip
    counts = counted(study)
    assert (counts.observed, counts.records) == (2, 3)
    assert (counts.assessed, counts.randomised) == (0, 0)


def test_strata_are_counted_by_arm_only_after_unblinding(filled: StudyFolder, unblind: Unblind) -> None:
    with reading(filled) as con:
        assert flow.balance(con) == (
            StratumCount(wave=1, stratum="old", allocated=2, by_arm={}),
            StratumCount(wave=1, stratum="young", allocated=2, by_arm={}),
        )
    unblind("study")
    with reading(filled) as con:
        assert flow.balance(con)[0].by_arm == {"coach": 1, "control": 1}
