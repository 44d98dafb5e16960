"""How rows become columns: the factors of a formula evaluated, categories coded, terms multiplied out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forethought.analysis.contrasts import Category, Floats, category, indicated, level_text
from forethought.analysis.transforms import Transforms, refuse_infinite, transformed
from forethought.errors import ModelNotFitted
from forethought.grammar import Effects, Factor

Integers = npt.NDArray[np.intp]

INTERCEPT = "Intercept"

DENSE = 4
"""Cells are counted in a table while there are at most this many for each row."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How rows become fixed-effect columns, as the fitted data set levels, contrasts and transformations.

    effects: the formula's fixed effects. names: of all columns, dependent ones too. term_of: for each column the
    place of its term in `effects.terms`, -1 for the intercept. kept: places of the columns that are estimated.
    levels: of each variable that is a factor, also by C(), in order. means: of each other variable over the fitted rows.
    matrix: what makes the columns of new rows.
    """

    effects: Effects
    names: tuple[str, ...]
    term_of: tuple[int, ...]
    kept: tuple[int, ...]
    levels: Mapping[str, tuple[Any, ...]]
    means: Mapping[str, float]
    matrix: Callable[[pd.DataFrame], Floats]

    def columns(self, frame: pd.DataFrame) -> Floats:
        """The columns (n, names) of new rows; dependent ones too.

        Raises ModelNotFitted for a column that is not there, a value that is missing, and an unknown level.
        """
        return self.matrix(frame)


@dataclass(frozen=True, slots=True)
class Part:
    """A factor in a term: the names of its columns, and of a category the row of each level, (levels, columns)."""

    text: str
    names: tuple[str, ...]
    rows: Floats | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes the columns of effects, as learnt from the fitted rows.

    categories, plain, transforms: the factors that are categories, numeric columns and functions, by their text.
    """

    intercept: bool
    terms: tuple[tuple[Part, ...], ...]
    categories: Mapping[str, Category]
    plain: Mapping[str, str]
    transforms: Transforms

    @property
    def names(self) -> tuple[str, ...]:
        own = [name for term in self.terms for name in _names(term)]
        return ((INTERCEPT,) if self.intercept else ()) + tuple(own)

    @property
    def term_of(self) -> tuple[int, ...]:
        """The place of each column's term; -1 for the intercept."""
        own = [place for place, term in enumerate(self.terms) for _ in _names(term)]
        return ((-1,) if self.intercept else ()) + tuple(own)

    def __call__(self, frame: pd.DataFrame) -> Floats:
        """The columns (n, names) of new rows."""
        codes = {text: new_codes(one, frame) for text, one in self.categories.items()}
        values = {text: new_numbers(name, frame)[:, None] for text, name in self.plain.items()}
        if self.transforms.names:
            numbers = {name: new_numbers(name, frame) for name in self.transforms.variables}
            values |= self.transforms.values(pd.DataFrame(numbers, index=range(len(frame))))
        return self.columns(codes, values, len(frame))

    def columns(self, codes: Mapping[str, Integers], values: Mapping[str, Floats], n: int) -> Floats:
        """The columns (n, names) of the categories' level codes (n,) and the other factors' numbers (n, k).

        Raises ModelNotFitted where one is not finite.
        """
        if values or not codes:
            return self._multiplied(codes, values, n)
        cells, cell = distinct(
            {text: (found, len(self.categories[text].levels)) for text, found in codes.items()}
        )
        return self._multiplied(cells, {}, int(cell.max(initial=-1)) + 1).take(cell, axis=0)

    def _multiplied(self, codes: Mapping[str, Integers], values: Mapping[str, Floats], n: int) -> Floats:
        columns = np.empty((n, len(self.names)))
        at = int(self.intercept)
        columns[:, :at] = 1.0
        for term in self.terms:
            parts = [
                values[one.text] if one.rows is None else one.rows.take(codes[one.text], axis=0)
                for one in term
            ]
            block = reduce(_row_products, parts)
            columns[:, at : at + block.shape[1]] = block
            at += block.shape[1]
        refuse_infinite(self.names, columns)
        return columns


def learnt(effects: Effects, frame: pd.DataFrame) -> tuple[Recipe, Floats]:
    """How the columns of effects are made, as these rows say, and the columns (n, names) themselves.

    Categories are coded as R codes them (see `indicated`); the first factor of an interaction varies fastest.
    Raises ModelNotFitted for a factor with one level, and where a column cannot be computed or is infinite.
    """
    factors = {factor.text: factor for term in effects.terms for factor in term.factors}
    coded = {
        text: level_codes(frame[one.variables[0]])
        for text, one in factors.items()
        if _is_category(one, frame)
    }
    categories = {text: category(factors[text], levels.tolist()) for text, (_, levels) in coded.items()}
    plain = {text: one.column for text, one in factors.items() if text not in categories and one.column}
    functions = [factor for text, factor in factors.items() if text not in categories and text not in plain]
    transforms, values = transformed(functions, frame)
    values |= {text: frame[name].to_numpy(dtype=float)[:, None] for text, name in plain.items()}
    names = transforms.names | {text: (name,) for text, name in plain.items()}
    recipe = Recipe(effects.intercept, _terms(effects, categories, names), categories, plain, transforms)
    return recipe, recipe.columns({text: codes for text, (codes, _) in coded.items()}, values, len(frame))


