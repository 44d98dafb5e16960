"""The randomisation test: how often the registered design itself would have given so large a statistic.

Fisher's null hypothesis is that every outcome would have been the same in any arm. Then the statistic's distribution
is known: outcomes stay, and the design draws the arms anew for the recorded arrivals, strata and clusters. With
several arms the hypothesis is about all of them: a difference of two arms that is extreme says that some arm changes
outcomes, and where a third arm does, not that one of the two does.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forethought.analysis.arm_statistics import Statistic
from forethought.analysis.progress import Progress, progress_bar
from forethought.randomization.enumeration import Enumeration, TooManyAllocations, enumerated
from forethought.randomization.recorded import RecordedDesign
from forethought.randomization.redraws import batch_size, redraws

Int8s = NDArray[np.int8]
Floats = NDArray[np.float64]
Alternative = Literal["two-sided", "greater", "less"]

TIE = 1e-9
"""Values that differ by less than this share of the largest are the same: sums in another order differ by 1e-13."""

_QUANTILES = (0.005, 0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975, 0.995)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The statistic's distribution if no arm changes anything: mean, SD, and probability to quantile.

    Where every allocation was enumerated they are the distribution's own, weighted by the probabilities.
    """

    mean: float
    sd: float
    quantiles: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomizationTest:
    """A randomisation test. Exact: `draws` is the number of possible allocations, `mc_se` 0 and the interval the p.

    Otherwise p is (1 + b) / (1 + draws), b of the redraws being as extreme as the observed statistic (Phipson and Smyth
    2010, Statistical Applications in Genetics and Molecular Biology 9:39), which is never too small a p; `mc_se` is
    its Monte Carlo standard error, and `ci_low` to `ci_high` the 95% interval of the p that all redraws would give
    (Clopper and Pearson 1934). `undefined` redraws had no statistic, and count as extreme.
    """

    observed: float
    p: float
    exact: bool
    draws: int
    mc_se: float
    ci_low: float
    ci_high: float
    alternative: Alternative
    undefined: int
    reference: Reference


def randomization_test(
    statistic: Statistic,
    design: RecordedDesign,
    *,
    draws: int = 10_000,
    seed: int,
    alternative: Alternative = "two-sided",
    exact_up_to: int = 20_000,
    progress: Progress | bool = False,
) -> RandomizationTest:
    """Test that arms change nothing, by the design that allocated them.

    Every possible allocation is enumerated where there are at most `exact_up_to`, each with its own probability;
    otherwise `draws` redraws are made from `seed`. Two-sided, an allocation is as extreme as the recorded one if its
    statistic is as far from 0: right for differences, and for F, which is never below 0, the same as "greater".
    `progress` is called with the redraws done and all of them; True draws a bar on stderr, where that is a terminal. Statistics: `forethought.analysis.arm_statistics`.
    Raises ValueError where the statistic of the recorded arms is not defined.
    """
    if alternative not in ("two-sided", "greater", "less") or draws < 1:
        raise ValueError("alternative: two-sided, greater or less; draws: at least 1.")
    observed = float(_values(statistic, design.codes[None, :])[0])
    if np.isnan(observed):
        raise ValueError("statistic: it is not defined for the recorded arms. Does each arm have an outcome?")
    try:
        every = enumerated(design.courses, exact_up_to)
    except TooManyAllocations:
        with progress_bar("redraws") if progress is True else nullcontext(progress or None) as told:
            return _redrawn(statistic, design, observed, draws, seed, alternative, told)
    return _exact(statistic, every, observed, alternative)


def _exact(
    statistic: Statistic, every: Enumeration, observed: float, alternative: Alternative
) -> RandomizationTest:
    size = batch_size(every.codes.shape[1], len(every.codes))
    starts = range(0, len(every.codes), size)
    values = np.concatenate([_values(statistic, every.codes[start : start + size]) for start in starts])
    extreme = _extreme(values, observed, alternative)
    p = float(sum((every.probabilities[place] for place in np.flatnonzero(extreme)), Fraction(0)))
    return RandomizationTest(
        observed=observed,
        p=p,
        exact=True,
        draws=len(values),
        mc_se=0.0,
        ci_low=p,
        ci_high=p,
        alternative=alternative,
        undefined=int(np.isnan(values).sum()),
        reference=_reference(values, every.floats),
    )


def _redrawn(
    statistic: Statistic,
    design: RecordedDesign,
    observed: float,
    draws: int,
    seed: int,
    alternative: Alternative,
    progress: Progress | None,
) -> RandomizationTest:
    values = np.empty(draws)
    done = 0
    for codes in redraws(design.courses, draws, np.random.default_rng(seed)):
        values[done : done + len(codes)] = _values(statistic, codes)
        done += len(codes)
        if progress is not None:
            progress(done, draws)
    extreme = int(_extreme(values, observed, alternative).sum())
    p = (1 + extreme) / (1 + draws)
    low, high = _clopper_pearson(extreme, draws)
    return RandomizationTest(
        observed=observed,
        p=p,
        exact=False,
        draws=draws,
        mc_se=float(np.sqrt(p * (1 - p) / draws)),
        ci_low=low,
        ci_high=high,
        alternative=alternative,
        undefined=int(np.isnan(values).sum()),
        reference=_reference(values, np.full(draws, 1 / draws)),
    )


def _values(statistic: Statistic, codes: Int8s) -> Floats:
    values = np.asarray(statistic(codes), dtype=float)
    if values.shape != (len(codes),):
        raise ValueError(
            f"statistic: it gave {values.shape} for {len(codes)} allocations. Give one number for each row of codes."
        )
    return values


def _extreme(values: Floats, observed: float, alternative: Alternative) -> NDArray[np.bool_]:
    """Which values are at least as extreme as the observed one; ties are, and so is a statistic that is undefined."""
    finite = values[np.isfinite(values)]
    slack = TIE * max(float(np.abs(finite).max(initial=0)), abs(observed) if np.isfinite(observed) else 0)
    match alternative:
        case "greater":
            found = values >= observed - slack
        case "less":
            found = values <= observed + slack
        case "two-sided":
            found = np.abs(values) >= abs(observed) - slack
    return np.asarray(found | np.isnan(values))


def _clopper_pearson(extreme: int, draws: int) -> tuple[float, float]:
    """The exact 95% interval of a probability, as the quantiles of beta distributions."""
    from scipy.special import betaincinv

    low = betaincinv(extreme, draws - extreme + 1, 0.025) if extreme > 0 else 0.0
    high = betaincinv(extreme + 1, draws - extreme, 0.975) if extreme < draws else 1.0
    return float(low), float(high)


def _reference(values: Floats, weights: Floats) -> Reference:
    """Mean, SD and quantiles (the smallest value whose cumulative probability reaches each) of the defined values."""
    defined = np.isfinite(values)
    kept, share = values[defined], weights[defined] / weights[defined].sum()
    order = np.argsort(kept, kind="stable")
    cumulative = np.cumsum(share[order])
    mean = float(share @ kept)
    places = np.searchsorted(cumulative, np.array(_QUANTILES) - TIE).clip(max=len(kept) - 1)
    return Reference(
        mean=mean,
        sd=float(np.sqrt(share @ (kept - mean) ** 2)),
        quantiles=tuple(
            (share_below, float(kept[order[place]]))
            for share_below, place in zip(_QUANTILES, places, strict=True)
        ),
    )
