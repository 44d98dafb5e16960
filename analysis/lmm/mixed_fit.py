"""A fitted linear mixed model: its numbers in data units, inference computed when it is first asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from forethought.analysis.designs import FixedDesign, Floats
from forethought.analysis.fits import coefficient_frame, weight_vector
from forethought.analysis.inference import DdfMethod, Estimate, Inference, estimate
from forethought.analysis.lmm.inference import inference_of
from forethought.analysis.lmm.solution import Solution
from forethought.analysis.lmm.variance_components import variance_components


@dataclass(frozen=True)
class MixedFit:
    """A linear mixed model fitted by (restricted) maximum likelihood; see `forethought.analysis.fits.Fit`.

    theta is in lme4's order and units.
    """

    formula: str
    ddf_method: DdfMethod
    solution: Solution

    @property
    def fixed(self) -> FixedDesign:
        return self.solution.design.fixed

    @property
    def terms(self) -> tuple[str, ...]:
        return self.fixed.terms

    @property
    def beta(self) -> Floats:
        return self.solution.beta

    @property
    def n_obs(self) -> int:
        return len(self.fixed.y)

    @property
    def n_dropped(self) -> int:
        return self.solution.design.data.n_dropped

    @property
    def reml(self) -> bool:
        return self.solution.reml

    @property
    def n_groups(self) -> Mapping[str, int]:
        """Levels of each grouping factor, in lme4's order."""
        random = self.solution.design.random
        levels = {block.group: block.m for block in random.blocks}
        return {piece.group: levels[piece.group] for piece in random.pieces}

    @property
    def criterion(self) -> float:
        """The REML criterion, or the deviance of a fit by maximum likelihood."""
        return self.solution.criterion

    @property
    def log_likelihood(self) -> float:
        return -self.criterion / 2

    @property
    def theta(self) -> tuple[float, ...]:
        return tuple(self.solution.theta.tolist())

    @property
    def sigma(self) -> float:
        """The residual standard deviation."""
        return self.solution.sigma

    @cached_property
    def variance_components(self) -> pd.DataFrame:
        return variance_components(self.solution.design.random, self.solution.optimum.theta, self.sigma)

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        inference = self.inference()
        rows = [estimate(weights, self.beta, inference) for weights in np.eye(len(self.terms))]
        return coefficient_frame(self.terms, rows)

    @property
    def vcov(self) -> pd.DataFrame:
        """Of the fit's own inference."""
        return pd.DataFrame(self.inference().vcov, index=list(self.terms), columns=list(self.terms))

    @property
    def converged(self) -> bool:
        return self.solution.optimum.converged

    @property
    def singular(self) -> bool:
        """Whether a variance is estimated as zero or a correlation as one; see theta for how nearly."""
        return bool(self._singular_groups)

    @property
    def warnings(self) -> tuple[str, ...]:
        design, optimum = self.solution.design, self.solution.optimum
        found = [*design.data.warnings, *design.fixed.warnings, *design.random.warnings]
        if self.singular:
            groups = ", ".join(self._singular_groups)
            found.append(f"singular fit: a variance is estimated as zero or a correlation as one in {groups}")
        if not self.converged:
            found.append(f"not converged: {optimum.doubt}")
        return tuple(found)

    @cached_property
    def conditional_modes(self) -> dict[str, pd.DataFrame]:
        """The predicted random effects (BLUPs) by group: a row for each level, a column for each effect."""
        solution, modes = self.solution, {}
        for block, found in zip(solution.design.random.blocks, solution.scores.blocks, strict=True):
            b = solution.standard.scale * found.q @ (found.Lambda @ found.Lambda.T) @ block.units.T
            modes[block.group] = pd.DataFrame(b, index=block.levels, columns=list(block.effects))
        return modes

    def inference(self, ddf: DdfMethod | None = None) -> Inference:
        """The fit's own inference, or that by another method; made once for each.

        Raises ModelNotFitted for a method that a mixed model does not know.
        """
        method = ddf or self.ddf_method
        if method not in self._inferences:
            self._inferences[method] = inference_of(self.solution, method)
        return self._inferences[method]

    def contrast(self, weights: Mapping[str, float], level: float = 0.95) -> Estimate:
        """The weighted sum of coefficients, with the fit's degrees of freedom.

        Raises ModelNotFitted for a term that the model does not have or could not estimate.
        """
        return estimate(weight_vector(weights, self.terms), self.beta, self.inference(), level)

    @cached_property
    def _inferences(self) -> dict[DdfMethod, Inference]:
        return {}

    @cached_property
    def _singular_groups(self) -> tuple[str, ...]:
        return self.solution.design.random.singular_groups(self.solution.optimum.theta)
