"""The registered pruning rule: what makes a mixed model give way, what stands, and what is said of it."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.models import ModelResult, Pruned, fit_model
from forethought.analysis.registered import AnalysisResult, Standing, as_json, pruning_in_words, run
from forethought.protocol.analysis import MixedModel
from forethought.protocol.formats import upgraded
from forethought.protocol.protocol import Protocol

FULL = "y ~ day + (day | person)"
UNCORRELATED = "y ~ day + (day || person)"
LEVELS = "y ~ day + (1 | person)"


def model(
    formula: str = FULL, *formulas: str, when: tuple[str, ...] = ("not_converged", "singular")
) -> MixedModel:
    pruning = {"when": list(when), "formulas": list(formulas)} if formulas else None
    return MixedModel.model_validate(
        {
            "kind": "mixed",
            "id": "growth",
            "label": "growth",
            "formula": formula,
            "outcomes": ["speed"],
            "role": "primary",
            "pruning": pruning,
        },
        strict=False,
    )


def records(*, level_sd: float, slope_sd: float) -> pd.DataFrame:
    """Forty people over six days; levels and slopes apart, so that a spread of zero is estimated as zero.

    Each person's noise is orthogonal to level and slope, and so is what is between people: with no spread of its own
    a random effect has less than the noise would give it, and its variance is estimated as exactly zero.
    """
    rng = np.random.default_rng(7)
    days = np.arange(6.0)
    people = 40
    level, slope = (np.resize([1.0, -1.0], people), np.resize([1.0, 1.0, -1.0, -1.0], people))
    noise = rng.normal(size=(people, len(days)))
    basis = np.linalg.qr(np.column_stack([np.ones_like(days), days]))[0]
    noise -= noise @ basis @ basis.T
    speed = level_sd * level[:, None] + (0.5 + slope_sd * slope[:, None]) * days + noise
    return pd.DataFrame(
        {
            "participant": np.repeat([f"p{one:02d}" for one in range(people)], len(days)),
            "person": np.repeat([f"p{one:02d}" for one in range(people)], len(days)),
            "day": np.tile(days, people),
            "speed": speed.ravel(),
        }
    )


LEVELS_ONLY = records(level_sd=2.0, slope_sd=0.0)
BOTH = records(level_sd=2.0, slope_sd=0.8)
NEITHER = records(level_sd=0.0, slope_sd=0.0)


def formulas(result: ModelResult) -> tuple[str, ...]:
    return tuple(step.formula for step in result.pruned)


def test_the_data_are_what_the_tests_say() -> None:
    assert fit_model(model(FULL), "speed", LEVELS_ONLY).fit.singular  # type: ignore[union-attr]
    assert not fit_model(model(LEVELS), "speed", LEVELS_ONLY).fit.singular  # type: ignore[union-attr]
    assert not fit_model(model(FULL), "speed", BOTH).fit.singular  # type: ignore[union-attr]
    assert fit_model(model(LEVELS), "speed", NEITHER).fit.singular  # type: ignore[union-attr]


def test_a_singular_fit_gives_way_to_the_next_formula() -> None:
    result = fit_model(model(FULL, LEVELS), "speed", LEVELS_ONLY)
    assert result.formula == LEVELS
    assert result.pruned == (
        Pruned(formula=FULL, reason="singular: a variance is estimated as zero or a correlation as one"),
    )
    assert result.fit is not None
    assert result.fit.formula == "speed ~ day + (1 | person)"


def test_the_formulas_are_tried_in_their_order() -> None:
    result = fit_model(model(FULL, UNCORRELATED, LEVELS), "speed", LEVELS_ONLY)
    assert (formulas(result), result.formula) == ((FULL, UNCORRELATED), LEVELS)


def test_a_fit_that_the_data_carry_stands() -> None:
    result = fit_model(model(FULL, UNCORRELATED, LEVELS), "speed", BOTH)
    assert (result.formula, result.pruned) == (FULL, ())


def test_trying_stops_at_the_first_formula_that_the_data_carry() -> None:
    result = fit_model(model(FULL, LEVELS, UNCORRELATED), "speed", LEVELS_ONLY)
    assert (formulas(result), result.formula) == ((FULL,), LEVELS)


def test_the_last_formula_stands_though_it_is_singular_too() -> None:
    result = fit_model(model(FULL, LEVELS), "speed", NEITHER)
    assert (formulas(result), result.formula) == ((FULL,), LEVELS)
    assert result.fit is not None
    assert result.fit.singular


def test_a_model_without_a_rule_stands_as_it_is_written() -> None:
    result = fit_model(model(FULL), "speed", LEVELS_ONLY)
    assert (result.formula, result.pruned) == (FULL, ())


def test_a_singular_fit_stands_where_the_rule_asks_for_convergence_alone() -> None:
    result = fit_model(model(FULL, LEVELS, when=("not_converged",)), "speed", LEVELS_ONLY)
    assert (result.formula, result.pruned) == (FULL, ())


def without_convergence(monkeypatch: pytest.MonkeyPatch, formula: str) -> None:
    """Let the fit of one formula not converge, as an optimiser may that runs out of steps."""
    from forethought.analysis import models

    whole = models.lmer

    class Unconverged:
        def __init__(self, fit: Any) -> None:
            self._fit = fit

        def __getattr__(self, name: str) -> Any:
            return False if name == "converged" else getattr(self._fit, name)

    def fitted(text: str, *args: Any, **named: Any) -> Any:
        fit = whole(text, *args, **named)
        return Unconverged(fit) if text == formula else fit

    monkeypatch.setattr(models, "lmer", fitted)


@pytest.mark.parametrize(
    ("when", "stands"),
    [(("not_converged",), LEVELS), (("singular",), FULL), (("singular", "not_converged"), LEVELS)],
)
def test_a_fit_that_did_not_converge_gives_way_where_the_rule_says_so(
    monkeypatch: pytest.MonkeyPatch, when: tuple[str, ...], stands: str
) -> None:
    without_convergence(monkeypatch, "speed ~ day + (day | person)")
    assert fit_model(model(FULL, LEVELS, when=when), "speed", BOTH).formula == stands


@pytest.mark.parametrize(
    ("when", "stands"), [(("not_converged",), LEVELS), (("singular",), "y ~ day + (1 | nobody)")]
)
def test_a_model_that_cannot_be_fitted_gives_way_as_one_that_did_not_converge(
    when: tuple[str, ...], stands: str
) -> None:
    result = fit_model(model("y ~ day + (1 | nobody)", LEVELS, when=when), "speed", BOTH)
    assert result.formula == stands
    assert (result.fit is None) is (stands != LEVELS)
    if result.pruned:
        assert result.pruned[0].reason.startswith("not fitted: model: the data have no column `nobody`")


def test_where_no_formula_can_be_fitted_the_last_ones_reason_stands() -> None:
    result = fit_model(model("y ~ day + (1 | nobody)", "y ~ day + (1 | no_one)"), "speed", BOTH)
    assert result.fit is None
    assert "no_one" in (result.error or "")
    assert formulas(result) == ("y ~ day + (1 | nobody)",)


def test_the_pruned_model_gives_what_the_simpler_one_gives_by_itself() -> None:
    pruned = fit_model(model(FULL, LEVELS), "speed", LEVELS_ONLY)
    alone = fit_model(model(LEVELS), "speed", LEVELS_ONLY)
    assert pruned.estimate({"day": 1.0}, 0.95) == alone.estimate({"day": 1.0}, 0.95)


def test_what_is_said_of_it_names_every_formula_and_reason() -> None:
    result = fit_model(model(FULL, UNCORRELATED, LEVELS), "speed", LEVELS_ONLY)
    words = pruning_in_words(result)
    assert words.startswith(
        f"fitted as `{LEVELS}` by the registered pruning rule: `{FULL}` gave way (singular"
    )
    assert f"; then `{UNCORRELATED}` gave way (singular" in words


# --- in the results ---

OPEN = Standing(registered=True, locked_before_outcomes=True, blinded=False, simulated=False, wave=1)


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    """People's speed day by day; the second model carries what the first does not."""
    rule = {"when": ["singular"], "formulas": [LEVELS]}
    growth = {
        "kind": "mixed",
        "label": "g",
        "outcomes": ["speed"],
        "report_coefficients": True,
        "formula": FULL,
    }
    plan: dict[str, Any] = {
        "format": "forethought-protocol/1",
        "study": {"id": "s", "title": "s", "summary": "s", "authors": [{"name": "a"}], "ethics": "e"},
        "waves": [{"number": 1, "opens": "2026-11-01T09:00:00+00:00", "target": 40}],
        "allocation": "none",
        "imports": {},
        "analysis": {
            "population": "all_records",
            "missing_data": "none",
            "models": [
                {**growth, "id": "growth", "role": "primary", "pruning": rule},
                {**growth, "id": "levels", "role": "sensitivity", "formula": LEVELS, "pruning": rule},
            ],
        },
    }
    return Protocol.model_validate_json(json.dumps(upgraded(plan)))


