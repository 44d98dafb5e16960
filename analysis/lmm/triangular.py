"""LAPACK's triangular routines without the checks of scipy.linalg, which take longer than small matrices do."""

import numpy as np
from scipy.linalg import lapack

from forethought.analysis.designs import Floats


def lower_factor(S: Floats) -> Floats:
    """The lower L (q, q) with L L' = S. Raises LinAlgError where S is not positive definite in floating point."""
    if not len(S):
        return S
    L, failed = lapack.dpotrf(S, lower=1, clean=1)
    if failed:
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    return np.asarray(L)


def solved(L: Floats, columns: Floats) -> Floats:
    """L^-1 columns, (q, c) or (q,), of a lower L."""
    return np.asarray(lapack.dtrtrs(L, columns, lower=1)[0]) if len(L) else columns


def solved_transposed(L: Floats, columns: Floats) -> Floats:
    """L^-T columns, (q, c) or (q,), of a lower L."""
    return np.asarray(lapack.dtrtrs(L, columns, lower=1, trans=1)[0]) if len(L) else columns


def inverse_of_square(L: Floats) -> Floats:
    """(L L')^-1 of a lower L."""
    if not len(L):
        return L
    inverse: Floats = lapack.dpotri(L, lower=1)[0]  # its lower triangle, and L's zeros above
    whole = inverse + inverse.T
    whole.flat[:: len(whole) + 1] /= 2
    return whole
