"""A fitted marginal model: what it says of the population, not of a single participant."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forethought.analysis.designs import FixedDesign, Floats, ModelData
from forethought.analysis.fits import finite, ratio_frame, records
from forethought.analysis.fixed_effects import FixedEffects
from forethought.analysis.given_frames import given_frame, unwritable
from forethought.analysis.inference import ConstantDf, DdfMethod, Inference, wald
from forethought.analysis.likelihoods import Likelihood
from forethought.analysis.marginal.families import ESTIMATED_DISPERSION
from forethought.analysis.marginal.marginal_design import MarginalDesign
from forethought.analysis.marginal.separation import Separation
from forethought.errors import ModelNotFitted

ESTIMAND = "marginal"
"""Population-averaged: effects compare populations, and differ from a participant's own where the link bends."""


@dataclass(frozen=True)
class Thresholds:
    """Where an ordinal outcome's latent scale is cut: names as `1|2`, values (K-1,), covariance (K-1, K-1)."""

    names: tuple[str, ...]
    values: Floats
    covariance: Floats


@dataclass(frozen=True)
class Model:
    """What was fitted. method: glm, gee or ordinal. covariance_type: model-based, CR1, robust or mancl-derouen."""

    method: str
    family: str
    link: str
    covariance_type: str
    working: str = "independence"


@dataclass(frozen=True)
class Solved:
    """What came out: beta (p,) and its covariance (p, p) on the scale of the link.

    df: of every test, infinite for the normal distribution. log_likelihood: NaN for a GEE. dispersion: the factor of
    the variance, 1 where the family has none. doubt: why the fit may not have converged, empty where it has.
    working_correlation: of two rows of a cluster (exchangeable) or of two successive ones (ar1), else NaN.
    """

    beta: Floats
    covariance: Floats
    df: float
    log_likelihood: float
    dispersion: float
    doubt: str
    separation: Separation
    working_correlation: float = math.nan
    cuts: Thresholds | None = None


