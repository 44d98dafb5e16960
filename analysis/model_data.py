"""From a formula and a frame to the rows and columns of a model: complete rows, ordered levels, numbers as floats."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from forethought.analysis.transforms import computed
from forethought.errors import ModelNotFitted
from forethought.grammar import Effects, Factor, ModelFormula, Term, parse_contrasts, variables
from forethought.grammar.formulas import spelled

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
Missing = Literal["raise", "drop"]

MOST_SIGNS = 4_000_000
"""Level names of no more signs than this are sorted as one array of fixed width, which is several times faster."""


@dataclass(frozen=True, slots=True)
class ModelData:
    """The rows and columns that a model uses; texts, truth values and groups are categories, numbers floats.

    weights: of each row's residual precision, (n,), or None where all are one; offset: what is known of the outcome,
    (n,), those of the formula and of the argument together.
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


def model_data(
    formula: ModelFormula,
    data: pd.DataFrame,
    *,
    missing: Missing = "raise",
    also: Iterable[str] = (),
    weights: str | None = None,
    offset: str | None = None,
    contrasts: Mapping[str, str] | None = None,
) -> ModelData:
    """The columns of the formula and those of `also`, in rows where none of them is missing.

    Categories keep their order where they have one, other texts are sorted; levels that do not occur are left out.
    weights, offset: names of columns. contrasts: codings of variables of the fixed effects, as {"arm": "Sum"}; they
    hold where the formula names the variable without C().
    Raises ModelNotFitted for an unknown column, for missing values unless they may be dropped, where no row is left,
    for weights that are not positive and for an offset that is not finite; InvalidFormula for an unknown coding.
    """
    used = variables(formula)
    numeric = [name for name in (weights, offset) if name is not None]
    names = list(dict.fromkeys((*used, *also, *numeric)))
    measured = {*used.response, *used.fixed, *used.random, *numeric}
    columns = {name: _read(_column(name, data), measured=name in measured) for name in names}
    complete = _complete(columns, missing)
    frame = pd.DataFrame({name: _kept(column, complete) for name, column in columns.items()}, copy=False)
    recoded = _recoded(formula, contrasts or {}, frame)
    n_dropped = 0 if complete is None else int(len(data) - complete.sum())
    return ModelData(recoded, frame, n_dropped, _weights(weights, frame), _offset(formula, offset, frame))


def _column(name: str, data: pd.DataFrame) -> "pd.Series[Any]":
    if name not in data.columns:
        raise ModelNotFitted("model", f"the data have no column `{name}`", _suggestion(name, data))
    column = data[name]
    if isinstance(column, pd.DataFrame):
        what = f"the data have {column.shape[1]} columns `{name}`"
        raise ModelNotFitted("model", what, "Give each column a name of its own")
    return column


def _read(column: "pd.Series[Any]", *, measured: bool) -> Floats | pd.Categorical:
    """Numbers as floats, NaN where missing; anything else, and what only groups rows, as categories."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories: pd.Categorical = column.array
        return categories
    if measured and column.dtype.kind in "mM":
        what = f"`{column.name}` holds times, which are no factor"
        raise ModelNotFitted("model", what, "Give a number instead, as the days since a start")
    if column.dtype == object and column.dropna().infer_objects().dtype.kind in "iuf":
        column = column.astype(float)
    number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if measured and number:
        numbers: Floats = column.to_numpy(dtype=float, na_value=np.nan)
        return numbers
    return _categories(column)


def _categories(column: "pd.Series[Any]") -> pd.Categorical:
    """The column's values as categories, sorted where they can be."""
    codes, found = pd.factorize(column, sort=False)
    levels = pd.Index(found)
    order = _order(levels)
    place = np.empty(len(levels) + 1, dtype=np.intp)
    place[order] = np.arange(len(levels))
    place[-1] = -1  # where the code of what is missing, -1, looks it up
    dtype = pd.CategoricalDtype(levels.take(order))
    return pd.Categorical.from_codes(place[codes], dtype=dtype, validate=False)


