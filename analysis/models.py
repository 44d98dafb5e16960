"""One registered model fitted to one outcome; a fit that fails is a result with its reason."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, assert_never

import pandas as pd

from forethought.analysis.fits import Fit, fit_to_json
from forethought.analysis.inference import DdfMethod, Estimate
from forethought.analysis.lmm import MixedFit, lmer
from forethought.analysis.ols import ols
from forethought.errors import ModelNotFitted
from forethought.protocol.analysis import LinearModel, MixedModel, Model

DDF: Mapping[str, DdfMethod] = {"satterthwaite": "satterthwaite", "kenward_roger": "kenward-roger"}
"""The methods by the protocol's names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """A formula that gave way to the next one by the registered rule, and why."""

    formula: str
    reason: str

    def as_json(self) -> dict[str, str]:
        """The step as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResult:
    """A model of one outcome: its fit, or why there is none.

    `formula` is the one that stands, as the protocol spells it with `y`; `pruned` are those before it.
    """

    model: Model
    outcome: str
    formula: str
    pruned: tuple[Pruned, ...] = ()
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

    def cross_check_as_json(self) -> dict[str, Any] | None:
        """What a second program finds for a mixed model, or why it was not asked; None for other models."""
        return self.fit.cross_check().as_json() if isinstance(self.fit, MixedFit) else None


def formula_for(formula: str, outcome: str) -> str:
    """A model's formula with the outcome in the place of `y`."""
    _, _, terms = formula.partition("~")
    return f"{outcome} ~ {terms.strip()}"


def fit_model(model: Model, outcome: str, records: pd.DataFrame) -> ModelResult:
    """Fit one registered model to the records that have its outcome; records without it are left out.

    `records` are those of the model's population. A mixed model with a pruning rule gives way to the rule's next
    formula for as long as the rule says so; the last one stands whatever it gives.
    """
    formulas, when = _formulas(model), _when(model)
    pruned: list[Pruned] = []
    for formula in formulas:
        fit, error = _tried(model, formula_for(formula, outcome), records)
        reason = _reason(fit, error, when)
        if reason is None or len(pruned) == len(formulas) - 1:
            break
        pruned.append(Pruned(formula=formula, reason=reason))
    analysed = records.loc[records[outcome].notna()] if outcome in records else records.iloc[:0]
    return ModelResult(
        model=model,
        outcome=outcome,
        formula=formula,
        pruned=tuple(pruned),
        fit=fit,
        error=error,
        outcome_sd=float(analysed[outcome].std()) if len(analysed) > 1 else float("nan"),
        participants=int(analysed["participant"].nunique()),
        participants_by_arm=_by_arm(analysed),
    )


def _formulas(model: Model) -> tuple[str, ...]:
    """The registered formula and, in their order, those that may take its place."""
    simpler = model.pruning.formulas if isinstance(model, MixedModel) and model.pruning else ()
    return (model.formula, *simpler)


def _when(model: Model) -> tuple[str, ...]:
    return model.pruning.when if isinstance(model, MixedModel) and model.pruning else ()


def _reason(fit: Fit | None, error: str | None, when: tuple[str, ...]) -> str | None:
    """Why the rule makes this fit give way, or None where it stands."""
    reasons = []
    if "not_converged" in when:
        if fit is None:
            reasons.append(f"not fitted: {(error or '').rstrip('.')}")
        elif not fit.converged:
            reasons.append("not converged")
    if "singular" in when and fit is not None and fit.singular:
        reasons.append("singular: a variance is estimated as zero or a correlation as one")
    return "; ".join(reasons) or None


def _tried(model: Model, formula: str, records: pd.DataFrame) -> tuple[Fit | None, str | None]:
    """The fit, or None and the reason."""
    if records.empty:
        what = "no record of its population is left after the preparation"
        return None, str(ModelNotFitted(f"model {model.id}", what, "See who belongs to it so far"))
    try:
        return _fit(model, formula, records), None
    except ModelNotFitted as failure:
        return None, str(failure)


def _fit(model: Model, formula: str, records: pd.DataFrame) -> Fit:
    match model:
        case MixedModel(estimation=estimation, ddf=ddf):
            return lmer(formula, records, reml=estimation == "reml", missing="drop", ddf=DDF[ddf])
        case LinearModel(cluster=cluster):
            return ols(formula, records, cluster=cluster, missing="drop")
        case _:
            assert_never(model)


def _by_arm(analysed: pd.DataFrame) -> dict[str, int]:
    if "arm" not in analysed:
        return {}
    counts = analysed.groupby("arm", observed=False)["participant"].nunique()
    return {str(arm): int(count) for arm, count in counts.items()}
