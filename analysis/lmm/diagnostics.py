"""Whether a mixed model's fit is a minimum, and what the data did not let it estimate: as values, not as prose.

Everything is computed anew at the theta that was found, and not as the fit computes it: the curvature by
differences of the gradient, and a second search that knows the deviance only, from another start.
"""

import contextlib
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import SINGULAR
from forethought.analysis.lmm.deviance import ProfiledDeviance
from forethought.analysis.lmm.gradient import scores
from forethought.analysis.lmm.optimum import CONVERGED, FLAT, scaled_eigen
from forethought.analysis.lmm.solution import Solution

STEEP = 1e-3
"""A slope of the deviance by an entry of theta above this is no minimum; lme4 warns at twice that."""

SAME_CRITERION = 1e-4
"""Two searches whose criteria are this near have found the same minimum."""

SECOND_START = 0.4
"""Where the second search starts: relative standard deviations of this, no correlation."""

STEP = 1e-4
"""Of a difference, relative to an entry of theta or to 0.2."""

CLOSE = 1e-9
"""The second search ends where the deviance falls by less than this; it sees no more of it than rounding leaves."""


@dataclass(frozen=True, slots=True)
class Curvature:
    """Eigenvalues, rising, of the profiled deviance's second derivatives by theta, their diagonal scaled to one."""

    eigenvalues: tuple[float, ...]

    @property
    def positive_definite(self) -> bool:
        return self.eigenvalues[0] > FLAT

    @property
    def falls(self) -> bool:
        """Whether the deviance falls in some direction."""
        return self.eigenvalues[0] < -FLAT


@dataclass(frozen=True, slots=True)
class SecondSearch:
    """Another search from another start: where it ended, by how much its criterion is higher, and at what cost."""

    method: str
    start: tuple[float, ...]
    theta: tuple[float, ...]
    criterion_difference: float
    evaluations: int

    @property
    def agrees(self) -> bool:
        return abs(self.criterion_difference) <= SAME_CRITERION

    @property
    def better(self) -> bool:
        """Whether it found a lower criterion than the fit."""
        return self.criterion_difference < -SAME_CRITERION


@dataclass(frozen=True)
class Diagnostics:
    """What is known about the optimum of a mixed model.

    gradient: largest slope of the deviance by an entry of theta, where the random effects' columns have unit SD.
    remaining: decrease of the deviance that one more Newton step promises.
    theta: in lme4's order and units. singular_groups: those with a relative standard deviation, given the effects
    before it, below `singular_tolerance`. dropped_columns: fixed effects that depend on others.
    """

    criterion: float
    theta: tuple[float, ...]
    evaluations: int
    gradient: float
    curvature: Curvature
    remaining: float
    second_search: SecondSearch
    singular_groups: tuple[str, ...]
    singular_tolerance: float
    dropped_columns: tuple[str, ...]

    @property
    def singular(self) -> bool:
        return bool(self.singular_groups)

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """Why this may be no minimum, in words; empty where nothing says so."""
        found = {
            f"the criterion still has a slope of {self.gradient:.2g}": not self.gradient <= STEEP,
            f"the criterion may still fall by {self.remaining:.2g}": not self.remaining <= CONVERGED,
            "the criterion falls in some direction from the point that was found": self.curvature.falls,
            f"a second search found a criterion lower by {-self.second_search.criterion_difference:.2g}": (
                self.second_search.better
            ),
        }
        return tuple(doubt for doubt, applies in found.items() if applies)

    @property
    def converged(self) -> bool:
        return not self.doubts

    def summary(self) -> str:
        """What a reader needs to know, a line for each fact."""
        return "\n".join((*self._of_the_optimum(), *self._of_the_model()))

    def as_frame(self) -> pd.DataFrame:
        """One row for each check: check, value, limit, passed."""
        second = self.second_search.criterion_difference
        rows = [
            ("gradient", self.gradient, STEEP, self.gradient <= STEEP),
            ("remaining decrease", self.remaining, CONVERGED, self.remaining <= CONVERGED),
            ("smallest eigenvalue", self.curvature.eigenvalues[0], -FLAT, not self.curvature.falls),
            ("second search", second, -SAME_CRITERION, not self.second_search.better),
        ]
        return pd.DataFrame(rows, columns=["check", "value", "limit", "passed"])

    def as_json(self) -> dict[str, Any]:
        """The fields, and the verdicts `converged`, `singular`, `doubts`, `positive_definite` and `agrees`."""
        verdicts = {"converged": self.converged, "singular": self.singular, "doubts": list(self.doubts)}
        record = asdict(self) | verdicts
        record["curvature"]["positive_definite"] = self.curvature.positive_definite
        record["second_search"]["agrees"] = self.second_search.agrees
        return record

    def _of_the_optimum(self) -> list[str]:
        if self.doubts:
            return [f"Not converged: {doubt}." for doubt in self.doubts]
        lines = [f"Converged: largest slope {self.gradient:.1g}, {self.remaining:.1g} left to gain."]
        if not self.curvature.positive_definite:
            lines.append("In some direction of theta the criterion is flat: the data do not tell.")
        if self.second_search.agrees:
            lines.append("A second search, by another method from another start, found the same criterion.")
        else:
            higher = self.second_search.criterion_difference
            lines.append(f"A second search ended {higher:.2g} higher: the fit is the better of the two.")
        return lines

    def _of_the_model(self) -> list[str]:
        lines = list[str]()
        if self.singular:
            groups = ", ".join(self.singular_groups)
            theta = ", ".join(f"{value:.3g}" for value in self.theta)
            lines.append(f"Singular in {groups}: a variance is zero or a correlation is one (theta {theta}).")
        if self.dropped_columns:
            lines.append(f"Dropped, as they depend on other columns: {', '.join(self.dropped_columns)}.")
        return lines


