"""Generalised linear models, with errors that may be correlated within clusters."""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forethought.analysis.designs import Floats, Missing
from forethought.analysis.marginal.clusters import cluster_robust
from forethought.analysis.marginal.families import (
    ESTIMATED_DISPERSION,
    Family,
    chosen_link,
    statsmodels_family,
)
from forethought.analysis.marginal.marginal_design import MarginalDesign, marginal_design
from forethought.analysis.marginal.marginal_fit import MarginalFit, Model, Solved
from forethought.analysis.marginal.separation import Separation, glm_separation
from forethought.errors import ModelNotFitted

MOST_STEPS = 50
SEPARATED_STEPS = 12
"""Steps towards an infinite estimate, after which fitted means are near enough to their limit."""

TOLERANCE = 1e-10
"""Of the coefficients, in a basis whose columns have unit mean square."""


def glm(
    formula: str,
    data: pd.DataFrame,
    *,
    family: Family,
    link: str | None = None,
    cluster: str | None = None,
    missing: Missing = "raise",
) -> MarginalFit:
    """Fit a generalised linear model by maximum likelihood, as R's glm does.

    family: binomial, poisson, gaussian or gamma. link: the family's own where None: logit, log, identity, log.
    A binary outcome is 0/1, truth values or two levels of which the second is counted; see `counted`.
    With `cluster`, a column, the covariance is the cluster-robust CR1 and inference is normal; without, it is
    the model's, and gaussian and gamma have t with n - p degrees of freedom.
    Separation and a fit that has not converged are returned and say so in `warnings`.
    Raises InvalidFormula, and ModelNotFitted for data that cannot carry the model.
    """
    chosen = chosen_link(family, link)
    design = marginal_design(formula, data, family, cluster=cluster, missing=missing)
    basis, kind = design.basis, statsmodels_family(family, chosen)
    found, separation = fitted_glm(design, basis.Q, family, kind)
    covariance = found.bread * found.dispersion
    if design.clusters:
        residual = (design.outcome.y - found.mu) / (kind.variance(found.mu) * kind.link.deriv(found.mu))
        covariance = cluster_robust(residual[:, None] * basis.Q, found.bread, design.clusters)
    normal = bool(design.clusters) or family not in ESTIMATED_DISPERSION
    beta = basis.coefficients(found.gamma)
    solved = Solved(
        beta=beta,
        covariance=separation.covariance(basis.covariance(covariance), beta),
        df=math.inf if normal else float(len(basis.Q) - len(found.gamma)),
        log_likelihood=found.log_likelihood,
        dispersion=found.dispersion,
        doubt="" if found.converged else f"the estimates still moved after {MOST_STEPS} steps",
        separation=separation,
    )
    return MarginalFit(
        design, Model("glm", family, chosen, "CR1" if design.clusters else "model-based"), solved
    )


@dataclass(frozen=True, slots=True)
class Iterated:
    """Where the iterations ended: gamma (p,), means mu (n,), bread (p, p), the inverse information without dispersion."""

    gamma: Floats
    mu: Floats
    bread: Floats
    dispersion: float
    log_likelihood: float
    converged: bool


def fitted_glm(design: MarginalDesign, Q: Floats, family: Family, kind: Any) -> tuple[Iterated, Separation]:
    """Estimates on columns Q (n, p), after few steps where the outcome is separated, and the separation.

    Raises ModelNotFitted where no finite estimate is found.
    """
    found = _iterated(design, Q, family, kind, MOST_STEPS)
    fixed = design.fixed
    separation = glm_separation(family, design.outcome.y, found.mu, fixed.X, fixed.terms)
    if separation.found:
        found = _iterated(design, Q, family, kind, SEPARATED_STEPS)
    return found, separation


def _iterated(design: MarginalDesign, Q: Floats, family: Family, kind: Any, steps: int) -> Iterated:
    from statsmodels.genmod.generalized_linear_model import GLM

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # separation and steps are judged here, and told as values
        try:
            model = GLM(design.outcome.y, Q, family=kind, offset=design.offset)
            result = model.fit(maxiter=steps, tol_criterion="params", atol=TOLERANCE, rtol=TOLERANCE)
        except (ValueError, np.linalg.LinAlgError) as error:
            raise _no_estimate(str(error).rstrip(".")) from error
        found = Iterated(
            gamma=np.asarray(result.params),
            mu=np.asarray(result.fittedvalues),
            bread=np.asarray(result.normalized_cov_params),
            dispersion=float(result.scale),
            log_likelihood=_log_likelihood(result, family),
            converged=bool(result.converged),
        )
    if not (np.isfinite(found.gamma).all() and np.isfinite(found.mu).all()):
        raise _no_estimate("the iterations left the finite numbers")
    return found


def _log_likelihood(result: Any, family: Family) -> float:
    """At R's dispersion: the mean squared residual (gaussian), the mean deviance (gamma)."""
    if family in ESTIMATED_DISPERSION:
        return float(result.llf_scaled(scale=result.deviance / result.nobs))
    return float(result.llf)


def _no_estimate(what: str) -> ModelNotFitted:
    return ModelNotFitted("model", what, "Take another link, or leave out terms with rare levels")
