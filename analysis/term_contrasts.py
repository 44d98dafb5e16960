"""Which combinations of coefficients a term's test of type 1, 2 or 3 asks to be zero.

F does not depend on the basis in which these hypotheses are written; Satterthwaite's denominator does (Fai and
Cornelius 1996). The bases here are therefore those of lmerTest 3.1:

type 1    the term's rows of the upper triangle U of X'X = U'D U, U with unit diagonal: each column after those
          before it.
type 2    of a term that no other term contains, its own coefficients; of another, the rows of U after the columns
          of X are put in order: those that neither belong to the term nor contain it, the term's, and those that
          contain it.
type 3    treatment differences of cell means averaged with equal weights over the other factors' levels, whatever
          coding the model has: the coefficients of treatment coding as estimable functions of one mean for each
          cell, made orthogonal to those of the terms that contain the term (Goodnight 1978, SAS R-101).
          In a model of one term, type 1.

A term contains another where it has all its factors, more factors, and the same covariates. As in lmerTest, factors
with a column for each level do not count in this (so that `a` is not contained in `a:b` where the model lacks `b`,
and is tested at b's first level), nor do poly() and scale() count as covariates. Types 1 and 2 follow the columns of
the fit, so that there another coding gives slightly different denominators.

X'X says how estimates depend on each other where each row says as much as any other. Where a link bends, only the
estimates' covariance does, and types 1 and 2 clear a term's estimates of those after it, or of those of the terms that
contain it, by regression on them: car's hypothesis of type 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import chain, pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import lstsq, qr

from forethought.analysis.contrasts import indicated
from forethought.analysis.designs import FixedDesign, Floats, effect_columns, independent_columns
from forethought.errors import ModelNotFitted
from forethought.grammar import Effects, Factor, Term

TestType = Literal[1, 2, 3]
Truths = npt.NDArray[np.bool_]

ZERO = 1e-10
"""A coefficient this small beside the lengths of the columns it relates is rounding."""


def term_contrasts(
    fixed: FixedDesign, test_type: TestType, covariance: Floats | None = None
) -> dict[str, Floats]:
    """For each term of the formula its rows (q, p) over the estimated coefficients; q = 0 where none is left.

    covariance: of the estimates (p, p), of full rank, where types 1 and 2 are to follow it instead of X'X.
    Raises ModelNotFitted for another type.
    """
    if test_type not in (1, 2, 3):
        what = f"there are no tests of type {test_type!r} here"
        raise ModelNotFitted("anova", what, "Take type 1, 2 or 3, as numbers")
    effects = fixed.coding.effects
    if test_type == 1 or len(effects.terms) == 1 or fixed.X.shape[1] == 1:
        return _after_those_before(fixed, covariance)
    model = _Overparameterized.of(effects, fixed.frame)
    if test_type == 2:
        return _after_all_but_containing(fixed, model, covariance)
    return _of_cell_means(fixed, model)


def _columns_by_term(fixed: FixedDesign) -> dict[Term, list[int]]:
    """The estimated columns of each term, by their place in X."""
    coding = fixed.coding
    owners = [coding.term_of[column] for column in coding.kept]
    return {
        term: [place for place, owner in enumerate(owners) if owner == number]
        for number, term in enumerate(coding.effects.terms)
    }


def _sequential(X: Floats) -> Floats:
    """U of X'X = U'D U, unit upper triangular, (p, p)."""
    R = np.asarray(qr(X, mode="r", check_finite=False)[0], dtype=float)[: X.shape[1]]
    rows: Floats = R / np.diag(R)[:, None]
    return rows


@dataclass(frozen=True, slots=True)
class _Coded:
    """A factor's values (n, columns): an indicator for each level, or numbers as they are.

    covariate: a single column of numbers, not standardised.
    """

    columns: Floats
    categorical: bool
    covariate: bool


@dataclass(frozen=True, slots=True)
class _Overparameterized:
    """A model with one column for each cell of each term, and those of them that treatment coding takes.

    columns (n, c): of the intercept, if any, and of the terms. places: of each term among them. taken: those of
    treatment coding that do not depend on others before them. contained_in: for each term those that contain it.
    """

    columns: Floats
    places: Mapping[Term, range]
    taken: tuple[int, ...]
    contained_in: Mapping[Term, tuple[Term, ...]]

    @classmethod
    def of(cls, effects: Effects, frame: pd.DataFrame) -> "_Overparameterized":
        terms = effects.terms
        coded = {factor: _coded(factor, frame) for term in terms for factor in term.factors}
        intercept = [np.ones((len(frame), 1))] if effects.intercept else []
        blocks = [_products([coded[factor].columns for factor in term.factors]) for term in terms]
        ends = np.cumsum([len(intercept), *(block.shape[1] for block in blocks)]).tolist()
        places = {term: range(*bounds) for term, bounds in zip(terms, pairwise(ends), strict=True)}
        columns = np.hstack([*intercept, *blocks])
        treated = np.concatenate([np.ones(len(intercept), dtype=bool), *_treatment(effects, coded)])
        candidates = np.flatnonzero(treated)
        taken = candidates[independent_columns(columns[:, candidates])]
        return cls(columns, places, tuple(taken.tolist()), _containing(effects, coded))

    def own(self, term: Term) -> list[int]:
        """The term's columns of treatment coding, by their place in `taken`."""
        return [index for index, place in enumerate(self.taken) if place in self.places[term]]

    @property
    def estimable(self) -> Floats:
        """Each column in terms of those taken, (taken, c)."""
        lengths = np.linalg.norm(self.columns, axis=0)
        lengths = np.where(lengths > 0, lengths, 1.0)
        unit = self.columns / lengths
        found = np.asarray(lstsq(unit[:, self.taken], unit, check_finite=False)[0], dtype=float)
        found[np.abs(found) < ZERO] = 0.0
        scaled: Floats = found * lengths / lengths[list(self.taken), None]
        return scaled


