"""Cumulative-link (proportional odds) models of ordered outcomes, without random effects."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import logit, ndtri

from forethought.analysis.designs import Floats, Missing
from forethought.analysis.marginal.clusters import cluster_robust
from forethought.analysis.marginal.marginal_design import Basis, MarginalDesign, marginal_design, orthogonal
from forethought.analysis.marginal.marginal_fit import MarginalFit, Model, Solved, Thresholds
from forethought.analysis.marginal.ordinal_likelihood import Cumulative
from forethought.analysis.marginal.separation import CERTAIN, Separation, separating
from forethought.errors import ModelNotFitted

MOST_STEPS = 50
SMALL_STEP = 1e-18
"""Newton's promised gain of the log likelihood, as a share of the number of rows, at which the maximum is reached."""


def ordinal(
    formula: str,
    data: pd.DataFrame,
    *,
    cluster: str | None = None,
    link: Literal["logit", "probit"] = "logit",
    missing: Missing = "raise",
) -> MarginalFit:
    """Fit a cumulative-link model by maximum likelihood: proportional odds with the logit, as MASS's polr.

    The outcome is an ordered category or whole numbers. P(Y <= k) = F(threshold_k - x beta), so a positive
    coefficient means higher levels. The thresholds are in `thresholds`; the coefficient `Intercept` is minus their
    mean, so that marginal means lie on the latent scale whose zero is the middle of the thresholds.
    With `cluster`, a column, the covariance is the cluster-robust CR1; inference is normal either way.
    Separation and a fit that has not converged are returned and say so in `warnings`.
    Raises InvalidFormula, and ModelNotFitted for data that cannot carry the model.

    Method: McCullagh 1980, J. R. Stat. Soc. B 42:109; Newton's steps with the exact second derivative, halved
    where the likelihood falls, from the thresholds of the outcome alone. The likelihood has one maximum.
    """
    if link not in ("logit", "probit"):
        raise ModelNotFitted("link", f"an ordinal model has no link `{link}` here", "Take logit or probit")
    design = marginal_design(formula, data, "cumulative", cluster=cluster, missing=missing)
    _require_slopes(design)
    covariance_type = "CR1" if cluster else "model-based"
    return MarginalFit(design, Model("ordinal", "cumulative", link, covariance_type), _solved(design, link))


def _solved(design: MarginalDesign, link: str) -> Solved:
    slopes = design.fixed.X[:, 1:]
    centre = slopes.mean(axis=0)
    basis = orthogonal(slopes - centre)
    model = _likelihood(design, basis.Q, link)
    found = _maximum(model)
    covariance = found.covariance
    if design.clusters:
        covariance = cluster_robust(model.scores(found.z), found.covariance, design.clusters)
    turn = _turn(basis, centre, model.n_levels - 1)
    names = tuple(f"{low}|{high}" for low, high in pairwise(design.outcome.levels))
    separation = _separation(model, found.z, (*names, *design.fixed.terms[1:]), slopes)
    z = turn @ found.z
    covariance = separation.covariance(turn @ covariance @ turn.T, z)
    rows = _latent_rows(len(names), len(centre))
    return Solved(
        beta=rows @ z,
        covariance=rows @ covariance @ rows.T,
        df=math.inf,
        log_likelihood=model.log_likelihood(found.z),
        dispersion=1.0,
        doubt="" if found.converged else f"the estimates still moved after {MOST_STEPS} steps",
        separation=separation,
        cuts=Thresholds(names, z[: len(names)], covariance[: len(names), : len(names)]),
    )


def _turn(basis: Basis, centre: Floats, n_cuts: int) -> Floats:
    """From (cuts, gamma) of the centred basis to (thresholds, beta): beta = R^-1 gamma, threshold = cut + centre beta."""
    turn = np.eye(n_cuts + len(centre))
    turn[n_cuts:, n_cuts:] = basis.coefficients(np.eye(len(centre)))
    turn[:n_cuts, n_cuts:] = centre @ turn[n_cuts:, n_cuts:]
    return turn


def _latent_rows(n_cuts: int, n_slopes: int) -> Floats:
    """From (thresholds, beta) to (intercept, beta), the intercept being minus the mean threshold."""
    rows = np.zeros((1 + n_slopes, n_cuts + n_slopes))
    rows[0, :n_cuts] = -1 / n_cuts
    rows[1:, n_cuts:] = np.eye(n_slopes)
    return rows


def _likelihood(design: MarginalDesign, Q: Floats, link: str) -> Cumulative:
    offset = np.zeros(len(Q)) if design.offset is None else design.offset
    places = design.outcome.y.astype(np.int64)
    return Cumulative(places, Q, offset, len(design.outcome.levels), link)


def _require_slopes(design: MarginalDesign) -> None:
    """Raises ModelNotFitted for a formula without an intercept, or with nothing besides."""
    if design.fixed.terms[0] != "Intercept":
        raise ModelNotFitted(
            "model", "the thresholds need an intercept to stand for", "Leave `0 +` out of the formula"
        )
    if len(design.fixed.terms) == 1:
        raise ModelNotFitted(
            "model", "the formula has no term besides the thresholds", "Give it one to estimate"
        )


@dataclass(frozen=True, slots=True)
class _Maximum:
    """Where the likelihood is largest, with the inverse of the exact information there."""

    z: Floats
    covariance: Floats
    converged: bool


def _maximum(model: Cumulative) -> _Maximum:
    shares = np.bincount(model.places, minlength=model.n_levels).cumsum()[:-1] / len(model.places)
    cuts = logit(shares) if model.link == "logit" else ndtri(shares)
    z = np.concatenate([cuts + model.offset.mean(), np.zeros(model.columns.shape[1])])
    reached, converged = model.log_likelihood(z), False
    for _ in range(MOST_STEPS):
        score, information = model.scores(z).sum(axis=0), model.information(z)
        step = _solve(information, score)
        if score @ step <= SMALL_STEP * len(model.places):
            converged = True
            break
        ahead, value = _longest_rising(model, z, step, reached)
        if ahead is None:  # rounding hides any further gain
            converged = bool(score @ step <= 1e-8)
            break
        z, reached = ahead, value
    return _Maximum(z, _solve(model.information(z), np.eye(len(z))), converged)


def _longest_rising(
    model: Cumulative, z: Floats, step: Floats, reached: float
) -> tuple[Floats | None, float]:
    """The first of the step, its half, its quarter ... that does not lower the likelihood; None where all do."""
    for halvings in range(30):
        ahead = z + step * 0.5**halvings
        value = model.log_likelihood(ahead)
        if value >= reached:
            return ahead, value
    return None, reached


def _solve(information: Floats, right: Floats) -> Floats:
    try:
        found: Floats = cho_solve(cho_factor(information), right)
    except LinAlgError:  # a separated outcome leaves directions without information
        found = np.linalg.pinv(information, hermitian=True) @ right
    return found


def _separation(model: Cumulative, z: Floats, terms: tuple[str, ...], slopes: Floats) -> Separation:
    """Of thresholds and coefficients; asked only where some threshold has run far from some row."""
    if model.farthest(z) > CERTAIN:
        return Separation(np.zeros(len(terms)), terms)
    plain = replace(model, columns=slopes)
    rows = np.vstack([plain.upper, -plain.lower])
    bound = rows[np.abs(rows).any(axis=1)]
    return Separation(separating(bound, np.empty((0, len(terms)))), terms)
