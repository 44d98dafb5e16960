"""A fitted generalised linear mixed model: its numbers in data units."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular

from forethought.analysis.designs import FixedDesign, Floats, ModelData
from forethought.analysis.fits import in_one_line, ratio_frame
from forethought.analysis.fixed_effects import FixedEffects
from forethought.analysis.given_frames import given_frame, unwritable
from forethought.analysis.glmm.pirls import Model
from forethought.analysis.glmm.search import Minimum
from forethought.analysis.inference import ConstantDf, DdfMethod, Inference
from forethought.analysis.likelihoods import Likelihood
from forethought.analysis.lmm.covariance import RandomDesign
from forethought.analysis.lmm.variance_components import variance_components
from forethought.analysis.marginal.separation import separating
from forethought.errors import ModelNotFitted


@dataclass(frozen=True, eq=False)
class GeneralizedFit(FixedEffects):
    """A generalised mixed model fitted by Laplace's approximation; see `forethought.analysis.fits.Fit`.

    Coefficients are conditional: log odds ratios or log rate ratios at given random effects, on the scale of the
    linear predictor. theta is in lme4's order and units. The families have no residual variance: sigma is 1, and
    `variance_components` has no row for it. R: upper (p, p), X = Q R.
    """

    formula: str
    data: ModelData
    fixed: FixedDesign
    model: Model
    R: Floats
    found: Minimum

    estimand = "conditional"
    reml = False
    sigma = 1.0
    ddf_method: DdfMethod = "normal"

    def __repr__(self) -> str:
        kind = f"generalised linear mixed model, {self.family} with {self.link} link, Laplace"
        return in_one_line(kind, self)

    def details(self) -> dict[str, object]:
        """What `fit_to_json` adds: family and link."""
        return {"family": self.family, "link": self.link}

    @property
    def family(self) -> str:
        return self.model.outcome.name

    @property
    def link(self) -> str:
        return self.model.outcome.link

    @cached_property
    def beta(self) -> Floats:
        gamma = self.found.point.modes.gamma
        return unwritable(np.asarray(solve_triangular(self.R, gamma, check_finite=False), dtype=float))

    @property
    def n_groups(self) -> Mapping[str, int]:
        """Levels of each grouping factor, in lme4's order."""
        return self._random.n_groups

    @property
    def criterion(self) -> float:
        """-2 log likelihood by Laplace's approximation, with all constants."""
        return self.found.point.deviance

    @property
    def log_likelihood(self) -> float:
        return -self.criterion / 2

    @property
    def n_parameters(self) -> int:
        return len(self.found.point.parameters)

    def likelihood(self) -> Likelihood:
        """What it is compared by."""
        outcome = self.model.outcome
        kind = f"a {self.family} mixed model"
        return Likelihood(kind, self.n_parameters, self.criterion, outcome.y, self.fixed.X, outcome.exposures)

    @property
    def theta(self) -> tuple[float, ...]:
        return tuple(self._random.in_data_units(self.found.point.modes.theta).tolist())

    @given_frame
    def variance_components(self) -> pd.DataFrame:
        return variance_components(self._random, self.found.point.modes.theta, self.sigma).iloc[:-1]

    @cached_property
    def covariance(self) -> Floats:
        """Of beta, (p, p): the block for it of the inverse curvature by theta and beta together."""
        R_inverse = solve_triangular(self.R, np.eye(len(self.R)), check_finite=False)
        n_theta = self._random.n_theta
        return unwritable(np.asarray(R_inverse @ self.found.covariance[n_theta:, n_theta:] @ R_inverse.T))

    @given_frame
    def odds_ratios(self) -> pd.DataFrame:
        """exp of the coefficients but the intercept, at given random effects: term, ratio, ci_low, ci_high (95 %).

        Raises ModelNotFitted where the link is not the logit.
        """
        return self._ratios("logit", "an odds ratio", "rate_ratios")

    @given_frame
    def rate_ratios(self) -> pd.DataFrame:
        """exp of the coefficients but the intercept, at given random effects: term, ratio, ci_low, ci_high (95 %).

        Raises ModelNotFitted where the link is not the log.
        """
        return self._ratios("log", "a rate ratio", "odds_ratios")

    @property
    def converged(self) -> bool:
        return self.found.doubt is None

    @property
    def singular(self) -> bool:
        """Whether a variance is estimated as zero or a correlation as one; see theta for how nearly."""
        return bool(self._random.singular_groups(self.found.point.modes.theta))

    @cached_property
    def separated(self) -> tuple[str, ...]:
        """Terms whose estimates are infinite, as a combination of them foretells the outcome at any random effects."""
        outcome = self.model.outcome
        if not outcome.at_limit(self.found.point.modes.eta):
            return ()
        direction = separating(*outcome.directions(self.fixed.X))
        return tuple(term for term, step in zip(self.terms, direction, strict=True) if step)

    @property
    def warnings(self) -> tuple[str, ...]:
        found = [*self.data.warnings, *self.fixed.warnings, *self._random.warnings]
        found += self._random.singular_warnings(self.found.point.modes.theta)
        if self.separated:
            what = f"separation: a combination of {', '.join(self.separated)} foretells the outcome"
            found.append(f"{what}, so that their estimates are infinite and their inference means nothing")
        if not self.converged:
            found.append(f"not converged: {self.found.doubt}")
        return tuple(found)

    @given_frame
    def conditional_modes(self) -> dict[str, pd.DataFrame]:
        """The random effects at their modes, by group: a row for each level, a column for each effect."""
        here, starts = self.found.point.modes, self.model.layout.starts
        frames = {}
        factors = zip(self._random.blocks, self._random.lambdas(here.theta), starts[:-1], strict=True)
        for block, factor, start in factors:
            u = here.u[start : start + block.size].reshape(block.m, block.k)
            b = u @ factor.T @ block.units.T
            frames[block.group] = pd.DataFrame(b, index=block.levels, columns=list(block.effects))
        return frames

    @given_frame
    def fitted(self) -> "pd.Series[float]":
        """Probabilities of a success, or expected counts, of the rows at the modes."""
        mean = self.found.point.modes.moments.mean / self.model.outcome.exposures
        return pd.Series(mean, index=self.data.frame.index, name="fitted")

    def inference(self, ddf: DdfMethod | None = None) -> Inference:
        """Normal inference. Raises ModelNotFitted for another method: the families have no residual degrees of freedom."""
        if ddf not in (None, "normal"):
            what = f"a generalised mixed model has normal inference, not {ddf}"
            raise ModelNotFitted("ddf", what, "Leave ddf out, or take normal")
        return ConstantDf("normal", self.covariance, math.inf)

    def _ratios(self, link: str, noun: str, other: str) -> pd.DataFrame:
        if self.link != link:
            what = f"with the {self.link} link no coefficient is the logarithm of {noun}"
            raise ModelNotFitted("ratios", what, f"Read {other}")
        return ratio_frame(self.coefficients)

    @property
    def _random(self) -> RandomDesign:
        return self.model.layout.random
