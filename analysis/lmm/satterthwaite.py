"""Satterthwaite's degrees of freedom for one contrast, as lmerTest defines them.

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
from forethought.analysis.lmm.gradient import BlockScores, Scores
from forethought.analysis.lmm.optimum import inverse_where_informed


@dataclass(frozen=True, slots=True)
class Satterthwaite:
    """vcov (p, p) of beta, its Jacobian (n_theta + 1, p, p) and the covariance of the parameters."""

    vcov: Floats
    jacobian: Floats
    parameters: Floats

    def df(self, weights: Floats) -> float:
        """Degrees of freedom of the contrast weights' beta, weights (p,)."""
        variance = weights @ self.vcov @ weights
        slope = weights @ self.jacobian @ weights
        return float(2 * variance**2 / (slope @ self.parameters @ slope))


def satterthwaite(scores: Scores, curvature: Floats) -> Satterthwaite:
    """From the scores and the curvature of the deviance at its minimum."""
    R_X = scores.factors.R_X
    R_X_inverse = solve_triangular(R_X, np.eye(len(R_X)), check_finite=False)
    vcov = scores.variance * R_X_inverse @ R_X_inverse.T
    by_block = [scores.variance * _by_lambda(block, R_X_inverse) for block in scores.blocks]
    p = len(R_X)
    by_theta = np.empty((scores.deviance.random.n_theta, p, p))
    for a in range(p):
        for b in range(p):
            by_theta[:, a, b] = scores.deviance.random.free([slopes[:, :, a, b] for slopes in by_block])
    return Satterthwaite(vcov, np.concatenate([by_theta, vcov[None]]), 2 * inverse_where_informed(curvature))


def _by_lambda(block: BlockScores, R_X_inverse: Floats) -> Floats:
    """Derivatives of (X'V^-1 X)^-1 by the entries of Lambda, (k, k, p, p)."""
    r = block.R @ R_X_inverse.T
    products = np.einsum("jac,jbd->abcd", r, r)
    slopes: Floats = np.einsum("abcd,be->aecd", products, block.Lambda)
    return slopes + slopes.transpose(0, 1, 3, 2)
