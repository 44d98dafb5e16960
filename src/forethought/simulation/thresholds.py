"""Ordered thresholds that give an integer outcome an exact mean and variance, and its person part an exact share.

The latent variable is a stimulus's shift plus a standard normal variable; the outcome counts the thresholds
that lie below it. Thresholds are equally spaced, so a cell has two unknowns, their centre and their spacing,
for its two moments. The probabilities are the normal distribution's own: nothing here is sampled.
"""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_ERFC = np.frompyfunc(math.erfc, 1, 1)

HALVINGS = 50
"""Bisections of an interval: what is left of it is below 1e-12 of its length."""
CLOSE_ENOUGH = 1e-13
"""How far a mean may stay from its target."""
LOG_SPACING = (-7.0, 6.0)
"""Spacings tried, in log SDs: from an outcome that is nearly all extremes to one of two neighbouring values."""
NODES = np.linspace(-8.5, 8.5, 171)
"""Persons' parts over which averages are taken, in SDs. On an analytic function that vanishes at both ends the
trapezoidal rule is exact to 1e-9 while persons hold up to .98 (64 Gauss-Hermite nodes: 3e-5 at .9)."""
HIGHEST_SHARE = 0.98


def solve_thresholds(means: Floats, variances: Floats, steps: Integers, shifts: Floats) -> Floats:
    """Thresholds (cells, most steps) of outcomes on 0..steps with these means and variances, each (cells,).

    `shifts` (cells, stimuli) are averaged over with equal weights; thresholds beyond a cell's steps are
    infinite. With the mean held, the variance falls as the spacing grows: a bisection on the spacing, and
    within it the centre that holds the mean. Where no thresholds give the moments, the nearest are
    returned: `moments` tells.
    """
    low, high = (np.full(len(means), bound) for bound in LOG_SPACING)
    centre = np.zeros(len(means))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        spaced = _spaced(np.exp(middle), steps)
        centre = _centre(spaced, means, steps, shifts, centre)
        too_wide = moments(spaced + centre[:, None], shifts)[1] < variances
        low = np.where(too_wide, low, middle)
        high = np.where(too_wide, middle, high)
    return spaced + centre[:, None]


def moments(thresholds: Floats, shifts: Floats) -> tuple[Floats, Floats]:
    """Mean and variance, each (cells,), of the number of thresholds below the latent variable."""
    above = _exceedance(thresholds, shifts)
    mean = above.sum(axis=1)
    square = (above * (2 * np.arange(thresholds.shape[1]) + 1)).sum(axis=1)
    return mean, square - mean**2


def person_variances(thresholds: Floats, shifts: Floats, shares: Floats) -> Floats:
    """The variances (cells,) between persons of the mean outcome, where persons hold these shares of the latent
    variance. `thresholds` is (cells, steps), `shifts` (cells, stimuli)."""
    density = np.exp(-(NODES**2) / 2)
    weights = density / density.sum()
    centres = np.sqrt(shares)[:, None, None] * NODES[:, None] + shifts[:, None, :]
    distance = centres[..., None] - thresholds[:, None, None, :]
    passed = _normal(distance / np.sqrt(1 - shares)[:, None, None, None])  # (cells, nodes, stimuli, steps)
    expected = passed.mean(axis=2).sum(axis=2)
    variances: Floats = expected**2 @ weights - (expected @ weights) ** 2
    return variances


def solve_person_shares(thresholds: Floats, shifts: Floats, variances: Floats) -> Floats:
    """The latent shares (cells,) of persons that give these variances between persons; NaN where none does."""
    low, high = np.zeros(len(variances)), np.full(len(variances), HIGHEST_SHARE)
    within = person_variances(thresholds, shifts, high) >= variances
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        too_much = person_variances(thresholds, shifts, middle) > variances
        low = np.where(too_much, low, middle)
        high = np.where(too_much, middle, high)
    return np.where(within & (variances > 0), (low + high) / 2, np.nan)


def _spaced(spacing: Floats, steps: Integers) -> Floats:
    """Equally spaced thresholds (cells, most steps) around zero."""
    number = np.arange(steps.max())
    return np.where(number < steps[:, None], (number - (steps[:, None] - 1) / 2) * spacing[:, None], np.inf)


def _centre(spaced: Floats, means: Floats, steps: Integers, shifts: Floats, start: Floats) -> Floats:
    """Where the middle of the thresholds must lie for the means: Newton's method, halving where it strays."""
    widest = np.where(np.isfinite(spaced), np.abs(spaced), 0.0).max(axis=1) + 10.0
    low, high, centre = -widest, widest, start
    for _ in range(HALVINGS):
        distance = shifts[:, :, None] - (spaced + centre[:, None])[:, None, :]
        excess = _normal(distance).mean(axis=1).sum(axis=1) - means
        if np.abs(excess).max() < CLOSE_ENOUGH:
            break
        low = np.where(excess > 0, centre, low)
        high = np.where(excess > 0, high, centre)
        slope = (np.exp(-(distance**2) / 2) / np.sqrt(2 * np.pi)).mean(axis=1).sum(axis=1)
        step = excess / np.maximum(slope, 1e-300)
        inside = (centre + step >= low) & (centre + step <= high)
        centre = np.where(inside, centre + step, (low + high) / 2)
    return centre


def _exceedance(thresholds: Floats, shifts: Floats) -> Floats:
    """Probability (cells, steps) that the latent variable passes each threshold, averaged over stimuli."""
    above: Floats = _normal(shifts[:, :, None] - thresholds[:, None, :]).mean(axis=1)
    return above


def _normal(values: Floats) -> Floats:
    """The standard normal distribution function, as exact as the C library's; scipy has no room in this layer."""
    return np.asarray(_ERFC(values * -math.sqrt(0.5)), dtype=np.float64) / 2
