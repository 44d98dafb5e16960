"""The fixed effects in a basis in which rounding does least harm, and the way back to data units."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr, solve_triangular

from forethought.analysis.designs import Floats
from forethought.errors import ModelNotFitted

NO_RESIDUAL = 1e-12


@dataclass(frozen=True, slots=True)
class Basis:
    """X = Q R with orthonormal Q (n, p) and upper R (p, p)."""

    Q: Floats
    R: Floats


def basis_of(X: Floats) -> Basis:
    """The basis of columns X (n, p) of full rank."""
    Q, R = (np.asarray(part, dtype=float) for part in qr(X, mode="economic", check_finite=False))
    return Basis(Q, R)


@dataclass(frozen=True, slots=True)
class Standardized:
    """An outcome y = X b + scale * z in a basis X = Q R, with z (n,) of unit mean square, Q'z = 0.

    The model of z on Q has the same theta; coefficients, sigma and deviance are carried back exactly.
    """

    basis: Basis
    z: Floats
    ordinary: Floats  # b, the ordinary least squares coefficients
    scale: float

    def coefficients(self, gamma: Floats) -> Floats:
        """Coefficients of X from those of Q, (p,)."""
        return self.ordinary + self.scale * solve_triangular(self.basis.R, gamma, check_finite=False)

    def covariances(self, of_gamma: Floats) -> Floats:
        """Covariances of the coefficients of X from those of Q, (..., p, p)."""
        R_inverse = solve_triangular(self.basis.R, np.eye(len(self.basis.R)), check_finite=False)
        return self.scale**2 * R_inverse @ of_gamma @ R_inverse.T

    def deviance(self, of_z: float, nu: int, *, reml: bool) -> float:
        """The deviance of y on X from that of z on Q."""
        log_volume = 2 * float(np.log(np.abs(np.diag(self.basis.R))).sum()) if reml else 0.0
        return of_z + 2 * nu * math.log(self.scale) + log_volume


def standardized(basis: Basis, y: Floats) -> Standardized:
    """The outcome in the basis. Raises ModelNotFitted where the fixed effects leave no residual."""
    projection = basis.Q.T @ y
    residual = y - basis.Q @ projection
    scale = float(np.sqrt(np.mean(residual**2)))
    if scale <= NO_RESIDUAL * float(np.abs(y).max()):
        what = "the fixed effects reproduce the outcome without any residual"
        raise ModelNotFitted("model", what, "Check that the outcome varies and is no predictor of itself")
    ordinary = solve_triangular(basis.R, projection, check_finite=False)
    return Standardized(basis, residual / scale, ordinary, scale)
