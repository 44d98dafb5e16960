"""From a formula and a frame to numbers: rows kept, levels ordered, columns coded, dependent columns dropped."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import qr

from forethought.errors import ModelNotFitted
from forethought.grammar import Effects, Factor, ModelFormula, variables

Floats = npt.NDArray[np.float64]
Missing = Literal["raise", "drop"]

RANK_TOLERANCE = 1e-7
"""A column is dependent where this little of its length is left after the columns before it (R's `qr`)."""

EXTRA_FUNCTIONS = {"abs": np.abs, "log1p": np.log1p, "sqrt": np.sqrt}
"""Functions of the grammar that formulaic does not bring itself."""


@dataclass(frozen=True, slots=True)
class ModelData:
    """The rows and columns that a model uses; texts and truth values are categories.

    weights: of each row's residual precision, (n,), or None where all are one; offset: what is known of the outcome, (n,).
    """

    formula: ModelFormula
    frame: pd.DataFrame
    n_dropped: int
    weights: Floats | None = None
    offset: Floats | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        if not self.n_dropped:
            return ()
        return (f"{self.n_dropped} rows with missing values were dropped",)


@dataclass(frozen=True, slots=True)
class Coding:
    """How rows become fixed-effect columns, as the fitted data set levels, contrasts and transformations.

    effects: the formula's fixed effects. names: of all columns, dependent ones too. term_of: for each column the
    place of its term in `effects.terms`, -1 for the intercept. kept: places of the columns that are estimated.
    levels: of each variable that is a factor, in order. means: of each numeric variable over the fitted rows.
    """

    effects: Effects
    names: tuple[str, ...]
    term_of: tuple[int, ...]
    kept: tuple[int, ...]
    levels: Mapping[str, tuple[Any, ...]]
    means: Mapping[str, float]
    matrix: Callable[[pd.DataFrame], Floats]

    def columns(self, frame: pd.DataFrame) -> Floats:
        """The columns (n, names) of new rows; dependent ones too. Raises ModelNotFitted for an unknown level."""
        return self.matrix(frame)


@dataclass(frozen=True, slots=True)
class FixedDesign:
    """Outcome y (n,) and fixed-effect columns X (n, p) of full rank, with the names of both kinds of columns."""

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


def model_data(
    formula: ModelFormula, data: pd.DataFrame, *, missing: Missing = "raise", also: Iterable[str] = ()
) -> ModelData:
    """The columns of the formula and those of `also`, in rows where none of them is missing.

    Categories keep their order where they have one, other texts are sorted; levels that do not occur are
    left out. Raises ModelNotFitted for an unknown column, for missing values unless they may be dropped,
    and where no row is left.
    """
    used = variables(formula)
    names = list(dict.fromkeys((*used, *also)))
    for name in names:
        if name not in data.columns:
            raise ModelNotFitted("model", f"the data have no column `{name}`", _suggestion(name, data))
    frame = data[names]
    incomplete = frame.isna().any(axis=1)
    n_dropped = int(incomplete.sum())
    if n_dropped == len(frame):
        empty = [name for name in names if frame[name].isna().all()]
        what = f"{', '.join(empty)} has no value at all" if empty else "no row is complete"
        raise ModelNotFitted("model", what, "Give data with values in every column of the formula")
    if n_dropped and missing == "raise":
        holes = ", ".join(f"{name} ({count})" for name, count in frame.isna().sum().items() if count)
        raise ModelNotFitted("model", f"values are missing: {holes}", 'Fill them, or pass missing="drop"')
    kept = frame[~incomplete].reset_index(drop=True)
    measured = {*used.response, *used.fixed, *used.random}
    columns = {name: _coded(kept[name].infer_objects()) if name in measured else kept[name] for name in names}
    return ModelData(formula, pd.DataFrame(columns), n_dropped)


def fixed_design(data: ModelData) -> FixedDesign:
    """The outcome and the fixed effects, treatment coded against each factor's first level.

    Columns that depend on those before them are dropped and named, as in lme4. Raises ModelNotFitted where
    a factor has one level, a value is infinite, or as many columns as rows are left.
    """
    y = response(data.formula.response, data.frame)
    names, columns, spec = _coded_columns(data.formula.fixed, data.frame)
    kept = independent_columns(columns)
    if len(kept) >= len(y):
        what = f"{len(kept)} coefficients cannot be estimated from {len(y)} rows"
        raise ModelNotFitted("model", what, "Give more rows, or simplify the formula")
    dropped = tuple(name for index, name in enumerate(names) if index not in kept)
    coding = _coding(data, names, kept, spec)
    return FixedDesign(y, columns[:, kept], tuple(names[index] for index in kept), dropped, coding)


def _coding(data: ModelData, names: tuple[str, ...], kept: list[int], spec: Any) -> Coding:
    effects, frame = data.formula.fixed, data.frame
    places = {str(term): place for place, term in enumerate(effects.terms)}
    term_of = np.full(len(names), -1)
    for term, columns in spec.term_slices.items():
        term_of[columns] = places.get(str(term), -1)
    used = {name: frame[name] for name in effects.variables}
    categories = {
        name: tuple(column.cat.categories)
        for name, column in used.items()
        if isinstance(column.dtype, pd.CategoricalDtype)
    }
    means = {name: float(column.mean()) for name, column in used.items() if name not in categories}

    def matrix(rows: pd.DataFrame) -> Floats:
        return np.asarray(spec.get_model_matrix(rows, context=EXTRA_FUNCTIONS), dtype=float)

    return Coding(effects, names, tuple(term_of.tolist()), tuple(kept), categories, means, matrix)


def response(factor: Factor, frame: pd.DataFrame) -> Floats:
    """The outcome's values, shape (n,). Raises ModelNotFitted where it is not a numeric column."""
    for name in factor.variables:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            raise ModelNotFitted(
                "model", f"the outcome `{name}` is not numeric", "Give numbers as the outcome"
            )
    names, values, _ = _evaluate(f"0 + {factor}", frame)
    if len(names) != 1:
        raise ModelNotFitted(
            "model", f"the outcome {factor} is not one column", "Model one outcome at a time"
        )
    return values[:, 0]


def effect_columns(effects: Effects, frame: pd.DataFrame) -> tuple[tuple[str, ...], Floats]:
    """Names and values (n, columns) of an intercept and terms, treatment coded as R codes them."""
    names, columns, _ = _coded_columns(effects, frame)
    return names, columns


def _coded_columns(effects: Effects, frame: pd.DataFrame) -> tuple[tuple[str, ...], Floats, Any]:
    """The same with formulaic's record of levels, contrasts and transformations."""
    for name in effects.variables:
        if isinstance(frame[name].dtype, pd.CategoricalDtype) and len(frame[name].cat.categories) == 1:
            level = frame[name].cat.categories[0]
            what = f"the factor `{name}` has one level, {level}"
            raise ModelNotFitted("model", what, "Leave it out, or give data with two or more levels")
    return _evaluate(str(effects), frame)


def independent_columns(columns: Floats) -> list[int]:
    """The columns that do not depend on those before them, by their place."""
    kept = list(range(columns.shape[1]))
    while kept:
        triangle = qr(columns[:, kept], mode="r", check_finite=False)[0][: len(kept)]
        lengths = np.linalg.norm(columns[:, kept], axis=0)
        left = np.zeros(len(kept))
        left[: len(triangle)] = np.abs(np.diag(triangle))
        dependent = np.flatnonzero(left <= RANK_TOLERANCE * lengths)
        if not len(dependent):
            break
        del kept[dependent[0]]
    return kept


def _evaluate(text: str, frame: pd.DataFrame) -> tuple[tuple[str, ...], Floats, Any]:
    """The columns that formulaic makes of a text that our grammar has spelled.

    The context is explicit, so that no variable of the caller can take the place of a function.
    """
    from formulaic import model_matrix
    from formulaic.errors import FormulaicError

    try:
        with np.errstate(all="ignore"):
            matrix: Any = model_matrix(text, frame, context=EXTRA_FUNCTIONS, na_action="ignore")
    except (FormulaicError, TypeError, ValueError) as error:
        remedy = "Check the columns' types and the functions applied to them"
        reason = str(error).rstrip(".")
        raise ModelNotFitted("model", f"`{text}` cannot be computed: {reason}", remedy) from error
    values = np.asarray(matrix, dtype=float)
    names = tuple(str(name) for name in matrix.columns)
    infinite = [name for name, fine in zip(names, np.isfinite(values).all(axis=0), strict=True) if not fine]
    if infinite:
        what = f"{', '.join(infinite)} has values that are infinite or not numbers"
        raise ModelNotFitted("model", what, "Remove those rows, or correct the transformation")
    return names, values, matrix.model_spec


def _coded(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Numbers as floats; texts and truth values as categories that occur."""
    if column.dtype.kind in "mM":
        what = f"`{column.name}` holds times, which are no factor"
        raise ModelNotFitted("model", what, "Give a number instead, as the days since a start")
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.remove_unused_categories()
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return column.astype("category").cat.remove_unused_categories()
    return column.astype(float)


def _suggestion(name: str, data: pd.DataFrame) -> str:
    columns = [str(column) for column in data.columns]
    close = difflib.get_close_matches(name, columns, n=1)
    return f"The nearest name is `{close[0]}`" if close else f"The columns are {', '.join(columns)}"
