"""Nodes and weights of the integrals behind simultaneous inference. All are fixed: the same input, the same number."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import chdtri

from forethought.analysis.designs import Floats

CHI_NODES = 24
"""For each unit of log s, besides as many for its middle."""

NORMAL_NODES = 128

FARTHEST = 8.5
"""A standard normal lies beyond it with a probability below 1e-16."""

TAIL = 1e-13
"""Of the chi distribution's two tails that its nodes leave out."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """at (n,) and weights (n,) of an integral."""

    at: Floats
    weights: Floats


@lru_cache(maxsize=16)
def legendre(count: int) -> Nodes:
    """Gauss and Legendre's nodes on [-1, 1]."""
    at, weights = np.polynomial.legendre.leggauss(count)
    return Nodes(at, weights)


def between(low: float, high: float, count: int) -> Nodes:
    """Gauss and Legendre's nodes on [low, high]."""
    base = legendre(count)
    half = (high - low) / 2
    return Nodes((low + high) / 2 + half * base.at, half * base.weights)


@lru_cache(maxsize=1)
def normal_nodes() -> Nodes:
    """The standard normal distribution's, equally spaced, which is best where everything is smooth."""
    at = np.linspace(-FARTHEST, FARTHEST, NORMAL_NODES)
    weights = np.exp(-(at**2) / 2) / math.sqrt(2 * math.pi) * (at[1] - at[0])
    return Nodes(at, weights)


@lru_cache(maxsize=256)
def scale_nodes(df: float) -> Nodes:
    """Of s = sqrt(chi-squared / df), by which a normal variable is divided to become a t; 1 where df is infinite."""
    if math.isinf(df):
        return Nodes(np.ones(1), np.ones(1))
    low, high = (_log_scale(df, tail) for tail in (1 - TAIL, TAIL))
    log_s = between(low, high, round(CHI_NODES * (1 + high - low)))
    density = np.exp(-df / 2 * (np.expm1(2 * log_s.at) - 2 * log_s.at))  # up to a factor, largest at s = 1
    return Nodes(np.exp(log_s.at), log_s.weights * density / float(log_s.weights @ density))


def _log_scale(df: float, tail: float) -> float:
    """log s beyond which this much of its distribution lies; where that is no number, e^-30 of the density is left."""
    quantile = float(chdtri(df, tail))
    return 0.5 * math.log(quantile / df) if quantile > 0 else -30 / df
