"""From a formula and a frame to the rows and columns of a model: complete rows, ordered levels, numbers as floats."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from forethought.analysis.columns import Floats, column_called, read
from forethought.analysis.transforms import computed
from forethought.errors import ModelNotFitted
from forethought.grammar import Effects, Factor, ModelFormula, Term, parse_contrasts, variables
from forethought.grammar.formulas import spelled

Truths = npt.NDArray[np.bool_]
Missing = Literal["raise", "drop"]


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
        rows = (
            "1 row with a missing value was"
            if self.n_dropped == 1
            else f"{self.n_dropped:,} rows with missing values were"
        )
        return (f"{rows} dropped",)


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
    Raises ModelNotFitted for what is no data frame, for an unknown column, for missing values unless they may be
    dropped, where no row is left, for weights that are not positive and for an offset that is not finite;
    InvalidFormula for an unknown coding.
    """
    _check_choices(data, missing, {"weights": weights, "offset": offset}, contrasts)
    used = variables(formula)
    numeric = [name for name in (weights, offset) if name is not None]
    names = list(dict.fromkeys((*used, *also, *numeric)))
    measured = {*used.response, *used.fixed, *used.random, *numeric}
    columns = {name: read(column_called(name, data), measured=name in measured) for name in names}
    complete = _complete(columns, missing)
    frame = pd.DataFrame({name: _kept(column, complete) for name, column in columns.items()}, copy=False)
    recoded = _recoded(formula, contrasts or {}, frame)
    n_dropped = 0 if complete is None else int(len(data) - complete.sum())
    return ModelData(recoded, frame, n_dropped, _weights(weights, frame), _offset(formula, offset, frame))


def _check_choices(
    data: object, missing: str, columns: Mapping[str, object], contrasts: Mapping[str, str] | None
) -> None:
    refuse_other_than_frames(data)
    if missing not in ("raise", "drop"):
        what = f"missing={missing!r} is not offered"
        raise ModelNotFitted("missing", what, 'Take "raise", or "drop" to leave rows with missing values out')
    for role, name in columns.items():
        if not isinstance(name, str | None):
            what = f"{role} is the name of a column, not of the kind {type(name).__name__}"
            raise ModelNotFitted(role, what, "Put the values into a column of the data and give its name")
    if contrasts is None:
        return
    if not isinstance(contrasts, Mapping) or not all(isinstance(text, str) for text in contrasts.values()):
        what = f"{contrasts!r} does not give codings by the names of variables"
        raise ModelNotFitted("contrasts", what, 'Write a dictionary of texts, as {"arm": "Sum"}')


def refuse_other_than_frames(data: object) -> None:
    """Raises ModelNotFitted for data that are no data frame of pandas."""
    if not isinstance(data, pd.DataFrame):
        what = f"the data are of the kind {type(data).__name__}, not a data frame of pandas"
        remedy = "Give a data frame, as pandas.DataFrame(data) or data.to_pandas() makes one"
        raise ModelNotFitted("data", what, remedy)


def _complete(columns: Mapping[str, Floats | pd.Categorical], missing: Missing) -> Truths | None:
    """Which rows have every value; None where all have."""
    holes = {name: np.asarray(pd.isna(values)) for name, values in columns.items()}
    complete: Truths = ~np.logical_or.reduce(list(holes.values()))
    if not len(complete):
        raise ModelNotFitted(
            "model", "the data have no rows", "Give data with rows, or look at what filtered them"
        )
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