@pytest.fixture(scope="module")
def result(protocol: Protocol) -> AnalysisResult:
    return run(protocol, LEVELS_ONLY, OPEN)


def test_findings_of_a_pruned_model_name_the_formula_fitted(result: AnalysisResult) -> None:
    warnings = {one.model: one.warnings for one in result.findings}
    singular = "singular: a variance is estimated as zero or a correlation as one"
    words = f"fitted as `{LEVELS}` by the registered pruning rule: `{FULL}` gave way ({singular})"
    assert warnings["growth"] == (words,)
    assert warnings["levels"] == ()


def test_the_results_hold_the_formula_fitted_and_those_that_gave_way(
    protocol: Protocol, result: AnalysisResult
) -> None:
    growth, levels = as_json(protocol, result)["models"]
    assert growth["formula"] == levels["formula"] == LEVELS
    assert growth["fit"]["formula"] == "speed ~ day + (1 | person)"
    assert growth["pruned"] == [
        {"formula": FULL, "reason": "singular: a variance is estimated as zero or a correlation as one"}
    ]
    assert levels["pruned"] == []


def test_a_blinded_analysis_prunes_by_the_placebos_own_fit(protocol: Protocol) -> None:
    blinded = run(protocol, LEVELS_ONLY, replace(OPEN, blinded=True))
    assert all("placebo" in one.warnings[0] for one in blinded.findings)
    assert [one.formula for one in blinded.models] == [LEVELS, LEVELS]
