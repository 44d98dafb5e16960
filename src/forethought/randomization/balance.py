"""Whether the arms' numbers are what the design lets them be: sample-ratio mismatch, and imbalance within strata."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from forethought.protocol.allocation import BiasedCoin, Design, Minimization, Rerandomization, Simple
from forethought.randomization.arrivals import Arrivals
from forethought.randomization.imbalance import exact_bounds
from forethought.randomization.recorded import Course
from forethought.randomization.redraws import redraws
from forethought.randomization.strata import WHOLE_WAVE, levels_of

Counts = Mapping[str, Mapping[str, int]]
"""Stratum to arm to units."""

MISMATCH = 0.001
"""The p below which a sample-ratio mismatch is an alarm, as GrowthBook has it."""

_LEAST_EXPECTED = 5
"""A chi-square approximation holds from this expected count in every arm on (Cochran 1954, Biometrics 10:417)."""

_WITHIN = 0.999
_SEED = 20_260_504
_STATIONARY = 1_000
"""A biased coin forgets: the imbalance after so many units is distributed as after more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """The chi-square test of arm counts against the ratio; p is None where an arm's expected count is below 5.

    Few units are not tested: they say too little for an alarm at .001 to mean much, and approximations fail there.
    """

    statistic: float
    df: int
    p: float | None

    @property
    def alarm(self) -> bool:
        """Whether the counts do not have the ratio: p < .001."""
        return self.p is not None and self.p < MISMATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """An arm of a stratum that is further from its share than the design allows.

    `stratum` is a stratum's label, a level of a factor, or `all`. Where `simulated`, the design has no limit, and one
    course in a thousand is further.
    """

    stratum: str
    arm: str
    units: int
    of: int
    imbalance: float
    at_most: float
    simulated: bool


def sample_ratio(counts: Mapping[str, int], ratio: Mapping[str, int]) -> SampleRatio:
    """Test the arms' counts against the ratio. It holds for simple randomisation; other designs are closer to it."""
    from scipy.special import chdtrc

    total, shares = sum(counts.get(arm, 0) for arm in ratio), sum(ratio.values())
    expected = {arm: total * share / shares for arm, share in ratio.items()}
    df = len(ratio) - 1
    if total == 0:
        return SampleRatio(statistic=0.0, df=df, p=None)
    statistic = sum((counts.get(arm, 0) - each) ** 2 / each for arm, each in expected.items())
    enough = min(expected.values()) >= _LEAST_EXPECTED
    return SampleRatio(statistic=statistic, df=df, p=float(chdtrc(df, statistic)) if enough else None)


def within(design: Design, counts: Counts, *, draws: int = 4_000) -> tuple[Violation, ...]:
    """Every arm that is further from its share than the design allows, in one wave.

    `counts` has the units of each arm in each stratum, all of which count, replacements left out. The design's exact
    limit is the bound, and where it has none, what 99.9% of simulated courses keep to. Minimisation is judged in each
    level of its factors and in the whole wave, and rerandomisation not at all: its arms are equal by its batches.
    """
    if isinstance(design, Rerandomization):
        return ()
    bounds = {label: exact_bounds(design, sum(arms.values())) for label, arms in counts.items()}
    if all(bound is not None for bound in bounds.values()):
        exact = {label: dict(bound) for label, bound in bounds.items() if bound is not None}
        limits = {label: {arm: float(most) for arm, most in of.items()} for label, of in exact.items()}
        return tuple(_violations(design, counts, limits, simulated=False))
    judged = _margins(counts) if isinstance(design, Minimization) else counts
    return tuple(_violations(design, judged, simulated_bounds(design, counts, draws=draws), simulated=True))


def simulated_bounds(
    design: Design, counts: Counts, *, draws: int = 4_000
) -> Mapping[str, Mapping[str, float]]:
    """What |units of the arm - all units * share| is at most in 99.9% of courses, by stratum and arm.

    The courses have as many units of each stratum as `counts`, in one random order, from a seed that never changes.
    For minimisation: by level of each factor, as `factor=level`, and `all`.
    """
    rng = np.random.default_rng(_SEED)
    arms, units = tuple(sorted(design.ratio)), {label: sum(of.values()) for label, of in counts.items()}
    shares = np.array([design.ratio[arm] for arm in arms]) / sum(design.ratio.values())
    rank = math.ceil(_WITHIN * draws) - 1
    found: dict[str, Mapping[str, float]] = {}
    for label, numbers in _simulated(design, units, shares, draws, rng):
        away = np.abs(numbers - numbers.sum(axis=1, keepdims=True) * shares)
        furthest = np.sort(away, axis=0)[rank]
        found[label] = MappingProxyType(dict(zip(arms, furthest.tolist(), strict=True)))
    return MappingProxyType(found)


def _simulated(
    design: Design,
    units: Mapping[str, int],
    shares: NDArray[np.float64],
    draws: int,
    rng: np.random.Generator,
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """The arms' numbers, shape (draws, arms), of each stratum that is judged."""
    if isinstance(design, Simple) and not design.caps:
        for label, number in units.items():
            yield label, rng.multinomial(number, shares, size=draws)
        return
    if isinstance(design, BiasedCoin) and not design.caps:
        units = {label: min(number, _STATIONARY + number % 2) for label, number in units.items()}
    order = rng.permutation(np.repeat(np.arange(len(units)), list(units.values())))
    arrivals = Arrivals(labels=tuple(units), codes=order.astype(np.intp))
    members = {label: np.isin(order, strata) for label, strata in _judged(design, tuple(units)).items()}
    drawn = {label: np.empty((draws, len(shares)), dtype=np.int64) for label in members}
    first = 0
    for codes in redraws((Course(design=design, arrivals=arrivals),), draws, rng):
        for label, member in members.items():
            own = codes[:, member]
            for arm in range(len(shares)):
                drawn[label][first : first + len(codes), arm] = (own == arm).sum(axis=1)
        first += len(codes)
    yield from drawn.items()


def _judged(design: Design, labels: tuple[str, ...]) -> Mapping[str, list[int]]:
    """What is judged, and which strata it is made of."""
    if not isinstance(design, Minimization):
        return {label: [place] for place, label in enumerate(labels)}
    found: dict[str, list[int]] = {WHOLE_WAVE: list(range(len(labels)))}
    for place, label in enumerate(labels):
        for factor, level in levels_of(label).items():
            found.setdefault(f"{factor}={level}", []).append(place)
    return found


def _margins(counts: Counts) -> Counts:
    """The counts of the whole wave and of each level of each factor."""
    found: dict[str, dict[str, int]] = {}
    for label, arms in counts.items():
        for judged in (WHOLE_WAVE, *(f"{factor}={level}" for factor, level in levels_of(label).items())):
            of = found.setdefault(judged, {})
            for arm, units in arms.items():
                of[arm] = of.get(arm, 0) + units
    return found


def _violations(
    design: Design, counts: Counts, limits: Mapping[str, Mapping[str, float]], *, simulated: bool
) -> Iterator[Violation]:
    shares = sum(design.ratio.values())
    for label, arms in counts.items():
        of = sum(arms.values())
        for arm in sorted(design.ratio):
            units = arms.get(arm, 0)
            away, limit = abs(units - of * design.ratio[arm] / shares), limits[label][arm]
            # Both are floats of fractions: one that only rounding puts above the other is not above it.
            if away > limit + 1e-9 * max(of, 1):
                yield Violation(
                    stratum=label,
                    arm=arm,
                    units=units,
                    of=of,
                    imbalance=away,
                    at_most=limit,
                    simulated=simulated,
                )
