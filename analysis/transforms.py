"""Functions of columns, computed by formulaic, which keeps what they learn from the fitted rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd

from forethought.errors import ModelNotFitted
from forethought.grammar import Factor
from forethought.grammar.formulas import distinct

Floats = npt.NDArray[np.float64]

EXTRA_FUNCTIONS = {"abs": np.abs, "log1p": np.log1p, "sqrt": np.sqrt}
"""Functions of the grammar that formulaic does not bring itself."""

LARGEST = 1e140
"""Sums of squares of larger numbers may be no float."""


@dataclass(frozen=True, slots=True)
class Transforms:
    """Functions by their text, with the names of each one's columns; `record` is formulaic's of what they learnt."""

    names: dict[str, tuple[str, ...]]
    variables: tuple[str, ...]
    record: Any

    def values(self, frame: pd.DataFrame) -> dict[str, Floats]:
        """The columns (n, k) of each function, of new rows."""
        parts = _parts(_evaluated(list(self.names), frame, self.record))
        return {text: values for text, (_, values) in zip(self.names, parts, strict=True)}


def transformed(functions: Sequence[Factor], frame: pd.DataFrame) -> tuple[Transforms, dict[str, Floats]]:
    """The functions that our grammar has spelled, as these rows set them, and their columns (n, k) by text.

    Raises ModelNotFitted where one cannot be computed.
    """
    if not functions:
        return Transforms({}, (), None), {}
    texts = [function.text for function in functions]
    matrix = _evaluated(texts, frame)
    parts = dict(zip(texts, _parts(matrix), strict=True))
    names = {text: own for text, (own, _) in parts.items()}
    variables = distinct(name for function in functions for name in function.variables)
    return Transforms(names, variables, matrix.model_spec), {text: own for text, (_, own) in parts.items()}


def computed(factor: Factor, frame: pd.DataFrame, role: str) -> Floats:
    """The one column (n,) of finite numbers that arithmetic makes. Raises ModelNotFitted, naming its role, for another."""
    for name in factor.variables:
        if factor.contrasts or isinstance(frame[name].dtype, pd.CategoricalDtype):
            what = f"the {role} `{name}` is not numeric"
            raise ModelNotFitted("model", what, f"Give numbers as the {role}")
    if factor.column:
        values = frame[factor.column].to_numpy(dtype=float)[:, None]
    else:
        whole = replace(factor, text=f"I({factor})")  # so that formulaic takes a sum for no two terms
        values = transformed([whole], frame)[1][whole.text]
    if values.shape[1] != 1:
        what = f"the {role} {factor} is not one column"
        raise ModelNotFitted("model", what, f"Give one column as the {role}")
    refuse_infinite([factor.column or factor.text], values)
    return values[:, 0]


def refuse_infinite(names: Sequence[str], columns: Floats) -> None:
    """Raise ModelNotFitted that names the columns (n, names) with values that are not finite, or whose squares are not."""
    fine = (np.abs(columns) <= LARGEST).all(axis=0)
    if fine.all():
        return
    wrong = ", ".join(names[place] for place in np.flatnonzero(~fine).tolist())
    if np.isfinite(columns).all():
        what = f"{wrong} has values beyond {LARGEST:.0e}, too large to compute with"
        raise ModelNotFitted("model", what, "Give it in a larger unit")
    what = f"{wrong} has values that are infinite or not numbers"
    raise ModelNotFitted("model", what, "Remove those rows, or correct the transformation")


def _evaluated(texts: Sequence[str], frame: pd.DataFrame, record: Any = None) -> Any:
    """Formulaic's matrix, whose context is explicit: no variable of the caller can take the place of a function."""
    from formulaic import model_matrix
    from formulaic.errors import FormulaicError

    spec = record or f"0 + {' + '.join(texts)}"
    try:
        with np.errstate(all="ignore"):
            return model_matrix(spec, _as_python_reads(frame), context=EXTRA_FUNCTIONS, na_action="ignore")
    except (FormulaicError, TypeError, ValueError) as error:
        remedy = "Check the columns' types and the functions applied to them"
        what = f"`{' + '.join(texts)}` cannot be computed: {str(error).rstrip('.')}"
        raise ModelNotFitted("model", what, remedy) from error


def _as_python_reads(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with names as Python makes identifiers of them (PEP 3131), some of which come otherwise from a Mac."""
    names = {name: normalize("NFKC", name) for name in frame.columns if name.isidentifier()}
    return frame.rename(columns={name: read for name, read in names.items() if read not in frame.columns})


def _parts(matrix: Any) -> list[tuple[tuple[str, ...], Floats]]:
    """Names and values of each function's columns."""
    names = [str(name) for name in matrix.columns]
    values = np.asarray(matrix, dtype=float)
    return [(tuple(names[place]), values[:, place]) for place in matrix.model_spec.term_slices.values()]
