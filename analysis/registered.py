"""The registered analysis, run as written: models, contrasts, families, verdicts."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from forethought.analysis import estimands
from forethought.analysis.cells import CellMean, cell_means
from forethought.analysis.expected import compare
from forethought.analysis.families import Comparison, adjusted
from forethought.analysis.findings import Finding, finite
from forethought.analysis.inference import Estimate
from forethought.analysis.models import ModelResult, fit_model
from forethought.analysis.populations import Members, population_of, restricted
from forethought.analysis.preparation import PreparationStep, prepare
from forethought.analysis.verdicts import Criteria, Direction, Evidence, Verdict, judge
from forethought.protocol.analysis import Hypothesis
from forethought.protocol.protocol import Protocol

EVERYONE: Members = MappingProxyType({})
"""Of a protocol whose populations hold everyone: no rule on sessions has to be known."""
PLACEBO = "the arms are a placebo allocation drawn anew: this number says nothing of the study's arms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the analysis may claim: facts about the study, not choices of the analyst."""

    registered: bool
    locked_before_outcomes: bool
    blinded: bool
    simulated: bool
    wave: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredTest:
    """One contrast to report: which, with what weights, and for which hypothesis, if any."""

    id: Comparison
    weights: Mapping[str, float]
    hypothesis: Hypothesis | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisResult:
    """Everything the registered analysis gives; `records` are those prepared, of the analysis's population."""

    findings: tuple[Finding, ...]
    models: tuple[ModelResult, ...]
    preparation: tuple[PreparationStep, ...]
    records: pd.DataFrame


def run(
    protocol: Protocol, records: pd.DataFrame, standing: Standing, members: Members = EVERYONE
) -> AnalysisResult:
    """Prepare the records, fit every registered model to its population, and report every registered test.

    `records` has one row for each session of a participant, or for each trial; `members` says whom the populations
    with a rule on sessions hold. A model that cannot be fitted leaves its findings unevaluable with the reason;
    the rest stands.
    """
    prepared, steps = prepare(records, protocol.preparation)
    models = tuple(
        fit_model(model, outcome, restricted(prepared, population_of(model, protocol), members))
        for model in protocol.analysis.models
        for outcome in model.outcomes
    )
    own = protocol.populations_by_id[protocol.analysis.population]
    return AnalysisResult(
        findings=tuple(_findings(protocol, models, standing)),
        models=models,
        preparation=steps,
        records=restricted(prepared, own, members),
    )


def _findings(protocol: Protocol, models: tuple[ModelResult, ...], standing: Standing) -> Iterator[Finding]:
    level = 1 - protocol.analysis.alpha
    fitted = {(result.model.id, result.outcome): result for result in models}
    tests = [*_hypothesis_tests(protocol, fitted), *_coefficient_tests(protocol, models)]
    estimates = {
        test.id: estimate
        for test in tests
        if (estimate := fitted[test.id.model, test.id.outcome].estimate(test.weights, level)) is not None
    }
    p_values = {test: one.p for test, one in estimates.items() if not math.isnan(one.p)}
    in_family = adjusted(protocol.analysis.families, p_values)
    for test in tests:
        yield _finding(
            protocol,
            test,
            fitted[test.id.model, test.id.outcome],
            estimates.get(test.id),
            in_family.get(test.id),
            standing,
        )


def _hypothesis_tests(
    protocol: Protocol, fitted: Mapping[tuple[str, str], ModelResult]
) -> Iterator[RegisteredTest]:
    weights = {contrast.id: contrast.weights for contrast in protocol.analysis.contrasts}
    for hypothesis in protocol.analysis.hypotheses:
        for model in hypothesis.models:
            for outcome in hypothesis.outcomes:
                if (model, outcome) not in fitted:
                    continue
                for contrast in hypothesis.contrasts:
                    yield RegisteredTest(
                        id=Comparison(model, outcome, contrast),
                        weights=weights[contrast],
                        hypothesis=hypothesis,
                    )


def _coefficient_tests(protocol: Protocol, models: tuple[ModelResult, ...]) -> Iterator[RegisteredTest]:
    named = {
        term
        for contrast in protocol.analysis.contrasts
        for term, weight in contrast.weights.items()
        if len(contrast.weights) == 1 and weight == 1
    }
    for result in models:
        if result.model.report_coefficients and result.fit is not None:
            for term in result.fit.coefficients["term"]:
                if term not in named:
                    yield RegisteredTest(
                        id=Comparison(result.model.id, result.outcome, term),
                        weights={term: 1.0},
                        hypothesis=None,
                    )


