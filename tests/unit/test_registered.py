"""The registered analysis: what is reported, what it may be called, and what a failure leaves standing."""

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.cells import cell_means
from forethought.analysis.registered import AnalysisResult, Standing, as_json, run
from forethought.analysis.verdicts import Verdict
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.simulation.world import outcome_world

OPEN = Standing(registered=True, locked_before_outcomes=True, blinded=False, simulated=False, wave=1)
ARMS = ("control", "video", "coach", "both")
EVERYONE = frozenset(f"p{person:03d}" for person in range(160))
HELD = {"every_session": EVERYONE, "sessions_in_window": EVERYONE}
"""Everybody held all three conversations inside their windows."""


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load(Path(str(files("forethought.protocols") / "lend_an_ear" / "protocol.yaml"))).protocol


@pytest.fixture(scope="module")
def records(protocol: Protocol) -> pd.DataFrame:
    """Forty people in each arm, three conversations each, drawn from the protocol's own world."""
    world, rng = outcome_world(protocol), np.random.default_rng(20260101)
    arms = np.repeat(np.arange(4), 40)
    stimuli = np.array([rng.permutation(5)[:3] for _ in arms])
    order = [list(world.arms).index(arm) for arm in ARMS]
    drawn = world.draw(np.array(order)[arms], stimuli, rng).reshape(len(arms) * 3, -1)
    frame = pd.DataFrame(drawn.astype(float), columns=list(world.outcomes))
    frame["overall_empathy"] = sum(
        sign * frame[name] for name, sign in protocol.outcomes_by_id["overall_empathy"].weights.items()
    )
    frame["participant"] = [f"p{person:03d}" for person in range(len(arms)) for _ in range(3)]
    frame["session"] = [session.id for session in protocol.sessions] * len(arms)
    frame["round"] = [0.0, 1.0, 1.0] * len(arms)
    frame["arm"] = pd.Categorical([ARMS[arm] for arm in arms for _ in range(3)], categories=ARMS)
    frame["scenario"] = pd.Categorical([protocol.stimuli.items[one] for one in stimuli.ravel()])
    return frame


@pytest.fixture(scope="module")
def result(protocol: Protocol, records: pd.DataFrame) -> AnalysisResult:
    return run(protocol, records, OPEN, HELD)


def test_every_test_of_every_hypothesis_is_reported_once(protocol: Protocol, result: AnalysisResult) -> None:
    registered = {
        (hypothesis.id, model.id, outcome, contrast)
        for hypothesis in protocol.analysis.hypotheses
        for model in protocol.analysis.models
        if model.id in hypothesis.models
        for outcome in set(hypothesis.outcomes) & set(model.outcomes)
        for contrast in hypothesis.contrasts
    }
    found = [(f.hypothesis, f.model, f.outcome, f.contrast) for f in result.findings if f.hypothesis]
    assert len(found) == len(registered)
    assert set(found) == registered


def test_an_interaction_is_the_difference_of_differences_of_cell_means(
    protocol: Protocol, records: pd.DataFrame, result: AnalysisResult
) -> None:
    cells = {
        (row["arm"], row["session"]): row["mean"]
        for row in cell_means(protocol, records, ["validating_emotions"])["validating_emotions"]
    }

    def change(arm: str) -> float:
        first, *later = (cells[arm, session.id] for session in protocol.sessions)
        return float(np.mean(later) - first)

    (finding,) = (
        f
        for f in result.findings
        if (f.model, f.outcome, f.contrast) == ("registered", "validating_emotions", "coach_x_round")
    )
    assert finding.estimate == pytest.approx(change("coach") - change("control"), abs=1e-12)


def test_the_effect_size_is_in_standard_deviations_of_the_outcome(
    records: pd.DataFrame, result: AnalysisResult
) -> None:
    first = result.findings[0]
    assert first.estimate is not None
    assert first.effect_size == pytest.approx(first.estimate / records[first.outcome].std(), rel=1e-12)


def test_a_sensitivity_model_gives_sensitivity_findings_that_confirm_nothing(result: AnalysisResult) -> None:
    mixed = [finding for finding in result.findings if finding.model == "mixed"]
    assert mixed
    assert {(finding.role, finding.confirmatory) for finding in mixed} == {("sensitivity", False)}


@pytest.mark.parametrize(
    ("standing", "confirmatory"),
    [
        (OPEN, True),
        (replace(OPEN, locked_before_outcomes=False), False),
        (replace(OPEN, registered=False, locked_before_outcomes=False), False),
        (replace(OPEN, blinded=True), False),
    ],
)
def test_a_finding_is_confirmatory_only_if_locked_before_the_outcomes_and_unblinded(
    protocol: Protocol, records: pd.DataFrame, standing: Standing, confirmatory: bool
) -> None:
    primary = [f for f in run(protocol, records, standing, HELD).findings if f.role == "primary"]
    assert {finding.confirmatory for finding in primary} == {confirmatory}


