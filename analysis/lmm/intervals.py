"""Confidence intervals of a mixed model's parameters, by the method that is named."""

from collections.abc import Collection
from typing import Literal

import numpy as np
import pandas as pd

from forethought.analysis.inference import Inference, estimate, require_level
from forethought.analysis.lmm.bootstrap import Kind, bootstrap
from forethought.analysis.lmm.profile import profile_intervals
from forethought.analysis.lmm.solution import Solution
from forethought.analysis.progress import Progress
from forethought.errors import ModelNotFitted

IntervalMethod = Literal["wald", "profile", "bootstrap"]


def intervals(
    solution: Solution,
    inference: Inference,
    method: IntervalMethod = "wald",
    *,
    level: float = 0.95,
    parameters: Collection[str] | None = None,
    simulations: int = 1000,
    seed: int | None = None,
    kind: Kind = "percentile",
    progress: Progress | bool = False,
) -> pd.DataFrame:
    """parameter, estimate, ci_low, ci_high; of all parameters, or of those named, as `lmm.parameters` names them.

    wald: those of the coefficient table, with the degrees of freedom of `inference`; of coefficients alone.
    profile: by the likelihood, see `profile_intervals`. bootstrap: parametric, see `bootstrap`; it needs a seed.
    Raises ModelNotFitted for a method or parameter it does not know, and a bootstrap without a seed.
    """
    require_level(level, "intervals")
    if isinstance(parameters, str):
        parameters = [parameters]
    match method:
        case "wald":
            return _named(wald_intervals(solution, inference, level), parameters)
        case "profile":
            return profile_intervals(solution, level, parameters)
        case "bootstrap":
            if seed is None:
                raise ModelNotFitted("intervals", "the bootstrap has no seed", "Give one, as seed=1")
            found = bootstrap(solution, simulations=simulations, seed=seed, progress=progress)
            return _named(found.intervals(kind, level), parameters)
    raise ModelNotFitted("intervals", f"there is no method {method}", "Take wald, profile or bootstrap")


def wald_intervals(solution: Solution, inference: Inference, level: float = 0.95) -> pd.DataFrame:
    """Those of the coefficient table: parameter, estimate, ci_low, ci_high for each coefficient."""
    terms = solution.design.fixed.terms
    rows = [estimate(weights, solution.beta, inference, level) for weights in np.eye(len(terms))]
    return pd.DataFrame(
        {
            "parameter": list(terms),
            "estimate": [row.estimate for row in rows],
            "ci_low": [row.ci_low for row in rows],
            "ci_high": [row.ci_high for row in rows],
        }
    )


def _named(rows: pd.DataFrame, names: Collection[str] | None) -> pd.DataFrame:
    if names is None:
        return rows
    unknown = [name for name in names if name not in set(rows["parameter"])]
    if unknown:
        what = f"no parameter here is called {', '.join(unknown)}"
        raise ModelNotFitted("intervals", what, f"They are {', '.join(rows['parameter'])}")
    return rows[rows["parameter"].isin(list(names))].reset_index(drop=True)
