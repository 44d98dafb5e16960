"""The parametric bootstrap: outcomes simulated from a fitted mixed model, and the model solved again for each."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.parameters import parameters
from forethought.analysis.lmm.predictions import outcome, predict
from forethought.analysis.lmm.profile import by_maximum_likelihood
from forethought.analysis.lmm.solution import Solution
from forethought.analysis.progress import Progress, progress_bar
from forethought.errors import ModelNotFitted

Statistic = Callable[[Solution], Mapping[str, float]]
Kind = Literal["percentile", "basic", "normal"]

TIE = 1e-8
"""Likelihood ratios that differ by less are the same: where a variance is zero in both they are rounding alone."""


@dataclass(frozen=True, repr=False, eq=False)
class Bootstrap:
    """Statistics of `simulations` outcomes simulated from a fit.

    observed: of the fit itself. replicates: a row for each simulation, a column for each statistic; missing where
    the model could not be solved (`failed`) or the statistic is not defined. `not_converged` fits are kept, for to
    leave out what is hard to fit would bias what remains; `singular` ones have a variance of zero or a correlation of one.
    """

    observed: Mapping[str, float]
    replicates: pd.DataFrame
    failed: int
    not_converged: int
    singular: int

    def __repr__(self) -> str:
        counts = f"{self.failed} failed, {self.not_converged} not converged, {self.singular} singular"
        return (
            f"<parametric bootstrap: {self.simulations:,} simulations, {counts}; see summary(), intervals()>"
        )

    @property
    def simulations(self) -> int:
        return len(self.replicates)

    @property
    def warnings(self) -> tuple[str, ...]:
        counts = {"could not be solved": self.failed, "did not converge": self.not_converged}
        return tuple(f"{n} of {self.simulations} simulations {what}" for what, n in counts.items() if n)

    def summary(self) -> pd.DataFrame:
        """parameter, estimate, bias, se, and defined: how many simulations have the statistic."""
        return pd.DataFrame(
            {
                "parameter": list(self.observed),
                "estimate": list(self.observed.values()),
                "bias": (self.replicates.mean() - pd.Series(self.observed)).to_numpy(),
                "se": self.replicates.std().to_numpy(),
                "defined": self.replicates.notna().sum().to_numpy(),
            }
        )

    def intervals(self, kind: Kind = "percentile", level: float = 0.95) -> pd.DataFrame:
        """parameter, estimate, ci_low, ci_high (Davison and Hinkley 1997, Bootstrap Methods, 5.2-5.3).

        percentile: the replicates' quantiles; basic: these mirrored at the estimate; normal: the estimate less its
        bias, and the normal quantile times the standard error.
        """
        if kind not in ("percentile", "basic", "normal") or not 0 < level < 1:
            what = f"there is no {kind} interval of level {level}"
            raise ModelNotFitted(
                "bootstrap", what, "Take percentile, basic or normal, and a level such as 0.95"
            )
        summary = self.summary()
        low, high = (self.replicates.quantile(tail).to_numpy() for tail in ((1 - level) / 2, (1 + level) / 2))
        estimate = summary["estimate"].to_numpy()
        if kind == "basic":
            low, high = 2 * estimate - high, 2 * estimate - low
        if kind == "normal":
            centre = estimate - summary["bias"].to_numpy()
            half = float(ndtri((1 + level) / 2)) * summary["se"].to_numpy()
            low, high = centre - half, centre + half
        return summary[["parameter", "estimate"]].assign(ci_low=low, ci_high=high)


@dataclass(frozen=True, slots=True)
class BootstrapLrt:
    """A likelihood ratio test of nested models by simulation from the smaller.

    p is (1 + b) / (1 + simulations), where b ratios are at least as large as the observed; `mc_se` is its Monte Carlo
    standard error. A simulation that could not be solved (`failed`) counts as large, so that p is not too small.
    """

    ratio: float
    p: float
    mc_se: float
    simulations: int
    failed: int
    not_converged: int


def bootstrap(
    solution: Solution,
    statistic: Statistic | None = None,
    *,
    simulations: int = 1000,
    seed: int,
    progress: Progress | bool = False,
) -> Bootstrap:
    """Parametric bootstrap of a statistic of the solved model; without one, of all its parameters.

    Outcomes are drawn from the fitted distribution, random effects anew each time, and solved as the model was, by
    REML or maximum likelihood. The same seed gives the same numbers. `progress` is called with the simulations done
    and all of them; True draws a bar on stderr, where that is a terminal.
    """
    of = statistic or parameters
    observed = of(solution)
    if not isinstance(observed, Mapping):
        what = f"the statistic gives a value of the kind {type(observed).__name__}"
        raise ModelNotFitted("bootstrap", what, 'Return numbers by name, as {"slope": model.beta[1]}')
    tally = _Tally()
    rows = []
    with _told("simulations", progress) as told:
        for done, y in enumerate(simulated(solution, simulations, seed), start=1):
            found = tally.solved(solution, y, reml=solution.reml)
            rows.append({} if found is None else dict(of(found)))
            if told:
                told(done, simulations)
    replicates = pd.DataFrame(rows, columns=list(observed), dtype=float)
    return Bootstrap(observed, replicates, tally.failed, tally.not_converged, tally.singular)


def bootstrap_lrt(
    larger: Solution,
    smaller: Solution,
    *,
    simulations: int = 1000,
    seed: int,
    progress: Progress | bool = False,
) -> BootstrapLrt:
    """Likelihood ratio test of the larger model against the smaller, both by maximum likelihood.

    Its reference distribution is that of outcomes simulated from the smaller model, so that it holds in small
    samples and where a variance is zero, where chi-squared does not (Halekoh and Hojsgaard 2014, J. Stat. Softw. 59(9)).
    Raises ModelNotFitted where the models are not of the same outcome, or the larger fits worse.
    """
    y, other = outcome(larger), outcome(smaller)
    if y.shape != other.shape or not np.allclose(y, other, rtol=1e-9, atol=1e-9 * np.ptp(y)):
        raise ModelNotFitted(
            "bootstrap_lrt", "the models have different outcomes", "Fit both to the same rows"
        )
    null = by_maximum_likelihood(smaller)
    ratio = null.criterion - by_maximum_likelihood(larger).criterion
    if ratio < -TIE * abs(null.criterion):
        what = "the larger model has the smaller likelihood, so they are not nested"
        raise ModelNotFitted("bootstrap_lrt", what, "Give the larger model first")
    tally, extreme = _Tally(), 0
    with _told("simulations", progress) as told:
        for done, y in enumerate(simulated(null, simulations, seed), start=1):
            pair = [tally.solved(model, y, reml=False) for model in (smaller, larger)]
            if pair[0] is None or pair[1] is None:
                extreme += 1
            else:
                extreme += pair[0].criterion - pair[1].criterion >= ratio - TIE
            if told:
                told(done, simulations)
    p = (1 + extreme) / (1 + simulations)
    mc_se = math.sqrt(p * (1 - p) / simulations)
    return BootstrapLrt(max(ratio, 0.0), p, mc_se, simulations, tally.failed, tally.not_converged)


def simulated(solution: Solution, simulations: int, seed: int) -> Iterator[Floats]:
    """Outcomes (n,) of the fitted model with new random effects and residuals, one for each simulation."""
    if not isinstance(simulations, int | np.integer) or simulations < 2:
        raise ModelNotFitted("bootstrap", f"there are {simulations} simulations", "Ask for two or more")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ModelNotFitted("bootstrap", f"the seed is {seed!r}", "Give a whole number, zero or above")
    rng = np.random.default_rng(seed)
    design, sigma = solution.design, solution.sigma
    expected = predict(solution, random=False).to_numpy()
    weights = design.data.weights
    spread = sigma if weights is None else sigma / np.sqrt(weights)
    factors = design.random.lambdas(solution.optimum.theta)
    for _ in range(simulations):
        y = expected + spread * rng.standard_normal(len(expected))
        for block, factor in zip(design.random.blocks, factors, strict=True):
            effects = sigma * rng.standard_normal((block.m, block.k)) @ factor.T
            y += np.einsum("ij,ij->i", block.Z, effects[block.codes])
        yield y


class _Tally:
    """Counts of what became of simulated outcomes."""

    def __init__(self) -> None:
        self.failed = self.not_converged = self.singular = 0

    def solved(self, solution: Solution, y: Floats, *, reml: bool) -> Solution | None:
        """The model of another outcome; none where it cannot be solved."""
        try:
            found = solution.design.solve(y, reml=reml)
        except ModelNotFitted:
            self.failed += 1
            return None
        self.not_converged += not found.optimum.converged
        self.singular += bool(found.design.random.singular_groups(found.optimum.theta))
        return found


def _told(what: str, progress: Progress | bool) -> AbstractContextManager[Progress | None]:
    return progress_bar(what) if progress is True else nullcontext(progress or None)
