"""How long mixed models take to fit, beside lme4 in R and the mixedlm wheel where they are, in the same run.

Processor seconds on one thread, medians; the bar is the faster rival. `mixedlm` is a package on PyPI (MIT) that this
project does not use; give the folder it is installed in with --mixedlm. InstEval comes with lme4.
"""

import argparse
import importlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from forethought.cli.entry import LEAN

os.environ.update(LEAN | dict(os.environ))  # as the command line does, before numpy is imported

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
REFERENCE = HERE.parent / "tests" / "reference" / "lmm" / "study1.csv"
CROSSED = "y ~ arm * time + (1 | pid) + (1 | scenario)"
SLOPES = "y ~ arm * time + (tnum | pid) + (tnum | scenario)"
MOST_MB = 400  # of a whole process, Python and its libraries with it
KR_MOST = {"seconds": 1, "added_mb": 300}
INSTEVAL = "y ~ service + (1 | s) + (1 | d) + (1 | dept)"


@dataclass(frozen=True, slots=True)
class Task:
    """A model of one file, and how often it is fitted."""

    name: str
    file: str
    formula: str
    times: int


TASKS = (
    Task("crossed", "study1.csv", CROSSED, 15),
    Task("slopes", "study1.csv", SLOPES, 7),
    Task("x10", "study10.csv", CROSSED, 5),
    Task("x100", "study100.csv", CROSSED, 3),
    Task("InstEval", "InstEval.csv", INSTEVAL, 1),
)


def study(participants: int) -> pd.DataFrame:
    """Three conversations of each participant about three of twenty scenarios, in three arms."""
    chance = np.random.default_rng(20240601)
    n = 3 * participants
    arm = chance.permutation(np.arange(participants) % 3)
    level, slope = chance.normal(0, 0.8, participants), chance.normal(0, 0.35, participants)
    scenarios = np.argsort(chance.random((participants, 20)), axis=1)[:, :3].ravel()
    by_scenario = chance.normal(0, 0.4, 20)
    pid, after = np.repeat(np.arange(participants), 3), np.tile([0, 1, 1], participants)
    y = 5 + 0.15 * arm[pid] * after + level[pid] + slope[pid] * after + by_scenario[scenarios]
    return pd.DataFrame(
        {
            "pid": [f"p{number:06}" for number in pid],
            "scenario": [f"s{number:02}" for number in scenarios],
            "arm": np.array(["control", "firm", "warm"])[arm[pid]],
            "time": np.array(["a_before", "b_after"])[after],
            "tnum": after,
            "y": y + chance.normal(0, 1, n),
        }
    )


def seconds(run: Callable[[], object], times: int) -> float:
    """The median of processor seconds, after one run that does not count where there are several."""
    if times > 1:
        run()
    found = []
    for _ in range(times):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return median(found)


def ours(task: Task, rows: pd.DataFrame) -> dict[str, float]:
    """Seconds of the fit and of Satterthwaite's table, and megabytes at the peak."""
    from forethought.analysis.lmm import lmer

    fitting = seconds(lambda: lmer(task.formula, rows), task.times)
    fit = lmer(task.formula, rows)
    start = time.process_time()
    fit.coefficients  # noqa: B018
    inference = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"fit": fitting, "satterthwaite": inference, "peak_mb": peak, "criterion": fit.criterion}


def mixedlm(task: Task, rows: pd.DataFrame) -> dict[str, float]:
    """The same fit by mixedlm."""
    package: Any = importlib.import_module("mixedlm")
    formula = task.formula.replace(" | ", "|")
    return {"fit": seconds(lambda: package.lmer(formula, rows), task.times)}


def kenward_roger(rows: pd.DataFrame) -> dict[str, float]:
    """Seconds of Kenward-Roger's table and the peak that it adds, for the crossed study."""
    from forethought.analysis.lmm import lmer

    fit = lmer(CROSSED, rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    inference = fit.inference("kenward-roger")
    for weights in np.eye(len(fit.terms)):
        inference.df(weights)
    took = time.process_time() - start
    added = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"seconds": took, "added_mb": added / 1024}


