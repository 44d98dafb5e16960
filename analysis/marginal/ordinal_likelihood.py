"""The cumulative-link model's likelihood with its exact derivatives (McCullagh 1980, J. R. Stat. Soc. B 42:109)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr

from forethought.analysis.designs import Floats


@dataclass(frozen=True)
class Cumulative:
    """P(level <= k) = F(cut_k - offset - columns gamma). Parameters z (K - 1 + p,): the cuts, then gamma.

    places: each row's level from 0 to K - 1, (n,); columns: (n, p); link: logit or probit.
    """

    places: npt.NDArray[np.int64]
    columns: Floats
    offset: Floats
    n_levels: int
    link: str

    @cached_property
    def upper(self) -> Floats:
        """Rows u with u z = cut above the row's level - columns gamma; zero at the highest level, (n, K - 1 + p)."""
        return self._edges(self.places)

    @cached_property
    def lower(self) -> Floats:
        """The same for the cut beneath the row's level; zero at the lowest."""
        return self._edges(self.places - 1)

    def _edges(self, cut: npt.NDArray[np.int64]) -> Floats:
        inside = (cut >= 0) & (cut < self.n_levels - 1)
        chosen = (cut[:, None] == np.arange(self.n_levels - 1)).astype(float)
        return np.hstack([chosen, -self.columns * inside[:, None]])

    def _limits(self, z: Floats) -> tuple[Floats, Floats]:
        cuts, eta = z[: self.n_levels - 1], self.offset + self.columns @ z[self.n_levels - 1 :]
        edges = np.concatenate([[-np.inf], cuts, [np.inf]])
        return edges[self.places] - eta, edges[self.places + 1] - eta

    def probabilities(self, z: Floats) -> Floats:
        """Of each row's own level, (n,). Both limits are turned to the lower tail, where differences are exact."""
        low, high = self._limits(z)
        turned = low > 0
        low, high = np.where(turned, -high, low), np.where(turned, -low, high)
        found: Floats = self._below(high) - self._below(low)
        return found

    def farthest(self, z: Floats) -> float:
        """The probability beyond the threshold that is farthest from any row's latent mean."""
        limits = np.concatenate(self._limits(z))
        return float(self._below(-np.abs(limits[np.isfinite(limits)]).max()))

    def log_likelihood(self, z: Floats) -> float:
        """-inf where a row's level has no probability."""
        p = self.probabilities(z)
        return float(np.log(p).sum()) if (p > 0).all() else -np.inf

    def scores(self, z: Floats) -> Floats:
        """The derivative of each row's log likelihood, (n, K - 1 + p)."""
        (low, high), p = self._limits(z), self.probabilities(z)[:, None]
        found: Floats = (
            self.upper * self._density(high)[:, None] - self.lower * self._density(low)[:, None]
        ) / p
        return found

    def information(self, z: Floats) -> Floats:
        """Minus the second derivative of the log likelihood, (K - 1 + p, K - 1 + p)."""
        (low, high), p, scores = self._limits(z), self.probabilities(z), self.scores(z)
        upper, lower = self.upper, self.lower
        bent = upper.T @ (upper * (self._slope(high) / p)[:, None])
        bent -= lower.T @ (lower * (self._slope(low) / p)[:, None])
        return scores.T @ scores - bent

    def _below(self, at: Floats) -> Floats:
        """F, the share of the latent distribution below."""
        found: Floats = expit(at) if self.link == "logit" else ndtr(at)
        return found

    def _density(self, at: Floats) -> Floats:
        if self.link == "logit":
            found: Floats = expit(at) * expit(-at)
            return found
        bell: Floats = np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi)
        return bell

    def _slope(self, at: Floats) -> Floats:
        """The density's derivative; zero at the infinite edges."""
        finite = np.where(np.isfinite(at), at, 0.0)
        factor = expit(-finite) - expit(finite) if self.link == "logit" else -finite
        return self._density(at) * factor
