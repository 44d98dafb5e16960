"""What is counted: the outcomes of generalised models with their canonical links, and how a column becomes one."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.special import expit, gammaln

from forethought.analysis.designs import Floats, ModelData, response
from forethought.analysis.marginal.outcomes import outcome_of
from forethought.analysis.marginal.separation import CERTAIN, count_directions
from forethought.errors import ModelNotFitted

FamilyName = Literal["binomial", "poisson"]


@dataclass(frozen=True, slots=True)
class Moments:
    """At a linear predictor eta: the mean of y, its variance, which is d mean / d eta, and d variance / d eta; each (n,)."""

    mean: Floats
    variance: Floats
    slope: Floats


@dataclass(frozen=True, slots=True)
class Binomial:
    """Successes y (n,) in a number of trials (n,); the linear predictor is the log odds of a success."""

    y: Floats
    trials: Floats

    name: ClassVar[FamilyName] = "binomial"
    link: ClassVar[str] = "logit"

    @property
    def exposures(self) -> Floats:
        """What means are divided by to be fitted values, (n,)."""
        return self.trials

    def moments(self, eta: Floats) -> Moments:
        share = expit(eta)
        variance = self.trials * share * expit(-eta)
        return Moments(self.trials * share, variance, variance * (1 - 2 * share))

    def deviance(self, eta: Floats) -> float:
        """-2 log likelihood, all constants included."""
        log_choices = gammaln(self.trials + 1) - gammaln(self.y + 1) - gammaln(self.trials - self.y + 1)
        return float(-2 * (self.y * eta - self.trials * np.logaddexp(0, eta) + log_choices).sum())

    def first_guess(self) -> Floats:
        """A linear predictor near the data, (n,)."""
        guess: Floats = np.log((self.y + 0.5) / (self.trials - self.y + 0.5))
        return guess

    def at_limit(self, eta: Floats) -> bool:
        """Whether some fitted share is 0 or 1."""
        return bool((expit(-np.abs(eta)) < CERTAIN).any())

    def directions(self, X: Floats) -> tuple[Floats, Floats]:
        """Rows whose products with a direction that separates the outcomes are not negative, and rows where they are 0."""
        none, all_of_them = self.y == 0, self.y == self.trials
        return np.vstack([-X[none & ~all_of_them], X[all_of_them & ~none]]), X[~none & ~all_of_them]


@dataclass(frozen=True, slots=True)
class Poisson:
    """Counts y (n,); the linear predictor is the log of the mean."""

    y: Floats

    name: ClassVar[FamilyName] = "poisson"
    link: ClassVar[str] = "log"

    @property
    def exposures(self) -> Floats:
        """What means are divided by to be fitted values, (n,)."""
        return np.ones_like(self.y)

    def moments(self, eta: Floats) -> Moments:
        mean: Floats = np.exp(eta)
        return Moments(mean, mean, mean)

    def deviance(self, eta: Floats) -> float:
        """-2 log likelihood, all constants included."""
        return float(-2 * (self.y * eta - np.exp(eta) - gammaln(self.y + 1)).sum())

    def first_guess(self) -> Floats:
        """A linear predictor near the data, (n,)."""
        guess: Floats = np.log(self.y + 0.1)
        return guess

    def at_limit(self, eta: Floats) -> bool:
        """Whether some fitted count is 0."""
        return bool((np.exp(eta) < CERTAIN).any())

    def directions(self, X: Floats) -> tuple[Floats, Floats]:
        """As of a binomial outcome: counts of 0 may have means that fall without end."""
        return count_directions(self.y, X)


Outcome = Binomial | Poisson


def outcome(data: ModelData, family: FamilyName, trials: str | None) -> tuple[Outcome, ModelData]:
    """The outcome of a formula's data, and the data with it as numbers.

    trials: the column with each row's number of trials, or None. Raises ModelNotFitted where the family cannot have
    given the values.
    """
    if trials is None:
        read = outcome_of(data, family)
        return (Poisson(read.y) if family == "poisson" else Binomial(read.y, np.ones_like(read.y))), read.data
    if family == "poisson":
        raise ModelNotFitted(
            "trials", "a Poisson outcome has no trials", "Leave trials out, or take an offset"
        )
    successes, numbers = response(data.formula.response, data.frame), _numbers(data, trials)
    for name, values in ((str(data.formula.response), successes), (trials, numbers)):
        if (values < 0).any() or not np.equal(values, np.round(values)).all():
            what = f"`{name}` is not a count in every row"
            raise ModelNotFitted("outcome", what, "Give whole numbers from 0 on")
    if (successes > numbers).any():
        what = f"{int((successes > numbers).sum())} rows have more successes than trials"
        raise ModelNotFitted("outcome", what, "Give the number of successes, and the trials they came from")
    return Binomial(successes, numbers), data


def _numbers(data: ModelData, name: str) -> Floats:
    try:
        return data.frame[name].to_numpy(dtype=float)
    except ValueError as error:
        raise ModelNotFitted("trials", f"`{name}` is not numeric", "Give the number of trials") from error