def refits(rows: pd.DataFrame, times: int) -> dict[str, float]:
    """Seconds of new outcomes on one design, each with Satterthwaite's degrees of freedom."""
    from forethought.analysis.lmm import lmer

    fit = lmer(CROSSED, rows)
    chance = np.random.default_rng(1)
    outcomes = chance.normal(size=(times, len(rows))) + rows["y"].to_numpy()
    start = time.process_time()
    for y in outcomes:
        fit.refit(y).coefficients  # noqa: B018
    return {"seconds": time.process_time() - start}


def one(what: str, name: str, file: Path) -> dict[str, float]:
    """What a process of its own measures."""
    rows = pd.read_csv(file)
    if name == "InstEval":
        rows = rows.assign(**{column: rows[column].astype(str) for column in ("s", "d", "dept", "service")})
    task = next((task for task in TASKS if task.name == name), TASKS[0])
    match what:
        case "ours":
            return ours(task, rows)
        case "mixedlm":
            return mixedlm(task, rows)
        case "kenward-roger":
            return kenward_roger(rows)
        case _:
            return refits(rows, 1000)


def measured(what: str, name: str, file: Path, extra: Path | None = None) -> dict[str, float] | None:
    """The figures of a process of its own; None where it fails, as a rival may that is not installed."""
    command = [sys.executable, str(HERE / "mixed_models.py"), "--one", what, name, str(file)]
    path = {"PYTHONPATH": str(extra)} if extra else {}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ) | path)
    if run.returncode != 0:
        return None
    figures: dict[str, float] = json.loads(run.stdout)
    return figures


def lme4(task: Task, file: Path) -> float | None:
    """The same fit by lme4; None where R or lme4 is missing."""
    if shutil.which("Rscript") is None:
        return None
    command = ["Rscript", "--vanilla", HERE / "mixed_models.R", "fit", file, task.formula, str(task.times)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(run.stdout) if run.returncode == 0 else None


def files(folder: Path) -> Iterator[str]:
    """Write the data and name the files that are there."""
    shutil.copy(REFERENCE, folder / REFERENCE.name)
    yield REFERENCE.name
    for scale in (10, 100):
        study(968 * scale).to_csv(folder / f"study{scale}.csv", index=False)
        yield f"study{scale}.csv"
    command = ["Rscript", "--vanilla", HERE / "mixed_models.R", "export", folder / "InstEval.csv"]
    if shutil.which("Rscript") and subprocess.run(command, capture_output=True, check=False).returncode == 0:
        yield "InstEval.csv"


def compare(task: Task, file: Path, extra: Path | None) -> bool:
    """Print a line of one task; whether the bar is kept."""
    own, theirs = measured("ours", task.name, file), measured("mixedlm", task.name, file, extra)
    if own is None:
        print(f"{task.name:<10}failed")
        return False
    rivals = {"lme4": lme4(task, file), "mixedlm": theirs["fit"] if theirs else None}
    there = {name: figure for name, figure in rivals.items() if figure is not None}
    beside = ", ".join(f"{name} {figure:.3f} s" for name, figure in there.items()) or "no rival is here"
    ratio = own["fit"] / min(there.values()) if there else float("nan")
    print(
        f"{task.name:<10}fit {own['fit']:.3f} s, Satterthwaite {own['satterthwaite']:.3f} s, "
        f"{own['peak_mb']:.0f} MB; {beside}; {ratio:.2f} of the faster"
    )
    return not ratio > 1 and own["satterthwaite"] <= own["fit"] and own["peak_mb"] <= MOST_MB


def main() -> None:
    """Fit every model with each program, and compare."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mixedlm", type=Path, help="the folder that the mixedlm wheel is installed in")
    arguments.add_argument("--only", help="the name of one model")
    arguments.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        print(json.dumps(one(given.one[0], given.one[1], Path(given.one[2]))))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        there = set(files(folder))
        chosen = [task for task in TASKS if task.file in there and given.only in (None, task.name)]
        kept = [compare(task, folder / task.file, given.mixedlm) for task in chosen]
        if given.only is None:
            small = measured("kenward-roger", "crossed", folder / "study1.csv")
            again = measured("refits", "crossed", folder / "study1.csv")
            print(f"Kenward-Roger at 2,904 rows: {small} (bar 1 s, 300 MB)")
            print(f"1,000 refits with Satterthwaite: {again} (bar 10 s)")
            kept.append(small is not None and all(small[name] < most for name, most in KR_MOST.items()))
            kept.append(again is not None and again["seconds"] < 10)
    sys.exit(not all(kept))


if __name__ == "__main__":
    main()
