"""Allocation on the disk, with its ledger: a million people, one person, a burst, and minimisation.

Beside the million, in the same run, the bare insert of the same rows into the same table by DuckDB, which draws nothing
and writes no ledger. The process that allocates a million is one of its own, so that its memory is its own. Each figure
stands beside its bar; the files lie in a temporary folder.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import yaml

import forethought.protocols
from forethought import registration
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.allocator import Allocator
from forethought.steps.randomize import randomize
from forethought.steps.registering import complete
from forethought.store import migrations
from forethought.store.connection import writing
from forethought.store.vault import Vault

NOW = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
SHIPPED = Path(forethought.protocols.__path__[0]) / "lend_an_ear" / "protocol.yaml"
MILLION, BAR_MILLION, BAR_MEMORY = 1_000_000, 5.0, 1024
BAR_SINGLE, BAR_BURST, BAR_MINIMIZATION = 0.020, 10.0, 5.0

BLOCKS = {"method": "permuted_blocks", "block_sizes": [4, 8, 12], "strata": ["sex", "site"]}
FACTORS = {
    "method": "minimization",
    "imbalance": "range",
    "chance": "4/5",
    "factors": [{"name": name} for name in ("sex", "site", "age_group", "school")],
}
LEVELS = {
    "sex": ["Female", "Male"],
    "site": [f"S{number}" for number in range(100)],
    "age_group": ["young", "middle", "old"],
    "school": ["none", "some", "degree"],
}


def study(path: Path, people: int, method: dict[str, Any], names: list[str]) -> StudyFolder:
    """A locked study of four arms in which so many people wait, with a value of each of these variables."""
    folder = StudyFolder(path)
    shutil.copytree(SHIPPED.parent, path, ignore=shutil.ignore_patterns("__pycache__"))
    folder.reports.mkdir(exist_ok=True)
    data = yaml.safe_load(SHIPPED.read_text("utf-8"))
    kept = ("ratio", "dropouts", "seed", "concealment")
    data["allocation"] = {name: data["allocation"][name] for name in kept} | method
    recruits = data["imports"]["recruits"]
    known = {variable["name"] for variable in recruits["variables"]}
    for name in names:
        if name not in known:
            column = {"name": name, "column": name, "type": "category", "levels": LEVELS[name]}
            recruits["variables"].append(column)
        if not any(rule["variable"] == name for rule in recruits["eligibility"]):
            rule = {"test": "one_of", "values": LEVELS[name]}
            recruits["eligibility"].append(
                {"id": f"known_{name}", "variable": name, "rule": rule, "reason": "not known"}
            )
    folder.protocol.write_text(json.dumps(data, ensure_ascii=False), "utf-8")  # JSON is YAML without marks
    lock(folder)
    arrive(folder, people, names)
    return folder


def lock(folder: StudyFolder) -> None:
    """Register the study, with seeds of the bench's own."""
    loaded = load(folder.protocol)
    Vault.create(folder)
    migrations.create(folder, loaded.protocol.study.id, loaded.protocol.waves, NOW)
    seeds = {wave.number: bytes([wave.number] * 32) for wave in loaded.protocol.waves}
    registration.lock(folder, loaded, now=NOW, by="bench", seeds=seeds, supplied=False)
    with writing(folder) as con:
        complete(con, folder, loaded.protocol, now=NOW, actor="bench")


def arrive(folder: StudyFolder, people: int, names: list[str]) -> None:
    """Let people come, a millisecond apart."""
    with writing(folder) as con:
        con.execute(
            "INSERT INTO participants SELECT 'p' || substr(md5(CAST(i AS VARCHAR)), 1, 16), 1, 'eligible', 'APPROVED', "
            "TIMESTAMP '2026-11-01 09:00:00' + INTERVAL (i) MILLISECOND FROM range(?) people(i)",
            [people],
        )
        for name in names:
            con.execute(
                "INSERT INTO responses SELECT participant_id || '/recruitment', $name, participant_id, 'recruitment', "
                "list_extract($levels, CAST(hash(participant_id || $name) % len($levels) AS INTEGER) + 1), "
                "repeat('0', 16) || ':1' FROM participants",
                {"name": name, "levels": LEVELS[name]},
            )


def timed_step(path: str) -> None:
    """Run the step here, and print its seconds and the greatest memory of this process in MB."""
    import forethought.schemas.tables  # noqa: F401 -- what is imported is not measured

    start = time.perf_counter()
    done = randomize(StudyFolder(Path(path)), now=NOW, actor="bench")
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"allocated": done.allocated, "seconds": seconds, "memory": memory}))


