"""Seconds of work that `forethought check` does on a protocol of 2,000 lines or more, beyond starting up.

The protocol is Lend an Ear widened: more survey items, scales of them, rated outcomes, and for each of these its
hypothesis, its estimand and its published model. Reading, checking, and looking for warnings are measured together, in a
process of its own that has imported everything and has not loaded a protocol before; the median of several counts. So is
a second run in the same process, and the refusal of the same protocol with a fault on every hundredth line.
"""

import argparse
import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import yaml

import forethought.protocols

BAR = 1.0
LINES = 2000
SHIPPED = Path(forethought.protocols.__path__[0]) / "lend_an_ear"
MEASURED = """
import json, sys, time
from pathlib import Path
from forethought.errors import ProtocolInvalid
from forethought.protocol import checks, loading

def work(path):
    start = time.perf_counter()
    try:
        loading.load(path).warnings
        problems = 0
    except ProtocolInvalid as error:
        problems = len(error.problems)
    return time.perf_counter() - start, problems

sound, faulty = map(Path, sys.argv[1:])
(first, none), (again, _), (refused, problems) = work(sound), work(sound), work(faulty)
assert none == 0, "the protocol is not sound"
print(json.dumps({"first": first, "again": again, "refused": refused, "problems": problems}))
"""


def widened(data: Any, times: int) -> Any:
    """The protocol with `times` copies of its survey items, rated outcomes, hypotheses and what belongs to them."""
    wide = copy.deepcopy(data)
    responses = wide["imports"]["responses"]["variables"]
    analysis, published = wide["analysis"], wide["simulation"]["outcomes"]["published"]
    rated = [one for one in data["outcomes"] if one["kind"] == "rated"]
    for number in range(times):
        again = {one["id"]: f"{one['id']}_{number}" for one in rated}
        items = [
            {**one, "name": f"{one['name']}_{number}", "column": f"{one['column']}_{number}"}
            for one in responses
        ]
        wide["imports"]["responses"]["variables"] = [*wide["imports"]["responses"]["variables"], *items]
        baseline = [one["name"] for one in items if one["session"] == "baseline"]
        wide["outcomes"] += [{**one, "id": again[one["id"]]} for one in rated]
        wide["outcomes"].append(
            {
                "id": f"scale_{number}",
                "kind": "scale",
                "label": "A scale",
                "session": "baseline",
                "items": baseline,
                "better": "higher",
            }
        )
        wide["imports"]["ratings"]["outcomes"] |= {again[name]: f"column_{again[name]}" for name in again}
        published += [
            {**one, "outcome": again[one["outcome"]]} for one in data["simulation"]["outcomes"]["published"]
        ]
        for section, keys in (
            ("models", ("outcomes",)),
            ("families", ("outcomes",)),
            ("hypotheses", ("outcomes",)),
        ):
            for old, new in zip(data["analysis"][section], analysis[section], strict=False):
                for key in keys:
                    new[key] = [*new[key], *(again[name] for name in old[key] if name in again)]
        analysis["expected"] += [
            {**one, "id": f"{one['id']}_{number}", "outcome": again[one["outcome"]]}
            for one in data["analysis"]["expected"]
            if one["outcome"] in again
        ]
    return wide


def large(data: Any) -> str:
    """The text of a widened protocol of at least so many lines."""
    for times in range(1, 100):
        text = yaml.safe_dump(
            json.loads(json.dumps(widened(data, times))), sort_keys=False, allow_unicode=True, width=110
        )
        if text.count("\n") >= LINES:
            return text
    raise AssertionError("the protocol does not grow")


def faulty(text: str) -> str:
    """The text with a key misspelt on every hundredth line that has one."""
    lines = text.splitlines()
    for number in range(50, len(lines), 100):
        key, colon, rest = lines[number].partition(": ")
        if colon and key.strip().isidentifier():
            lines[number] = f"{key}q{colon}{rest}"
    return "\n".join(lines)


def main() -> None:
    """Measure in fresh processes, and compare the median with the bar."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--times", type=int, default=7, help="how many processes are run")
    given = arguments.parse_args()
    text = large(yaml.safe_load((SHIPPED / "protocol.yaml").read_bytes()))
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("sound.yaml", "faulty.yaml")]
        for file, content in zip(files, (text, faulty(text)), strict=True):
            file.write_text(content, encoding="utf-8")
        command = [sys.executable, "-c", MEASURED, *map(str, files)]
        runs = [
            json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            for _ in range(given.times)
        ]
    found = {name: median(run[name] for run in runs) for name in runs[0]}
    problems = found.pop("problems")
    print(f"a protocol of {text.count(chr(10)):,} lines, median of {given.times} processes")
    print(f"checked             {found['first']:6.3f} s")
    print(f"checked once more   {found['again']:6.3f} s")
    print(f"refused             {found['refused']:6.3f} s, with {problems:.0f} problems")
    print(f"the bar is {BAR} s")
    sys.exit(max(found.values()) > BAR)


if __name__ == "__main__":
    main()
