"""The random terms of a formula with their levels and columns, and which of them the data can carry."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from forethought.analysis.coding import distinct, level_codes
from forethought.analysis.designs import Floats, effect_columns
from forethought.errors import ModelNotFitted
from forethought.grammar import Effects, RandomTerm

Integers = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Term:
    """A piece before its place is known: its group, levels (m), codes (n,) and columns (n, effects)."""

    group: str
    levels: pd.Index
    codes: Integers
    effects: tuple[str, ...]
    columns: Floats


def random_terms(randoms: Sequence[RandomTerm], frame: pd.DataFrame, *, residual: bool) -> list[Term]:
    """The terms in lme4's order. Raises ModelNotFitted where they cannot be told from each other or the residual."""
    terms = _in_lme4_order(_terms(randoms, frame))
    for term in terms:
        _refuse_unidentified(term, residual)
    _refuse_repeated(terms)
    return terms


def _terms(randoms: Sequence[RandomTerm], frame: pd.DataFrame) -> list[Term]:
    """One term where effects are correlated, else one for the intercept and one for each effect."""
    columns_of = cache(lambda effects: effect_columns(effects, frame))
    levels_of = cache(lambda names: grouping(names, frame))
    terms = list[Term]()
    for random in randoms:
        codes, levels = levels_of(random.group)
        for part in parts(random):
            effects, columns = columns_of(part)
            terms.append(Term(":".join(random.group), levels, codes, effects, columns))
    return terms


def grouping(names: Sequence[str], frame: pd.DataFrame) -> tuple[Integers, pd.Index]:
    """Each row's combination of the groups' levels, (n,), and the combinations that occur, in order."""
    found = {name: level_codes(frame[name]) for name in names}
    if len(found) == 1:
        ((name, (codes, levels)),) = found.items()
        return codes, pd.Index(levels, name=name)
    cells, cell = distinct({name: (codes, len(levels)) for name, (codes, levels) in found.items()})
    values = [levels.take(cells[name]) for name, (_, levels) in found.items()]
    return cell, pd.MultiIndex.from_arrays(values, names=list(names))


def parts(term: RandomTerm) -> list[Effects]:
    """The effects that are correlated with each other: all, or of `||` the intercept and each term, as in lme4."""
    if term.correlated:
        return [term.effects]
    intercept = [Effects(True, ())] if term.effects.intercept else []
    return intercept + [Effects(False, (one,)) for one in term.effects.terms]


def _in_lme4_order(terms: list[Term]) -> list[Term]:
    """As written where the numbers of levels do not increase, else by falling numbers of levels."""
    sizes = [len(term.levels) for term in terms]
    if sizes == sorted(sizes, reverse=True):
        return terms
    return sorted(terms, key=lambda term: len(term.levels))[::-1]


def split_warnings(randoms: tuple[RandomTerm, ...], frame: pd.DataFrame) -> tuple[str, ...]:
    """Where `||` does less than it seems to say."""
    factors = {
        f"{name} in {random}"
        for random in randoms
        if not random.correlated
        for name in random.effects.variables
        if isinstance(frame[name].dtype, pd.CategoricalDtype)
    }
    return tuple(f"as in lme4, the levels of {factor} stay correlated" for factor in sorted(factors))


def _refuse_repeated(terms: Sequence[Term]) -> None:
    """Of two variances of one effect only the sum could be told."""
    effects = Counter((term.group, effect) for term in terms for effect in term.effects)
    for (group, effect), count in effects.items():
        if count > 1:
            what = f"the random effect {effect} of `{group}` stands in {count} terms"
            raise ModelNotFitted(
                "model", what, "Leave it in one of them, as (0 + x | group) beside (1 | group)"
            )
    for group in dict.fromkeys(term.group for term in terms):
        own = [term for term in terms if term.group == group]
        named = [(effect, term.columns[:, a]) for term in own for a, effect in enumerate(term.effects)]
        for (effect, column), (other, another) in combinations(named, 2):
            if _proportional(column, another):
                what = f"the random effects {effect} and {other} of `{group}` have proportional columns"
                raise ModelNotFitted("model", what, "Leave one of them out: only their sum could be told")


def _proportional(column: Floats, other: Floats) -> bool:
    lengths = float(np.linalg.norm(column)) * float(np.linalg.norm(other))
    return lengths > 0 and abs(float(column @ other)) >= (1 - 1e-14) * lengths


def _refuse_unidentified(term: Term, residual: bool) -> None:
    m, k, n = len(term.levels), len(term.effects), len(term.codes)
    if m < 2:
        what = f"the grouping factor `{term.group}` has one level"
    elif m * k >= n and residual:
        what = f"{n} rows cannot tell {m * k} random effects of `{term.group}` from the residual"
    elif m * k > n:
        what = f"{n} rows cannot tell {m * k} random effects of `{term.group}` from each other"
    elif m < k * (k + 1) // 2:
        what = f"{m} levels of `{term.group}` are fewer than the {k * (k + 1) // 2} parameters of their covariance"
    else:
        return
    raise ModelNotFitted("model", what, "Leave the random term out or simplify it, or give more data")


def spelled(level: object) -> str:
    """A level of a grouping factor as text; that of combined factors as `a:b`."""
    return ":".join(map(str, level)) if isinstance(level, tuple) else str(level)
