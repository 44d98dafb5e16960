"""Satterthwaite's degrees of freedom, and the F tests that rest on them, as lmerTest defines them.

df = 2 v^2 / var(v), where v = l' vcov(beta) l is the contrast's squared standard error and var(v) follows
by the delta method from the curvature of the deviance in the variance parameters (Kuznetsova, Brockhoff and
Christensen 2017, J. Stat. Softw. 82(13); Satterthwaite 1946, Biometrics Bull. 2:110). The parameters here are
(theta, log sigma^2); df does not depend on that choice. The Jacobian of vcov(beta) is exact:
d vcov = sigma^2 C X'V^-1 dV V^-1 X C with C = (X'V^-1 X)^-1.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from forethought.analysis.designs import Floats
from forethought.analysis.inference import DdfMethod, FTest, f_test, uncorrelated
from forethought.analysis.lmm.gradient import BlockScores, Scores
from forethought.analysis.lmm.optimum import inverse_where_informed
from forethought.analysis.lmm.solution import Solution


@dataclass(frozen=True, slots=True)
class Satterthwaite:
    """vcov (p, p) of beta, its Jacobian (n_theta + 1, p, p) and the covariance of the parameters."""

    vcov: Floats
    jacobian: Floats
    parameters: Floats

    method: DdfMethod = "satterthwaite"

    def df(self, weights: Floats) -> float:
        """Degrees of freedom of the contrast weights' beta, weights (p,)."""
        variance = weights @ self.vcov @ weights
        slope = weights @ self.jacobian @ weights / variance  # relative: no square leaves the range of floats
        return float(2 / (slope @ self.parameters @ slope))

    def test(self, L: Floats, beta: Floats) -> FTest:
        """Whether L beta = 0, by the mean of squared t values of uncorrelated combinations.

        The denominator is the one of Fai and Cornelius (1996, J. Stat. Comput. Simul. 54:363), as in lmerTest:
        that of the F whose mean is the mean of the squared t. It depends on the basis in which L is written.
        """
        found = uncorrelated(L, beta, self.vcov)
        dfs = np.array([self.df(weights) for weights in found.combinations])
        return f_test(float((found.values**2).mean()), len(dfs), _denominator(dfs))


def satterthwaite(solution: Solution) -> Satterthwaite:
    """From the scores and the curvature of the deviance at its minimum."""
    standard, found = solution.standard, solution.scores
    parameters = 2 * inverse_where_informed(solution.optimum.curvature)
    return Satterthwaite(solution.vcov, standard.covariances(covariance_slopes(found)), parameters)


def covariance_slopes(found: Scores) -> Floats:
    """Derivatives of vcov(beta) by (theta, log sigma^2) in the standard basis, (n_theta + 1, p, p)."""
    R_X = found.factors.R_X
    R_X_inverse = solve_triangular(R_X, np.eye(len(R_X)), check_finite=False)
    vcov = found.variance * R_X_inverse @ R_X_inverse.T
    by_block = [found.variance * _by_lambda(block, R_X_inverse) for block in found.blocks]
    by_theta = found.deviance.random.free(by_block)
    return np.concatenate([by_theta, vcov[None]])


def _denominator(dfs: Floats) -> float:
    """Of the mean of q squared, uncorrelated t values with dfs (q,); 2 where one of them has no mean, as in lmerTest."""
    if np.ptp(dfs) < 1e-8:
        return float(dfs.mean())
    if (dfs <= 2).any():
        return 2.0
    beyond = float((2 / (dfs - 2)).sum())  # the mean of F is 1 + beyond / q
    return 2 * (len(dfs) + beyond) / beyond


def _by_lambda(block: BlockScores, R_X_inverse: Floats) -> Floats:
    """Derivatives of (X'V^-1 X)^-1 by the entries of Lambda, (k, k, p, p)."""
    r = block.R @ R_X_inverse.T
    products = np.einsum("jac,jbd->abcd", r, r)
    slopes: Floats = np.einsum("abcd,be->aecd", products, block.Lambda)
    return slopes + slopes.transpose(0, 1, 3, 2)
