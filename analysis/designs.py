"""From a formula's data to numbers: the outcome, the fixed-effect columns, dependent columns dropped."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forethought.analysis.coding import Coding, Recipe, learnt
from forethought.analysis.columns import Floats
from forethought.analysis.model_data import Missing, ModelData, model_data
from forethought.analysis.transforms import computed
from forethought.errors import ModelNotFitted
from forethought.grammar import Effects, Factor

__all__ = [
    "Coding",
    "FixedDesign",
    "Floats",
    "Missing",
    "ModelData",
    "effect_columns",
    "fixed_design",
    "independent_columns",
    "model_data",
    "response",
]

RANK_TOLERANCE = 1e-7
"""A column is dependent where this little of its length is left after the columns before it (R's `qr`)."""

ROWS_AT_ONCE = 4096
"""Rows that are triangularised together: as many as stay in a processor's cache."""


@dataclass(frozen=True, slots=True)
class FixedDesign:
    """Outcome y (n,) and fixed-effect columns X (n, p) of full rank, with the names of both kinds of columns.

    frame: the rows, texts as categories, that they were coded from.
    """

    frame: pd.DataFrame
    y: Floats
    X: Floats
    terms: tuple[str, ...]
    dropped: tuple[str, ...]
    coding: Coding

    @property
    def warnings(self) -> tuple[str, ...]:
        if not self.dropped:
            return ()
        return (f"the fixed effects are rank deficient; dropped: {', '.join(self.dropped)}",)


def fixed_design(data: ModelData) -> FixedDesign:
    """The outcome and the fixed effects, factors coded as the formula says: by treatment against the first level if not.

    Columns that depend on those before them are dropped and named, as in lme4. Raises ModelNotFitted where
    there is no column or two have one name, a factor has one level, a value is infinite, or as many columns as rows
    are left.
    """
    y = response(data.formula.response, data.frame)
    recipe, columns = learnt(data.formula.fixed, data.frame)
    _refuse_unnameable(recipe.names)
    kept = independent_columns(columns)
    if len(kept) >= len(y):
        what = f"{len(kept)} coefficients cannot be estimated from {len(y)} rows"
        raise ModelNotFitted("model", what, "Give more rows, or simplify the formula")
    coding = _coding(data, recipe, tuple(kept))
    names = coding.names
    dropped = tuple(name for place, name in enumerate(names) if place not in kept)
    X = columns[:, kept] if dropped else columns
    return FixedDesign(data.frame, y, X, tuple(names[place] for place in kept), dropped, coding)


def _refuse_unnameable(names: tuple[str, ...]) -> None:
    """Names are how coefficients are asked for: there must be one, and each must mean one column."""
    if not names:
        remedy = "Write 1 for an intercept, or name a predictor"
        raise ModelNotFitted("model", "the formula has no fixed effect", remedy)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        what = f"several coefficients would be called {', '.join(twice)}"
        raise ModelNotFitted("model", what, "Rename the column or the levels that lead to it")


def _coding(data: ModelData, recipe: Recipe, kept: tuple[int, ...]) -> Coding:
    """The recipe with what a grid of new rows needs: levels of factors, means of the other variables."""
    levels = {coded.variable: coded.levels for coded in recipe.categories.values()}
    effects = data.formula.fixed
    means = {name: float(data.frame[name].mean()) for name in effects.variables if name not in levels}
    return Coding(effects, recipe.names, recipe.term_of, kept, levels, means, recipe)


def response(factor: Factor, frame: pd.DataFrame) -> Floats:
    """The outcome's values, shape (n,). Raises ModelNotFitted where it is not a numeric column."""
    return computed(factor, frame, "outcome")


def effect_columns(effects: Effects, frame: pd.DataFrame) -> tuple[tuple[str, ...], Floats]:
    """Names and values (n, columns) of an intercept and terms, factors coded as the formula says (see `learnt`)."""
    recipe, columns = learnt(effects, frame)
    return recipe.names, columns


def independent_columns(columns: Floats) -> list[int]:
    """The columns that do not depend on those before them, by their place."""
    triangle = _triangle(columns)
    kept, basis = list[int](), np.empty((len(triangle), 0))
    for place, column in enumerate(triangle.T):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)  # once more: the first difference may be mostly rounding
        length = np.linalg.norm(rest)
        if length > RANK_TOLERANCE * np.linalg.norm(column):
            kept.append(place)
            basis = np.column_stack([basis, rest / length])
    return kept


def _triangle(columns: Floats) -> Floats:
    """The triangular factor R (at most p, p) of columns (n, p): their lengths and angles are its columns'."""
    n, p = columns.shape
    triangle = np.empty((0, p))
    for start in range(0, n, ROWS_AT_ONCE):
        stacked = np.vstack([triangle, columns[start : start + ROWS_AT_ONCE]])
        triangle = np.asarray(np.linalg.qr(stacked, mode="r"))
    return triangle