@dataclass(frozen=True, repr=False, eq=False)
class MarginalFit(FixedEffects):
    """A generalised linear model of the population's mean; see `forethought.analysis.fits.Fit`.

    Coefficients, contrasts and intervals are on the scale of the link. theta is empty. The likelihood of a GEE, which
    has none, is NaN; elsewhere it is that of independent rows, also where the covariance is robust.
    """

    design: MarginalDesign
    model: Model
    solved: Solved

    estimand = ESTIMAND
    reml = False
    theta = ()
    singular = False

    def __repr__(self) -> str:
        groups = "".join(f", {count} clusters of {name}" for name, count in self.n_groups.items())
        kind = f"{self.model.method}, {self.family} with {self.link} link"
        what = f"estimand {self.estimand} (population-averaged); {self.n_obs} rows{groups}"
        return f"<{kind}: {self.formula}; {what}; covariance {self.model.covariance_type}>"

    @property
    def formula(self) -> str:
        return self.design.formula

    @property
    def family(self) -> str:
        return self.model.family

    @property
    def link(self) -> str:
        return self.model.link

    @property
    def data(self) -> ModelData:
        """The rows that were fitted, with a numeric outcome."""
        return self.design.outcome.data

    @property
    def fixed(self) -> FixedDesign:
        return self.design.fixed

    @property
    def beta(self) -> Floats:
        return unwritable(self.solved.beta)

    @property
    def n_groups(self) -> Mapping[str, int]:
        """The number of clusters; empty where rows are independent."""
        clusters = self.design.clusters
        return {clusters.name: clusters.count} if clusters else {}

    @property
    def counted(self) -> str | None:
        """The event whose probability a binary outcome's model is of, as `passed = yes`; None for other outcomes."""
        return self.design.outcome.counted

    @property
    def log_likelihood(self) -> float:
        return self.solved.log_likelihood

    @property
    def criterion(self) -> float:
        """-2 log likelihood, NaN for a GEE."""
        return -2 * self.log_likelihood

    @property
    def n_parameters(self) -> int:
        """Thresholds and slopes of an ordinal outcome; else coefficients and, where it is estimated, the dispersion."""
        if self.solved.cuts is not None:
            return len(self.solved.cuts.names) + len(self.terms) - 1  # their mean stands for the intercept
        return len(self.terms) + (self.family in ESTIMATED_DISPERSION)

    def likelihood(self) -> Likelihood:
        """What it is compared by. Raises ModelNotFitted for a GEE, clustered rows and an estimated dispersion."""
        if self.model.covariance_type != "model-based" or self.family in ESTIMATED_DISPERSION:
            rests = f"{self.model.method}, {self.family}, covariance {self.model.covariance_type}"
            what = f"`{self.formula}` ({rests}) has no likelihood that a test may rest on"
            raise ModelNotFitted("compare", what, "Test its terms instead, with anova of the one fit")
        kind = f"a {self.family} model with {self.link} link"
        return Likelihood(kind, self.n_parameters, self.criterion, self.design.outcome.y, self.fixed.X)

    @property
    def dispersion(self) -> float:
        return self.solved.dispersion

    @property
    def working_correlation(self) -> float:
        """Of two rows of a cluster (exchangeable) or of two successive ones (ar1); NaN where none is estimated."""
        return self.solved.working_correlation

    @property
    def sigma(self) -> float:
        """The residual standard deviation of the gaussian family; NaN for others, whose variance follows the mean."""
        return math.sqrt(self.dispersion) if self.family == "gaussian" else math.nan

    @property
    def converged(self) -> bool:
        return not self.solved.doubt and not self.solved.separation.found

    @property
    def warnings(self) -> tuple[str, ...]:
        solved = self.solved
        doubt = (f"not converged: {solved.doubt}",) if solved.doubt and not solved.separation.found else ()
        return (*self.design.warnings, *solved.separation.warnings, *doubt)

    @property
    def ddf_method(self) -> DdfMethod:
        return "normal" if math.isinf(self.solved.df) else "residual"

    @given_frame
    def variance_components(self) -> pd.DataFrame:
        """The residual of the gaussian family; no row for others."""
        row = {"group": "Residual", "term1": None, "term2": None}
        numbers = {"variance_or_covariance": self.sigma**2, "sd_or_correlation": self.sigma}
        frame = pd.DataFrame([{**row, **numbers}])
        return frame if self.family == "gaussian" else frame.iloc[:0]

    @given_frame
    def odds_ratios(self) -> pd.DataFrame:
        """exp of the coefficients but the intercept: term, ratio, ci_low, ci_high (95 %).

        Of an ordinal outcome, the odds of a higher level. Raises ModelNotFitted where the link is not the logit.
        """
        return self._ratios("logit", "odds")

    @given_frame
    def rate_ratios(self) -> pd.DataFrame:
        """exp of the coefficients but the intercept, ratios of means: term, ratio, ci_low, ci_high (95 %).

        Raises ModelNotFitted where the link is not the log.
        """
        return self._ratios("log", "rates")

    @given_frame
    def thresholds(self) -> pd.DataFrame:
        """Of an ordinal outcome: threshold, estimate, se, ci_low, ci_high (95 %); no row for other outcomes."""
        cuts = self.solved.cuts or Thresholds((), np.empty(0), np.empty((0, 0)))
        rows = [
            wald(float(value), math.sqrt(variance), math.inf)
            for value, variance in zip(cuts.values, np.diag(cuts.covariance), strict=True)
        ]
        columns = ("estimate", "se", "ci_low", "ci_high")
        values = {column: [getattr(row, column) for row in rows] for column in columns}
        return pd.DataFrame({"threshold": list(cuts.names), **values})

    def inference(self, ddf: DdfMethod | None = None) -> Inference:
        """Normal, or with the residual's degrees of freedom where a dispersion was estimated and rows are independent.

        Raises ModelNotFitted for another method.
        """
        if ddf not in (None, self.ddf_method):
            what = f"this marginal model has {self.ddf_method} degrees of freedom, not {ddf}"
            raise ModelNotFitted("ddf", what, f"Leave ddf out, or take {self.ddf_method}")
        return ConstantDf(self.ddf_method, unwritable(self.solved.covariance), self.solved.df)

    def details(self) -> dict[str, object]:
        """What `fit_to_json` adds for a marginal model."""
        return {
            "method": self.model.method,
            "family": self.family,
            "link": self.link,
            "covariance_type": self.model.covariance_type,
            "counted": self.counted,
            "levels": list(self.design.outcome.levels),
            "working": self.model.working,
            "working_correlation": finite(self.working_correlation),
            "dispersion": finite(self.dispersion),
            "thresholds": records(self.thresholds),
        }

    def _ratios(self, link: str, noun: str) -> pd.DataFrame:
        if self.link != link:
            what = f"with the {self.link} link no coefficient is the logarithm of a ratio of {noun}"
            raise ModelNotFitted("ratios", what, f"Fit it with the {link} link")
        return ratio_frame(self.coefficients)
