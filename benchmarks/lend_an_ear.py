"""How many seconds of work the full Lend an Ear study takes, step by step, without Prefect and without imports.

The steps are those that `make demo` runs: both simulations, the three launches, freeze and unblind. The bar is 15
seconds for all of them together.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from forethought.cli.entry import LEAN

os.environ.update(LEAN | dict(os.environ))  # as the command line does, before numpy is imported

import formulaic  # noqa: F401 -- the steps import it when they first need it, and imports are not their work
import pandera.pandas  # noqa: F401 -- the same

from forethought.protocol.folder import StudyFolder
from forethought.steps.analyze import analyze
from forethought.steps.freeze import freeze
from forethought.steps.inbox import import_waiting
from forethought.steps.init_study import init_study
from forethought.steps.lock import lock
from forethought.steps.randomize import randomize
from forethought.steps.report import report
from forethought.steps.schedule import schedule
from forethought.steps.score import score
from forethought.steps.setting import study_time
from forethought.steps.simulate import simulate
from forethought.steps.status import status
from forethought.steps.unblind import unblind

BAR = 15.0
ACTOR = "benchmark"

Result = TypeVar("Result")


class Study:
    """A study folder, and the seconds that the steps on it took, by the clock and of the processor."""

    def __init__(self, path: Path) -> None:
        init_study(path, "lend_an_ear", now=datetime.now(UTC), actor=ACTOR)
        self.folder = StudyFolder.open(path)
        self.seconds = self.processor = 0.0
        lock(self.folder, now=self.now(), actor=ACTOR)

    def now(self) -> datetime:
        """The study clock's time."""
        return study_time(self.folder)

    def timed(self, name: str, step: Callable[[], Result]) -> Result:
        """Run one step, and print how long it took."""
        start, used = time.perf_counter(), time.process_time()
        result = step()
        seconds = time.perf_counter() - start
        self.seconds += seconds
        self.processor += time.process_time() - used
        print(f"  {name:<18}{seconds:7.2f} s", flush=True)
        return result

    def simulate(self, seed: int, participants: int | None) -> None:
        """Play what the participants do next."""
        self.timed(
            "simulate",
            lambda: simulate(self.folder, seed=seed, now=None, actor=ACTOR, participants=participants),
        )

    def launch(self) -> None:
        """The steps of `forethought launch`, in the order of its flow."""
        folder, now = self.folder, self.now
        recruits, outcomes = ("recruits",), ("responses", "conversations", "ratings")
        self.timed(
            "import recruits", lambda: import_waiting(folder, recruits, now=now(), actor=ACTOR, wave=1)
        )
        if self.timed("status", lambda: status(folder)).can_allocate:
            self.timed("randomize", lambda: randomize(folder, now=now(), actor=ACTOR))
        self.timed(
            "import outcomes", lambda: import_waiting(folder, outcomes, now=now(), actor=ACTOR, wave=1)
        )
        self.timed("score", lambda: score(folder, now=now(), actor=ACTOR))
        standing = self.timed("status", lambda: status(folder))
        if standing.allocated:
            self.timed("schedule", lambda: schedule(folder, now=now(), actor=ACTOR))
        if standing.can_analyse:
            self.timed("analyze", lambda: analyze(folder, now=now(), actor=ACTOR))
        self.timed("report", lambda: report(folder, now=now(), actor=ACTOR))

    def open_the_gate(self) -> None:
        """Freeze and unblind."""
        self.timed("freeze", lambda: freeze(self.folder, now=self.now(), actor=ACTOR))
        self.timed(
            "unblind",
            lambda: unblind(self.folder, now=self.now(), actor=ACTOR, by=ACTOR, reason="All have finished."),
        )


def run(path: Path, seed: int, participants: int | None) -> Study:
    """The whole study, from its first simulated recruit to the report of its true arms."""
    study = Study(path)
    print("recruitment")
    study.simulate(seed, participants)
    study.launch()
    print("conversations, analysed blinded")
    study.simulate(seed, participants)
    study.launch()
    print("the gate, and the analysis of the true arms")
    study.open_the_gate()
    study.launch()
    return study


def main() -> None:
    """Run the study in a temporary folder, and compare its seconds with the bar."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seed", type=int, default=15245)
    arguments.add_argument("--participants", type=int, default=None, help="how many enrol; else as planned")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        study = run(Path(place) / "study", given.seed, given.participants)
        end = status(study.folder)
    print(
        f"{end.allocated:,} allocated, {end.sessions.get('done', 0):,} sessions held, {end.scores:,} scores"
    )
    print(
        f"in all {study.seconds:.1f} s of work, {study.processor:.1f} s of processor; the bar is {BAR:.0f} s"
    )
    sys.exit(study.seconds > BAR)


if __name__ == "__main__":
    main()