def in_a_process(folder: StudyFolder) -> dict[str, float]:
    """What the step takes in a process of its own."""
    command = [sys.executable, __file__, "--step", str(folder.path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def bare_insert(done: StudyFolder, path: Path) -> float:
    """The seconds of DuckDB alone for the same rows: opening, inserting, committing, closing."""
    shutil.copyfile(done.database, path)
    with duckdb.connect(path) as con:
        con.execute("CREATE TABLE given AS SELECT * FROM allocations ORDER BY arrival")
        con.execute("DELETE FROM allocations")
    with duckdb.connect(path) as con:
        con.execute("CHECKPOINT")
    start = time.perf_counter()
    with duckdb.connect(path) as con:
        con.execute("INSERT INTO allocations SELECT * FROM given")
    return time.perf_counter() - start


def names_of(folder: StudyFolder) -> list[str]:
    """Everyone, in order of arrival."""
    with duckdb.connect(folder.database, read_only=True) as con:
        found = con.execute("SELECT participant_id FROM participants ORDER BY arrived_at").fetchall()
    return [name for (name,) in found]


def one_at_a_time(folder: StudyFolder, people: list[str]) -> float:
    """The median seconds of one durable allocation where a thousand people have an arm already."""
    randomize(folder, now=NOW, actor="bench", participants=people[:1_000])
    allocator = Allocator(folder, actor="bench")
    allocator.allocate(people[1_000], NOW)
    taken = []
    for person in people[1_001:1_301]:
        start = time.perf_counter()
        allocator.allocate(person, NOW)
        taken.append(time.perf_counter() - start)
    allocator.close()
    return median(taken)


def bare_single(done: StudyFolder, path: Path) -> float:
    """The median seconds of DuckDB alone for one row: opening, inserting, committing, closing."""
    shutil.copyfile(done.database, path)
    taken = []
    for number in range(60):
        start = time.perf_counter()
        with duckdb.connect(path) as con:
            con.execute(
                "INSERT INTO allocations SELECT * REPLACE (? AS participant_id) FROM allocations LIMIT 1",
                [f"q{number}"],
            )
        taken.append(time.perf_counter() - start)
    return median(taken)


def burst(folder: StudyFolder, people: list[str]) -> float:
    """The seconds until a thousand people who come at one moment have their arms."""
    allocator, together = Allocator(folder, actor="bench"), threading.Barrier(len(people) + 1)

    def come(person: str) -> None:
        together.wait()
        allocator.allocate(person, NOW)

    threads = [threading.Thread(target=come, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    together.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    allocator.close()
    return seconds


def main() -> None:
    """Measure everything, and compare it with its bars."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--people", type=int, default=MILLION, help="how many are allocated at once")
    arguments.add_argument("--step", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.step:
        timed_step(given.step)
        return
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        many = study(place / "many", given.people, BLOCKS, ["sex", "site"])
        large = in_a_process(many)
        bare = bare_insert(many, place / "bare.duckdb")
        print(
            f"{given.people:,} people, 200 strata: {large['seconds']:.2f} s (bar {BAR_MILLION} s), ", end=""
        )
        print(f"{large['memory']:.0f} MB (bar {BAR_MEMORY} MB); DuckDB's bare insert {bare:.2f} s")
        few = study(place / "few", 4_000, BLOCKS, ["sex", "site"])
        people = names_of(few)
        single = one_at_a_time(few, people)
        alone = bare_single(few, place / "single.duckdb")
        print(f"one durable allocation: {1000 * single:.1f} ms (bar {1000 * BAR_SINGLE:.0f} ms), ", end="")
        print(f"DuckDB's bare open, insert and close of one row {1000 * alone:.1f} ms")
        rush = burst(few, people[2_000:3_000])
        print(f"a burst of 1,000 arrivals: {rush:.2f} s (bar {BAR_BURST} s)")
        four = study(place / "four", 10_000, FACTORS, list(LEVELS))
        minimised = in_a_process(four)["seconds"]
        print(f"minimisation, 4 factors, 10,000 people: {minimised:.2f} s (bar {BAR_MINIMIZATION} s)")
    within = (
        large["seconds"] < BAR_MILLION,
        large["memory"] < BAR_MEMORY,
        single < BAR_SINGLE,
        rush < BAR_BURST,
        minimised < BAR_MINIMIZATION,
    )
    sys.exit(not all(within))


if __name__ == "__main__":
    main()
