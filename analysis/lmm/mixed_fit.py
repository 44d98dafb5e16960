"""A fitted linear mixed model: its numbers in data units, inference computed when it is first asked for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy.typing as npt
import pandas as pd

from forethought.analysis.columns import finite_numbers
from forethought.analysis.designs import FixedDesign, Floats, ModelData
from forethought.analysis.fits import in_one_line
from forethought.analysis.fixed_effects import FixedEffects
from forethought.analysis.given_frames import given_frame
from forethought.analysis.inference import DdfMethod, Inference
from forethought.analysis.information_criteria import n_parameters
from forethought.analysis.likelihoods import Likelihood
from forethought.analysis.lmm.bootstrap import (
    Bootstrap,
    BootstrapLrt,
    Statistic,
    bootstrap,
    bootstrap_lrt,
)
from forethought.analysis.lmm.conditional_modes import conditional_modes, conditional_sds
from forethought.analysis.lmm.cross_check import CrossCheck, NotChecked, cross_check
from forethought.analysis.lmm.diagnostics import Diagnostics, diagnostics
from forethought.analysis.lmm.effect_sizes import (
    ICC,
    RSquared,
    StandardDeviation,
    icc,
    r_squared,
    standardized_frame,
)
from forethought.analysis.lmm.inference import inference_of
from forethought.analysis.lmm.influence import Influence, influence
from forethought.analysis.lmm.intervals import IntervalMethod, intervals
from forethought.analysis.lmm.predictions import NewLevels, outcome, predict, residuals
from forethought.analysis.lmm.solution import Solution
from forethought.analysis.lmm.variance_components import variance_components
from forethought.analysis.progress import progress_bar
from forethought.errors import ModelNotFitted

UNDETERMINED = (
    "the variances are not determined: they can change and the criterion stays the same, as where two groups hold "
    "the same rows, or the effect of a group is one of a constant"
)


@dataclass(frozen=True, eq=False)
class MixedFit(FixedEffects):
    """A linear mixed model fitted by (restricted) maximum likelihood; see `forethought.analysis.fits.Fit`.

    theta is in lme4's order and units.
    """

    formula: str
    ddf_method: DdfMethod
    solution: Solution

    estimand = "conditional"

    def __repr__(self) -> str:
        return in_one_line(f"linear mixed model, {'REML' if self.reml else 'ML'}", self)

    @property
    def data(self) -> ModelData:
        """The rows that were fitted, with their weights and offset."""
        return self.solution.design.data

    @property
    def fixed(self) -> FixedDesign:
        """The columns of the fixed effects, X (n, p), with their terms."""
        return self.solution.design.fixed

    @property
    def beta(self) -> Floats:
        """The estimated coefficients of the fixed effects, (p,)."""
        return self.solution.beta

    @property
    def reml(self) -> bool:
        """Whether the fit is by restricted maximum likelihood."""
        return self.solution.reml

    @property
    def n_groups(self) -> Mapping[str, int]:
        """Levels of each grouping factor, in lme4's order."""
        return self.solution.design.random.n_groups

    @property
    def criterion(self) -> float:
        """The REML criterion, or the deviance of a fit by maximum likelihood."""
        return self.solution.criterion

    @property
    def log_likelihood(self) -> float:
        """Minus half the criterion: restricted where the fit is."""
        return -self.criterion / 2

    @property
    def theta(self) -> tuple[float, ...]:
        """The random effects' relative Cholesky factors, in lme4's order and units."""
        return tuple(self.solution.theta.tolist())

    @property
    def sigma(self) -> float:
        """The residual standard deviation."""
        return self.solution.sigma

    @given_frame
    def variance_components(self) -> pd.DataFrame:
        """group, term1, term2, variance_or_covariance, sd_or_correlation; the last row is the residual."""
        return variance_components(self.solution.design.random, self.solution.optimum.theta, self.sigma)

    @property
    def converged(self) -> bool:
        """Whether the point found is proved to be an optimum; see `diagnostics`."""
        return self.solution.optimum.converged

    @property
    def singular(self) -> bool:
        """Whether a variance is estimated as zero or a correlation as one; see theta for how nearly."""
        return bool(self.solution.design.random.singular_groups(self.solution.optimum.theta))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be known before the numbers are believed, a sentence each; empty where nothing is."""
        design, optimum = self.solution.design, self.solution.optimum
        doubt = (f"not converged: {optimum.doubt}",) if not self.converged else ()
        if self.converged and not optimum.determined:
            doubt = (UNDETERMINED,)
        of_design = (*design.data.warnings, *design.fixed.warnings, *design.random.warnings)
        return (*of_design, *design.random.singular_warnings(optimum.theta), *doubt)

    def likelihood(self) -> Likelihood:
        """What it is compared by: fitted again by maximum likelihood where the fit is by REML."""
        y, design = outcome(self.solution), self.solution.design
        solution = design.solve(y, reml=False) if self.reml else self.solution
        weights, count = design.data.weights, n_parameters(self)
        kind = "a linear mixed model"
        return Likelihood(kind, count, solution.criterion, y, self.fixed.X, weights, self.reml)

    @given_frame
    def conditional_modes(self) -> dict[str, pd.DataFrame]:
        """The predicted random effects (BLUPs) by group: a row for each level, a column for each effect."""
        return conditional_modes(self.solution)

    @given_frame
    def conditional_sds(self) -> dict[str, pd.DataFrame]:
        """Standard deviations of the random effects given the outcome, in the shape of `conditional_modes`."""
        return conditional_sds(self.solution)

    @given_frame
    def fitted(self) -> "pd.Series[float]":
        """The expected outcome of each fitted row, random effects included."""
        return self.predict().rename("fitted")

    @given_frame
    def residuals(self) -> "pd.Series[float]":
        """What the outcome has beyond `fitted`."""
        return pd.Series(residuals(self.solution), index=self.fitted.index, name="residual")

    @cached_property
    def r_squared(self) -> RSquared:
        """Nakagawa's marginal and conditional R2."""
        return r_squared(self.solution)

    @cached_property
    def icc(self) -> ICC:
        """Intraclass correlations, adjusted for the fixed effects, not adjusted, and by group."""
        return icc(self.solution)

    @cached_property
    def diagnostics(self) -> Diagnostics:
        """What speaks for and against the optimum: gradient, curvature, a second search, singularity."""
        return diagnostics(self.solution)

    def standardized(self, by: StandardDeviation = "residual") -> pd.DataFrame:
        """The coefficients divided by the residual or the total standard deviation; the divisor is named."""
        return standardized_frame(self.coefficients, self.solution, by)

    def predict(
        self,
        data: pd.DataFrame | None = None,
        *,
        random: bool = True,
        new_levels: NewLevels = "raise",
        offset: Floats | None = None,
    ) -> "pd.Series[float]":
        """The expected outcome of the fitted rows or of new ones; see `predictions.predict`."""
        return predict(self.solution, data, random=random, new_levels=new_levels, offset=offset)

    def intervals(
        self,
        method: IntervalMethod = "wald",
        *,
        level: float = 0.95,
        parameters: Collection[str] | None = None,
        simulations: int = 1000,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Confidence intervals: wald, profile or bootstrap; see `intervals.intervals`."""
        return intervals(
            self.solution,
            self.inference(),
            method,
            level=level,
            parameters=parameters,
            simulations=simulations,
            seed=seed,
            progress=True,
        )

    def bootstrap(
        self, statistic: Statistic | None = None, *, simulations: int = 1000, seed: int
    ) -> Bootstrap:
        """Outcomes simulated from the fit, each fitted again; see `bootstrap.bootstrap`."""
        return bootstrap(self.solution, statistic, simulations=simulations, seed=seed, progress=True)

    def bootstrap_lrt(self, smaller: "MixedFit", *, simulations: int = 1000, seed: int) -> BootstrapLrt:
        """Likelihood ratio test against a smaller model by simulation from it; see `bootstrap.bootstrap_lrt`."""
        return bootstrap_lrt(
            self.solution, smaller.solution, simulations=simulations, seed=seed, progress=True
        )

    def influence(self, group: str) -> Influence:
        """The fit without each level of a grouping factor in turn; see `influence.influence`."""
        with progress_bar(f"without one {group}") as progress:
            return influence(self.solution, group, progress=progress)

    def cross_check(self) -> CrossCheck | NotChecked:
        """The same model by statsmodels, where it can express it; the reason where it cannot."""
        return cross_check(self.solution)

    def refit(self, y: npt.ArrayLike) -> "MixedFit":
        """The same model of another outcome y (n,), in the order of the fitted rows; nothing else is made again.

        Raises ModelNotFitted for values that are not n finite numbers, and for a series whose index has the fitted
        rows in another order.
        """
        rows = self.data.frame.index
        if isinstance(y, pd.Series) and not y.index.equals(rows) and set(y.index) == set(rows):
            what = "the outcome has the fitted rows in another order"
            raise ModelNotFitted("refit", what, "Sort it by its index, or give its values alone")
        outcome = finite_numbers("refit", "the outcome", y, self.n_obs)
        return MixedFit(self.formula, self.ddf_method, self.solution.design.solve(outcome, reml=self.reml))

    def inference(self, ddf: DdfMethod | None = None) -> Inference:
        """The fit's own inference, or that by another method; made once for each.

        Raises ModelNotFitted for a method that a mixed model does not know.
        """
        method = ddf or self.ddf_method
        if method not in self._inferences:
            self._inferences[method] = inference_of(self.solution, method)
        return self._inferences[method]

    @cached_property
    def _inferences(self) -> dict[DdfMethod, Inference]:
        return {}
