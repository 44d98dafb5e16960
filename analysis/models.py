"""One registered model fitted to one outcome; a fit that fails is a result with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

import pandas as pd

from forethought.analysis.fits import Estimate, Fit, fit_to_json
from forethought.analysis.lmm import lmer
from forethought.analysis.ols import ols
from forethought.errors import ModelNotFitted
from forethought.protocol.analysis import LinearModel, MixedModel, Model


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResult:
    """A model of one outcome: its fit, or why there is none."""

    model: Model
    outcome: str
    fit: Fit | None
    error: str | None
    outcome_sd: float
    participants: int
    participants_by_arm: Mapping[str, int] = field(default_factory=dict)

    def estimate(self, weights: Mapping[str, float], level: float) -> Estimate | None:
        """The contrast with these weights, or None where the model was not fitted or lacks a coefficient."""
        if self.fit is None or not set(weights) <= set(self.fit.coefficients["term"]):
            return None
        return self.fit.contrast(weights, level=level)

    def fit_as_json(self) -> dict[str, Any] | None:
        """The fit as `fit --json` prints it."""
        return None if self.fit is None else fit_to_json(self.fit)


def formula_for(model: Model, outcome: str) -> str:
    """The model's formula with the outcome in the place of `y`."""
    _, _, terms = model.formula.partition("~")
    return f"{outcome} ~ {terms.strip()}"


def fit_model(model: Model, outcome: str, records: pd.DataFrame) -> ModelResult:
    """Fit one registered model to the records that have its outcome; records without it are left out."""
    fit: Fit | None = None
    error: str | None = None
    try:
        fit = _fit(model, formula_for(model, outcome), records)
    except ModelNotFitted as failure:
        error = str(failure)
    analysed = records.loc[records[outcome].notna()] if outcome in records else records.iloc[:0]
    return ModelResult(
        model=model,
        outcome=outcome,
        fit=fit,
        error=error,
        outcome_sd=float(analysed[outcome].std()) if len(analysed) > 1 else float("nan"),
        participants=int(analysed["participant"].nunique()),
        participants_by_arm=_by_arm(analysed),
    )


def _fit(model: Model, formula: str, records: pd.DataFrame) -> Fit:
    match model:
        case MixedModel(estimation=estimation):
            return lmer(formula, records, reml=estimation == "reml", missing="drop")
        case LinearModel(cluster=cluster):
            return ols(formula, records, cluster=cluster, missing="drop")
        case _:
            assert_never(model)


def _by_arm(analysed: pd.DataFrame) -> dict[str, int]:
    if "arm" not in analysed:
        return {}
    counts = analysed.groupby("arm", observed=False)["participant"].nunique()
    return {str(arm): int(count) for arm, count in counts.items()}
