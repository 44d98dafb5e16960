"""A fitted linear mixed model: its numbers in data units, inference computed when it is first asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from forethought.analysis.designs import Floats
from forethought.analysis.fits import Estimate, coefficient_frame, wald, weight_vector
from forethought.analysis.lmm.deviance import ProfiledDeviance
from forethought.analysis.lmm.gradient import Scores, scores
from forethought.analysis.lmm.optimum import Optimum
from forethought.analysis.lmm.satterthwaite import Satterthwaite, satterthwaite
from forethought.analysis.lmm.standard import Standardized
from forethought.analysis.lmm.variance_components import variance_components

DdfMethod = Literal["satterthwaite", "normal"]


@dataclass(frozen=True)
class MixedFit:
    """A linear mixed model fitted by (restricted) maximum likelihood; see `forethought.analysis.fits.Fit`.

    theta is in lme4's order and units. `design_warnings` arose before the fit, while the data were coded.
    """

    formula: str
    terms: tuple[str, ...]
    n_obs: int
    n_dropped: int
    ddf_method: DdfMethod
    design_warnings: tuple[str, ...]
    standard: Standardized
    deviance: ProfiledDeviance
    optimum: Optimum

    @property
    def reml(self) -> bool:
        return self.deviance.reml

    @property
    def n_groups(self) -> Mapping[str, int]:
        """Levels of each grouping factor, in lme4's order."""
        levels = {block.group: block.m for block in self.deviance.random.blocks}
        return {piece.group: levels[piece.group] for piece in self.deviance.random.pieces}

    @property
    def criterion(self) -> float:
        """The REML criterion, or the deviance of a fit by maximum likelihood."""
        return self.standard.deviance(self.optimum.deviance, self.deviance.nu, reml=self.reml)

    @property
    def log_likelihood(self) -> float:
        return -self.criterion / 2

    @property
    def theta(self) -> tuple[float, ...]:
        return tuple(self.deviance.random.in_data_units(self.optimum.theta).tolist())

    @property
    def sigma(self) -> float:
        """The residual standard deviation."""
        return self.standard.scale * float(np.sqrt(self._scores.variance))

    @cached_property
    def variance_components(self) -> pd.DataFrame:
        return variance_components(self.deviance.random, self.optimum.theta, self.sigma)

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        rows = [self._estimate(weights, 0.95) for weights in np.eye(len(self.terms))]
        return coefficient_frame(self.terms, rows)

    @cached_property
    def vcov(self) -> pd.DataFrame:
        return pd.DataFrame(self._inference.vcov, index=list(self.terms), columns=list(self.terms))

    @property
    def converged(self) -> bool:
        return self.optimum.converged

    @property
    def singular(self) -> bool:
        """Whether a variance is estimated as zero or a correlation as one; see theta for how nearly."""
        return bool(self.deviance.random.singular_groups(self.optimum.theta))

    @property
    def warnings(self) -> tuple[str, ...]:
        found = list(self.design_warnings)
        if self.singular:
            groups = ", ".join(self.deviance.random.singular_groups(self.optimum.theta))
            found.append(f"singular fit: a variance is estimated as zero or a correlation as one in {groups}")
        if not self.converged:
            found.append(f"not converged: {self.optimum.doubt}")
        return tuple(found)

    @cached_property
    def conditional_modes(self) -> dict[str, pd.DataFrame]:
        """The predicted random effects (BLUPs) by group: a row for each level, a column for each effect."""
        modes = {}
        for block, found in zip(self.deviance.random.blocks, self._scores.blocks, strict=True):
            b = self.standard.scale * found.q @ (found.Lambda @ found.Lambda.T) @ block.units.T
            modes[block.group] = pd.DataFrame(b, index=block.levels, columns=list(block.effects))
        return modes

    def contrast(self, weights: Mapping[str, float], level: float = 0.95) -> Estimate:
        """The weighted sum of coefficients, with the fit's degrees of freedom.

        Raises ModelNotFitted for a term that the model does not have or could not estimate.
        """
        return self._estimate(weight_vector(weights, self.terms), level)

    @cached_property
    def _scores(self) -> Scores:
        return scores(self.deviance, self.optimum.theta)

    @cached_property
    def _beta(self) -> Floats:
        return self.standard.coefficients(self._scores.factors.beta)

    @cached_property
    def _inference(self) -> Satterthwaite:
        """In data units."""
        of_standard = satterthwaite(self._scores, self.optimum.curvature)
        return Satterthwaite(
            self.standard.covariances(of_standard.vcov),
            self.standard.covariances(of_standard.jacobian),
            of_standard.parameters,
        )

    def _estimate(self, weights: Floats, level: float) -> Estimate:
        df = self._inference.df(weights) if self.ddf_method == "satterthwaite" else float("inf")
        se = float(np.sqrt(weights @ self._inference.vcov @ weights))
        return wald(float(weights @ self._beta), se, df, level)
