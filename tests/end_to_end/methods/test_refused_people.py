"""Who cannot be allocated is refused with the reason; the others go on, and nothing is lost."""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

COLUMNS = (
    "Submission id", "Participant id", "Status", "Custom study tncs accepted at", "Started at", "Completed at",
    "Reviewed at", "Archived at", "Time taken", "Completion code", "Total approvals", "Fluent languages", "Site", "Age",
    "Sex", "Ethnicity simplified", "Country of birth", "Country of residence", "Nationality", "Language",
    "Student status", "Employment status",
)  # fmt: skip
SOUND = {"Status": "APPROVED", "Sex": "Female", "Age": "30", "Student status": "No", "Site": "north"}
CAPPED = {
    "method": "big_stick",
    "tolerance": 2,
    "strata": ["sex"],
    "caps": [{"arm": arm, "stratum": {"sex": "Male"}, "at_most": 2} for arm in ("control", "training")],
}
PEOPLE: dict[str, dict[str, str]] = {
    **{f"a sound person {number}": {} for number in range(6)},
    **{f"a man {number}": {"Sex": "Male"} for number in range(6)},
    "without a stratum value": {"Sex": ""},
    "of an unknown level": {"Sex": "Unlisted"},
    "with consent revoked": {"Sex": "CONSENT_REVOKED"},
    "who returned it": {"Status": "RETURNED"},
    "under age": {"Age": "15"},
    **{f"a student {number:02d}": {"Student status": "Yes"} for number in range(14)},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The study, what the import and `randomize` said, and who is who."""

    study: Path
    imported: Any
    randomized: Any
    exclusions: list[dict[str, Any]]
    allocations: list[dict[str, Any]]
    participants: list[dict[str, Any]]


@pytest.fixture(scope="module")
def refused(
    made: Callable[..., Path], done: Callable[..., Any], table: Callable[[Path, str], list[dict[str, Any]]]
) -> Refused:
    """A study whose arms take two men each, and that takes twelve students."""
    study = made("refused", CAPPED)
    imported = done("import", study, _export(study, PEOPLE))
    return Refused(
        study=study,
        imported=imported,
        randomized=done("randomize", study, "--json").json,
        exclusions=table(study, "exclusions"),
        allocations=table(study, "allocations"),
        participants=table(study, "participants"),
    )


def _export(study: Path, people: dict[str, dict[str, str]]) -> Path:
    """What the service would give of these people."""
    export = study / "inbox" / "prolific_export.csv"
    export.parent.mkdir(exist_ok=True)
    with export.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(_row(number, own) for number, own in enumerate(people.values()))
    return export


def _row(number: int, own: dict[str, str]) -> dict[str, str]:
    ids = {"Submission id": f"{number:024x}", "Participant id": f"{number + 1000:024x}"}
    times = dict.fromkeys(("Started at", "Completed at"), f"2026-03-02T10:{number:02d}:00.000000Z")
    return {**ids, **times, **SOUND, **own}


def test_every_row_is_kept_as_a_person_or_in_quarantine(refused: Refused) -> None:
    assert f"{len(PEOPLE)} rows of recruits, {len(PEOPLE) - 1} new, 1 quarantined" in refused.imported.out


def test_who_is_not_eligible_is_left_out_for_a_reason(refused: Refused) -> None:
    counted = Counter(row["criterion"] for row in refused.exclusions)
    assert counted == {"finished": 1, "adult": 1, "sex_known": 2, "enough_students": 2}


def test_whom_no_arm_can_take_is_refused_for_that_reason(refused: Refused) -> None:
    assert [reason for _, reason in refused.randomized["refused"]] == ["every arm is full"] * 2


def test_all_others_are_allocated(refused: Refused) -> None:
    assert refused.randomized["allocated"] == 6 + 4 + 12
    men = [row["arm"] for row in refused.allocations if row["stratum"] == "sex=Male"]
    assert sorted(men) == ["control", "control", "training", "training"]


def test_who_was_refused_is_refused_again_and_takes_nobody_s_place(
    refused: Refused, done: Callable[..., Any], table: Callable[..., Any]
) -> None:
    again = done("randomize", refused.study, "--json").json
    assert (again["allocated"], again["already"], again["refused"]) == (
        0,
        22,
        refused.randomized["refused"],
    )
    assert table(refused.study, "allocations") == refused.allocations


def test_nobody_else_is_allocated(refused: Refused) -> None:
    out = {row["participant_id"] for row in refused.exclusions}
    full = {person for person, _ in refused.randomized["refused"]}
    given = {row["participant_id"] for row in refused.allocations}
    everyone = {row["participant_id"] for row in refused.participants}
    assert out | full | given == everyone
    assert len(out) + len(full) + len(given) == len(everyone)


def test_who_names_no_cluster_is_refused_for_that_reason(
    made: Callable[..., Path], done: Callable[..., Any]
) -> None:
    study = made("homeless", {"method": "simple", "unit": "cluster", "cluster": "site"})
    done("import", study, _export(study, {"from the north": {}, "from nowhere": {"Site": ""}}))
    said = done("randomize", study, "--json").json
    assert said["allocated"] == 1
    assert [reason for _, reason in said["refused"]] == ["`site` has no value"]