def _order(levels: "pd.Index[Any]") -> Places:
    """The places of distinct values in increasing order; that of texts is by code points."""
    names = levels.to_numpy()
    if names.dtype != object:
        return np.argsort(names, kind="stable")
    texts = names.tolist()
    if set(map(type, texts)) == {str} and max(map(len, texts)) * len(texts) < MOST_SIGNS:
        return np.argsort(np.asarray(texts, dtype="U"), kind="stable")
    try:
        return np.array(sorted(range(len(texts)), key=texts.__getitem__), dtype=np.intp)
    except TypeError:  # kinds that do not compare stay in order of appearance
        return np.arange(len(texts))


def _complete(columns: Mapping[str, Floats | pd.Categorical], missing: Missing) -> Truths | None:
    """Which rows have every value; None where all have."""
    holes = {name: np.asarray(pd.isna(values)) for name, values in columns.items()}
    complete: Truths = ~np.logical_or.reduce(list(holes.values()))
    if not complete.any():
        empty = [name for name, where in holes.items() if where.all()]
        what = f"{', '.join(empty)} has no value at all" if empty else "no row is complete"
        raise ModelNotFitted("model", what, "Give data with values in every column of the formula")
    if complete.all():
        return None
    if missing == "raise":
        counted = ", ".join(f"{name} ({where.sum()})" for name, where in holes.items() if where.any())
        raise ModelNotFitted("model", f"values are missing: {counted}", 'Fill them, or pass missing="drop"')
    return complete


def _kept(values: Floats | pd.Categorical, complete: Truths | None) -> Floats | pd.Categorical:
    """The values of complete rows, without levels that do not occur there."""
    found = values if complete is None else values[complete]
    if not isinstance(found, pd.Categorical):
        return found
    occur = np.bincount(found.codes, minlength=len(found.categories)) > 0
    return found if occur.all() else found.remove_unused_categories()


def _weights(name: str | None, frame: pd.DataFrame) -> Floats | None:
    if name is None:
        return None
    values = computed(Factor(spelled(name), (name,)), frame, "weight")
    if n_wrong := int((values <= 0).sum()):
        what = f"{n_wrong} of the weights `{name}` are zero or below"
        raise ModelNotFitted("model", what, "Leave those rows out, or give weights above zero")
    return values


def _offset(formula: ModelFormula, name: str | None, frame: pd.DataFrame) -> Floats | None:
    """The sum of the formula's offsets and that of a column; None where there is neither."""
    argument = [Factor(spelled(name), (name,))] if name is not None else []
    known = [computed(one, frame, "offset") for one in (*formula.offset, *argument)]
    return np.sum(known, axis=0) if known else None


def _recoded(formula: ModelFormula, contrasts: Mapping[str, str], frame: pd.DataFrame) -> ModelFormula:
    """The formula whose fixed effects code these variables so, as lme4's argument of the same name."""
    if not contrasts:
        return formula
    named = {factor.column for term in formula.fixed.terms for factor in term.factors}
    for name in contrasts:
        if name not in named:
            what = f"`{name}` of the contrasts is no factor of the fixed effects"
            raise ModelNotFitted("contrasts", what, "Name variables that the formula has without C()")
        if not isinstance(frame[name].dtype, pd.CategoricalDtype):
            what = f"`{name}` of the contrasts is numeric"
            raise ModelNotFitted("contrasts", what, f"Write C({name}, {contrasts[name]}) in the formula")
    codings = {name: parse_contrasts(text) for name, text in contrasts.items()}

    def factor(one: Factor) -> Factor:
        return replace(one, contrasts=codings[one.column]) if one.column in codings else one

    terms = tuple(Term(tuple(map(factor, term.factors))) for term in formula.fixed.terms)
    return replace(formula, fixed=Effects(formula.fixed.intercept, terms))


def _suggestion(name: str, data: pd.DataFrame) -> str:
    columns = [str(column) for column in data.columns]
    close = difflib.get_close_matches(name, columns, n=1)
    return f"The nearest name is `{close[0]}`" if close else f"The columns are {', '.join(columns)}"
