"""How a category's levels become columns, and which of its terms' factors lose a column for the intercept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forethought.errors import ModelNotFitted
from forethought.grammar import Contrasts, Effects, Factor

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Category:
    """A factor's levels, in order, and their coding.

    indicators, coded: names of the columns with one for each level, and with one fewer; matrix: of the coded
    columns the row of each level, (levels, levels - 1).
    """

    factor: Factor
    levels: tuple[Any, ...]
    indicators: tuple[str, ...]
    coded: tuple[str, ...]
    matrix: Floats

    @property
    def variable(self) -> str:
        return self.factor.variables[0]


def category(factor: Factor, levels: Sequence[Any]) -> Category:
    """The levels coded as the factor says, by treatment contrasts against the first one where it says nothing.

    Numbers and names are formulaic's, but for `C(week)[T.2]` where that says `[T.2.0]`; the numbers are those of R's contr.treatment, contr.sum, contr.helmert and,
    with equally spaced scores, contr.poly. Raises ModelNotFitted for a single level and an unknown reference.
    """
    name = factor.column or str(factor)
    if len(levels) < 2:
        what = f"the factor `{name}` has one level, {level_text(levels[0])}"
        raise ModelNotFitted("model", what, "Leave it out, or give data with two or more levels")
    chosen = factor.contrasts or Contrasts()
    if chosen.reference is not None and chosen.reference not in levels:
        what = f"the reference level {chosen.reference!r} of `{factor.variables[0]}` does not occur"
        raise ModelNotFitted("model", what, f"Its levels are {', '.join(map(level_text, levels))}")
    coding, every = _formulaic(chosen), list(levels)
    matrix = np.asarray(coding.get_coding_matrix(every, reduced_rank=True), dtype=float)
    spelled = coding.get_factor_format(every, reduced_rank=True)
    columns = coding.get_coding_column_names(every, reduced_rank=True)
    return Category(
        factor,
        tuple(levels),
        tuple(f"{name}[{level_text(level)}]" for level in levels),
        tuple(spelled.format(name=name, field=level_text(column)) for column in columns),
        matrix,
    )


def level_text(level: Any) -> str:
    """A level by its name; a whole number without a point, since columns are read as floats."""
    return f"{level:.0f}" if isinstance(level, float) and level.is_integer() else str(level)


def _formulaic(chosen: Contrasts) -> Any:
    from formulaic.transforms.contrasts import (
        HelmertContrasts,
        PolyContrasts,
        SumContrasts,
        TreatmentContrasts,
    )

    if chosen.name == "Treatment":
        return TreatmentContrasts() if chosen.reference is None else TreatmentContrasts(base=chosen.reference)
    return {"Sum": SumContrasts, "Helmert": HelmertContrasts, "Poly": PolyContrasts}[chosen.name]()


def indicated(effects: Effects, categories: Sequence[str]) -> tuple[tuple[bool, ...], ...]:
    """For each factor of each term whether it is a category with a column for each level, as in R's model.matrix.

    A factor loses a column where the rest of its term is empty or stands in an earlier term, whole or in part of it.
    Without an intercept the first category of the first term that has one keeps all of them.
    """
    keys = [term.key for term in effects.terms]
    full = [
        [
            factor.text in categories and not _spanned(key - {factor.text}, keys[:place])
            for factor in term.factors
        ]
        for place, (term, key) in enumerate(zip(effects.terms, keys, strict=True))
    ]
    first = (
        (t, f)
        for t, term in enumerate(effects.terms)
        for f, one in enumerate(term.factors)
        if one.text in categories
    )
    if not effects.intercept and (found := next(first, None)):
        full[found[0]][found[1]] = True
    return tuple(map(tuple, full))


def _spanned(rest: frozenset[str], earlier: Sequence[frozenset[str]]) -> bool:
    return not rest or any(rest <= key for key in earlier)
