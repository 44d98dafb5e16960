"""The assumed effects as numbers: the mean and the variances of each outcome in each arm and session."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from forethought.protocol.assumed_world import PublishedCoefficients, Simulation
from forethought.protocol.design import Session
from forethought.protocol.measures import Composite, Rated
from forethought.protocol.protocol import Protocol
from forethought.simulation.thresholds import Floats

WHERE = "protocol.yaml: simulation.outcomes"
INTERCEPT = "Intercept"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumedOutcome:
    """One outcome of the assumed world: its range, its sign, its means (arms, sessions) and its variances."""

    id: str
    minimum: int
    maximum: int
    sign: int
    means: Floats
    variance: float
    person_variance: float

    @property
    def problems(self) -> Iterator[str]:
        """Why no integer outcome of this range has these moments, if none has."""
        where = f"{WHERE}.published.{self.id}"
        for mean in np.unique(self.means):
            if not self.minimum < mean < self.maximum:
                yield (
                    f"{where}: a cell's mean is {mean:.4g}, outside {self.minimum} to {self.maximum}. "
                    "Correct its coefficients."
                )
                continue
            below = mean - np.floor(mean)
            least, most = below * (1 - below), (mean - self.minimum) * (self.maximum - mean)
            if not least < self.variance < most:
                yield (
                    f"{where}: the variance is {self.variance:.4g}, but integers of mean {mean:.4g} have one "
                    f"between {least:.4g} and {most:.4g}. Correct se_intercept or reference_arm_n."
                )
        if not 0 < self.person_variance < self.variance:
            yield (
                f"{where}: the variance between persons is {self.person_variance:.4g} of {self.variance:.4g} in "
                "all, and must lie between. Correct se_intercept or se_round."
            )


def assumed_outcomes(protocol: Protocol, simulation: Simulation) -> tuple[AssumedOutcome, ...]:
    """The outcomes of the protocol's assumed world, in the order of `published`.

    The variances follow from the reference arm's standard errors: with n persons of one first and two later
    sessions, n SE(Intercept)^2 is the whole variance and n SE(round)^2 / 1.5 the part within persons.
    """
    n = simulation.outcomes.reference_arm_n
    found = []
    for published in simulation.outcomes.published:
        outcome = protocol.outcomes_by_id[published.outcome]
        if not isinstance(outcome, Rated):
            continue
        whole = n * published.se_intercept**2
        within = n * published.se_round**2 / 1.5
        found.append(
            AssumedOutcome(
                id=outcome.id,
                minimum=outcome.minimum,
                maximum=outcome.maximum,
                sign=_sign(protocol, outcome),
                means=_means(protocol, published),
                variance=whole,
                person_variance=whole - within,
            )
        )
    return tuple(found)


def unreadable_terms(protocol: Protocol, simulation: Simulation) -> tuple[str, ...]:
    """One line for each published coefficient that names no arm and no variable of the sessions."""
    known = {INTERCEPT, *_arm_terms(protocol), *(name for s in protocol.sessions for name in s.variables)}
    return tuple(
        f"{WHERE}.published.{published.outcome}: the coefficient `{term}` is none of a session's variables and "
        f"arms, by which people are played. Leave it out, or name it as the fit does, such as "
        f"`{next(iter(_arm_terms(protocol)), INTERCEPT)}`."
        for published in simulation.outcomes.published
        for term in published.coefficients
        if not set(term.split(":")) <= known
    )


def _arm_terms(protocol: Protocol) -> Mapping[str, str]:
    """The fit's name of each arm's indicator, to the arm; the reference arm has none."""
    return {f"arm[T.{arm.id}]": arm.id for arm in protocol.arms[1:]}


def _means(protocol: Protocol, published: PublishedCoefficients) -> Floats:
    return np.array(
        [
            [_predicted(published.coefficients, arm.id, session) for session in protocol.sessions]
            for arm in protocol.arms
        ]
    )


def _predicted(coefficients: Mapping[str, float], arm: str, session: Session) -> float:
    """The model's mean of one cell: each coefficient times the product of its parts' values there."""
    values = {INTERCEPT: 1.0, f"arm[T.{arm}]": 1.0, **session.variables}
    return sum(
        weight * float(np.prod([values.get(part, 0.0) for part in term.split(":")]))
        for term, weight in coefficients.items()
    )


def _sign(protocol: Protocol, outcome: Rated) -> int:
    """+1 where more of it is good, by the weight of a composite that holds it, or by its own direction."""
    for composite in protocol.outcomes:
        if isinstance(composite, Composite) and outcome.id in composite.weights:
            return 1 if composite.weights[outcome.id] > 0 else -1
    return 1 if outcome.better == "higher" else -1
