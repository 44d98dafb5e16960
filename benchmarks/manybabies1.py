"""How many seconds ManyBabies 1 takes, its model fitted and every coefficient tested; beside R where it is there.

The data are not part of this repository: manybabies/mb1-analysis-public has them, as 03_data_trial_main.csv. The bar
is 10 seconds. R needs lme4 and lmerTest.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from forethought.cli.entry import LEAN

os.environ.update(LEAN | dict(os.environ))  # as the command line does, before numpy is imported

import numpy as np
import pandas as pd

from forethought.analysis.lmm import lmer

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "shared/data/manybabies1/03_data_trial_main.csv"
BAR = 10.0
FORMULA = (
    "log_lt ~ trial_type * method + trial_type * trial_num + age_mo * trial_num + trial_type * age_mo * nae"
    " + (1 | subid_unique) + (1 | item) + (1 | lab)"
)


def trials(file: Path) -> pd.DataFrame:
    """The rows that the paper's model used, as its analysis script prepares them."""
    rows = pd.read_csv(file)
    rows = rows[rows["trial_type"].notna() & (rows["trial_type"] != "train")]
    with np.errstate(divide="ignore"):
        log_lt = np.log(rows["looking_time"])
    rows = rows.assign(
        log_lt=log_lt,
        age_mo=rows["age_mo"] - rows["age_mo"].mean(),
        item=rows["stimulus_num"].astype(str) + rows["trial_type"],
        trial_type=pd.Categorical(rows["trial_type"], ["ADS", "IDS"]),
        method=pd.Categorical(rows["method"], ["singlescreen", "eyetracking", "hpp"]),
    )
    return rows[np.isfinite(rows["log_lt"])]


def ours(rows: pd.DataFrame) -> tuple[float, float]:
    """Seconds of the fit and of the inference."""
    start = time.perf_counter()
    fit = lmer(FORMULA, rows)
    fitted = time.perf_counter()
    assert len(fit.coefficients) == 15
    return fitted - start, time.perf_counter() - fitted


def lme4(file: Path) -> tuple[float, float] | None:
    """The same seconds in R; None where R, lme4 or lmerTest is missing."""
    if shutil.which("Rscript") is None:
        return None
    run = subprocess.run(
        ["Rscript", "--vanilla", HERE / "manybabies1.R", file], capture_output=True, text=True, check=False
    )
    if run.returncode != 0:
        return None
    fitting, inference = (float(line) for line in run.stdout.split())
    return fitting, inference


def show(name: str, runs: list[tuple[float, float]]) -> float:
    """Print the median seconds, and return those of fit and inference together."""
    fitting, inference = (median(column) for column in zip(*runs, strict=True))
    print(
        f"{name:<12}fit {fitting:6.2f} s, inference {inference:6.2f} s, together {fitting + inference:6.2f} s"
    )
    return fitting + inference


def main() -> None:
    """Fit the model a few times with each program, in turns, and compare the medians."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA, help="03_data_trial_main.csv")
    arguments.add_argument("--times", type=int, default=3, help="how often each program fits the model")
    given = arguments.parse_args()
    if not given.data.is_file():
        print("skipped: the data of ManyBabies 1 are not there; say where with --data")
        return
    rows = trials(given.data)
    our_runs, r_runs = [], []
    with tempfile.TemporaryDirectory() as place:
        prepared = Path(place) / "trials.csv"
        rows.to_csv(prepared, index=False)
        for _ in range(given.times):
            our_runs.append(ours(rows))
            r_runs.append(lme4(prepared))
    print(f"{len(rows):,} trials")
    seconds = show("forethought", our_runs)
    if None in r_runs:
        print("R with lme4 and lmerTest is not on this machine: no comparison")
    else:
        print(f"R takes {show('R', r_runs) / seconds:.1f} times as long")
    print(f"the bar is {BAR:.0f} s")
    sys.exit(seconds > BAR)


if __name__ == "__main__":
    main()
