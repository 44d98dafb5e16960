"""The reference grid: every combination of the factors' levels, covariates at their means, as rows of the design."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from forethought.analysis.designs import Coding, FixedDesign, Floats, ModelData
from forethought.errors import ModelNotFitted

Weights = Literal["equal", "proportional"]
"""How levels that are averaged over count: alike, or as often as their combinations occur."""

MOST_NUMBERS = 50_000_000
"""A grid with more numbers than this in its columns is refused: it would not fit into memory."""


@dataclass(frozen=True, slots=True)
class Grid:
    """All combinations of values, the first variable's varying fastest.

    values: of each variable, factors before covariates. factors: which of them are factors. frame: a row for each
    combination. columns: its design columns, (rows, names of the coding), dependent ones too.
    """

    values: Mapping[str, tuple[Any, ...]]
    factors: tuple[str, ...]
    frame: pd.DataFrame
    columns: Floats


def reference_grid(coding: Coding, at: Mapping[str, Any]) -> Grid:
    """Factors at all their levels and covariates at their means, each where `at` does not say otherwise.

    The mean is that of the variable, before any transformation. Raises ModelNotFitted for a variable that the model
    does not have, for an unknown level, for no value at all, and for more combinations than memory holds.
    """
    unknown = [str(name) for name in at if name not in coding.levels and name not in coding.means]
    if unknown:
        what = f"the fixed effects have no variable {', '.join(unknown)}"
        raise ModelNotFitted("emmeans", what, f"They have {', '.join((*coding.levels, *coding.means))}")
    values = {name: _levels(name, at.get(name, levels), levels) for name, levels in coding.levels.items()}
    values |= {name: _numbers(name, at.get(name, (mean,))) for name, mean in coding.means.items()}
    n_rows = math.prod(map(len, values.values()))
    if n_rows * len(coding.names) > MOST_NUMBERS:
        what = f"the variables have {n_rows} combinations of values"
        raise ModelNotFitted("emmeans", what, "Fix some of them by `at`")
    frame = combinations(values)
    return Grid(values, tuple(coding.levels), frame, coding.columns(frame))


def combinations(values: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """A row for each combination of values, those of the first variable varying fastest."""
    shape = tuple(len(own) for own in values.values())
    n_rows = math.prod(shape)
    places = np.unravel_index(np.arange(n_rows), shape, order="F") if shape else ()
    columns = {
        name: [own[place] for place in at] for (name, own), at in zip(values.items(), places, strict=True)
    }
    return pd.DataFrame(columns, index=range(n_rows))


def averaged(grid: Grid, names: Sequence[str], weights: Floats) -> tuple[pd.DataFrame, Floats]:
    """The combinations of the named variables, and the weighted mean of the columns over all others in each.

    weights: of the grid's rows, (rows,); they are scaled to one within each combination. NaN where all are zero.
    """
    variables = list(grid.values)
    shape = [len(own) for own in grid.values.values()]
    axes = [variables.index(name) for name in names]
    others = [axis for axis in range(len(shape)) if axis not in axes]
    rows = np.arange(len(grid.frame)).reshape(shape, order="F").transpose([*axes, *others])
    cells = rows.reshape((math.prod(shape[axis] for axis in axes), -1), order="F")
    share = weights[cells]
    with np.errstate(invalid="ignore"):
        share = share / share.sum(axis=1, keepdims=True)
    found = np.array([own @ grid.columns[places] for own, places in zip(share, cells, strict=True)])
    return combinations({name: grid.values[name] for name in names}), found


def frequencies(grid: Grid, over: Sequence[str], data: ModelData) -> Floats:
    """How often the values that each of the grid's rows has in the factors `over` occur in the data, (rows,).

    A row of the data counts as one, whatever its prior weight, as emmeans counts those of lmer. Covariates count
    alike at each value.
    """
    counted = [name for name in over if name in grid.factors]
    if not counted:
        return np.ones(len(grid.frame))
    keys = [data.frame[name].astype(object).to_numpy() for name in counted]
    totals = pd.Series(np.ones(len(data.frame))).groupby(keys).sum()
    wanted = pd.MultiIndex.from_frame(grid.frame[counted].astype(object))
    found = totals.reindex(wanted if len(counted) > 1 else wanted.get_level_values(0))
    return np.asarray(found.fillna(0.0), dtype=float)


def null_space(design: FixedDesign) -> Floats:
    """Directions (names, dropped) of coefficients that the data say nothing about, orthonormal.

    A combination of coefficients is estimable where it is orthogonal to them.
    """
    coding = design.coding
    if len(coding.kept) == len(coding.names):
        return np.empty((len(coding.names), 0))
    columns = coding.columns(design.frame)
    sizes = np.linalg.norm(columns, axis=0)
    sizes[sizes == 0] = 1.0
    directions = np.linalg.svd(np.linalg.qr(columns / sizes, mode="r"))[2]
    null = directions[len(coding.kept) :].T / sizes[:, None]
    return np.asarray(np.linalg.qr(null)[0])


def _levels(name: str, wanted: Any, levels: tuple[Any, ...]) -> tuple[Any, ...]:
    chosen = _sequence(name, wanted)
    unknown = [level for level in chosen if level not in levels]
    if unknown:
        what = f"`{name}` has no level {', '.join(map(str, unknown))}"
        raise ModelNotFitted("emmeans", what, f"Its levels are {', '.join(map(str, levels))}")
    return chosen


def _numbers(name: str, wanted: Any) -> tuple[float, ...]:
    try:
        found = tuple(float(value) for value in _sequence(name, wanted))
    except (TypeError, ValueError) as error:
        what = f"`{name}` is a number, and `at` gives {wanted!r}"
        raise ModelNotFitted("emmeans", what, "Give one number or more") from error
    if not all(map(math.isfinite, found)):
        what = f"`at` gives `{name}` a value that is missing or infinite"
        raise ModelNotFitted("emmeans", what, "Give finite numbers")
    return found


def _sequence(name: str, wanted: Any) -> tuple[Any, ...]:
    chosen = (wanted,) if isinstance(wanted, str) or not hasattr(wanted, "__iter__") else tuple(wanted)
    if not chosen:
        raise ModelNotFitted("emmeans", f"`at` gives no value of `{name}`", "Give one or more")
    return tuple(dict.fromkeys(chosen))
