"""From the outcome's column to the numbers that a family models, or a refusal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forethought.analysis.designs import Floats, ModelData, response
from forethought.errors import ModelNotFitted


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is modelled: data whose outcome is numeric, its values (n,), and what they mean.

    counted: the event of a binary outcome, as `passed = yes`, else None.
    levels: the names of an ordinal outcome's levels, lowest first; y holds their places from 0.
    """

    data: ModelData
    y: Floats
    counted: str | None = None
    levels: tuple[str, ...] = ()


def outcome_of(data: ModelData, family: str) -> Outcome:
    """The outcome as the family needs it. Raises ModelNotFitted where it is of another kind or does not vary."""
    outcome = _READERS[family](data)
    if np.ptp(outcome.y) == 0:
        what = f"the outcome {_name(data)} has one value in all {len(outcome.y)} rows"
        raise ModelNotFitted("outcome", what, "Give rows in which it varies")
    return outcome


def _name(data: ModelData) -> str:
    return f"`{data.formula.response}`"


def _categories(data: ModelData) -> "pd.Series[Any] | None":
    """The outcome's column where it is a category that no function is applied to."""
    factor = data.formula.response
    column = data.frame[factor.variables[0]]
    plain = len(factor.variables) == 1 and factor.text.strip("`") == column.name
    return column if plain and isinstance(column.dtype, pd.CategoricalDtype) else None


def _recoded(data: ModelData, values: Floats) -> ModelData:
    """The data with numbers in the outcome's column, so that a design can be made of them."""
    return replace(data, frame=data.frame.assign(**{data.formula.response.variables[0]: values}))


def _binary(data: ModelData) -> Outcome:
    column = _categories(data)
    if column is None:
        y = response(data.formula.response, data.frame)
        _require(
            np.isin(y, (0.0, 1.0)),
            data,
            "holds numbers other than 0 and 1",
            "Give 0 and 1, truth values or two texts",
        )
        return Outcome(data, y, f"{data.formula.response} = 1")
    levels = column.cat.categories
    if len(levels) > 2:
        what = f"the outcome {_name(data)} has {len(levels)} levels, {', '.join(map(str, levels))}"
        raise ModelNotFitted("outcome", what, "Give two levels, or fit `ordinal`")
    y = np.asarray(column.cat.codes, dtype=float)
    return Outcome(_recoded(data, y), y, f"{data.formula.response} = {levels[-1]}")


def _counts(data: ModelData) -> Outcome:
    y = _numbers(data)
    _require(
        (y >= 0) & (y == np.round(y)), data, "is not a count in every row", "Give whole numbers from 0 on"
    )
    return Outcome(data, y)


def _positive(data: ModelData) -> Outcome:
    y = _numbers(data)
    _require(y > 0, data, "is not above zero in every row", "Give positive numbers, or take another family")
    return Outcome(data, y)


def _ordered(data: ModelData) -> Outcome:
    column = _categories(data)
    if column is not None:
        if not column.cat.ordered:
            remedy = "Make it an ordered category (pandas `Categorical(..., ordered=True)`) or whole numbers"
            raise ModelNotFitted("outcome", f"the levels of {_name(data)} have no order", remedy)
        y = np.asarray(column.cat.codes, dtype=float)
        return Outcome(_recoded(data, y), y, levels=tuple(map(str, column.cat.categories)))
    numbers = response(data.formula.response, data.frame)
    _require(
        numbers == np.round(numbers),
        data,
        "is not a whole number in every row",
        "Give whole numbers or an ordered category",
    )
    values, places = np.unique(numbers, return_inverse=True)
    return Outcome(data, places.astype(float), levels=tuple(f"{value:.0f}" for value in values))


def _measured(data: ModelData) -> Outcome:
    return Outcome(data, _numbers(data))


def _numbers(data: ModelData) -> Floats:
    return response(data.formula.response, data.frame)


def _require(fine: npt.NDArray[np.bool_], data: ModelData, what: str, remedy: str) -> None:
    if not fine.all():
        wrong = int((~fine).sum())
        raise ModelNotFitted(
            "outcome", f"{_name(data)} {what} ({wrong} of {len(fine)} rows are wrong)", remedy
        )


_READERS: Mapping[str, Callable[[ModelData], Outcome]] = {
    "binomial": _binary,
    "poisson": _counts,
    "gaussian": _measured,
    "gamma": _positive,
    "cumulative": _ordered,
}