def test_a_blinded_finding_has_no_verdict_and_says_that_its_arms_are_placebo(
    protocol: Protocol, records: pd.DataFrame
) -> None:
    findings = run(protocol, records, replace(OPEN, blinded=True), HELD).findings
    assert {finding.verdict for finding in findings} == {Verdict.UNEVALUABLE}
    assert all("placebo" in finding.warnings[0] for finding in findings)


def test_an_outcome_without_a_value_leaves_the_rest_of_the_analysis_standing(
    protocol: Protocol, records: pd.DataFrame
) -> None:
    result = run(protocol, records.assign(validating_emotions=np.nan), OPEN, HELD)
    lost = [f for f in result.findings if f.outcome == "validating_emotions"]
    kept = [f for f in result.findings if f.outcome == "advice_giving"]
    assert {finding.verdict for finding in lost} == {Verdict.UNEVALUABLE}
    assert all(finding.warnings and finding.estimate is None for finding in lost)
    assert all(finding.estimate is not None for finding in kept)


def test_n_counts_participants_in_all_and_by_arm(result: AnalysisResult) -> None:
    assert {finding.n for finding in result.findings} == {160}
    assert result.findings[0].n_by_arm == dict.fromkeys(ARMS, 40)


def test_the_json_values_hold_no_number_that_json_does_not_know(
    protocol: Protocol, result: AnalysisResult
) -> None:
    assert json.dumps(as_json(protocol, result), allow_nan=False)


@pytest.mark.filterwarnings("error")
def test_a_contrast_of_arms_in_which_nobody_varies_is_unevaluable_and_says_why(
    protocol: Protocol, records: pd.DataFrame
) -> None:
    """Of two arms in which everybody rises from 3 to 5, no difference can be told from chance, and none was seen."""
    ceiling = records["arm"].isin(["coach", "both"])
    risen = records["validating_emotions"].mask(ceiling, 3 + 2 * records["round"])
    result = run(protocol, records.assign(validating_emotions=risen), OPEN, HELD)
    (finding,) = (
        f
        for f in result.findings
        if (f.model, f.outcome, f.contrast) == ("registered", "validating_emotions", "both_vs_coach")
    )
    assert finding.estimate == pytest.approx(0)
    assert (finding.se, finding.p, finding.ci_low, finding.verdict) == (None, None, None, Verdict.UNEVALUABLE)
    assert "there is no standard error" in finding.warnings[-1]


def test_a_finding_without_a_p_value_keeps_its_family(protocol: Protocol, records: pd.DataFrame) -> None:
    """Its name is the plan's, and Holm's method counts the test as p = 1 whether or not it could be run."""
    result = run(protocol, records.assign(validating_emotions=np.nan), OPEN, HELD)
    lost = [f for f in result.findings if (f.model, f.outcome) == ("registered", "validating_emotions")]
    families = {f.contrast: f.family for f in lost}
    assert families["coach_x_round"] == "training_vs_control"
    assert families["both_vs_coach"] == "pairwise"
    assert {(f.p, f.p_adjusted) for f in lost} == {(None, None)}


def test_the_criteria_of_the_hypothesis_are_what_judges(
    protocol: Protocol, records: pd.DataFrame, result: AnalysisResult
) -> None:
    """With its two criteria exchanged, a hypothesis gets the other verdict."""
    analysis = protocol.analysis
    exchanged = [
        one.model_copy(update={"corroborate_if": one.falsify_if, "falsify_if": one.corroborate_if})
        for one in analysis.hypotheses
    ]
    turned = protocol.model_copy(
        update={"analysis": analysis.model_copy(update={"hypotheses": tuple(exchanged)})}
    )
    opposite = {Verdict.CORROBORATED: Verdict.FALSIFIED, Verdict.FALSIFIED: Verdict.CORROBORATED}
    as_registered = [f.verdict for f in result.findings]
    as_turned = [f.verdict for f in run(turned, records, OPEN, HELD).findings]
    assert Verdict.CORROBORATED in as_registered
    assert as_turned == [opposite.get(one, one) for one in as_registered]


def test_better_of_an_outcome_of_which_less_is_better_is_judged_mirrored(
    protocol: Protocol, records: pd.DataFrame
) -> None:
    """Ratings of unasked advice fall with training, which the hypothesis calls better."""
    less = records["advice_giving"] - 2 * records["round"] * (records["arm"] != "control")
    result = run(protocol, records.assign(advice_giving=less), OPEN, HELD)
    found = [
        f for f in result.findings if (f.hypothesis, f.model) == ("advice_giving_improves", "registered")
    ]
    assert all(f.estimate is not None and f.estimate < -1 for f in found)
    assert {f.verdict for f in found} == {Verdict.CORROBORATED}