def _coded(factor: Factor, frame: pd.DataFrame) -> _Coded:
    columns = effect_columns(Effects(False, (Term((factor,)),)), frame)[1]
    indicators = bool(np.isin(columns, (0.0, 1.0)).all() and (columns.sum(axis=1) == 1).all())
    categorical = indicators and columns.shape[1] > 1
    covariate = columns.shape[1] == 1 and not factor.text.startswith("scale(")
    return _Coded(columns, categorical, covariate)


def _products(blocks: list[Floats]) -> Floats:
    """All products of one column of each block (n, any), those of the first block changing fastest."""

    def crossed(left: Floats, right: Floats) -> Floats:
        return (right[:, :, None] * left[:, None, :]).reshape(len(left), -1)

    return reduce(crossed, blocks)


def _treatment(effects: Effects, coded: Mapping[Factor, _Coded]) -> list[Truths]:
    """Which of each term's cells treatment coding gives a column: not a factor's first level, unless R indicates all."""
    categories = [factor.text for factor, values in coded.items() if values.categorical]
    chosen = []
    for term, every in zip(effects.terms, indicated(effects, categories), strict=True):
        levels = [np.arange(coded[factor].columns.shape[1])[None] for factor in term.factors]
        kept = [
            (level > 0) | (full or not coded[factor].categorical)
            for factor, level, full in zip(term.factors, levels, every, strict=True)
        ]
        chosen.append(_products([part.astype(float) for part in kept])[0] > 0)
    return chosen


def _containing(effects: Effects, coded: Mapping[Factor, _Coded]) -> dict[Term, tuple[Term, ...]]:
    """For each term those that contain it."""
    everywhere = indicated(Effects(True, effects.terms), [factor.text for factor in coded])
    counted = {
        term: {factor for factor, full in zip(term.factors, every, strict=True) if not full}
        for term, every in zip(effects.terms, everywhere, strict=True)
    }

    def covariates(term: Term) -> set[Factor]:
        return {factor for factor in counted[term] if coded[factor].covariate}

    def contains(larger: Term, term: Term) -> bool:
        return counted[term] < counted[larger] and covariates(term) == covariates(larger)

    return {term: tuple(other for other in effects.terms if contains(other, term)) for term in effects.terms}


def _after_those_before(fixed: FixedDesign, covariance: Floats | None) -> dict[str, Floats]:
    """Type 1."""
    own, p = _columns_by_term(fixed), fixed.X.shape[1]
    if covariance is None:
        rows = _sequential(fixed.X)
        return {str(term): rows[places] for term, places in own.items()}
    return {
        str(term): _cleared(places, list(range(max(places, default=p) + 1, p)), covariance)
        for term, places in own.items()
    }


def _cleared(own: list[int], others: list[int], covariance: Floats) -> Floats:
    """The own estimates less their regression on the others, rows (own, p)."""
    sds = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sds, sds)
    rows = np.eye(len(covariance))[own]
    if own and others:
        slopes = lstsq(correlation[np.ix_(others, others)], correlation[np.ix_(others, own)])[0].T
        rows[:, others] = -slopes * sds[own][:, None] / sds[others]
    return rows


def _after_all_but_containing(
    fixed: FixedDesign, model: _Overparameterized, covariance: Floats | None
) -> dict[str, Floats]:
    """Type 2."""
    own, p = _columns_by_term(fixed), fixed.X.shape[1]
    found = {}
    for term, containing in model.contained_in.items():
        if not containing:
            found[str(term)] = np.eye(p)[own[term]]
            continue
        others = list(chain.from_iterable(own[other] for other in containing))
        if covariance is not None:
            found[str(term)] = _cleared(own[term], others, covariance)
            continue
        last = [*own[term], *others]
        order = [place for place in range(p) if place not in last] + last
        rows = np.empty((p, p))
        rows[:, order] = _sequential(fixed.X[:, order])
        found[str(term)] = rows[p - len(last) :][: len(own[term])]
    return found


def _of_cell_means(fixed: FixedDesign, model: _Overparameterized) -> dict[str, Floats]:
    """Type 3: in treatment coding, then in the fit's own."""
    taken = list(model.taken)
    functions = model.estimable.T
    for term in sorted(model.contained_in, key=lambda term: -len(term.factors)):
        containing = [place for other in model.contained_in[term] for place in model.own(other)]
        if containing:
            own, others = model.own(term), functions[:, containing]
            functions[:, own] -= others @ lstsq(others, functions[:, own], check_finite=False)[0]
    in_fit = np.asarray(lstsq(model.columns[:, taken], fixed.X, check_finite=False)[0], dtype=float)
    found = {}
    for term in model.contained_in:
        rows = functions[np.ix_(taken, model.own(term))].T
        rows = rows[np.abs(rows).max(axis=1, initial=0.0) > ZERO]
        found[str(term)] = rows @ in_fit
    return found