def diagnostics(solution: Solution) -> Diagnostics:
    """The checks of a fit; they cost some times as much as the fit itself."""
    deviance, optimum, design = solution.deviance, solution.optimum, solution.design
    gradient = scores(deviance, optimum.theta).gradient()
    values, vectors = scaled_eigen(curvature(deviance, optimum.theta))
    informed = values > FLAT
    steps = gradient @ vectors[:, informed]
    return Diagnostics(
        criterion=solution.criterion,
        theta=tuple(solution.theta.tolist()),
        evaluations=optimum.evaluations,
        gradient=float(np.abs(gradient).max()),
        curvature=Curvature(tuple(values.tolist())),
        remaining=float((steps**2 / values[informed]).sum()) / 2,
        second_search=second_search(solution),
        singular_groups=design.random.singular_groups(optimum.theta),
        singular_tolerance=SINGULAR,
        dropped_columns=design.fixed.dropped,
    )


def curvature(deviance: ProfiledDeviance, theta: Floats) -> Floats:
    """Second derivatives of the profiled deviance by theta, (n_theta, n_theta): central differences of its gradient."""
    rows = np.empty((len(theta), len(theta)))
    for entry, step in enumerate(np.diag(STEP * np.maximum(np.abs(theta), 0.2))):
        ahead, behind = (scores(deviance, theta + shift).gradient() for shift in (step, -step))
        rows[entry] = (ahead - behind) / (2 * step[entry])
    return (rows + rows.T) / 2


def second_search(solution: Solution) -> SecondSearch:
    """BOBYQA (Powell 2009) without derivatives, and without bounds: the deviance is even where a variance is zero.

    Kept from below zero it may stop on the edge, as for slopes whose correlation is -1.
    """
    deviance, random = solution.deviance, solution.design.random
    start: Floats = SECOND_START * random.on_diagonal.astype(float)
    found = _bobyqa(deviance, start)
    theta = found.theta * random.signs(found.theta)
    return SecondSearch(
        method="BOBYQA",
        start=tuple(random.in_data_units(start).tolist()),
        theta=tuple(random.in_data_units(theta).tolist()),
        criterion_difference=found.deviance - solution.optimum.deviance,
        evaluations=found.evaluations,
    )


@dataclass(slots=True)
class _Best:
    """The lowest deviance seen so far, and where; it lasts also where rounding breaks a search off."""

    theta: Floats
    deviance: float = np.inf
    evaluations: int = 0

    def see(self, theta: Floats, value: float) -> float:
        self.evaluations += 1
        if value < self.deviance:
            self.theta, self.deviance = theta.copy(), value
        return value


def _bobyqa(deviance: ProfiledDeviance, start: Floats) -> _Best:
    import nlopt

    best = _Best(start)
    search: Any = nlopt.opt(nlopt.LN_BOBYQA, len(start))
    search.set_min_objective(lambda theta, _: best.see(theta, deviance(theta)))
    search.set_initial_step(SECOND_START / 2)
    search.set_ftol_abs(CLOSE)
    search.set_xtol_abs(CLOSE)
    search.set_maxeval(500 * len(start))
    with contextlib.suppress(nlopt.RoundoffLimited):
        search.optimize(start)
    return best
