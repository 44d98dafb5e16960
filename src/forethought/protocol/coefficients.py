"""The names that a model's fixed effects have in its fit, known before there are data."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

from forethought.grammar import Effects, Factor, Term
from forethought.protocol.columns import Column

INTERCEPT = "Intercept"


@dataclass(frozen=True, slots=True)
class Coefficients:
    """The fixed effects that a formula can have.

    `names` are those that are known; `all_known` says whether there can be no other, as where the protocol does not
    list a category's levels.
    """

    names: tuple[str, ...]
    patterns: tuple[str, ...]
    all_known: bool

    def __contains__(self, name: str) -> bool:
        return name in self.names or any(re.fullmatch(pattern, name) for pattern in self.patterns)


def coefficients(effects: Effects, columns: Mapping[str, Column]) -> Coefficients:
    """The coefficients of these effects, named as formulaic does: `arm[T.video]:round`.

    Categories are treatment coded against their first level, where the model is hierarchical: it has an intercept,
    and with each term the term without any one of its categories. In other models some category gets a column for
    each level (`arm[video]`); which one depends on the terms before it, so each spelling is taken as possible.
    """
    hierarchical = _is_hierarchical(effects, columns)
    names = [INTERCEPT] if effects.intercept else []
    patterns: list[str] = []
    for term in effects.terms:
        parts = [tuple(_parts(factor, columns)) for factor in term.factors]
        for spelled in product(*parts):
            if all(part.known for part in spelled):
                names.append(":".join(part.text for part in spelled))
            else:
                patterns.append(":".join(part.pattern for part in spelled))
        if not hierarchical:
            patterns.extend(_any_coding(term, columns))
    return Coefficients(tuple(names), tuple(patterns), not patterns)


@dataclass(frozen=True, slots=True)
class _Part:
    """One factor's share of a coefficient's name: the text itself, or a pattern where it is not known."""

    text: str
    known: bool = True

    @property
    def pattern(self) -> str:
        return re.escape(self.text) if self.known else self.text


_CODED = {"Sum": r"\[S\.[^\]]+\]", "Helmert": r"\[H\.[^\]]+\]", "Poly": r"\[\.(L|Q|C|\^\d+)\]"}
"""How the columns of the codings beside treatment are named."""


def _parts(factor: Factor, columns: Mapping[str, Column]) -> Iterator[_Part]:
    """The columns of a factor that is reduced: a number's own, or a category's levels but the first."""
    spelled = re.escape(factor.text)
    if factor.text.startswith("poly("):
        yield _Part(rf"{spelled}\[\d+\]", known=False)
    elif not _is_category(factor, columns):
        yield _Part(factor.text)
    elif factor.contrasts is not None and factor.contrasts.name in _CODED:
        yield _Part(spelled + _CODED[factor.contrasts.name], known=False)
    elif (levels := _levels(factor, columns)) is None:
        yield _Part(rf"{spelled}\[T\.[^\]]+\]", known=False)
    else:
        yield from (_Part(f"{factor.text}[T.{level}]") for level in levels[1:])


def _any_coding(term: Term, columns: Mapping[str, Column]) -> Iterator[str]:
    """Patterns of the term and its margins with its categories coded either way."""
    for size in range(1, len(term.factors) + 1):
        for factors in combinations(term.factors, size):
            yield ":".join(_either_coding(factor, columns) for factor in factors)


def _either_coding(factor: Factor, columns: Mapping[str, Column]) -> str:
    spelled = re.escape(factor.text)
    if not _is_category(factor, columns):
        return rf"{spelled}(\[\d+\])?"
    levels = _levels(factor, columns)
    any_level = "|".join(re.escape(level) for level in levels) if levels else r"[^\]]+"
    return rf"{spelled}\[(T\.)?({any_level})\]"


def _is_hierarchical(effects: Effects, columns: Mapping[str, Column]) -> bool:
    present: set[frozenset[str]] = {term.key for term in effects.terms}
    if effects.intercept:
        present.add(frozenset())
    return all(
        term.key - {factor.text} in present
        for term in effects.terms
        for factor in term.factors
        if _is_category(factor, columns)
    )


def _is_category(factor: Factor, columns: Mapping[str, Column]) -> bool:
    if factor.text.startswith("C("):
        return True
    column = columns.get(factor.text.strip("`"))
    return column is not None and column.type != "number"


def _levels(factor: Factor, columns: Mapping[str, Column]) -> tuple[str, ...] | None:
    """The levels in their order; None where they, or their order, are not known."""
    column = columns.get(factor.text.strip("`"))
    return column.levels if column is not None else None
