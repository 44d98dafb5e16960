"""Statistics for randomisation tests: from the codes of many allocations at once to one number for each.

A statistic takes codes of shape (draws, people), as `RecordedDesign` orders them, and gives an array of shape (draws,). It
is NaN where it is not defined, as where a redraw leaves an arm empty.

Who has no outcome is left out of every redraw: under the hypothesis that arms change nothing, whether an outcome is
missing is as fixed as the outcome. Where arms change who answers, no test of those who answered is exact.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forethought.randomization.recorded import RecordedDesign

Int8s = NDArray[np.int8]
Floats = NDArray[np.float64]
Statistic = Callable[[Int8s], Floats]

_RANK = 1e-10
"""Directions of the covariates smaller than this share of the largest are rounding."""

_ROUNDING = 1e-12
"""A sum of squares within arms smaller than this share of all is rounding."""


def difference_in_means(
    design: RecordedDesign, outcome: "pd.Series[Any] | Floats", *, arm: str, reference: str
) -> Statistic:
    """The mean outcome of one arm less that of the reference arm.

    `outcome` is a Series with the participants as its index, or an array in the order of `design.participants`.
    """
    values = design.aligned(outcome)
    return _difference(design, values, np.ones(len(values)), arm, reference)


def difference_in_cluster_means(
    design: RecordedDesign, outcome: "pd.Series[Any] | Floats", *, arm: str, reference: str
) -> Statistic:
    """The difference of two arms' means of cluster means: each cluster counts once, whatever its size."""
    values = design.aligned(outcome)
    cluster = np.unique(np.array(design.units), return_inverse=True)[1]
    present = ~np.isnan(values)
    members = np.bincount(cluster[present], minlength=int(cluster.max()) + 1)
    weight = 1 / np.maximum(members, 1)[cluster]
    return _difference(design, values, weight, arm, reference)


def f_statistic(design: RecordedDesign, outcome: "pd.Series[Any] | Floats") -> Statistic:
    """The F of one-way analysis of variance over all arms: large where the arms' means differ, so one-sided by itself.

    It is infinite where all who answered of each arm have the same outcome.
    """
    values = design.aligned(outcome)
    present = ~np.isnan(values)
    centred = values[present] - values[present].mean()
    arms, people = len(design.arms), len(centred)
    columns = np.column_stack([np.ones(people), centred])
    total = float(centred @ centred)

    def f(codes: Int8s) -> Floats:
        counts, sums = np.moveaxis(_sums(codes[:, present], range(arms), columns), 2, 0)
        placed = counts.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            between = (sums**2 / counts).sum(axis=1)
            # Where the arms explain everything the rest is rounding, of either sign, and would dwarf every other F.
            within = np.where(total - between > _ROUNDING * total, total - between, 0.0)
            found = (between / (arms - 1)) / (within / (people - arms))
        return np.where((counts > 0).all(axis=1) & (placed == people), found, np.nan)

    return f


def adjusted_difference(
    design: RecordedDesign,
    outcome: "pd.Series[Any] | Floats",
    covariates: "pd.DataFrame | Floats",
    *,
    arm: str,
    reference: str,
) -> Statistic:
    """The coefficient of one arm against the reference, by least squares on all arms and the covariates (ANCOVA).

    The model is fitted to each redraw: the covariates are projected out of outcome and arms once, which leaves one
    small system for each redraw (Frisch and Waugh 1933, Econometrica 1:387). `covariates` are numbers: a frame with
    the participants as its index, or an array of shape (people, covariates). Who lacks one is left out.
    """
    values = design.aligned(outcome)
    given = _aligned_columns(design, covariates)
    present = ~np.isnan(values) & ~np.isnan(given).any(axis=1)
    basis = _basis(given[present])
    residual = values[present] - basis @ (basis.T @ values[present])
    others = [code for code in range(len(design.arms)) if code != design.arms.index(reference)]
    place = others.index(_code(design, arm))
    columns = np.column_stack([np.ones(len(residual)), residual, basis])

    def coefficient(codes: Int8s) -> Floats:
        seen = codes[:, present]
        sums = _sums(seen, others, columns)
        counts, products, shared = sums[:, :, 0], sums[:, :, 1], sums[:, :, 2:]
        moments = counts[:, :, None] * np.eye(len(others)) - shared @ np.swapaxes(shared, 1, 2)
        return np.where((seen >= 0).all(axis=1), _solved(moments, products)[:, place], np.nan)

    return coefficient


def _difference(
    design: RecordedDesign, values: Floats, weight: Floats, arm: str, reference: str
) -> Statistic:
    """The difference of two weighted means."""
    codes_compared = (_code(design, arm), _code(design, reference))
    present = ~np.isnan(values)
    # A common shift cancels in the difference, and without it a large mean would cost digits.
    centred = values[present] - values[present].mean()
    columns = np.column_stack([weight[present], weight[present] * centred])

    def difference(codes: Int8s) -> Floats:
        sums = _sums(codes[:, present], codes_compared, columns)
        with np.errstate(divide="ignore", invalid="ignore"):
            means = sums[:, :, 1] / sums[:, :, 0]
        return np.asarray(means[:, 0] - means[:, 1])

    return difference


def _sums(codes: Int8s, arms: "range | list[int] | tuple[int, ...]", columns: Floats) -> Floats:
    """Each column summed over the people of each arm, shape (draws, arms, columns)."""
    return np.stack([(codes == arm).astype(np.float64) @ columns for arm in arms], axis=1)


def _solved(moments: Floats, products: Floats) -> Floats:
    """The solution of each small system, NaN where it has none: an arm is empty, or the covariates give it away."""
    scale = np.trace(moments, axis1=1, axis2=2) + 1
    size = moments.shape[1]
    singular = np.linalg.svd(moments, compute_uv=False)[:, -1] <= _RANK * scale
    sound = np.where(singular[:, None, None], np.eye(size), moments)
    found = np.linalg.solve(sound, products[:, :, None])[:, :, 0]
    return np.where(singular[:, None], np.nan, found)


def _basis(covariates: Floats) -> Floats:
    """An orthonormal basis of the intercept and the covariates."""
    centred = covariates - covariates.mean(axis=0)
    spread = centred.std(axis=0)
    scaled = centred / np.where(spread > 0, spread, 1)
    left, sizes, _ = np.linalg.svd(scaled, full_matrices=False)
    kept = left[:, sizes > _RANK * max(float(sizes.max(initial=0)), 1)]
    return np.column_stack([np.full(len(kept), len(kept) ** -0.5), kept])


def _aligned_columns(design: RecordedDesign, covariates: "pd.DataFrame | Floats") -> Floats:
    """The covariates as columns in the order of `design.participants`."""
    if isinstance(covariates, pd.DataFrame):
        return np.column_stack([design.aligned(covariates[name]) for name in covariates])
    given = np.asarray(covariates, dtype=float)
    columns = given[:, None] if given.ndim == 1 else given
    return np.column_stack([design.aligned(column) for column in columns.T])


def _code(design: RecordedDesign, arm: str) -> int:
    if arm not in design.arms:
        raise ValueError(f"arm: {arm} is none of {', '.join(design.arms)}. Name an arm of the design.")
    return design.arms.index(arm)
