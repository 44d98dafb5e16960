"""Whether a combination of the columns foretells the outcome, so that an estimate is infinite."""

from dataclasses import dataclass

import numpy as np

from forethought.analysis.designs import Floats

CERTAIN = 1e-5
"""A fitted probability or mean this near to its limit makes it worth asking; estimates that run off reach it."""

MOVED = 1e-6
"""A direction's share of the largest move beneath which the linear programme's answer is rounding."""

UNKNOWN = 100.0
"""The standard error, as a multiple of where the steps ended, that stands for an infinite one. The sandwich would give a
small one, since it takes residuals that have run to zero for precision."""


@dataclass(frozen=True, slots=True)
class Separation:
    """Along `direction` (p,), in units of the coefficients, the likelihood rises without end; zero where nowhere."""

    direction: Floats
    terms: tuple[str, ...]

    @property
    def found(self) -> bool:
        return bool(self.direction.any())

    def covariance(self, covariance: Floats, beta: Floats) -> Floats:
        """The covariance (p, p) with variances so large that nothing is claimed of what has no finite estimate."""
        reached = np.abs(self.direction) + np.where(self.direction == 0, 0.0, np.abs(beta))
        return covariance + np.diag((UNKNOWN * reached) ** 2)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a fit says of estimates that are infinite."""
        if not self.found:
            return ()
        moved = ", ".join(term for term, step in zip(self.terms, self.direction, strict=True) if step)
        what = f"separation: the outcome is foretold along {moved}, so that their estimates are infinite"
        return (
            f"{what}; where the steps ended is shown, with standard errors so large that no test rejects",
        )


def binary_directions(y: Floats, X: Floats) -> tuple[Floats, Floats]:
    """For a 0/1 outcome: rows whose products with a separating direction are >= 0, and rows where they are 0."""
    return np.where(y > 0, 1.0, -1.0)[:, None] * X, np.empty((0, X.shape[1]))


def count_directions(y: Floats, X: Floats) -> tuple[Floats, Floats]:
    """For counts: means may fall without end where all counts are 0, and must stay where one is not."""
    return -X[y == 0], X[y > 0]


def separating(rows: Floats, still: Floats) -> Floats:
    """A direction d of the coefficients with rows d >= 0, not all 0, and still d = 0; zero where there is none.

    A likelihood that is flat or rises along d has no maximum. Linear programme: Konis 2007, Computational
    algorithms for detecting complete separation in linear logistic regression models using linear programming
    (Oxford), chapter 4. Only different rows count, so a factorial design is judged by its cells.
    """
    from scipy.optimize import linprog

    lengths = np.abs(np.vstack([rows, still])).max(axis=0)
    lengths[lengths == 0] = 1.0
    limits = np.unique(rows / lengths, axis=0)
    fixed = np.unique(still / lengths, axis=0)
    found = linprog(
        -limits.sum(axis=0),
        A_ub=-limits,
        b_ub=np.zeros(len(limits)),
        A_eq=fixed if len(fixed) else None,
        b_eq=np.zeros(len(fixed)) if len(fixed) else None,
        bounds=(-1, 1),
        method="highs",
    )
    if found.x is None or (limits @ found.x).max(initial=0.0) < MOVED:
        return np.zeros(rows.shape[1])
    direction: Floats = np.where(np.abs(found.x) < MOVED, 0.0, found.x) / lengths
    return direction


def glm_separation(family: str, y: Floats, mu: Floats, X: Floats, terms: tuple[str, ...]) -> Separation:
    """Of a generalised linear model with fitted means mu (n,); asked only where one is near its limit."""
    none = Separation(np.zeros(X.shape[1]), terms)
    if family == "binomial":
        near, directions = np.minimum(mu, 1 - mu) < CERTAIN, binary_directions
    elif family == "poisson":
        near, directions = mu < CERTAIN, count_directions
    else:
        return none
    return Separation(separating(*directions(y, X)), terms) if near.any() else none
