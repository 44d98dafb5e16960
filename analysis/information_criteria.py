"""Akaike's and Schwarz's criteria of a fit, counted as R counts them."""

import math

from forethought.analysis.fits import Fit


def n_parameters(fit: Fit) -> int:
    """Coefficients, entries of theta and the residual variance, as lme4 and `lm` count them."""
    return len(fit.terms) + len(fit.theta) + 1


def aic(fit: Fit) -> float:
    """-2 log likelihood + 2 parameters (Akaike 1974, IEEE Trans. Autom. Control 19:716).

    Of a fit by REML the likelihood is the restricted one, as in lme4: compare such fits only where they have the
    same fixed effects.
    """
    return fit.criterion + 2 * n_parameters(fit)


def bic(fit: Fit) -> float:
    """-2 log likelihood + log(rows) parameters (Schwarz 1978, Ann. Statist. 6:461); restricted where `aic` is."""
    return fit.criterion + math.log(fit.n_obs) * n_parameters(fit)
