"""Seconds to allocate in memory: a million people in random permuted blocks, and 10,000 by minimisation.

The million are in 200 strata and four arms. Beside it, in the same run: plain numpy, which permutes blocks of the same sizes
with a generator of its own (no secret seed, no probabilities, no arrival after another), and `block_ra` of R's
randomizr where it is there, which only balances whole strata. Minimisation has four factors of three levels.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from forethought.protocol.allocation import (
    Dropouts,
    Factor,
    Minimization,
    PermutedBlocks,
    SeedPolicy,
    algorithm,
)
from forethought.randomization.allocating import allocate
from forethought.randomization.arrivals import Arrivals, Source

HERE = Path(__file__).resolve().parent
BARS = {"permuted blocks": 0.5, "minimisation": 5.0}
ARMS = ("control", "video", "coach", "combined")
SIZES = (4, 8)
RULES = {
    "ratio": dict.fromkeys(ARMS, 1),
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}


def in_blocks(codes: NDArray[np.intp]) -> Callable[[], object]:
    """Our allocation of people in these strata."""
    design = PermutedBlocks(method="permuted_blocks", block_sizes=SIZES, **RULES)
    labels = tuple(f"site={code}" for code in range(int(codes.max()) + 1))
    source = Source(seed=bytes(range(32)), study_id="bench", wave=1, algorithm=algorithm(design))
    return lambda: allocate(design, source, Arrivals(labels=labels, codes=codes))


def by_minimisation(people: int) -> Callable[[], object]:
    """Our allocation of people with four factors of three levels."""
    factors = tuple(Factor(name=f"factor_{number}") for number in range(4))
    design = Minimization(method="minimization", factors=factors, imbalance="range", chance="4/5", **RULES)
    levels = np.random.default_rng(1).integers(0, 3, (people, len(factors))).tolist()
    labels = ["|".join(f"factor_{n}={level}" for n, level in enumerate(row)) for row in levels]
    source = Source(seed=bytes(range(32)), study_id="bench", wave=1, algorithm=algorithm(design))
    return lambda: allocate(design, source, Arrivals.of(labels))


def plain_numpy(codes: NDArray[np.intp]) -> NDArray[np.int8]:
    """Blocks of random sizes, each permuted by sorting random numbers within it."""
    rng = np.random.default_rng(1)
    arms, end = np.empty(len(codes), dtype=np.int8), 0
    order = np.argsort(codes.astype(np.uint16), kind="stable")
    for people in np.bincount(codes).tolist():
        sizes = rng.choice(SIZES, size=people // SIZES[0] + 1)
        sizes = sizes[: np.searchsorted(np.cumsum(sizes), people) + 1]
        block = np.repeat(np.arange(len(sizes)), sizes)
        content = np.tile(np.arange(len(ARMS), dtype=np.int8), len(block) // len(ARMS))
        permuted = np.argsort(block + rng.random(len(block)))
        arms[order[end : end + people]] = content[permuted][:people]
        end += people
    return arms


def randomizr(codes: NDArray[np.intp], times: int) -> float | None:
    """The seconds of `block_ra`; None where R or randomizr is missing."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "blocks.txt"
        np.savetxt(file, codes, fmt="%d")
        command = ["Rscript", "--vanilla", HERE / "allocation.R", file, str(len(ARMS)), str(times)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(run.stdout) if run.returncode == 0 else None


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Run each in turns, print the medians and their ratios, and compare ours with the bars."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--people", type=int, default=1_000_000, help="how many are allocated in blocks")
    arguments.add_argument("--strata", type=int, default=200, help="in how many strata")
    arguments.add_argument("--times", type=int, default=5, help="how often each is run")
    given = arguments.parse_args()
    codes = np.random.default_rng(1).integers(0, given.strata, given.people)
    works = {"permuted blocks": in_blocks(codes), "plain numpy": lambda: plain_numpy(codes)}
    for work in works.values():
        work()  # what is imported and filled on the first run does not count
    rounds = [[seconds(work) for work in works.values()] for _ in range(given.times)]
    found = dict(zip(works, map(median, zip(*rounds, strict=True)), strict=True))
    ours = found["permuted blocks"]
    print(f"{given.people:,} people, {given.strata} strata, {len(ARMS)} arms, blocks of {SIZES}")
    print(f"permuted blocks     {ours:6.3f} s")
    print(
        f"plain numpy         {found['plain numpy']:6.3f} s; ours takes {ours / found['plain numpy']:.1f} times as long"
    )
    in_r = randomizr(codes, given.times)
    if in_r is None:
        print("randomizr is not on this machine: no comparison")
    else:
        print(f"randomizr block_ra  {in_r:6.3f} s; ours takes {ours / in_r:.1f} times as long")
    found["minimisation"] = seconds(by_minimisation(10_000))
    print(f"minimisation        {found['minimisation']:6.3f} s, 10,000 people")
    print("the bars are " + ", ".join(f"{bar} s for {name}" for name, bar in BARS.items()))
    sys.exit(any(found[name] > bar for name, bar in BARS.items()))


if __name__ == "__main__":
    main()
