"""Linear functions of a fit's coefficients: their estimates, standard errors and degrees of freedom."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from forethought.analysis.designs import Floats
from forethought.analysis.inference import FTest, Inference

ESTIMABLE = 1e-8
"""A function is estimable where this little of its squared length lies in directions without data, as in emmeans."""

INDEPENDENT = 1e-7
"""A function depends on those before it where this little of its length is left after them."""


@dataclass(frozen=True)
class Model:
    """What linear functions are computed from.

    beta: estimated coefficients (p,); kept: their places among all columns; null: directions (columns, d) of
    coefficients that the data say nothing about.
    """

    beta: Floats
    inference: Inference
    kept: tuple[int, ...]
    null: Floats


@dataclass(frozen=True)
class LinearFunctions:
    """weights (q, columns) times coefficients, dependent ones too, plus offsets (q,).

    A function that is not estimable has NaN as estimate, standard error and degrees of freedom.
    """

    model: Model
    weights: Floats
    offsets: Floats

    @cached_property
    def estimable(self) -> npt.NDArray[np.bool_]:
        squares = ((self.weights @ self.model.null) ** 2).sum(axis=1)
        found: npt.NDArray[np.bool_] = squares <= ESTIMABLE * (self.weights**2).sum(axis=1)
        return found & np.isfinite(self.weights).all(axis=1)

    @cached_property
    def of_kept(self) -> Floats:
        """The weights of the estimated coefficients, (q, p); NaN where not estimable."""
        own = self.weights[:, self.model.kept]
        return np.where(self.estimable[:, None], own, math.nan)

    @cached_property
    def estimates(self) -> Floats:
        return np.asarray(self.of_kept @ self.model.beta + self.offsets)

    @cached_property
    def se(self) -> Floats:
        variances = np.einsum("qp,qp->q", self.of_kept @ self.model.inference.vcov, self.of_kept)
        return np.sqrt(np.where(variances > 0, variances, math.nan))

    @cached_property
    def df(self) -> Floats:
        rows = zip(self.of_kept, self.se.tolist(), strict=True)
        return np.array([self.model.inference.df(row) if se == se else math.nan for row, se in rows])

    @cached_property
    def correlation(self) -> Floats:
        """Of the estimates, (q, q)."""
        L = self.of_kept
        scaled: Floats = L @ self.model.inference.vcov @ L.T / np.outer(self.se, self.se)
        return scaled

    def combined(self, coefficients: Floats) -> "LinearFunctions":
        """Functions of these functions: coefficients (r, q)."""
        used = np.abs(coefficients) > 0
        safe = np.where(np.isfinite(self.weights), self.weights, 0.0)
        unknown = (used @ ~np.isfinite(self.weights).all(axis=1)).astype(bool)
        weights = np.where(unknown[:, None], math.nan, coefficients @ safe)
        return replace(self, weights=weights, offsets=coefficients @ self.offsets)

    def taken(self, places: Sequence[int] | npt.NDArray[np.intp]) -> "LinearFunctions":
        """Some of these functions."""
        return replace(self, weights=self.weights[places], offsets=self.offsets[places])

    @cached_property
    def independent(self) -> list[int]:
        """The first estimable functions that do not depend on those before them, by their place."""
        kept, basis = list[int](), np.empty((self.of_kept.shape[1], 0))
        for place in np.flatnonzero(self.estimable).tolist():
            row = self.of_kept[place]
            rest = row - basis @ (basis.T @ row)
            rest -= basis @ (basis.T @ rest)
            if (length := float(np.linalg.norm(rest))) > INDEPENDENT * float(np.linalg.norm(row)):
                kept.append(place)
                basis = np.column_stack([basis, rest / length])
        return kept

    def joint(self) -> FTest:
        """Whether all estimable functions are zero, offsets included; the basis is `independent`."""
        if not self.independent:
            return FTest(math.nan, 0, math.nan, math.nan)
        L, known = self.of_kept[self.independent], self.offsets[self.independent]
        beyond = np.linalg.lstsq(L, known, rcond=None)[0]  # coefficients whose functions are the offsets
        return self.model.inference.test(L, self.model.beta + beyond)
