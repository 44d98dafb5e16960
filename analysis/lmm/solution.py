"""A mixed model before its outcome is known, and solved for one outcome."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.linalg import LinAlgError
from scipy.linalg import solve_triangular

from forethought.analysis.designs import FixedDesign, Floats, ModelData, fixed_design
from forethought.analysis.given_frames import unwritable
from forethought.analysis.lmm.covariance import RandomDesign, random_design
from forethought.analysis.lmm.deviance import ProfiledDeviance
from forethought.analysis.lmm.gradient import Scores, scores
from forethought.analysis.lmm.optimum import Optimum, minimum
from forethought.analysis.lmm.products import DesignProducts, design_products
from forethought.analysis.lmm.standard import Basis, Standardized, basis_of, standardized
from forethought.errors import ModelNotFitted


@dataclass(frozen=True)
class MixedDesign:
    """Everything of a model that does not depend on its outcome's values; solved again for each outcome."""

    data: ModelData
    fixed: FixedDesign
    random: RandomDesign
    basis: Basis

    @property
    def roots(self) -> Floats | None:
        """What the rows of X, Z and y are multiplied by, (n,), so that all residual variances are one; None for ones."""
        return None if self.data.weights is None else np.sqrt(self.data.weights)

    @cached_property
    def products(self) -> DesignProducts:
        """The cross-products that all outcomes share."""
        return design_products(self.random, self.basis.Q, self.roots)

    def working(self, y: Floats) -> Floats:
        """The outcome y (n,) less the offset, in rows as `roots` makes them."""
        known = y if self.data.offset is None else y - self.data.offset
        return known if self.roots is None else self.roots * known

    def solve(self, y: Floats | None = None, *, reml: bool = True, start: Floats | None = None) -> "Solution":
        """The model of y (n,), in data units; of the data's own outcome without it.

        start: a theta of the standard basis from where to look, as that of another solution's optimum.
        Raises ModelNotFitted where the fixed effects leave no residual, or rounding nothing of them.
        """
        standard = standardized(self.basis, self.working(self.fixed.y if y is None else y))
        deviance = ProfiledDeviance(self.products.with_outcome(standard.z), self.random, reml)
        try:
            optimum = minimum(deviance, start)
        except LinAlgError as error:
            what = "beside so many random effects, rounding leaves nothing of the fixed ones"
            raise ModelNotFitted("model", what, "Leave random terms out, or give more data") from error
        return Solution(self, standard, deviance, optimum)


def mixed_design(data: ModelData) -> MixedDesign:
    """The design of a formula's data. Raises ModelNotFitted for data that cannot carry the model."""
    fixed = fixed_design(data)
    X = fixed.X if data.weights is None else np.sqrt(data.weights)[:, None] * fixed.X
    return MixedDesign(data, fixed, random_design(data), basis_of(X))


@dataclass(frozen=True, repr=False, eq=False)
class Solution:
    """A model at the optimum of one outcome. What it holds is in the standard basis; what it computes, in data units."""

    design: MixedDesign
    standard: Standardized
    deviance: ProfiledDeviance
    optimum: Optimum

    def __repr__(self) -> str:
        kind, n = "REML criterion" if self.reml else "deviance", len(self.design.fixed.y)
        return f"<solved mixed model: {n:,} rows; {kind} {self.criterion:.4f}>"

    @property
    def reml(self) -> bool:
        return self.deviance.reml

    @property
    def criterion(self) -> float:
        """The REML criterion, or the deviance of a fit by maximum likelihood."""
        weights = self.design.data.weights
        of_weights = 0.0 if weights is None else float(np.log(weights).sum())
        return self.standard.deviance(self.optimum.deviance, self.deviance.nu, reml=self.reml) - of_weights

    @cached_property
    def scores(self) -> Scores:
        return scores(self.deviance, self.optimum.theta)

    @property
    def theta(self) -> Floats:
        """In lme4's order and units, (n_theta,)."""
        return self.design.random.in_data_units(self.optimum.theta)

    @property
    def sigma(self) -> float:
        """The residual standard deviation."""
        return self.standard.scale * float(np.sqrt(self.scores.variance))

    @cached_property
    def beta(self) -> Floats:
        """The fixed effects, (p,)."""
        return unwritable(self.standard.coefficients(self.scores.factors.beta))

    @cached_property
    def vcov(self) -> Floats:
        """Covariance of beta at the estimated theta, (p, p)."""
        R_X = self.scores.factors.R_X
        R_X_inverse = solve_triangular(R_X, np.eye(len(R_X)), check_finite=False)
        return unwritable(self.standard.covariances(self.scores.variance * R_X_inverse @ R_X_inverse.T))
