"""How much a mixed model rests on each level of a grouping factor: refitted without it, exactly.

For each level the rows that belong to it are left out and the model is solved again, variances too. The
coefficients are those of the full model's columns also where a transformation, as centring, depends on the rows.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import lstsq

from forethought.analysis.designs import Floats, ModelData, independent_columns
from forethought.analysis.lmm.covariance import Block
from forethought.analysis.lmm.random_terms import spelled
from forethought.analysis.lmm.solution import MixedDesign, Solution, mixed_design
from forethought.analysis.progress import Progress
from forethought.errors import ModelNotFitted

SAME_SPAN = 1e-8
"""Columns differ in meaning where one set leaves this much of the other unexplained."""

SINGLE = ("level", "n_rows", "cook", "mdffits", "sigma", "criterion", "converged", "singular")
"""What is one value for each refit."""

LEAST = 0.1
"""A refit starts at the full fit's theta, but with no variance at zero, where the deviance has no slope."""

Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class NotRefitted:
    """A level without which the model cannot be fitted, and why."""

    level: Hashable
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The model without one level.

    change, dfbetas: (p,), beta without the level minus beta with it, and that over its SE without the level.
    cook: change' vcov^-1 change / p with the full model's vcov (Cook's distance); mdffits: with the refit's.
    theta: in lme4's order and units. converged: whether the refit proved its optimum.
    """

    level: Hashable
    n_rows: int
    change: Floats
    dfbetas: Floats
    cook: float
    mdffits: float
    theta: Floats
    sigma: float
    criterion: float
    converged: bool
    singular: bool

    def as_json(self) -> dict[str, Any]:
        """The fields, arrays as lists."""
        single = {name: getattr(self, name) for name in SINGLE} | {"level": spelled(self.level)}
        return single | {name: getattr(self, name).tolist() for name in ("change", "dfbetas", "theta")}


@dataclass(frozen=True, slots=True, repr=False)
class Influence:
    """All levels of one group, left out one at a time. `not_refitted` are the levels that could not be."""

    group: str
    terms: tuple[str, ...]
    theta: Floats
    sigma: float
    left_out: tuple[LeftOut, ...]
    not_refitted: tuple[NotRefitted, ...]

    def __repr__(self) -> str:
        broken = f"; {len(self.not_refitted)} not refitted" if self.not_refitted else ""
        return (
            f"<influence: {len(self.left_out)} refits, each without one {self.group}{broken}; see as_frame()>"
        )

    def as_frame(self) -> pd.DataFrame:
        """A row for each refit: level, n_rows, cook, mdffits, sigma, criterion, converged, singular; by falling cook."""
        rows = [[getattr(refit, name) for name in SINGLE] for refit in self.left_out]
        frame = pd.DataFrame(rows, columns=list(SINGLE))
        return frame.sort_values("cook", ascending=False, kind="stable", ignore_index=True)

    def changes(self) -> pd.DataFrame:
        """Change of each coefficient when a level is left out: levels by terms."""
        return self._by_level([refit.change for refit in self.left_out], self.terms)

    def dfbetas(self) -> pd.DataFrame:
        """The same in standard errors of the refit: levels by terms."""
        return self._by_level([refit.dfbetas for refit in self.left_out], self.terms)

    def theta_changes(self) -> pd.DataFrame:
        """Change of each entry of theta when a level is left out: levels by theta_1, theta_2, ..."""
        names = [f"theta_{place}" for place in range(1, len(self.theta) + 1)]
        return self._by_level([refit.theta - self.theta for refit in self.left_out], names)

    def as_json(self) -> dict[str, Any]:
        """group, terms, levels (a record for each refit) and not_refitted (level, reason)."""
        levels = [refit.as_json() for refit in self.left_out]
        broken = [{"level": spelled(broken.level), "reason": broken.reason} for broken in self.not_refitted]
        return {"group": self.group, "terms": list(self.terms), "levels": levels, "not_refitted": broken}

    def _by_level(self, rows: Sequence[Floats], names: Sequence[str]) -> pd.DataFrame:
        index = pd.Index([refit.level for refit in self.left_out], name=self.group)
        return pd.DataFrame(np.reshape(rows, (len(index), len(names))), index=index, columns=list(names))


def influence(solution: Solution, group: str, *, progress: Progress | None = None) -> Influence:
    """The model without each level of `group`, one of its grouping factors, as `participant` or `ward:clinic`.

    One exact refit for each level. Raises ModelNotFitted for a group that the model does not have.

    Method: Cook's distance and MDFFITS as Demidenko and Stukel (2005, Stat. Med. 24:893) and Loy and Hofmann
    (2014, J. Stat. Softw. 56(5)) carry them over from Belsley, Kuh and Welsch (1980). lme4 multiplies the
    distance by (m - p) / m for m levels.
    """
    block = _block(solution.design, group)
    found, broken = list[LeftOut](), list[NotRefitted]()
    for place, fitted in enumerate(block.levels):
        level = spelled(fitted) if isinstance(fitted, tuple) else fitted
        kept = block.codes != place
        try:
            found.append(_left_out(solution, level, kept))
        except ModelNotFitted as error:
            broken.append(NotRefitted(level, str(error)))
        if progress is not None:
            progress(place + 1, block.m)
    theta, terms = solution.theta, solution.design.fixed.terms
    return Influence(group, terms, theta, solution.sigma, tuple(found), tuple(broken))


def _block(design: MixedDesign, group: str) -> Block:
    for block in design.random.blocks:
        if block.group == group:
            return block
    groups = ", ".join(dict.fromkeys(piece.group for piece in design.random.pieces))
    what = f"the model has no grouping factor `{group}`"
    raise ModelNotFitted("influence", what, f"Its grouping factors are {groups}")


def _left_out(solution: Solution, level: Hashable, kept: Rows) -> LeftOut:
    refit = _refitted(solution, kept)
    back = _in_full_columns(solution, refit, kept)
    beta, vcov = back @ refit.beta, back @ refit.vcov @ back.T
    change = beta - solution.beta
    return LeftOut(
        level=level,
        n_rows=int(np.count_nonzero(~kept)),
        change=change,
        dfbetas=change / np.sqrt(np.diag(vcov)),
        cook=float(change @ np.linalg.solve(solution.vcov, change)) / len(change),
        mdffits=float(change @ np.linalg.solve(vcov, change)) / len(change),
        theta=refit.theta,
        sigma=refit.sigma,
        criterion=refit.criterion,
        converged=refit.optimum.converged,
        singular=bool(refit.design.random.singular_groups(refit.optimum.theta)),
    )


def _refitted(solution: Solution, kept: Rows) -> Solution:
    """The model of the kept rows. Raises ModelNotFitted where they cannot carry it."""
    design = mixed_design(_only(solution.design.data, kept))
    if design.random.n_theta != solution.design.random.n_theta:
        what = "the random effects lose a level of a categorical slope"
        raise ModelNotFitted("model", what, "Leave that slope out to study this group")
    theta, on_diagonal = solution.optimum.theta, solution.design.random.on_diagonal
    start = np.where(on_diagonal, np.maximum(theta, LEAST), theta)
    return design.solve(reml=solution.reml, start=start)


def _only(data: ModelData, kept: Rows) -> ModelData:
    """The data's kept rows; levels that no longer occur are left out."""
    rows = data.frame[kept].reset_index(drop=True)
    columns = {
        name: column.cat.remove_unused_categories()
        if isinstance(column.dtype, pd.CategoricalDtype)
        else column
        for name, column in rows.items()
    }
    weights = None if data.weights is None else data.weights[kept]
    offset = None if data.offset is None else data.offset[kept]
    return replace(data, frame=pd.DataFrame(columns), weights=weights, offset=offset)


def _in_full_columns(solution: Solution, refit: Solution, kept: Rows) -> Floats:
    """What turns the refit's coefficients into those of the full model's columns, (p, p).

    Raises ModelNotFitted where a coefficient cannot be estimated without the level.
    """
    full, own = solution.design.fixed.X[kept], refit.design.fixed.X
    if full.shape == own.shape and np.array_equal(full, own):
        return np.eye(full.shape[1])
    estimable = set(independent_columns(full))
    lost = [term for place, term in enumerate(solution.design.fixed.terms) if place not in estimable]
    if lost:
        what = f"without the level {', '.join(lost)} cannot be estimated"
        raise ModelNotFitted("model", what, "Leave the level in, or the term out")
    lengths = np.linalg.norm(full, axis=0)
    back: Floats = lstsq(full / lengths, own)[0] / lengths[:, None]
    if np.abs(full @ back - own).max() > SAME_SPAN * np.abs(own).max():
        what = "without the level the fixed effects have other columns"
        raise ModelNotFitted("model", what, "Transform the columns before fitting")
    return back
