"""The random effects: their columns, their levels, and the relative covariance factor Lambda(theta).

A piece is one `(effects | group)` as lme4 counts them; a block is all pieces of one grouping factor. The
covariance of a block's effects at one level is sigma^2 Lambda Lambda', with Lambda lower triangular and
zero between pieces; theta holds its free entries (Bates et al. 2015, section 2.2).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import block_diag, qr

from forethought.analysis.coding import distinct, level_codes
from forethought.analysis.designs import Floats, ModelData, effect_columns
from forethought.errors import ModelNotFitted
from forethought.grammar import Effects, RandomTerm

Integers = npt.NDArray[np.intp]

INTERCEPT = "Intercept"

SINGULAR = 1e-4
"""A relative standard deviation below this counts as zero, as in lme4's isSingular."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One random term: effects that are correlated with each other and with nothing else.

    `first` is the place of its first effect in its block, `theta` that of its entries in theta.
    """

    group: str
    effects: tuple[str, ...]
    first: int
    theta: slice

    @property
    def entries(self) -> tuple[Integers, Integers]:
        """Rows and columns of its free entries in the block's Lambda: a lower triangle, by columns."""
        return _lower_triangle(len(self.effects), self.first)


@cache
def _lower_triangle(k: int, first: int) -> tuple[Integers, Integers]:
    """Rows and columns of the entries of a (k, k) triangle that starts at (first, first), by columns."""
    columns, rows = np.triu_indices(k)
    return rows + first, columns + first


@dataclass(frozen=True, slots=True)
class Block:
    """One grouping factor with m levels and k effects: codes (n,) in 0..m-1, columns Z (n, k).

    Columns have unit standard deviation, and mean zero where the piece has an intercept; effects in data units
    are `units` (k, k) times the effects of these columns.
    """

    group: str
    levels: pd.Index
    codes: Integers
    Z: Floats
    units: Floats
    pieces: tuple[Piece, ...]

    @property
    def m(self) -> int:
        return len(self.levels)

    @property
    def k(self) -> int:
        return len(self.units)

    @property
    def effects(self) -> tuple[str, ...]:
        return tuple(effect for piece in self.pieces for effect in piece.effects)

    @property
    def size(self) -> int:
        return self.m * self.k

    def times(self, roots: Floats) -> "Block":
        """The block with its columns' rows multiplied by roots (n,)."""
        return replace(self, Z=self.Z * roots[:, None])


