"""Fit one mixed model to a CSV file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from forethought.analysis.fits import Fit, fit_to_json
from forethought.analysis.lmm import lmer
from forethought.errors import DataRefused, WrongUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A fit, and the same as JSON values."""

    fit: Fit
    as_json: dict[str, Any]


def fit(data: Path, formula: str, *, reml: bool, ddf: Literal["satterthwaite"] = "satterthwaite") -> Fitted:
    """Read the file, fit the model, infer. Rows with missing values are left out and counted."""
    if not data.is_file():
        raise WrongUsage(str(data), "there is no such file", "Give a CSV file with a header")
    try:
        frame = pd.read_csv(data)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise DataRefused(
            str(data), f"this is not a CSV file ({reason})", "Save it as CSV in UTF-8 with a header"
        ) from error
    fitted = lmer(formula, frame, reml=reml, missing="drop", ddf=ddf)
    return Fitted(fit=fitted, as_json=fit_to_json(fitted))