def distinct(codes: Mapping[str, tuple[Integers, int]]) -> tuple[dict[str, Integers], Integers]:
    """The combinations of codes (n,) below their sizes that occur, sorted by the first, and each row's place in them."""
    n = len(next(iter(codes.values()))[0])
    cell, size = np.zeros(n, dtype=np.intp), 1
    first = np.zeros(min(n, 1), dtype=np.intp)
    for found, levels in codes.values():
        cell, size = cell * levels + found, size * levels
        first, cell = _compressed(cell, size, n)
        size = len(first)
    return {text: found[first] for text, (found, _) in codes.items()}, cell


def _compressed(cell: Integers, size: int, n: int) -> tuple[Integers, Integers]:
    """For each number below `size` that occurs a row that has it, and for each row the place of its number."""
    if size > DENSE * n:
        _, first, place = np.unique(cell, return_index=True, return_inverse=True)
        return first, place.astype(np.intp)
    row = np.full(size, -1, dtype=np.intp)
    row[cell] = np.arange(n)
    occurs = row >= 0
    return row[occurs], (np.cumsum(occurs) - 1)[cell]


def _row_products(one: Floats, other: Floats) -> Floats:
    """All products of columns, row by row; those of `one` vary fastest."""
    return (other[:, :, None] * one[:, None, :]).reshape(len(one), one.shape[1] * other.shape[1])


def _names(term: Sequence[Part]) -> Iterator[str]:
    for names in product(*(part.names for part in reversed(term))):
        yield ":".join(reversed(names))


def _terms(
    effects: Effects, categories: Mapping[str, Category], names: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[Part, ...], ...]:
    def part(text: str, indicator: bool) -> Part:
        if (coded := categories.get(text)) is None:
            return Part(text, names[text])
        if indicator:
            return Part(text, coded.indicators, np.eye(len(coded.levels)))
        return Part(text, coded.coded, coded.matrix)

    full = indicated(effects, tuple(categories))
    return tuple(
        tuple(part(factor.text, every) for factor, every in zip(term.factors, row, strict=True))
        for term, row in zip(effects.terms, full, strict=True)
    )


def _is_category(factor: Factor, frame: pd.DataFrame) -> bool:
    if factor.contrasts is not None:
        return True
    return factor.column is not None and isinstance(frame[factor.column].dtype, pd.CategoricalDtype)


def level_codes(column: "pd.Series[Any]") -> tuple[Integers, "pd.Index[Any]"]:
    """Each row's level, as its place among the levels that occur, (n,), and the levels in order."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(column.cat.codes, dtype=np.intp), column.cat.categories
    codes, levels = pd.factorize(column, sort=True)
    return np.asarray(codes, dtype=np.intp), pd.Index(levels)


def new_codes(coded: Category, frame: pd.DataFrame) -> Integers:
    """Each new row's level, as its place among the fitted ones. Raises ModelNotFitted for any other."""
    column = new_column(coded.variable, frame)
    codes = pd.Index(coded.levels).get_indexer(pd.Index(column.array))
    if (codes < 0).any():
        unknown = column[codes < 0].iloc[0]
        what = f"`{coded.variable}` has the level {unknown}, which the fitted data do not have"
        raise ModelNotFitted("new data", what, f"Its levels are {', '.join(map(level_text, coded.levels))}")
    return np.asarray(codes, dtype=np.intp)


def new_numbers(name: str, frame: pd.DataFrame) -> Floats:
    """A numeric column of new rows, (n,). Raises ModelNotFitted where it holds something else."""
    column = new_column(name, frame)
    try:
        return np.asarray(column, dtype=float)
    except (TypeError, ValueError) as error:
        what = f"`{name}` is not numeric, as it is in the fitted data"
        raise ModelNotFitted("new data", what, "Give numbers") from error


def new_column(name: str, frame: pd.DataFrame) -> "pd.Series[Any]":
    """A column of new rows. Raises ModelNotFitted where it is not there, or a value of it is missing."""
    if name not in frame.columns:
        what = f"the new data have no column `{name}`"
        raise ModelNotFitted(
            "new data", what, f"Give it; the columns are {', '.join(map(str, frame.columns))}"
        )
    column = frame[name]
    if n_missing := int(column.isna().sum()):
        raise ModelNotFitted(
            "new data", f"values are missing: {name} ({n_missing})", "Fill them, or leave the rows out"
        )
    return column