def _finding(
    protocol: Protocol,
    test: RegisteredTest,
    result: ModelResult,
    estimate: Estimate | None,
    in_family: tuple[str, float | None] | None,
    standing: Standing,
) -> Finding:
    hypothesis = test.hypothesis
    family, p_adjusted = in_family if in_family else (None, estimate.p if estimate else None)
    role = _role(result, hypothesis)
    return Finding(
        hypothesis=hypothesis.id if hypothesis else None,
        model=test.id.model,
        outcome=test.id.outcome,
        contrast=test.id.contrast,
        **_numbers(estimate, result.outcome_sd),
        p_adjusted=finite(p_adjusted) if p_adjusted is not None else None,
        ci_level=1 - protocol.analysis.alpha,
        smallest_effect=hypothesis.smallest_effect if hypothesis else None,
        n=result.participants,
        n_by_arm=result.participants_by_arm,
        population=population_of(result.model, protocol).id,
        estimand=estimands.in_words(protocol.estimands_by_id[hypothesis.estimand]) if hypothesis else None,
        family=family,
        role=role,
        registered=standing.registered,
        confirmatory=standing.locked_before_outcomes
        and not standing.blinded
        and role in ("primary", "secondary"),
        blinded=standing.blinded,
        simulated=standing.simulated,
        wave=standing.wave,
        verdict=_verdict(protocol, hypothesis, test.id.outcome, estimate, p_adjusted, standing),
        warnings=_warnings(result, estimate, standing),
    )


def _numbers(estimate: Estimate | None, outcome_sd: float) -> dict[str, Any]:
    names = ("estimate", "se", "df", "statistic", "p", "ci_low", "ci_high")
    if estimate is None:
        return dict.fromkeys((*names, "effect_size"))
    numbers = {name: finite(getattr(estimate, name)) for name in names}
    return numbers | {"effect_size": finite(estimate.estimate / outcome_sd) if outcome_sd else None}


def _role(result: ModelResult, hypothesis: Hypothesis | None) -> str:
    if result.model.role in ("sensitivity", "exploratory"):
        return result.model.role
    return hypothesis.role if hypothesis else "secondary"


def _verdict(
    protocol: Protocol,
    hypothesis: Hypothesis | None,
    outcome: str,
    estimate: Estimate | None,
    p_adjusted: float | None,
    standing: Standing,
) -> Verdict:
    if hypothesis is None or estimate is None or standing.blinded:
        return Verdict.UNEVALUABLE
    return judge(
        _evidence(estimate, p_adjusted),
        Criteria.of(hypothesis),
        direction=_direction(protocol, hypothesis, outcome),
        smallest_effect=hypothesis.smallest_effect,
        alpha=protocol.analysis.alpha,
    )


def _evidence(one: Estimate, p_adjusted: float | None) -> Evidence:
    return Evidence(
        estimate=one.estimate,
        se=one.se,
        df=one.df,
        statistic=one.statistic,
        p=one.p,
        p_adjusted=p_adjusted,
        ci_low=one.ci_low,
        ci_high=one.ci_high,
    )


def _direction(protocol: Protocol, hypothesis: Hypothesis, outcome: str) -> Direction:
    if hypothesis.direction != "better":
        return hypothesis.direction
    return "greater" if protocol.outcomes_by_id[outcome].better == "higher" else "less"


def _warnings(result: ModelResult, estimate: Estimate | None, standing: Standing) -> tuple[str, ...]:
    found: list[str] = [PLACEBO] if standing.blinded else []
    if result.pruned:
        found.append(pruning_in_words(result))
    if result.error is not None:
        found.append(result.error)
    elif estimate is None:
        found.append("the contrast cannot be estimated: a coefficient was dropped from the model")
    elif math.isnan(estimate.se):
        found.append("there is no standard error: the outcome does not vary where the contrast looks")
    if result.fit is not None:
        found.extend(result.fit.warnings)
    return tuple(found)


def pruning_in_words(result: ModelResult) -> str:
    """Which formula stands in the place of the registered one, and why those before it gave way."""
    gave_way = "; then ".join(f"`{step.formula}` gave way ({step.reason})" for step in result.pruned)
    return f"fitted as `{result.formula}` by the registered pruning rule: {gave_way}"


def as_json(protocol: Protocol, result: AnalysisResult) -> dict[str, Any]:
    """Findings, models and preparation as the JSON values of `results.json`."""
    outcomes = dict.fromkeys(one.outcome for one in result.models)
    means = cell_means(protocol, result.records, outcomes)
    return {
        "findings": [finding.as_json() for finding in result.findings],
        "models": [_model_as_json(protocol, one, means[one.outcome]) for one in result.models],
        "preparation": [step.as_json() for step in result.preparation],
    }


def _model_as_json(protocol: Protocol, result: ModelResult, means: Sequence[CellMean]) -> dict[str, Any]:
    return {
        "model": result.model.id,
        "label": result.model.label,
        "outcome": result.outcome,
        "kind": result.model.kind,
        "role": result.model.role,
        "formula": result.formula,
        "pruned": [step.as_json() for step in result.pruned],
        "error": result.error,
        "fit": result.fit_as_json(),
        "cross_check": result.cross_check_as_json(),
        "cell_means": means,
        "expected": [
            compare(expected, result.fit)
            for expected in protocol.analysis.expected
            if expected.model == result.model.id and expected.outcome == result.outcome and result.fit
        ],
    }