@dataclass(frozen=True, slots=True)
class RandomDesign:
    """All blocks, the one with most random effects first, and the pieces in lme4's order."""

    blocks: tuple[Block, ...]
    pieces: tuple[Piece, ...]
    warnings: tuple[str, ...]

    @property
    def n_theta(self) -> int:
        return sum(len(piece.effects) * (len(piece.effects) + 1) // 2 for piece in self.pieces)

    def lambdas(self, theta: Floats) -> list[Floats]:
        """Lambda (k, k) of each block."""
        return [self._filled(block, theta) for block in self.blocks]

    def free(self, matrices: Sequence[Floats]) -> Floats:
        """The entries of matrices shaped like the Lambdas, (k, k, ...), that are free, in theta's order."""
        theta = np.empty((self.n_theta, *matrices[0].shape[2:]))
        for block, matrix in zip(self.blocks, matrices, strict=True):
            for piece in block.pieces:
                theta[piece.theta] = matrix[piece.entries]
        return theta

    @property
    def on_diagonal(self) -> npt.NDArray[np.bool_]:
        """Which entries of theta are relative standard deviations; they cannot be negative."""
        return np.equal(self.free([np.eye(block.k) for block in self.blocks]), 1.0)

    def signs(self, theta: Floats) -> Floats:
        """The factors, 1 or -1 for each entry, that make Lambda's diagonal positive; its model stays."""
        if theta[self.on_diagonal].min() >= 0:
            return np.ones(len(theta))
        flips = [np.where(np.diag(factor) < 0, -1.0, 1.0) for factor in self.lambdas(theta)]
        return self.free([np.tile(flip, (len(flip), 1)) for flip in flips])

    def in_data_units(self, theta: Floats) -> Floats:
        """Theta as it belongs to the columns as they were given: the same covariance, factored there."""
        factors = zip(self.blocks, self.lambdas(theta), strict=True)
        return self.free([_lower_factor(block.units @ factor) for block, factor in factors])

    def singular_groups(self, theta: Floats) -> tuple[str, ...]:
        """Groups with a variance of zero or a correlation of one."""
        zero = self.on_diagonal & (np.abs(theta) < SINGULAR)
        return tuple(dict.fromkeys(piece.group for piece in self.pieces if zero[piece.theta].any()))

    @staticmethod
    def _filled(block: Block, theta: Floats) -> Floats:
        factor = np.zeros((block.k, block.k))
        for piece in block.pieces:
            factor[piece.entries] = theta[piece.theta]
        return factor


@dataclass(frozen=True, slots=True)
class _Term:
    """A piece before its place is known: its group, levels (m), codes (n,) and columns (n, effects)."""

    group: str
    levels: pd.Index
    codes: Integers
    effects: tuple[str, ...]
    columns: Floats


def spelled(level: object) -> str:
    """A level of a grouping factor as text; that of combined factors as `a:b`."""
    return ":".join(map(str, level)) if isinstance(level, tuple) else str(level)


def random_design(data: ModelData, *, residual: bool = True) -> RandomDesign:
    """The random effects of a formula. Raises ModelNotFitted where they cannot be told from each other or the residual.

    residual: whether the model has one. Without it, as in a Poisson model, each row may have an effect of its own.
    """
    if not data.formula.random:
        raise ModelNotFitted("model", "the formula has no random term", "Add one, as (1 | group), or use ols")
    terms = _in_lme4_order(_terms(data.formula.random, data.frame))
    for term in terms:
        _refuse_unidentified(term, residual)
    _refuse_repeated(terms)
    pieces = _pieces(terms)
    placed = list(zip(terms, pieces, strict=True))
    groups = dict.fromkeys(term.group for term in terms)
    blocks = [_block([pair for pair in placed if pair[0].group == group]) for group in groups]
    blocks.sort(key=lambda block: -block.size)
    return RandomDesign(tuple(blocks), tuple(pieces), _split_warnings(data.formula.random, data.frame))


def _terms(randoms: Sequence[RandomTerm], frame: pd.DataFrame) -> list[_Term]:
    """One term where effects are correlated, else one for the intercept and one for each effect."""
    columns_of = cache(lambda effects: effect_columns(effects, frame))
    levels_of = cache(lambda names: grouping(names, frame))
    terms = list[_Term]()
    for random in randoms:
        codes, levels = levels_of(random.group)
        for part in parts(random):
            effects, columns = columns_of(part)
            terms.append(_Term(":".join(random.group), levels, codes, effects, columns))
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


def _in_lme4_order(terms: list[_Term]) -> list[_Term]:
    """As written where the numbers of levels do not increase, else by falling numbers of levels."""
    sizes = [len(term.levels) for term in terms]
    if sizes == sorted(sizes, reverse=True):
        return terms
    return sorted(terms, key=lambda term: len(term.levels))[::-1]


def _split_warnings(randoms: tuple[RandomTerm, ...], frame: pd.DataFrame) -> tuple[str, ...]:
    """Where `||` does less than it seems to say."""
    factors = {
        f"{name} in {random}"
        for random in randoms
        if not random.correlated
        for name in random.effects.variables
        if isinstance(frame[name].dtype, pd.CategoricalDtype)
    }
    return tuple(f"as in lme4, the levels of {factor} stay correlated" for factor in sorted(factors))


def _pieces(terms: list[_Term]) -> list[Piece]:
    """Each term with its place in its group's effects and in theta."""
    pieces = list[Piece]()
    effects, entries = Counter[str](), 0
    for term in terms:
        k = len(term.effects)
        theta = slice(entries, entries + k * (k + 1) // 2)
        pieces.append(Piece(term.group, term.effects, effects[term.group], theta))
        effects[term.group] += k
        entries = theta.stop
    return pieces


def _block(members: list[tuple[_Term, Piece]]) -> Block:
    columns = np.hstack([term.columns for term, _ in members])
    units = block_diag(*(_units(term) for term, _ in members))
    first, pieces = members[0][0], tuple(piece for _, piece in members)
    return Block(first.group, first.levels, first.codes, columns @ units, units, pieces)


def _units(term: _Term) -> Floats:
    """Z units are columns of a term in a good scale; units times their effects are those of Z: (k, k)."""
    spread = term.columns.std(axis=0)
    varies = spread > 0
    units = np.diag(1 / np.where(varies, spread, 1.0))
    if term.effects[0] == INTERCEPT:
        units[0, varies] = -(term.columns.mean(axis=0) / np.where(varies, spread, 1.0))[varies]
    return units


def _lower_factor(factor: Floats) -> Floats:
    """The lower triangular L with a diagonal not below zero and L L' = factor factor'."""
    lower = np.asarray(qr(factor.T, mode="r")[0], dtype=float).T
    return lower * np.where(np.diag(lower) < 0, -1.0, 1.0)


def _refuse_repeated(terms: Sequence[_Term]) -> None:
    """Of two variances of one effect only the sum could be told."""
    effects = Counter((term.group, effect) for term in terms for effect in term.effects)
    for (group, effect), count in effects.items():
        if count > 1:
            what = f"the random effect {effect} of `{group}` stands in {count} terms"
            raise ModelNotFitted(
                "model", what, "Leave it in one of them, as (0 + x | group) beside (1 | group)"
            )


def _refuse_unidentified(term: _Term, residual: bool) -> None:
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
