"""How much longer `forethought --help` and `forethought check` take to start than Python itself.

The three are run in turns, and their medians compared. A first run of each, which may write compiled bytecode, does
not count. The bar is half a second above `python -c pass`.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import forethought.protocols

BAR = 0.5
PROTOCOL = Path(forethought.protocols.__path__[0]) / "lend_an_ear" / "protocol.yaml"
FORETHOUGHT = Path(sys.executable).with_name("forethought")
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "forethought --help": [FORETHOUGHT, "--help"],
    "forethought check": [FORETHOUGHT, "check", PROTOCOL],
}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds(command: list[str | Path]) -> float:
    """How long the command takes."""
    start = time.perf_counter()
    subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    """Run every command some times, and compare the medians with the bar."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--times", type=int, default=15, help="how often each command is run")
    given = arguments.parse_args()
    rounds = [[seconds(command) for command in COMMANDS.values()] for _ in range(1 + given.times)][1:]
    medians = dict(zip(COMMANDS, map(median, zip(*rounds, strict=True)), strict=True))
    alone = medians.pop("python -c pass")
    print(f"{'python -c pass':<20}{alone:6.3f} s")
    for name, found in medians.items():
        print(f"{name:<20}{found:6.3f} s, {found - alone:.3f} s more than Python alone")
    print(f"the bar is {BAR} s more")
    sys.exit(max(medians.values()) - alone > BAR)


if __name__ == "__main__":
    main()
