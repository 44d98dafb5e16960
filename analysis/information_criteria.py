"""Akaike's and Schwarz's criteria of a fit, counted as R counts them."""

import math
from typing import Protocol, runtime_checkable

from forethought.analysis.fits import Fit


@runtime_checkable
class Counted(Protocol):
    """A fit with another number of parameters than a linear model of its terms has."""

    @property
    def n_parameters(self) -> int: ...


def n_parameters(fit: Fit) -> int:
    """Coefficients, entries of theta and the residual variance, as lme4 and `lm` count them; what the fit says if it does.

    A generalised model has thresholds besides, or no residual variance.
    """
    return fit.n_parameters if isinstance(fit, Counted) else len(fit.terms) + len(fit.theta) + 1


def aic(fit: Fit) -> float:
    """-2 log likelihood + 2 parameters (Akaike 1974, IEEE Trans. Autom. Control 19:716).

    Of a fit by REML the likelihood is the restricted one, as in lme4: compare such fits only where they have the
    same fixed effects.
    """
    return fit.criterion + 2 * n_parameters(fit)


def bic(fit: Fit) -> float:
    """-2 log likelihood + log(rows) parameters (Schwarz 1978, Ann. Statist. 6:461); restricted where `aic` is."""
    return fit.criterion + math.log(fit.n_obs) * n_parameters(fit)
