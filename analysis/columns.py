"""A column of a frame as a model reads it: numbers as floats; texts, truth values and groups as categories."""

import difflib
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forethought.errors import ModelNotFitted

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

MOST_SIGNS = 4_000_000
"""Level names of no more signs than this are sorted as one array of fixed width, which is several times faster."""

NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
TIMES = ("datetime64", "datetime", "date", "timedelta64", "timedelta", "time", "period")
"""What pandas calls the values of a column of objects."""


def column_called(name: str, data: pd.DataFrame) -> "pd.Series[Any]":
    """The column of this name. Raises ModelNotFitted where there is none, or more than one."""
    if not isinstance(name, str):
        what = f"{name!r} is no name of a column"
        raise ModelNotFitted(
            "model", what, "Name a column by its text; rename columns that have another name"
        )
    if name not in data.columns:
        raise ModelNotFitted("model", f"the data have no column `{name}`", _suggestion(name, data))
    column = data[name]
    if isinstance(column, pd.DataFrame):
        what = f"the data have {column.shape[1]} columns `{name}`"
        raise ModelNotFitted("model", what, "Give each column a name of its own")
    return column


def finite_numbers(where: str, noun: str, values: npt.ArrayLike, n: int) -> Floats:
    """The values as floats (n,). Raises ModelNotFitted, which names `where` and `noun`, for anything else."""
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != (n,) or not np.isfinite(numbers).all():
        raise ModelNotFitted(
            where, f"{noun} is not {n:,} finite numbers", "Give one for each row, in their order"
        )
    return numbers


def read(column: "pd.Series[Any]", *, measured: bool) -> Floats | pd.Categorical:
    """Numbers as floats, NaN where missing; anything else, and what only groups rows, as categories.

    The values are copies, since the frame that they are of may be changed after the fit.
    measured: whether the column has a part in the model other than to group rows. Raises ModelNotFitted for times
    and complex numbers that are measured, and for values that cannot be told apart.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories: pd.Categorical = column.array.copy()
        return categories
    if not measured:
        return _categories(column)
    kind = pd.api.types.infer_dtype(column, skipna=True) if column.dtype == object else ""
    _refuse_times(column, kind)
    if kind in NUMBERS:
        column = column.where(column.notna(), np.nan).astype(float)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        numbers: Floats = column.to_numpy(dtype=float, na_value=np.nan, copy=True)
        return numbers
    return _categories(column)


def _refuse_times(column: "pd.Series[Any]", kind: str) -> None:
    """And complex numbers."""
    if column.dtype.kind in "mM" or isinstance(column.dtype, pd.PeriodDtype) or kind in TIMES:
        what = f"`{column.name}` holds times, which are no factor"
        raise ModelNotFitted("model", what, "Give a number instead, as the days since a start")
    if column.dtype.kind == "c" or kind == "complex":
        what = f"`{column.name}` holds complex numbers"
        raise ModelNotFitted("model", what, "Give real numbers, as the parts of the complex ones")


def _categories(column: "pd.Series[Any]") -> pd.Categorical:
    """The column's values as categories, sorted where they can be."""
    try:
        codes, occurring = pd.factorize(column, sort=False)
    except TypeError as error:
        kind = type(column.dropna().iloc[0]).__name__
        what = f"`{column.name}` holds values of the kind {kind}, which are no levels"
        raise ModelNotFitted("model", what, "Give texts, numbers or truth values") from error
    levels = pd.Index(occurring)
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


def _suggestion(name: str, data: pd.DataFrame) -> str:
    columns = [str(column) for column in data.columns]
    if name in columns:
        return "A column's name looks so but is no text; rename the columns by texts"
    close = [column for column in columns if column.strip().lower() == name.strip().lower()]
    close = close or difflib.get_close_matches(name, columns, n=1)
    return f"The nearest name is `{close[0]}`" if close else f"The columns are {', '.join(columns)}"
