"""Where arms change nothing, a p of at most alpha comes up with a probability of at most alpha, for every design.

Each of 1,000 studies has 40 people, whose outcome follows from the order of arrival and their stratum, and their arms
from the design. With 199 redraws, p <= .05 means that at most 9 of them are as extreme: in a right test the recorded
statistic's rank among 200 is uniform but for ties, so that the count of such studies is at most Binomial(1000, .05), and
with a continuous outcome and few ties nearly that. A right method fails here, in all tests together, with a probability of
at most 2 * 1e-4 for each design. Redraws that ignore the design fail where the design matters, as the last test shows.
"""

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from forethought.analysis.arm_statistics import difference_in_means
from forethought.analysis.randomization_test import randomization_test
from forethought.protocol.allocation import (
    BiasedCoin,
    BlockUrn,
    Design,
    Dropouts,
    Factor,
    Minimization,
    PermutedBlocks,
    SeedPolicy,
    Simple,
)
from forethought.randomization.arrivals import Arrivals
from forethought.randomization.recorded import Course, RecordedDesign
from forethought.randomization.redraws import redraw

pytestmark = pytest.mark.slow

STUDIES, PEOPLE, REDRAWS, ALPHA, FAILURE = 1_000, 40, 199, 0.05, 1e-4
RULES: dict[str, Any] = {
    "ratio": {"a": 1, "b": 1},
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
SIMPLE = Simple(method="simple", **RULES)
BLOCKS = PermutedBlocks(method="permuted_blocks", block_sizes=(2, 4), strata=("f",), **RULES)
DESIGNS: dict[str, Design] = {
    "simple": SIMPLE,
    "blocks": BLOCKS,
    "biased coin": BiasedCoin(method="biased_coin", chance="2/3", strata=("f",), **RULES),
    "block urn": BlockUrn(method="block_urn", block_size=4, strata=("f",), **RULES),
    "minimisation": Minimization(
        method="minimization",
        factors=(Factor(name="f"),),
        imbalance="range",
        chance="4/5",
        **RULES,
    ),
}


def rejected(allocated_by: Design, tested_by: Design) -> int:
    """In how many studies p is at most alpha."""
    rng = np.random.default_rng(11)
    people = tuple(f"p{place}" for place in range(PEOPLE))
    count = 0
    for study in range(STUDIES):
        sex = rng.integers(0, 2, PEOPLE)
        arrivals = Arrivals.of([f"f={level}" for level in sex])
        codes = redraw(Course(design=allocated_by, arrivals=arrivals), 1, rng)[0]
        course = Course(design=tested_by, arrivals=arrivals)
        record = RecordedDesign(courses=(course,), participants=people, units=people, codes=codes)
        outcome = 3 * sex + np.arange(PEOPLE) / 10 + rng.normal(size=PEOPLE)
        statistic = difference_in_means(record, outcome, arm="b", reference="a")
        count += randomization_test(statistic, record, seed=study, draws=REDRAWS, exact_up_to=1).p <= ALPHA
    return count


@pytest.mark.parametrize("name", DESIGNS)
def test_p_at_most_alpha_comes_up_as_often_as_alpha_says(name: str) -> None:
    count = rejected(DESIGNS[name], DESIGNS[name])
    assert binom.ppf(FAILURE, STUDIES, ALPHA) <= count <= binom.isf(FAILURE, STUDIES, ALPHA)


def test_redraws_of_another_design_do_not_keep_alpha() -> None:
    """Blocks balance what the outcome follows from; a test by simple redraws hardly ever rejects."""
    assert rejected(BLOCKS, SIMPLE) < binom.ppf(FAILURE, STUDIES, ALPHA)
