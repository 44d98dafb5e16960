"""Which level of a factor comes first: that of the treatment coding's zeros, of the first mean, the control."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from forethought.analysis.fits import Fit
from forethought.errors import WrongUsage


def with_references(frame: pd.DataFrame, references: Mapping[str, str]) -> pd.DataFrame:
    """The frame with these levels before the others of their columns, which are in sorted order."""
    return frame.assign(**{name: _with_reference(frame, name, level) for name, level in references.items()})


def _with_reference(frame: pd.DataFrame, name: str, reference: str) -> "pd.Series[Any]":
    if name not in frame.columns:
        what = f"the data have no column `{name}`"
        raise WrongUsage("--reference", what, f"The columns are {', '.join(map(str, frame.columns))}")
    column = frame[name]
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        remedy = f"Write C({name}, Treatment({reference})) in the formula"
        raise WrongUsage("--reference", f"`{name}` is numeric", remedy)
    levels = sorted(column.dropna().unique(), key=str)
    first = [level for level in levels if str(level) == reference]
    if not first:
        what = f"`{name}` has no level {reference}"
        raise WrongUsage("--reference", what, f"Its levels are {', '.join(map(str, levels))}")
    order = first + [level for level in levels if level != first[0]]
    return column.astype(pd.CategoricalDtype(order))


def check_references(fit: Fit, references: Mapping[str, str]) -> None:
    """That each of these levels is its factor's first one, and was not left out with a missing value beside it."""
    factors = fit.fixed.coding.levels
    for name, level in references.items():
        if name not in factors:
            what = f"`{name}` is no factor of the fixed effects"
            raise WrongUsage("--reference", what, f"They have {', '.join(factors) or 'none'}")
        if str(factors[name][0]) != level:
            what = f"no complete row has the level {level} of `{name}`"
            raise WrongUsage("--reference", what, f"Take one of {', '.join(map(str, factors[name]))}")
