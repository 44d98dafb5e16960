"""What was done is counted for the plan, and the deviations found are kept as they were last found."""

from collections.abc import Callable
from datetime import UTC, datetime

import pandas as pd

from forethought.protocol.folder import StudyFolder
from forethought.store import deeds, deviations, freezing, rows
from forethought.store.connection import reading, writing
from forethought.store.deeds import ExclusionCount, ScoreCount, WaveCount

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
LATER = pd.Timestamp("2026-12-24 10:00")

Append = Callable[[str, pd.DataFrame], int]


def test_a_wave_counts_who_held_every_session_and_who_has_one_to_come(filled: StudyFolder) -> None:
    with reading(filled) as con:
        (wave,) = deeds.waves(con)
    assert wave == WaveCount(wave=1, closed=False, completed=2, in_progress=1, observed=0)


def test_a_wave_is_closed_once_its_enrolment_is(filled: StudyFolder) -> None:
    with writing(filled) as con:
        freezing.close_waves(con, NOW)
        (wave,) = deeds.waves(con)
    assert wave.closed


def test_whoever_is_allocated_and_has_no_sessions_yet_is_under_way(
    filled: StudyFolder, append: Append
) -> None:
    with reading(filled) as con:
        allocations = rows.read(con, "allocations")
    append("allocations", allocations.iloc[:1].assign(participant_id="pe", block=2))
    with reading(filled) as con:
        (wave,) = deeds.waves(con)
    assert (wave.completed, wave.in_progress) == (2, 2)


def test_a_wave_without_anybody_has_nobody(study: StudyFolder) -> None:
    with reading(study) as con:
        (wave,) = deeds.waves(con)
    assert (wave.completed, wave.in_progress, wave.observed) == (0, 0, 0)


def test_people_with_data_beyond_recruitment_are_observed(filled: StudyFolder, append: Append) -> None:
    answers = pd.DataFrame(
        [("pa/survey", "mood"), ("pa/survey", "joy"), ("pb/survey", "mood")], columns=["record_id", "item"]
    )
    people = answers["record_id"].str.slice(0, 2)
    append("responses", answers.assign(participant_id=people, session=None, value="3", raw_row_id="f:1"))
    with reading(filled) as con:
        (wave,) = deeds.waves(con)
    assert wave.observed == 2


def test_exclusions_are_counted_by_criterion_and_place(filled: StudyFolder, append: Append) -> None:
    with reading(filled) as con:
        one = rows.read(con, "exclusions")
    append("exclusions", one.assign(participant_id="pg", excluded_at=LATER))
    append("exclusions", one.assign(participant_id="ph", position=2))
    with reading(filled) as con:
        assert deeds.exclusions(con) == (
            ExclusionCount(
                criterion="adult", position=1, count=2, last_at=LATER.to_pydatetime().replace(tzinfo=UTC)
            ),
            ExclusionCount(criterion="adult", position=2, count=1, last_at=NOW),
        )


def test_scores_are_counted_by_scorer_and_version(filled: StudyFolder) -> None:
    with reading(filled) as con:
        assert deeds.scores(con) == (
            ScoreCount(outcome="trait", scorer="scale", version="scale/1", count=2),
            ScoreCount(outcome="warmth", scorer="crowd", version="rated/1", count=1),
            ScoreCount(outcome="warmth", scorer="judge", version="rated/1", count=5),
        )


# --- deviations ---


def found(*classes: tuple[str, str], at: pd.Timestamp) -> pd.DataFrame:
    """Deviations of these ids and classes, found at a time."""
    return pd.DataFrame(
        [(name, "alpha", "alpha 0.05", "alpha 0.01", own, at) for name, own in classes],
        columns=["deviation_id", "kind", "planned", "done", "class", "detected_at"],
    ).astype({"detected_at": "datetime64[us]"})


def kept(folder: StudyFolder) -> list[tuple[object, ...]]:
    with reading(folder) as con:
        table = rows.read(con, "deviations")[["deviation_id", "class", "detected_at"]]
    return list(table.itertuples(index=False, name=None))


FIRST = pd.Timestamp("2026-11-01 09:30")


def test_a_deviation_takes_its_new_class_and_keeps_the_time_when_it_was_first_found(
    study: StudyFolder,
) -> None:
    with writing(study) as con:
        deviations.replace(con, found(("a", "undeclared"), at=FIRST))
    with writing(study) as con:
        deviations.replace(con, found(("a", "declared after data"), ("b", "undeclared"), at=LATER))
    assert kept(study) == [("a", "declared after data", FIRST), ("b", "undeclared", LATER)]


def test_a_deviation_that_is_not_found_any_more_is_gone(study: StudyFolder) -> None:
    with writing(study) as con:
        deviations.replace(con, found(("a", "undeclared"), at=FIRST))
    with writing(study) as con:
        assert deviations.replace(con, found(at=LATER)) == 0
    assert kept(study) == []
