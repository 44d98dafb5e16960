"""How large the effects of a mixed model are: R2, intraclass correlations, and estimates in standard deviations.

The variance of the random effects is their mean over the fitted rows, mean z'S z, so that random slopes count
as they act in the data (Johnson 2014, Methods Ecol. Evol. 5:944). The residual variance is that of a row of
weight one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from forethought.analysis.lmm.solution import Solution
from forethought.errors import ModelNotFitted

StandardDeviation = Literal["residual", "total"]
"""residual: sigma, within a person and an item. total: the root of residual plus mean random-effect variance."""

SCALED = ("estimate", "se", "ci_low", "ci_high")


@dataclass(frozen=True, slots=True)
class Variances:
    """What the outcome's variance consists of; `by_group` sums to the random effects' variance."""

    fixed: float
    by_group: Mapping[str, float]
    residual: float

    @property
    def random(self) -> float:
        return sum(self.by_group.values())

    @property
    def total(self) -> float:
        """With the fixed effects."""
        return self.fixed + self.random + self.residual


@dataclass(frozen=True, slots=True)
class RSquared:
    """The share of variance that the fixed effects explain, and that they and the random effects explain."""

    marginal: float
    conditional: float


@dataclass(frozen=True, slots=True)
class ICC:
    """The random effects' share of the variance: `adjusted` of random and residual variance, `unadjusted` of all.

    by_group: each grouping factor's part of `adjusted`.
    """

    adjusted: float
    unadjusted: float
    by_group: Mapping[str, float]


def variances(solution: Solution) -> Variances:
    """Of the fixed effects' fitted values (n - 1 in the divisor), of each group's effects, and of the residual."""
    design = solution.design
    sigma2 = solution.sigma**2
    lambdas = design.random.lambdas(solution.optimum.theta)
    by_group = {
        block.group: sigma2 * float(np.mean(((block.Z @ factor) ** 2).sum(axis=1)))
        for block, factor in zip(design.random.blocks, lambdas, strict=True)
    }
    ordered = {piece.group: by_group[piece.group] for piece in design.random.pieces}
    return Variances(float(np.var(design.fixed.X @ solution.beta, ddof=1)), ordered, sigma2)


def r_squared(solution: Solution) -> RSquared:
    """Marginal and conditional R2 (Nakagawa and Schielzeth 2013, Methods Ecol. Evol. 4:133; Johnson 2014)."""
    found = variances(solution)
    return RSquared(found.fixed / found.total, (found.fixed + found.random) / found.total)


def icc(solution: Solution) -> ICC:
    """Intraclass correlations (Nakagawa, Johnson and Schielzeth 2017, J. R. Soc. Interface 14:20170213)."""
    found = variances(solution)
    unexplained = found.random + found.residual
    by_group = {group: variance / unexplained for group, variance in found.by_group.items()}
    return ICC(found.random / unexplained, found.random / found.total, by_group)


def divisor(solution: Solution, by: StandardDeviation) -> float:
    """The standard deviation that estimates are divided by, in data units."""
    found = variances(solution)
    match by:
        case "residual":
            return float(np.sqrt(found.residual))
        case "total":
            return float(np.sqrt(found.random + found.residual))
    what = f"there is no standard deviation called `{by}`"
    raise ModelNotFitted("standardized", what, 'Take by="residual" or by="total"')


def standardized_frame(
    estimates: pd.DataFrame, solution: Solution, by: StandardDeviation = "residual"
) -> pd.DataFrame:
    """A frame of estimates, as a fit's `coefficients`, in standard deviations; `by` and `divisor` say which.

    Estimates, SEs and intervals are divided by a standard deviation that is taken as known; the tests stay.
    by: "residual", as `emmeans::eff_size(sigma = sigma(fit), edf = Inf)` does, or "total", the d of Westfall,
        Kenny and Judd (2014, J. Exp. Psychol. Gen. 143:2020) and Hedges (2007, J. Educ. Behav. Stat. 32:341).
    Raises ModelNotFitted for another `by`, and for a frame without the columns estimate and se.
    """
    absent = [name for name in SCALED[:2] if name not in estimates.columns]
    if absent:
        what = f"the frame has no column {', '.join(absent)}"
        raise ModelNotFitted("standardized", what, "Give a frame of estimates, as a fit's coefficients")
    sd = divisor(solution, by)
    scaled = {name: estimates[name] / sd for name in SCALED if name in estimates.columns}
    return estimates.assign(**scaled, by=by, divisor=sd)
