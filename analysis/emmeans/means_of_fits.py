"""Estimated marginal means: a model's predictions over a grid of its factors, averaged over those not named."""

from collections.abc import Collection, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from forethought.analysis.designs import Floats
from forethought.analysis.emmeans.contrast_families import spelled_level
from forethought.analysis.emmeans.grid import (
    Grid,
    Weights,
    averaged,
    frequencies,
    null_space,
    reference_grid,
)
from forethought.analysis.emmeans.linear_functions import LinearFunctions, Model
from forethought.analysis.emmeans.marginal_means import MarginalMeans, Names, named
from forethought.analysis.fits import Fit, Linked, require_fit
from forethought.analysis.inference import DdfMethod, require_level
from forethought.errors import ModelNotFitted

COLUMNS = {
    "contrast", "estimate", "se", "df", "null", "margin", "statistic", "p", "ci_low", "ci_high",
    "equivalent", "non_inferior", "num_df", "den_df", "F",
}  # fmt: skip
"""Of the tables here: no variable that is named in one may be called so."""


def emmeans(
    fit: Fit,
    specs: Names,
    *,
    by: Names | None = None,
    at: Mapping[str, Any] | None = None,
    ddf: DdfMethod | None = None,
    weights: Weights = "equal",
    level: float = 0.95,
) -> MarginalMeans:
    """Estimated marginal means of the combinations of `specs`, within the levels of `by`, as R's emmeans.

    The grid holds all combinations of the levels of the fixed effects' factors, and each covariate at its mean, that
    of the variable before any transformation. Means over the variables that are not named are taken over it.

    specs, by: names of factors, or of covariates with values in `at`.
    at: the levels of factors and the values of covariates that the grid is to hold.
    ddf: as in `fit.inference`; the fit's own where None.
    weights: "equal", or "proportional" to how often the combinations of the factors averaged over occur.
    level: coverage of the intervals.

    Of a generalised model the means are on the scale of its linear predictor, and the notes say so. An offset counts
    at its mean over the rows. A number with two values is a covariate still, at its mean: emmeans takes it as a factor,
    which here truth values and categories are, and `at` can make of it.
    Raises ModelNotFitted for variables, levels and values that the model does not have.

    Method: Searle, Speed and Milliken 1980, Am. Stat. 34:216; Lenth, the R package emmeans.
    """
    require_fit("emmeans", fit)
    names, within = named("emmeans", specs), named("emmeans", by)
    if not isinstance(at, Mapping | None):
        what = f"`at` is of the kind {type(at).__name__}"
        raise ModelNotFitted("emmeans", what, 'Write a dictionary, as {"age": [20, 60]}')
    coding = fit.fixed.coding
    _require_known(names, within, (*coding.levels, *coding.means))
    grid = reference_grid(coding, at or {})
    over = tuple(name for name in grid.values if name not in (*names, *within))
    cells, columns = averaged(grid, (*names, *within), _row_weights(grid, over, weights, fit))
    model = Model(fit.beta, fit.inference(ddf), coding.kept, null_space(fit.fixed))
    values = {name: grid.values[name] for name in (*names, *within)}
    return MarginalMeans(
        cells=cells,
        functions=LinearFunctions(model, columns, np.full(len(cells), _offset(fit))),
        names=names,
        by=within,
        values=values,
        numbers=frozenset(name for name, own in values.items() if all(map(_is_number, own))),
        about=_about(fit, model, grid, over, (*names, *within)),
        level=require_level(level),
    )


def _row_weights(grid: Grid, over: Sequence[str], weights: Weights, fit: Fit) -> Floats:
    match weights:
        case "equal":
            return np.ones(len(grid.frame))
        case "proportional":
            return frequencies(grid, over, fit.data)
        case _:
            what = f"there are no weights {weights}"
            raise ModelNotFitted("emmeans", what, "Take equal or proportional")


def _offset(fit: Fit) -> float:
    """The mean offset of the rows."""
    return 0.0 if fit.data.offset is None else float(fit.data.offset.mean())


def _about(
    fit: Fit, model: Model, grid: Grid, over: Sequence[str], shown: Collection[str]
) -> tuple[str, ...]:
    """The scale of the means, the method of inference, what is averaged over or held, and what that may hide."""
    found = [f"Estimates are on the {scale}"] if (scale := _scale(fit)) else []
    found.append(f"Degrees of freedom: {model.inference.method}")
    averaged_over = [name for name in over if len(grid.values[name]) > 1]
    held = [f"{name} = {spelled_level(grid.values[name][0])}" for name in over if name not in averaged_over]
    if averaged_over:
        found.append(f"Averaged over: {', '.join(averaged_over)}")
    if held:
        found.append(f"At: {', '.join(held)}")
    together = [
        {name for factor in term.factors for name in factor.variables}
        for term in fit.fixed.coding.effects.terms
    ]
    hidden = [name for name in over if any(name in term and not term.isdisjoint(shown) for term in together)]
    if hidden:
        found.append(f"Interaction: differences are not the same at each value of {', '.join(hidden)}")
    return tuple(found)


def _scale(fit: Fit) -> str:
    """What the means are means of, where that is not the outcome itself; empty where it is."""
    outcome = fit.data.formula.response
    if not isinstance(fit, Linked) or fit.link == "identity":
        return "" if outcome.column else f"scale of {outcome}"
    if fit.family == "cumulative":
        return f"latent {fit.link} scale, whose zero is the middle of the thresholds"
    return f"{fit.link} scale"


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _require_known(names: Sequence[str], by: Sequence[str], variables: Sequence[str]) -> None:
    if not variables:
        raise ModelNotFitted("emmeans", "the fixed effects have no variable", "Add one to the formula")
    if not names:
        raise ModelNotFitted("emmeans", "no variable is named", f"Name one of {', '.join(variables)}")
    every = (*names, *by)
    if len(set(every)) < len(every):
        what = f"a variable is named twice in {', '.join(every)}"
        raise ModelNotFitted("emmeans", what, "Name each once, in `specs` or in `by`")
    unknown = [str(name) for name in every if name not in variables]
    if unknown:
        what = f"the fixed effects have no variable {', '.join(unknown)}"
        raise ModelNotFitted("emmeans", what, f"They have {', '.join(variables)}")
    taken = [name for name in every if name in COLUMNS]
    if taken:
        what = f"the variable {', '.join(taken)} has the name of a column of the tables"
        raise ModelNotFitted("emmeans", what, "Rename it in the data")
