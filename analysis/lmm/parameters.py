"""The parameters of a mixed model by name: standard deviations, correlations, sigma, fixed effects."""

from collections.abc import Iterator

import numpy as np

from forethought.analysis.lmm.covariance import Piece
from forethought.analysis.lmm.solution import Solution


def parameters(solution: Solution) -> dict[str, float]:
    """Estimates in data units: of each random term `sd(effect|group)` and `cor(effect,effect|group)`, `sigma`, and
    the coefficients by their names. A correlation is missing (nan) where a standard deviation is zero.
    """
    found = dict[str, float]()
    random = solution.design.random
    covariances = random.covariances(solution.optimum.theta, solution.sigma)
    for piece, covariance in zip(random.pieces, covariances, strict=True):
        sd = np.sqrt(np.diag(covariance))
        for a, name in enumerate(sd_names(piece)):
            found[name] = float(sd[a])
        for a, b, name in cor_names(piece):
            product = sd[a] * sd[b]
            found[name] = float(covariance[a, b] / product) if product > 0 else float("nan")
    found["sigma"] = solution.sigma
    return found | dict(zip(solution.design.fixed.terms, solution.beta.tolist(), strict=True))


def sd_names(piece: Piece) -> list[str]:
    """The names of the standard deviations of a random term's effects."""
    return [f"sd({effect}|{piece.group})" for effect in piece.effects]


def cor_names(piece: Piece) -> Iterator[tuple[int, int, str]]:
    """Places of two effects, and the name of their correlation."""
    for a, b in zip(*np.triu_indices(len(piece.effects), 1), strict=True):
        yield int(a), int(b), f"cor({piece.effects[a]},{piece.effects[b]}|{piece.group})"
