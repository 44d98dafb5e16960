"""Fit one mixed model to a CSV file, and answer what is asked of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from forethought.analysis.anova import term_tests
from forethought.analysis.emmeans import Adjustment, Contrasts, FamilyName, MarginalMeans, emmeans
from forethought.analysis.fits import finite, fit_to_json, records
from forethought.analysis.inference import DdfMethod
from forethought.analysis.lmm import MixedFit, lmer
from forethought.analysis.lmm.intervals import IntervalMethod
from forethought.analysis.term_contrasts import TestType
from forethought.errors import InvalidFormula, ModelNotFitted, WrongUsage
from forethought.grammar import CONTRASTS, parse_contrasts
from forethought.steps.csv_file import read_csv
from forethought.steps.reference_levels import check_references, with_references


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What is fitted. codings: of factors, by name, as `sum`; references: of factors, the level that comes first.

    A reference level is the first one for everything: the treatment coding, the order of means, the control.
    """

    formula: str
    reml: bool = True
    ddf: DdfMethod = "satterthwaite"
    weights: str | None = None
    codings: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.ddf == "kenward-roger" and not self.reml:
            what = "Kenward and Roger's degrees of freedom need a fit by REML, and --ml asks for another"
            raise WrongUsage("--ddf", what, "Leave --ml out, or take --ddf satterthwaite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Which marginal means are wanted, and which contrasts of them, none where None; `at` as texts."""

    names: Sequence[str]
    by: Sequence[str] = ()
    at: Mapping[str, Sequence[str]] = field(default_factory=dict)
    contrasts: FamilyName | None = None
    adjust: Adjustment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What is asked of the fit beside its coefficients; nothing where None."""

    anova: TestType | None = None
    intervals: IntervalMethod | None = None
    means: Means | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A fit and the answers to what was asked of it."""

    fit: MixedFit
    asked: Questions
    anova: pd.DataFrame | None
    intervals: pd.DataFrame | None
    means: MarginalMeans | None
    contrasts: Contrasts | None

    def as_json(self) -> dict[str, Any]:
        """JSON values; the keys of what was not asked for are absent."""
        fit = self.fit
        value = fit_to_json(fit) | {"aic": finite(fit.aic), "bic": finite(fit.bic), **_shares(fit)}
        if self.anova is not None:
            value |= {"anova_type": self.asked.anova, "anova": records(self.anova)}
        if self.intervals is not None:
            value |= {"intervals_method": self.asked.intervals, "intervals": records(self.intervals)}
        if self.means is not None:
            value |= {"means": records(self.means.table), "means_notes": list(self.means.notes)}
        if (contrasts := self.contrasts) is not None:
            value |= {"contrasts_adjust": contrasts.adjust, "contrasts": records(contrasts.table)}
            value |= {"contrasts_notes": list(contrasts.notes)}
        return value


def fit(data: Path, model: Model, asked: Questions | None = None) -> Fitted:
    """Read the file, fit the model, answer the questions. Rows with missing values are left out and counted.

    WrongUsage: no such file, no such factor or level in the model's codings and references. DataRefused: no CSV file.
    ModelNotFitted: data that cannot carry the model, means that the model does not have.
    """
    asked = asked or Questions()
    fitted = _fitted(with_references(read_csv(data), model.references), model)
    means = None if asked.means is None else _means(fitted, asked.means)
    return Fitted(
        fit=fitted,
        asked=asked,
        anova=None if asked.anova is None else term_tests(fitted, type=asked.anova),
        intervals=None if asked.intervals is None else fitted.intervals(asked.intervals),
        means=means,
        contrasts=_contrasts(means, asked.means),
    )


def _fitted(frame: pd.DataFrame, model: Model) -> MixedFit:
    codings = {name: _coding(coding) for name, coding in model.codings.items()}
    try:
        found = lmer(
            model.formula,
            frame,
            reml=model.reml,
            missing="drop",
            ddf=model.ddf,
            weights=model.weights,
            contrasts=codings,
        )
    except ModelNotFitted as error:
        if error.where == "contrasts":  # what Python calls them; here that is another option
            raise WrongUsage("--coding", error.what, error.remedy) from error
        raise
    check_references(found, model.references)
    return found


def _coding(text: str) -> str:
    """A coding as the grammar spells it."""
    by_lower = {name.lower(): name for name in CONTRASTS}
    coding = by_lower.get(text.lower(), text)
    try:
        parse_contrasts(coding)
    except InvalidFormula as error:
        remedy = f"Take {', '.join(by_lower)}; for another first level see --reference"
        raise WrongUsage("--coding", f"there is no coding `{text}`", remedy) from error
    return coding


def _means(fit: MixedFit, wanted: Means) -> MarginalMeans:
    levels = fit.fixed.coding.levels
    at = {name: [_level(text, levels.get(name, ())) for text in own] for name, own in wanted.at.items()}
    return emmeans(fit, wanted.names, by=wanted.by, at=at)


def _level(text: str, levels: Sequence[Any]) -> Any:
    """The level that is spelled so, a number in any way; the text where none is."""
    spelled = {str(level): level for level in levels}
    numbers = {f"{level:g}": level for level in levels if isinstance(level, float)}
    return (numbers | spelled).get(text, text)


def _contrasts(means: MarginalMeans | None, wanted: Means | None) -> Contrasts | None:
    if means is None or wanted is None or wanted.contrasts is None:
        return None
    return means.contrasts(wanted.contrasts, adjust=wanted.adjust)


def _shares(fit: MixedFit) -> dict[str, Any]:
    """How much of the variance is whose: R squared and the intraclass correlations."""
    r_squared, icc = fit.r_squared, fit.icc
    return {
        "r_squared": {
            "marginal": finite(r_squared.marginal),
            "conditional": finite(r_squared.conditional),
        },
        "icc": {
            "adjusted": finite(icc.adjusted),
            "unadjusted": finite(icc.unadjusted),
            "by_group": {group: finite(share) for group, share in icc.by_group.items()},
        },
    }
