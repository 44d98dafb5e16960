"""A theta to start from: variances by one step of Fisher scoring, which needs no more than one theta's scores.

From a theta with V = I + sum S_i V_i the expected y'P V_i P y are linear in the variances, V_0 = I and its
variance sigma^2 among them; their solution is Rao's (1972, J. Am. Stat. Assoc. 67:112) minimum norm estimate, and
the best theta itself where the data are balanced.
"""

from collections.abc import Sequence

import numpy as np
from numpy.linalg import LinAlgError

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import Piece, RandomDesign
from forethought.analysis.lmm.curvature import information
from forethought.analysis.lmm.deviance import ProfiledDeviance
from forethought.analysis.lmm.gradient import Scores, scores
from forethought.analysis.lmm.gram import Element, Gram, gram

LEAST = 1e-2
"""A variance that is estimated as less than the square of this starts there."""


def first_guess(deviance: ProfiledDeviance, theta: Floats) -> tuple[Floats, Scores]:
    """The estimate from theta and its scores; theta itself and its own where that is better.

    Raises LinAlgError where the model cannot be factored at theta.
    """
    found = scores(deviance, theta)
    A = gram(found)
    variances = _variances(found, A)
    if variances is None or not variances[-1] > 0:
        return theta, found
    relative = [np.zeros((block.k, block.k)) for block in deviance.random.blocks]
    for (block, a, b), value in zip(A.elements, variances[:-1] / variances[-1], strict=True):
        relative[block][a, b] = relative[block][b, a] = value
    guess = _lower_factors(deviance.random, relative)
    factors = deviance.possible(guess)
    if factors is None or deviance.of(factors) > deviance.of(found.factors):
        return theta, found
    return guess, scores(deviance, guess, factors)


def _variances(found: Scores, A: Gram) -> Floats | None:
    """Of each element, and the residual's: the solution of the expected equations, those between pieces zero."""
    traces = information(found)[0]
    reml, elements = found.deviance.reml, A.elements
    S = _values([block.Lambda @ block.Lambda.T for block in found.blocks], elements)
    of_V = _values([block.traces - block.of_fixed * reml for block in found.blocks], elements, twice=True)
    of_y = _values([block.of_residual for block in found.blocks], elements, twice=True)
    with_I = of_V - traces @ S
    left = np.empty((len(elements) + 1,) * 2)
    left[:-1, :-1], left[:-1, -1], left[-1, :-1] = traces, with_I, with_I
    left[-1, -1] = found.deviance.nu - of_V @ S - with_I @ S
    right = np.append(of_y, found.factors.r2 - of_y @ S)
    kept = np.append(A.free, True)
    solution = np.zeros(len(kept))
    try:
        solution[kept] = np.linalg.solve(left[np.ix_(kept, kept)], right[kept])
    except LinAlgError:
        return None
    return solution


def _values(matrices: Sequence[Floats], elements: Sequence[Element], *, twice: bool = False) -> Floats:
    """The elements' entries of symmetric matrices by block, those off the diagonal counted twice where wanted."""
    return np.array([matrices[block][a, b] * (1 + (twice and a != b)) for block, a, b in elements])


def _lower_factors(random: RandomDesign, relative: Sequence[Floats]) -> Floats:
    """Theta of the nearest positive definite matrices, piece by piece."""
    theta = np.empty(random.n_theta)
    for block, S in zip(random.blocks, relative, strict=True):
        for piece in block.pieces:
            theta[piece.theta] = _lower_factor(piece, S)
    return theta


def _lower_factor(piece: Piece, S: Floats) -> Floats:
    values, vectors = np.linalg.eigh(S[piece.own, piece.own])
    positive = (vectors * np.maximum(values, LEAST**2)) @ vectors.T
    rows, columns = piece.entries
    return np.linalg.cholesky(positive)[rows - piece.first, columns - piece.first]
