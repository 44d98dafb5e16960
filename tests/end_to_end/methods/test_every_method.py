"""Every method of allocation, from its protocol to a replay of each arm from the revealed seed.

A study costs seconds: each rule that a method may have is tried with one of the methods, and so is each order of
materials.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PEOPLE = 12
CODES = {"control": "C0", "training": "T1"}

COMPLETERS = {
    "count": "completed_or_in_progress",
    "in_progress_minutes": 120,
    "replace": "reopen_place",
    "statement": "Whoever leaves makes room.",
}
BLOCKS = {"method": "permuted_blocks", "block_sizes": [2, 4], "strata": ["sex"]}
FACTORS = [{"name": "sex", "weight": 2}, {"name": "student"}]
CAPS = [
    {"arm": "training", "at_most": 20},
    {"arm": "control", "stratum": {"sex": "Male"}, "at_most": 10},
]
ALIKE = {"variables": ["age", "sex"], "criterion": "mahalanobis", "at_most": 1.5}

DESIGNS: dict[str, dict[str, Any]] = {
    "simple": {"method": "simple", "ratio": {"control": 1, "training": 2}},
    "complete": {"method": "complete", "size": 6, "strata": ["sex"]},
    "list_of_blocks": {**BLOCKS, "initial_simple": 2, "drawn": "ahead", "list_length": 30},
    "clusters_in_sealed_blocks": {
        **BLOCKS,
        "block_sizes": "sealed",
        "unit": "cluster",
        "cluster": "site",
    },
    "biased_coin": {
        "method": "biased_coin",
        "chance": "2/3",
        "strata": ["sex", "student"],
        "caps": CAPS,
        "dropouts": COMPLETERS,
    },
    "big_stick": {"method": "big_stick", "tolerance": 2, "ratio": {"control": 2, "training": 1}},
    "block_urn": {"method": "block_urn", "block_size": 4, "strata": ["sex"]},
    "minimization": {"method": "minimization", "factors": FACTORS, "imbalance": "range", "chance": 0.8},
    "rerandomization": {"method": "rerandomization", **ALIKE},
}
"""Every method, and every rule that one may have."""

ORDERS = {"simple": "latin_square", "complete": "williams", "big_stick": "fixed"}
ROWS = {"simple": 3, "complete": 6, "big_stick": 1}
"""How many orders of the three materials there are."""

ALGORITHMS = {
    "simple": "simple/1",
    "complete": "complete/1",
    "permuted_blocks": "permuted-blocks/2",
    "biased_coin": "biased-coin/1",
    "big_stick": "big-stick/1",
    "block_urn": "block-urn/1",
    "minimization": "minimization/1",
    "rerandomization": "rerandomization/1",
}
WORDS = {
    "simple": ("simple randomisation, in the order of arrival",),
    "complete": ("by complete randomisation within strata of sex",),
    "list_of_blocks": (
        "by permuted blocks within strata of sex",
        "The list is drawn at the lock and sealed one record at a time",
    ),
    "clusters_in_sealed_blocks": (
        "Each cluster (all people of one site) is allocated",
        "randomly varying, sealed",
    ),
    "biased_coin": (
        "by a biased coin within strata of sex and student",
        "a place that counts no longer is drawn anew among the open places of its stratum",
    ),
    "big_stick": ("by the big stick without strata",),
    "block_urn": ("by the block urn within strata of sex",),
    "minimization": ("by minimisation over sex (weight 2) and student (weight 1)",),
    "rerandomization": ("by rerandomisation on age and sex, in batches",),
}
"""What the form of a registry says of each."""
TELLING = {
    "complete": "over 6 units",
    "list_of_blocks": "of 2 or 4 (each block's size drawn by chance)",
    "big_stick": "with a tolerance of 2",
    "block_urn": "of 4 balls",
}
"""Words by which it could be told when an arm is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One study as it was run: what was said on the way, and its allocations before and after the unblinding."""

    name: str
    folder: Path
    said: Mapping[str, Any]
    condition: Mapping[str, str]
    blinded: list[dict[str, Any]]
    blinded_report: str
    blinded_files: str
    unblinded: list[dict[str, Any]]

    @property
    def report(self) -> str:
        return _report(self.folder)

    @property
    def method(self) -> str:
        return str(DESIGNS[self.name]["method"])


def _report(study: Path) -> str:
    """The words of the report's page."""
    page = (study / "reports" / "report.html").read_text("utf-8")
    return page.replace("&#39;", "'").replace("&#x27;", "'")


def _outside_secrets(study: Path) -> str:
    """All that a study shows to whoever may not look into `secrets/`, but the database."""
    files = [path for path in study.rglob("*") if path.is_file() and study / "secrets" not in path.parents]
    return "\n".join(path.read_text("utf-8") for path in sorted(files) if path.suffix != ".duckdb")


