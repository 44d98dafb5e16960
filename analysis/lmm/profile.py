"""Intervals of all parameters by the profiled deviance: the values that a likelihood ratio test does not refuse."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular
from scipy.special import chdtri

from forethought.analysis.inference import require_level
from forethought.analysis.lmm.constrained import (
    Held,
    HeldCoefficient,
    HeldCor,
    HeldSd,
    HeldSigma,
    Term,
    least,
)
from forethought.analysis.lmm.optimum import minimum
from forethought.analysis.lmm.parameters import cor_names, parameters, sd_names
from forethought.analysis.lmm.solution import Solution
from forethought.errors import ModelNotFitted

EXACT = 1e-6
"""How closely a limit is found, as a share of the first step away from the estimate."""

DOUBLINGS = 60
"""How often the step from the estimate is doubled before the deviance is taken as never rising enough."""

LEAST_SIGMA = 1e-3
"""A residual standard deviation is searched down to this share of its estimate: zero has no likelihood."""


@dataclass(frozen=True, slots=True)
class _Profiled:
    """A parameter in data units: value * scale + shift is what `held` holds. It lies between two bounds.

    step: how far a limit may be from the estimate, by its order of magnitude.
    """

    name: str
    held: Held
    estimate: float
    step: float
    scale: float
    shift: float
    low: float
    high: float


def profile_intervals(
    solution: Solution, level: float = 0.95, parameters: Collection[str] | None = None
) -> pd.DataFrame:
    """Likelihood intervals: parameter, estimate, ci_low, ci_high, as lme4's confint(method = "profile").

    A limit is where twice the log likelihood, maximised over all other parameters, has fallen by the quantile of
    chi-squared with one degree of freedom. It is that of maximum likelihood: of a fit by REML too, which is fitted
    again for it; so `estimate` is that of maximum likelihood. Where the likelihood does not fall so far, the limit
    is the parameter's bound: 0 for a standard deviation, -1 and 1 for a correlation.
    parameters: names as of `parameters(solution)`, all without it.
    Raises ModelNotFitted for a name that the model does not have, and a level that is not between 0 and 1.
    """
    require_level(level, "intervals")
    best = by_maximum_likelihood(solution)
    rise = float(chdtri(1, 1 - level))
    rows = [
        (one.name, one.estimate, *_limits(one, best, rise))
        for one in _chosen(list(_profiled(best)), parameters)
    ]
    return pd.DataFrame(rows, columns=["parameter", "estimate", "ci_low", "ci_high"])


def by_maximum_likelihood(solution: Solution) -> Solution:
    """The same model and outcome by maximum likelihood."""
    if not solution.reml:
        return solution
    deviance = replace(solution.deviance, reml=False)
    return Solution(solution.design, solution.standard, deviance, minimum(deviance))


def _chosen(every: list[_Profiled], names: Collection[str] | None) -> list[_Profiled]:
    known = [one.name for one in every]
    unknown = [name for name in names or () if name not in known]
    if unknown:
        what = f"no parameter is called {', '.join(unknown)}"
        raise ModelNotFitted("intervals", what, f"The parameters are {', '.join(known)}")
    return every if names is None else [one for one in every if one.name in names]


def _profiled(best: Solution) -> Iterator[_Profiled]:
    """In the order of `parameters`."""
    found, free, random = parameters(best), best.deviance, best.design.random
    unit = 1 / best.standard.scale
    for piece in random.pieces:
        for a, name in enumerate(sd_names(piece)):
            term = Term(random, piece, (a,))
            step = max(found[name] / 2, best.sigma * term.unit / 10)
            yield _Profiled(name, HeldSd(free, term), found[name], step, unit, 0.0, 0.0, np.inf)
        for a, b, name in cor_names(piece):
            held = HeldCor(free, Term(random, piece, (a, b)))
            yield _Profiled(name, held, found[name], 0.3, 1.0, 0.0, -1.0, 1.0)
    sigma = best.sigma
    step = 2 * sigma / np.sqrt(2 * free.nu)
    yield _Profiled("sigma", HeldSigma(free), sigma, step, unit, 0.0, LEAST_SIGMA * sigma, np.inf)
    yield from _coefficients(best)


def _coefficients(best: Solution) -> Iterator[_Profiled]:
    R = best.standard.basis.R
    for place, name in enumerate(best.design.fixed.terms):
        direction = solve_triangular(R, np.eye(len(R))[place], trans="T", check_finite=False)
        length = float(np.linalg.norm(direction))
        scale = 1 / (best.standard.scale * length)
        shift = -float(best.standard.ordinary[place]) * scale
        held, step = HeldCoefficient(best.deviance, direction / length), 2 * np.sqrt(best.vcov[place, place])
        yield _Profiled(name, held, float(best.beta[place]), float(step), scale, shift, -np.inf, np.inf)


def _limits(one: _Profiled, best: Solution, rise: float) -> tuple[float, float]:
    """Where the deviance has risen by `rise` on either side of the estimate, or the bound."""
    if np.isnan(one.estimate):
        return one.low, one.high
    start = one.held.start(best.optimum.theta, best.scores.variance)

    @cache
    def excess(value: float) -> float:
        risen = least(one.held, start, value * one.scale + one.shift) - best.optimum.deviance
        return float(np.sqrt(max(risen, 0.0)) - np.sqrt(rise))  # nearly linear in the value

    return _limit(one, excess, one.low, -one.step), _limit(one, excess, one.high, one.step)


def _limit(one: _Profiled, excess: Callable[[float], float], bound: float, step: float) -> float:
    """The root of `excess` between the estimate and the bound; the bound where there is none."""
    from scipy.optimize import brentq

    inside, tolerance = one.estimate, EXACT * one.step
    for _ in range(DOUBLINGS):
        outside = min(max(inside + step, one.low), one.high)
        if excess(outside) > 0:
            return float(brentq(excess, inside, outside, xtol=tolerance, rtol=EXACT))
        if outside == bound:
            return bound
        inside, step = outside, 2 * step
    return bound
