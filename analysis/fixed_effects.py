"""What every fit reads off its fixed effects in the same way."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from forethought.analysis.fits import Fit, coefficient_frame, weight_vector
from forethought.analysis.given_frames import given_frame
from forethought.analysis.inference import Estimate, estimate
from forethought.analysis.information_criteria import aic, bic


class FixedEffects:
    """A base of the fits: `self` is a `Fit`, which brings `fixed`, `data`, `beta` and `inference` of its own."""

    @property
    def terms(self: Fit) -> tuple[str, ...]:
        """The names of the estimated coefficients, in the order of `beta`."""
        return self.fixed.terms

    @property
    def n_obs(self: Fit) -> int:
        """How many rows were fitted."""
        return len(self.fixed.y)

    @property
    def n_dropped(self: Fit) -> int:
        """How many rows were left out because a value is missing."""
        return self.data.n_dropped

    @given_frame
    def coefficients(self: Fit) -> pd.DataFrame:
        """term, estimate, se, df, statistic, p, ci_low, ci_high (95 %): a row for each fixed effect."""
        inference = self.inference()
        rows = [estimate(weights, self.beta, inference) for weights in np.eye(len(self.terms))]
        return coefficient_frame(self.terms, rows)

    @property
    def vcov(self: Fit) -> pd.DataFrame:
        """Covariance of the coefficients, of the fit's own inference."""
        return pd.DataFrame(self.inference().vcov, index=list(self.terms), columns=list(self.terms))

    @property
    def aic(self: Fit) -> float:
        """See `information_criteria.aic`: restricted where the fit is, NaN without a likelihood."""
        return aic(self)

    @property
    def bic(self: Fit) -> float:
        """See `information_criteria.bic`: as `aic`."""
        return bic(self)

    def contrast(self: Fit, weights: Mapping[str, float], level: float = 0.95) -> Estimate:
        """The weighted sum of coefficients, with the fit's degrees of freedom.

        Raises ModelNotFitted for a term that the model does not have or could not estimate.
        """
        return estimate(weight_vector(weights, self.terms), self.beta, self.inference(), level)