@pytest.fixture(scope="module", params=DESIGNS)
def run(
    request: pytest.FixtureRequest,
    made: Callable[..., Path],
    done: Callable[..., Any],
    imported: Callable[[Path], None],
    table: Callable[[Path, str], list[dict[str, Any]]],
    handed_over: Callable[[Path], dict[str, str]],
) -> Run:
    """The study as its investigator runs it; every command succeeds."""
    name = request.param
    study = made(name, DESIGNS[name], ORDERS.get(name, "random_without_repetition"))
    said = {"simulate": done("simulate", study, "--seed", 7, "--participants", PEOPLE)}
    imported(study)
    said["randomize"] = done("randomize", study, "--json")
    first = table(study, "allocations")
    said["randomize again"] = done("randomize", study, "--json")
    done("schedule", study)
    done("assignments", study, study.parent / "hand_over.csv")
    done("simulate", study, "--seed", 7)
    imported(study)
    for step in ("schedule", "score", "analyze", "report"):
        done(step, study)
    blinded_report, blinded_files = _report(study), _outside_secrets(study)
    said["form"] = done("export", study, "--form", "osf")
    done("freeze", study)
    blinded = table(study, "allocations")
    assert blinded == first
    done("unblind", study, "--by", "A. Person", "--reason", "Everyone has finished")
    said["analyze"] = done("analyze", study, "--json")
    said["replay"] = done("replay", study)
    done("report", study)
    return Run(
        name=name,
        folder=study,
        said=said,
        condition=handed_over(study.parent / "hand_over.csv"),
        blinded=blinded,
        blinded_report=blinded_report,
        blinded_files=blinded_files,
        unblinded=table(study, "allocations"),
    )


def test_everyone_is_allocated_once(run: Run) -> None:
    assert run.said["randomize"].json["allocated"] == PEOPLE
    assert sorted(row["arrival"] for row in run.blinded) == list(range(1, PEOPLE + 1))


def test_to_randomize_again_allocates_nobody(run: Run) -> None:
    again = run.said["randomize again"].json
    assert (again["allocated"], again["already"]) == (0, PEOPLE)


def test_each_row_names_the_arithmetic_that_gave_it(run: Run) -> None:
    assert {row["algorithm"] for row in run.blinded} == {ALGORITHMS[run.method]}


def test_what_is_handed_over_is_what_was_allocated(run: Run) -> None:
    assert run.condition == {row["participant_id"]: CODES[row["arm"]] for row in run.blinded}


def test_no_probability_block_or_position_is_told_before_the_unblinding(run: Run) -> None:
    assert {row[name] for row in run.blinded for name in ("probability", "block", "position")} == {None}


def test_the_unblinding_tells_each_probability_and_changes_no_arm(run: Run) -> None:
    assert all(0 < row["probability"] <= 1 for row in run.unblinded)
    told = ("probability", "block", "position")
    kept = [{name: value for name, value in row.items() if name not in told} for row in run.unblinded]
    assert kept == [{name: value for name, value in row.items() if name not in told} for row in run.blinded]


def test_a_replay_gives_every_arm_again(run: Run) -> None:
    assert f"all {PEOPLE} allocations are what the revealed seed gives" in run.said["replay"].out


def test_each_person_s_draw_is_explained_with_the_arm_that_they_got(
    run: Run, done: Callable[..., Any]
) -> None:
    last = max(run.unblinded, key=lambda row: row["arrival"])
    explained = done("explain", run.folder, last["participant_id"]).out
    assert f"{last['arm']}: the record and the seed agree" in explained


def test_the_finding_counts_the_arms_as_they_were_allocated(run: Run, table: Callable[..., Any]) -> None:
    (finding,) = run.said["analyze"].json["findings"]
    held = {row["participant_id"] for row in table(run.folder, "scores")}
    counted = Counter(row["arm"] for row in run.unblinded if row["participant_id"] in held)
    assert finding["n_by_arm"] == dict(counted)


def test_a_form_says_how_arms_are_drawn(run: Run) -> None:
    said = " ".join(run.said["form"].out.split())
    assert [words for words in WORDS[run.name] if words not in said] == []


@pytest.mark.parametrize("run", TELLING, indirect=True)
def test_neither_a_form_nor_the_blinded_report_says_when_an_arm_is_due(run: Run) -> None:
    assert TELLING[run.name] not in run.said["form"].out
    assert TELLING[run.name] not in run.blinded_report


def test_the_unblinded_report_says_it(run: Run) -> None:
    assert TELLING.get(run.name, "from the wave's committed secret seed") in run.report


@pytest.mark.parametrize("run", ["clusters_in_sealed_blocks"], indirect=True)
def test_all_people_of_a_cluster_get_the_arm_that_the_first_of_them_drew(run: Run) -> None:
    clusters = {row["unit"] for row in run.blinded}
    assert 2 < len(clusters) < PEOPLE
    assert len({(row["unit"], row["arm"]) for row in run.blinded}) == len(clusters)


@pytest.mark.parametrize("run", ["clusters_in_sealed_blocks"], indirect=True)
def test_sealed_block_sizes_are_in_secrets_alone_and_shown_at_the_unblinding(
    run: Run, table: Callable[[Path, str], list[dict[str, Any]]]
) -> None:
    assert '"block_sizes": [' not in run.blinded_files.replace("\n", " ")
    (unblinded,) = (event for event in table(run.folder, "events") if event["action"] == "unblind")
    sizes = json.loads(unblinded["detail"])["waves"]["1"]["block_sizes"]
    assert sizes
    assert all(size % 2 == 0 for size in sizes)


@pytest.mark.parametrize("run", ROWS, indirect=True)
def test_each_row_of_an_order_of_materials_is_met_equally_often(
    run: Run, table: Callable[[Path, str], list[dict[str, Any]]]
) -> None:
    met: dict[str, dict[str, str]] = {}
    for row in table(run.folder, "sessions"):
        met.setdefault(row["participant_id"], {})[row["session"]] = row["stimulus"]
    orders = Counter(tuple(of[name] for name in ("first", "second", "third")) for of in met.values())
    assert sorted(orders.values()) == [PEOPLE // ROWS[run.name]] * ROWS[run.name]
    assert all(len(set(one)) == 3 for one in orders)
