"""Over 200 simulated studies, the intervals of the registered analysis cover the effects that made the data.

Each study has 968 people, 242 in each arm, of three sessions with three different scenarios. The six outcomes come from
the shipped Lend an Ear world; the registered model (least squares, CR1 by participant, z inference) is fitted to
each. What generates the data is exact: the world's cell means are those of the published model to 1e-9.

How often a right method fails here, at most 9e-4 in all; by Bonferroni, however the 48 estimates (6 outcomes x 8
coefficients) depend on each other:
  coverage  48 counts, each Binomial(200, .95), two-sided at 3e-4 / 48: P(fewer than 174) = 3.0e-6 <= 3.1e-6. No
            count is too high, for P(200 of 200) = 3.5e-5. (That z stands for t with 967 df lowers the coverage of a
            right method to .9498, and P(fewer than 174) is then 3.2e-6: 1e-5 more in all.)
  bias      48 means of 200 estimates, each within t(199) standard errors of its truth, two-sided at 3e-4 / 48.
  width     48 ratios of the estimates' variance to the mean squared SE, times 199 each chi-squared(199), two-sided
            at 3e-4 / 48. This catches intervals that are too wide, which no count can.
A wrong method does not pass: intervals that cover .85 of the time fail a count with a probability of .75 each, and
the last test shows that errors which ignore the participant are caught.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats

import forethought.protocols
from forethought.analysis.models import formula_for
from forethought.analysis.ols import ols
from forethought.protocol.analysis import LinearModel
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.simulation.streams import stream
from forethought.simulation.world import OutcomeWorld, outcome_world

pytestmark = pytest.mark.slow

Floats = npt.NDArray[np.float64]

STUDIES = 200
PER_ARM = 242
FAILURE = 3e-4
"""Probability with which a right method fails each of the three checks, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """What 200 studies gave, by term; estimates, ses, lows and highs are (studies, terms)."""

    outcome: str
    truth: Floats
    estimates: Floats
    ses: Floats
    lows: Floats
    highs: Floats

    @property
    def spread(self) -> Floats:
        """The estimates' variance over the mean squared standard error."""
        ratio: Floats = self.estimates.var(axis=0, ddof=1) / (self.ses**2).mean(axis=0)
        return ratio


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load(Path(forethought.protocols.__file__).parent / "lend_an_ear" / "protocol.yaml").protocol


@pytest.fixture(scope="module")
def studies(protocol: Protocol) -> list[pd.DataFrame]:
    """One frame for each seed, a row for each session."""
    world = outcome_world(protocol)
    return [one_study(protocol, world, seed) for seed in range(STUDIES)]


@pytest.fixture(scope="module")
def registered(protocol: Protocol, studies: list[pd.DataFrame]) -> list[Estimates]:
    model = next(model for model in protocol.analysis.models if model.id == "registered")
    assert isinstance(model, LinearModel)
    return [estimated(protocol, model, outcome, studies, model.cluster) for outcome in model.outcomes]


def one_study(protocol: Protocol, world: OutcomeWorld, seed: int) -> pd.DataFrame:
    arms = np.repeat(np.arange(len(world.arms)), PER_ARM)
    people, sessions = len(arms), len(world.sessions)
    orders = np.argsort(stream(seed, "flow", "orders").random((people, len(world.stimuli))), axis=1)
    drawn = world.draw(arms, orders[:, :sessions], stream(seed, "outcomes"))
    return pd.DataFrame(
        {
            "participant": np.repeat(np.arange(people), sessions),
            "arm": pd.Categorical.from_codes(np.repeat(arms, sessions), categories=list(world.arms)),
            "round": np.tile([session.variables["round"] for session in protocol.sessions], people),
            **{outcome: drawn[..., place].ravel() for place, outcome in enumerate(world.outcomes)},
        }
    )


def estimated(
    protocol: Protocol, model: LinearModel, outcome: str, studies: list[pd.DataFrame], cluster: str | None
) -> Estimates:
    tables = [ols(formula_for(model, outcome), study, cluster=cluster).coefficients for study in studies]
    assert protocol.simulation is not None
    published = {each.outcome: each.coefficients for each in protocol.simulation.outcomes.published}
    return Estimates(
        outcome=outcome,
        truth=np.array([published[outcome][term] for term in tables[0]["term"]]),
        estimates=np.stack([table["estimate"] for table in tables]),
        ses=np.stack([table["se"] for table in tables]),
        lows=np.stack([table["ci_low"] for table in tables]),
        highs=np.stack([table["ci_high"] for table in tables]),
    )


def each_side(estimates: list[Estimates]) -> float:
    """The probability left on either side of each bound."""
    return FAILURE / sum(len(each.truth) for each in estimates) / 2


def test_intervals_cover_what_made_the_data_within_exact_binomial_bounds(
    registered: list[Estimates],
) -> None:
    side = each_side(registered)
    fewest, most = stats.binom.ppf(side, STUDIES, 0.95), stats.binom.isf(side, STUDIES, 0.95)
    assert (fewest, most) == (174, 200)
    for each in registered:
        covered = ((each.lows <= each.truth) & (each.truth <= each.highs)).sum(axis=0)
        assert covered.shape == (8,)
        assert covered.min() >= fewest, each.outcome
        assert covered.max() <= most, each.outcome


def test_estimates_are_right_on_average(registered: list[Estimates]) -> None:
    bound = stats.t.isf(each_side(registered), STUDIES - 1)
    for each in registered:
        error = each.estimates.mean(axis=0) - each.truth
        standard_error = each.estimates.std(axis=0, ddof=1) / np.sqrt(STUDIES)
        assert np.abs(error / standard_error).max() < bound, each.outcome


def test_standard_errors_are_as_large_as_the_estimates_vary(registered: list[Estimates]) -> None:
    side, df = each_side(registered), STUDIES - 1
    for each in registered:
        assert each.spread.max() < stats.chi2.isf(side, df) / df, each.outcome
        assert each.spread.min() > stats.chi2.ppf(side, df) / df, each.outcome


def test_errors_that_ignore_the_participant_are_caught(
    protocol: Protocol, studies: list[pd.DataFrame], registered: list[Estimates]
) -> None:
    model = next(model for model in protocol.analysis.models if model.id == "registered")
    assert isinstance(model, LinearModel)
    ignoring = estimated(protocol, model, "validating_emotions", studies, None)
    assert ignoring.spread.min() < stats.chi2.ppf(each_side(registered), STUDIES - 1) / (STUDIES - 1)
