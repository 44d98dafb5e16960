"""What was registered and not done is listed, once that can be said."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from forethought.deviations import Deed, SessionDone, WaveDone, not_done, planned
from forethought.registration import Registration

Lock = Callable[..., Registration]
Analysed = Callable[..., Deed]

ALWAYS = [
    ("Harm `upset`: Upset by a conversation", "nothing is recorded of it"),
    ("Exploratory question `by_age`: Does age matter?", "no result recorded"),
]
"""What no deed of this release can keep of the small plan."""


def missing(registration: Registration, deed: Deed) -> list[tuple[str, str]]:
    """What is listed besides the harm and the exploratory question, and why."""
    listed = [(one.what, one.why) for one in not_done(planned(registration), deed)]
    assert listed[-2:] == ALWAYS
    return listed[:-2]


def test_of_a_study_as_planned_only_what_has_no_record_is_listed(lock: Lock, as_planned: Deed) -> None:
    assert missing(lock(), as_planned) == []


def test_an_exploratory_question_is_no_promise(lock: Lock, as_planned: Deed) -> None:
    assert [one.promised for one in not_done(planned(lock()), as_planned)] == [True, False]


def test_nothing_is_said_before_there_is_an_analysis_on_the_true_arms(lock: Lock, as_planned: Deed) -> None:
    deed = replace(as_planned, analysis=None, scores=(), sessions=())
    assert not_done(planned(lock()), deed) == ()


@pytest.mark.parametrize(
    ("closed", "completed", "expected"),
    [
        (True, 97, [("Wave 1: 100 participants who complete", "97 did")]),
        (True, 103, []),
        (False, 3, []),
    ],
)
def test_a_target_is_missed_where_a_closed_wave_stays_below_it(
    lock: Lock, as_planned: Deed, closed: bool, completed: int, expected: list[tuple[str, str]]
) -> None:
    wave = WaveDone(number=1, closed=closed, completed=completed)
    assert missing(lock(), replace(as_planned, waves=(wave,))) == expected


def test_a_session_that_nobody_held_is_listed(lock: Lock, as_planned: Deed) -> None:
    second = SessionDone(session="second", held=0, outside=0, outside_registered=0)
    deed = replace(as_planned, sessions=(as_planned.sessions[0], second))
    assert missing(lock(), deed) == [("Session `second`: Second", "nobody held it")]


def test_an_outcome_without_scores_is_listed(lock: Lock, as_planned: Deed) -> None:
    scores = tuple(one for one in as_planned.scores if one.outcome != "advice")
    assert missing(lock(), replace(as_planned, scores=scores)) == [
        ("Outcome `advice`: Advice", "it has no scores")
    ]


def test_a_sensitivity_model_that_could_not_be_fitted_gives_its_error(
    analysed: Analysed, lock: Lock, as_planned: Deed
) -> None:
    models = tuple(
        replace(one, error="overall: no record.") if one.model == "plain" else one
        for one in as_planned.analysis.models
    )
    assert missing(lock(), analysed(as_planned, models=models)) == [
        ("Model `plain` (sensitivity) on outcome `overall`", "not fitted: overall: no record")
    ]


def test_a_model_that_was_taken_out_of_the_plan_is_listed(
    analysed: Analysed, lock: Lock, as_planned: Deed
) -> None:
    models = tuple(one for one in as_planned.analysis.models if one.outcome != "advice")
    assert missing(lock(), analysed(as_planned, models=models)) == [
        ("Model `main` on outcome `advice`", "not among the models that were fitted")
    ]


def test_a_hypothesis_without_any_result_is_one_line(
    analysed: Analysed, lock: Lock, as_planned: Deed
) -> None:
    findings = tuple(one for one in as_planned.analysis.findings if one.hypothesis != "h2")
    assert missing(lock(), analysed(as_planned, findings=findings)) == [
        ("Hypothesis `h2`: It helps overall.", "not run")
    ]


def test_of_a_hypothesis_with_some_results_the_missing_tests_are_listed(
    analysed: Analysed, lock: Lock, as_planned: Deed
) -> None:
    findings = tuple(
        one
        for one in as_planned.analysis.findings
        if (one.hypothesis, one.contrast) != ("h1", "coached_start")
    )
    assert missing(lock(), analysed(as_planned, findings=findings)) == [
        (
            "Hypothesis `h1`, model `main`: contrast `coached_start` on outcomes `warmth`, `advice`",
            "not run",
        )
    ]


def with_expected(data: Any) -> None:
    row = {"term": "Intercept", "estimate": "1.0"}
    data["analysis"]["expected"] = [
        {
            "id": "published",
            "label": "The first run",
            "source": "A paper",
            "model": "main",
            "outcome": "overall",
            "rounding": {"decimals": 1},
            "coefficients": [row],
        }
    ]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            (),
            [
                (
                    "Comparison with `published`: The first run",
                    "our numbers were not set beside the published ones",
                )
            ],
        ),
        (("published",), []),
    ],
)
def test_a_comparison_that_was_not_made_is_listed(
    analysed: Analysed, lock: Lock, as_planned: Deed, made: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    models = tuple(replace(one, expected=made) for one in as_planned.analysis.models)
    assert missing(lock(with_expected), analysed(as_planned, models=models)) == expected


def test_the_plan_is_the_locked_one_whatever_an_amendment_took_out(
    analysed: Analysed, lock: Lock, amend: Any, as_planned: Deed
) -> None:
    amended = amend(lock(), lambda data: data["analysis"]["hypotheses"].pop(1))
    findings = tuple(one for one in as_planned.analysis.findings if one.hypothesis != "h2")
    assert missing(amended, analysed(as_planned, findings=findings)) == [
        ("Hypothesis `h2`: It helps overall.", "not run")
    ]
