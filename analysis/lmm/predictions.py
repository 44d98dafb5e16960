"""What a mixed model says of rows: those it was fitted to, and new ones."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from forethought.analysis.coding import learnt, new_column, new_numbers
from forethought.analysis.columns import finite_numbers
from forethought.analysis.designs import Floats
from forethought.analysis.lmm.conditional_modes import effects_of_columns
from forethought.analysis.lmm.covariance import Block, Piece
from forethought.analysis.lmm.random_terms import parts, spelled
from forethought.analysis.lmm.solution import Solution
from forethought.analysis.model_data import refuse_other_than_frames
from forethought.analysis.transforms import computed
from forethought.errors import ModelNotFitted
from forethought.grammar import ModelFormula

NewLevels = Literal["raise", "population"]


def fitted(solution: Solution) -> Floats:
    """The expected outcome of the fitted rows given their random effects, offset included, (n,)."""
    return _population(solution) + _of_fitted_levels(solution)


def residuals(solution: Solution) -> Floats:
    """Outcome minus `fitted`, (n,); with weights not scaled by them."""
    return outcome(solution) - fitted(solution)


def outcome(solution: Solution) -> Floats:
    """The outcome that was solved for, in data units, (n,); of a simulated one it is not the design's own."""
    design, standard = solution.design, solution.standard
    working = standard.basis.Q @ (standard.basis.R @ standard.ordinary) + standard.scale * standard.z
    expected = working if design.roots is None else working / design.roots
    return expected if design.data.offset is None else expected + design.data.offset


def predict(
    solution: Solution,
    data: pd.DataFrame | None = None,
    *,
    random: bool = True,
    new_levels: NewLevels = "raise",
    offset: Sequence[float] | Floats | None = None,
) -> "pd.Series[float]":
    """The expected outcome of new rows, or of the fitted ones; a series with the rows' index.

    random: with the random effects of the rows' levels, as lme4's predict; without them that of the population
        (its `re.form = NA`). new_levels: a level that was not fitted is refused, or has the effects of the
        population, zero. offset: of the new rows (n,), where the model was fitted with one beside that of the
        formula; lme4 leaves it out of new rows. The formula's own is computed of their columns.
    Raises ModelNotFitted for columns that lack, values that are missing and levels that are not known.
    """
    if new_levels not in ("raise", "population"):
        raise ModelNotFitted("predict", f"new_levels is {new_levels!r}", "Take raise or population")
    if data is None:
        index = solution.design.data.frame.index
        values = fitted(solution) if random else _population(solution)
        return pd.Series(values, index=index, name="prediction")
    refuse_other_than_frames(data)
    design = solution.design
    columns = design.fixed.coding.columns(data)[:, list(design.fixed.coding.kept)]
    values = columns @ solution.beta + _new_offset(solution, data, offset)
    if random:
        values += _of_new_levels(solution, data, new_levels)
    return pd.Series(values, index=data.index, name="prediction")


def _population(solution: Solution) -> Floats:
    offset = solution.design.data.offset
    expected = solution.design.fixed.X @ solution.beta
    return expected if offset is None else expected + offset


def _of_fitted_levels(solution: Solution) -> Floats:
    total = np.zeros(len(solution.design.fixed.y))
    for block, at in zip(solution.design.random.blocks, solution.scores.blocks, strict=True):
        effects = solution.standard.scale * at.q @ (at.Lambda @ at.Lambda.T)
        total += np.einsum("ij,ij->i", block.Z, effects[block.codes])
    return total


def _new_offset(solution: Solution, data: pd.DataFrame, offset: Sequence[float] | Floats | None) -> Floats:
    """The offset of new rows (n,): that of the formula, and the one given in place of the argument's."""
    fitted_data, n = solution.design.data, len(data)
    known = _formula_offset(fitted_data.formula, data)
    if offset is None:
        given = _formula_offset(fitted_data.formula, fitted_data.frame)
        if fitted_data.offset is not None and not np.allclose(fitted_data.offset, given):
            what = "the model was fitted with an offset beside the formula's"
            raise ModelNotFitted("predict", what, "Give that of the new rows as `offset`")
        return known
    total: Floats = known + finite_numbers("predict", "`offset`", offset, n)
    return total


def _formula_offset(formula: ModelFormula, frame: pd.DataFrame) -> Floats:
    columns = {name: new_numbers(name, frame) for one in formula.offset for name in one.variables}
    arithmetic = [one if one.column else replace(one, text=f"I({one})") for one in formula.offset]
    rows = pd.DataFrame(columns)
    total = np.zeros(len(frame))
    for one in arithmetic:
        total += computed(one, rows, "offset")
    return total


def _of_new_levels(solution: Solution, data: pd.DataFrame, new_levels: NewLevels) -> Floats:
    """The sum of the random effects of new rows, (n,)."""
    total = np.zeros(len(data))
    terms = {":".join(term.group): term.group for term in solution.design.data.formula.random}
    for block, effects in zip(solution.design.random.blocks, effects_of_columns(solution), strict=True):
        codes = _codes(block, terms[block.group], data)
        if new_levels == "raise":
            _refuse_unknown(block, terms[block.group], data, codes)
        columns = np.hstack([_columns(solution, piece, data) for piece in block.pieces])
        known = codes >= 0
        total[known] += np.einsum("ij,ij->i", columns[known], effects[codes[known]])
    return total


def _codes(block: Block, names: tuple[str, ...], data: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Each new row's level of a grouping factor by its place; -1 where it was not fitted."""
    places: dict[Any, int] = {level: place for place, level in enumerate(block.levels)}
    found = [new_column(name, data).tolist() for name in names]
    keys = found[0] if len(found) == 1 else list(zip(*found, strict=True))
    return np.array([places.get(key, -1) for key in keys], dtype=np.intp)


def _refuse_unknown(
    block: Block, names: tuple[str, ...], data: pd.DataFrame, codes: npt.NDArray[np.intp]
) -> None:
    new = data.loc[codes < 0, list(names)].drop_duplicates()
    if new.empty:
        return
    rows = [spelled(tuple(row)) for row in new.itertuples(index=False)]
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    what = f"`{block.group}` has levels that were not fitted: {', '.join(rows[:5])}{more}"
    remedy = 'Leave those rows out, or pass new_levels="population"'
    if {spelled(level) for level in block.levels} & set(rows):
        remedy = "Levels spelled alike were fitted with another type: give the column the type that it had"
    raise ModelNotFitted("predict", what, remedy)


def _columns(solution: Solution, piece: Piece, data: pd.DataFrame) -> Floats:
    """The columns (n, k) of a random term for new rows, coded as the fitted rows were."""
    fitted_data = solution.design.data
    for term in fitted_data.formula.random:
        if ":".join(term.group) == piece.group:
            for effects in parts(term):
                recipe, _ = learnt(effects, fitted_data.frame)
                if recipe.names == piece.effects:
                    return recipe(data)
    raise AssertionError(f"no random term makes {piece}")  # pieces are made of the same terms
