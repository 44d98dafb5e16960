"""Seconds of a randomisation test with 10,000 redraws, beside the obvious loop over numpy's permutations.

The study is of the size of Lend an Ear: 1,100 people, four arms, permuted blocks of 4 or 8 within two strata, and the
difference in means of two arms. The rival, in the same run, draws for each redraw and stratum random blocks one after
the other with `rng.permutation`, and takes the two means; it runs fewer redraws, and its seconds are scaled. The bar is
5 seconds. Minimisation by four factors of 1,000 people is measured as well, with as many redraws.
"""

import argparse
import os
import sys
import time
from statistics import median
from typing import Any

from forethought.cli.entry import LEAN

os.environ.update(LEAN | dict(os.environ))  # as the command line does, before numpy is imported

import numpy as np
import scipy.special  # noqa: F401 -- the test imports it when it first needs it, and imports are not its work

from forethought.analysis.arm_statistics import difference_in_means
from forethought.analysis.randomization_test import RandomizationTest, randomization_test
from forethought.protocol.allocation import Design, Dropouts, Factor, Minimization, PermutedBlocks, SeedPolicy
from forethought.randomization.arrivals import Arrivals
from forethought.randomization.recorded import Course, RecordedDesign
from forethought.randomization.redraws import redraw

BAR = 5.0
DRAWS = 10_000
RIVAL_DRAWS = 200
SIZES = (4, 8)
RULES: dict[str, Any] = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
FOUR = {"both": 1, "coach": 1, "control": 1, "video": 1}


def blocked(rng: np.random.Generator) -> RecordedDesign:
    """A study of 1,100 people in random permuted blocks within sex."""
    design = PermutedBlocks(method="permuted_blocks", ratio=FOUR, block_sizes=SIZES, strata=("sex",), **RULES)
    return recorded(design, [f"sex={('Female', 'Male')[code]}" for code in rng.integers(0, 2, 1_100)], rng)


def minimized(rng: np.random.Generator) -> RecordedDesign:
    """A study of 1,000 people in two arms, minimised by four factors."""
    factors = tuple(Factor(name=f"factor{number}") for number in range(4))
    design = Minimization(
        method="minimization",
        ratio={"coach": 1, "control": 1},
        factors=factors,
        imbalance="range",
        chance=0.8,
        **RULES,
    )
    levels = rng.integers(0, 3, (1_000, 4))
    strata = ["|".join(f"factor{number}={level}" for number, level in enumerate(row)) for row in levels]
    return recorded(design, strata, rng)


def recorded(design: Design, strata: list[str], rng: np.random.Generator) -> RecordedDesign:
    """What the design gave these arrivals once."""
    course = Course(design=design, arrivals=Arrivals.of(strata))
    people = tuple(f"p{number}" for number in range(len(strata)))
    return RecordedDesign(
        courses=(course,), participants=people, units=people, codes=redraw(course, 1, rng)[0]
    )


def ours(design: RecordedDesign, outcome: Any) -> tuple[float, RandomizationTest]:
    """Seconds of the test, and its result."""
    start = time.perf_counter()
    statistic = difference_in_means(design, outcome, arm="coach", reference="control")
    found = randomization_test(statistic, design, draws=DRAWS, seed=1)
    return time.perf_counter() - start, found


def loop(design: RecordedDesign, outcome: Any, rng: np.random.Generator) -> tuple[float, float]:
    """Seconds that as many redraws would take in a loop, and its p."""
    course = design.courses[0]
    strata = [np.flatnonzero(course.arrivals.codes == code) for code in range(len(course.arrivals.labels))]
    coach, control = course.arms.index("coach"), course.arms.index("control")
    observed = abs(outcome[design.codes == coach].mean() - outcome[design.codes == control].mean())
    start, extreme = time.perf_counter(), 0
    for _ in range(RIVAL_DRAWS):
        codes = np.empty(len(outcome), dtype=np.int8)
        for places in strata:
            drawn: list[int] = []
            while len(drawn) < len(places):
                drawn.extend(rng.permutation(np.repeat(np.arange(4), rng.choice(SIZES) // 4)))
            codes[places] = drawn[: len(places)]
        extreme += abs(outcome[codes == coach].mean() - outcome[codes == control].mean()) >= observed
    seconds = (time.perf_counter() - start) * DRAWS / RIVAL_DRAWS
    return seconds, (1 + extreme) / (1 + RIVAL_DRAWS)


def main() -> None:
    """Measure in turns, and compare the median with the bar."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--times", type=int, default=3, help="how often each is run")
    given = arguments.parse_args()
    rng = np.random.default_rng(15245)
    study = blocked(rng)
    outcome = rng.normal(size=len(study.codes))
    our_seconds, loop_seconds = [], []
    for _ in range(given.times):
        seconds, found = ours(study, outcome)
        our_seconds.append(seconds)
        seconds, by_loop = loop(study, outcome, rng)
        loop_seconds.append(seconds)
    taken, rival = median(our_seconds), median(loop_seconds)
    print(f"1,100 people, four arms, random blocks in two strata, {DRAWS:,} redraws, median of {given.times}")
    print(f"randomization_test       {taken:6.2f} s   p = {found.p:.3f}, Monte Carlo SE {found.mc_se:.3f}")
    print(f"loop of rng.permutation  {rival:6.2f} s   p = {by_loop:.2f} by {RIVAL_DRAWS} redraws, scaled")
    print(f"the loop takes {rival / taken:.0f} times as long")
    small = minimized(rng)
    seconds, _ = ours(small, rng.normal(size=len(small.codes)))
    print(f"minimisation by four factors, 1,000 people: {seconds:.2f} s, no bar")
    print(f"the bar is {BAR:.0f} s")
    sys.exit(taken > BAR)


if __name__ == "__main__":
    main()
