"""Lists drawn ahead, and places filled again: what must follow from them, from end to end."""

import csv
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from forethought.protocol.folder import StudyFolder
from forethought.steps.import_file import import_file
from forethought.steps.randomize import randomize

BLOCKS = {"method": "permuted_blocks", "block_sizes": [2, 4], "strata": ["sex"]}
STARTS = {
    "count": "completed_or_in_progress",
    "in_progress_minutes": 120,
    "replace": "reopen_place",
    "statement": "Whoever leaves makes room.",
}

Recruited = Callable[..., Path]
Table = Callable[[Path, str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def recruited(
    made: Callable[..., Path], done: Callable[..., Any], imported: Callable[[Path], None]
) -> Recruited:
    """A study with this allocation, whose people have come and wait for an arm."""

    def make(name: str, allocation: dict[str, Any]) -> Path:
        study = made(name, allocation)
        done("simulate", study, "--seed", 3, "--participants", 24)
        imported(study)
        return study

    return make


# --- a list drawn ahead


def test_a_list_drawn_ahead_gives_the_arms_that_drawing_on_arrival_gives(
    recruited: Recruited, done: Callable[..., Any], table: Table
) -> None:
    arms = []
    for drawn in ({"drawn": "ahead", "list_length": 30}, {"drawn": "on_arrival"}):
        study = recruited("same", BLOCKS | drawn)
        done("randomize", study)
        found = sorted(table(study, "allocations"), key=lambda row: row["arrival"])
        arms.append([(row["stratum"], row["arm"]) for row in found])
    assert len(arms[0]) == 24
    assert arms[0] == arms[1]


def test_a_list_that_is_used_up_refuses_whoever_comes_then(
    recruited: Recruited, forethought: Callable[..., Any], table: Table
) -> None:
    study = recruited("short", {**BLOCKS, "strata": [], "drawn": "ahead", "list_length": 10})
    said = forethought("randomize", study, "--json")
    assert (said.json["allocated"], len(said.json["refused"])) == (10, 14)
    assert len(table(study, "allocations")) == 10


# --- places that are filled again


@pytest.fixture(scope="module")
def reopened(
    made: Callable[..., Path],
    done: Callable[..., Any],
    table: Table,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, datetime]:
    """Twelve people who began and never went on, and twelve who came five hours later."""
    coin = {"method": "biased_coin", "chance": "3/4", "strata": ["sex"], "dropouts": STARTS}
    study = made("reopened", coin)
    done("simulate", study, "--seed", 3, "--participants", 24)
    (export,) = (study / "inbox").iterdir()
    with export.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    export.unlink()
    now = datetime.fromisoformat("2026-03-10T08:00:00+00:00")
    middle = len(lines) // 2
    for number, part in enumerate((lines[1:middle], lines[middle:])):
        file_of_part = tmp_path_factory.mktemp("part") / f"prolific_{number}.csv"
        with file_of_part.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([lines[0], *part])
        at = now + number * timedelta(hours=5)
        folder = StudyFolder.open(study)
        import_file(folder, file_of_part, now=at, actor="tester")
        randomize(folder, now=at + timedelta(minutes=1), actor="tester")
    return study, now


def test_whoever_stops_counting_is_recorded_with_the_arrival_from_which_on(
    reopened: tuple[Path, datetime], table: Table
) -> None:
    study, now = reopened
    first = {
        row["participant_id"] for row in table(study, "allocations") if row["allocated_at"].hour == now.hour
    }
    found = table(study, "counting")
    assert {row["participant_id"] for row in found} == first
    assert {(row["counts"], row["from_arrival"]) for row in found} == {(False, len(first) + 1)}


def test_an_open_place_is_filled_once_and_its_arm_is_that_of_who_left(
    reopened: tuple[Path, datetime], table: Table
) -> None:
    found = {row["participant_id"]: row for row in table(reopened[0], "allocations")}
    filled = [row for row in found.values() if row["replaces"] is not None]
    assert len(filled) > 3
    assert len({row["replaces"] for row in filled}) == len(filled)
    assert all(
        (row["arm"], row["stratum"]) == (found[row["replaces"]]["arm"], found[row["replaces"]]["stratum"])
        for row in filled
    )


def test_places_that_were_filled_again_are_replayed(
    reopened: tuple[Path, datetime], done: Callable[..., Any]
) -> None:
    done("freeze", reopened[0])
    done("unblind", reopened[0], "--by", "A. Person", "--reason", "Everyone has finished")
    assert "allocations are what the revealed seed gives" in done("replay", reopened[0]).out
