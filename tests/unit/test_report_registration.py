"""What a report says of the lock and of each amendment since."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from forethought.registration import (
    Amendment,
    DeclaredDeviation,
    Difference,
    Registration,
    SeedCommitment,
    Stage,
    Timestamp,
)
from forethought.reports.content import Bullets, Fact, Facts, Heading, Report, Section, Table, as_json
from forethought.reports.record import Record

WHEN = datetime(2026, 4, 1, 10, 0, tzinfo=UTC)
ADDED = Difference(
    field="waves.1.target",
    change="changed",
    before=90,
    after=120,
    words="waves.1.target was changed from 90 to 120",
)


def amendment(number: int = 1, *, after: Stage | None = None, **changes: Any) -> Amendment:
    parts: dict[str, Any] = {
        "number": number,
        "parent": "0" * 64,
        "previous": "0" * 64,
        "fingerprint": "a5" * 32,
        "protocol_sha256": "0" * 64,
        "protocol": {},
        "differences": (ADDED,),
        "declared": (),
        "reason": "More people asked to take part.",
        "amended_at": WHEN,
        "amended_by": "A. Person",
        "git_commit": None,
        "materials": {"scenarios.md": "c4" * 32},
        "scorers": {},
        "software": {},
        "seeds": (),
        "after": after or Stage(first_allocation=True, first_outcome=False, unblinded=False),
    }
    return Amendment(**(parts | changes))


def registered(record: Record, **changes: Any) -> Record:
    """The record with parts of its registration changed."""
    registration = record.registration
    assert registration is not None
    return replace(record, registration=Registration.model_validate({**dict(registration), **changes}))


def part(report: Report, name: str) -> Section:
    (found,) = [section for section in report.sections if section.id == name]
    return found


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def said(section: Section) -> str:
    return " ".join(texts(as_json(section)))


def rows(section: Section) -> list[list[str]]:
    """The cells of every table of a section."""
    tables = [block for block in section.blocks if isinstance(block, Table)]
    return [[cell.text for cell in row] for table in tables for group in table.groups for row in group.rows]


def facts(section: Section) -> list[Fact]:
    return [fact for block in section.blocks if isinstance(block, Facts) for fact in block.items]


def test_an_amendment_says_when_by_whom_at_which_stage_and_why(simulated_study: Any) -> None:
    record = registered(simulated_study.record, amendments=(amendment(),))
    section = part(simulated_study.report(record=record), "registration")
    assert [block.text for block in section.blocks if isinstance(block, Heading)] == ["Amendment 1"]
    told = {fact.term: fact.value for fact in facts(section)[-4:]}
    assert told == {
        "Made": "2026-04-01 10:00 UTC, by A. Person",
        "Stage": "after the first allocation, before the first outcome, before the unblinding",
        "Reason": "More people asked to take part.",
        "Fingerprint": "a5" * 32,
    }


def test_an_amendment_says_what_it_changed_and_declared_in_words(simulated_study: Any) -> None:
    declared = (
        DeclaredDeviation(kind="sample size", statement="More came"),
        DeclaredDeviation(kind=None, statement="We moved."),
    )
    record = registered(simulated_study.record, amendments=(amendment(declared=declared),))
    section = part(simulated_study.report(record=record), "registration")
    _, changed, said_so = [block.items for block in section.blocks if isinstance(block, Bullets)]
    assert changed == ("waves.1.target was changed from 90 to 120.",)
    assert said_so == ("sample size: More came.", "We moved.")


def test_an_amendment_that_only_declares_says_that_it_changed_nothing(simulated_study: Any) -> None:
    record = registered(simulated_study.record, amendments=(amendment(differences=()),))
    assert "It changed nothing in the plan." in said(
        part(simulated_study.report(record=record), "registration")
    )


def test_a_study_without_arms_has_no_allocation_or_unblinding_to_be_amended_after(real_study: Any) -> None:
    registration = Registration(
        study_id="s", fingerprint="0" * 64, protocol_sha256="0" * 64, locked_at=WHEN, locked_by="A", git_commit=None,
        materials={}, software={}, seeds=(), allocation_algorithm=None, protocol={}, amendments=(amendment(),),
    )  # fmt: skip
    section = part(
        real_study.report(record=replace(real_study.record, registration=registration)), "registration"
    )
    assert {fact.term: fact.value for fact in facts(section)}["Stage"] == "before the first outcome"


def test_both_fingerprints_are_shown_once_a_plan_is_amended(simulated_study: Any) -> None:
    plain = part(simulated_study.report(), "registration")
    assert "Fingerprint of the plan that stands" not in {fact.term for fact in facts(plain)}
    record = registered(simulated_study.record, amendments=(amendment(), amendment(2)))
    told = {
        fact.term: fact.value
        for fact in facts(part(simulated_study.report(record=record), "registration"))[:4]
    }
    assert told["Amended"] == "2 times"
    assert (told["Fingerprint"], told["Fingerprint of the plan that stands"]) == ("3f" * 32, "a5" * 32)


def test_the_seed_of_a_wave_that_an_amendment_added_says_where_it_is_from(simulated_study: Any) -> None:
    seed = SeedCommitment(wave=2, commitment="9c" * 32, supplied=False)
    record = registered(simulated_study.record, amendments=(amendment(seeds=(seed,)),))
    cells = rows(part(simulated_study.report(record=record), "registration"))
    assert ["1", "9b" * 32, "drawn at the lock"] in cells
    assert ["2", "9c" * 32, "drawn at amendment 1"] in cells


def test_materials_and_raters_that_were_amended_are_shown_beside_the_locked_ones(
    simulated_study: Any,
) -> None:
    other = amendment(materials={"scenarios.md": "c5" * 32}, scorers={"judge": "d5" * 32})
    record = registered(simulated_study.record, scorers={"judge": "d4" * 32}, amendments=(other,))
    cells = rows(part(simulated_study.report(record=record), "registration"))
    assert [row for row in cells if row[0] in ("scenarios.md", "judge")] == [
        ["scenarios.md", "c4" * 32],
        ["scenarios.md", "c5" * 32],
        ["judge", "d4" * 32],
        ["judge", "d5" * 32],
    ]


def test_a_timestamp_names_its_service_and_time(simulated_study: Any) -> None:
    stamp = Timestamp(record="e7" * 32, service="https://time.example", at=WHEN, token="", root="")
    record = registered(simulated_study.record, timestamps=(stamp,))
    cells = rows(part(simulated_study.report(record=record), "registration"))
    assert ["e7" * 32, "https://time.example", "2026-04-01 10:00 UTC"] in cells


LATE = Stage(first_allocation=True, first_outcome=True, unblinded=False)


@pytest.mark.parametrize(
    ("stage", "when", "shown"),
    [
        (LATE, WHEN, True),
        (
            Stage(first_allocation=True, first_outcome=False, unblinded=False),
            datetime(2026, 3, 2, 10, tzinfo=UTC),
            False,
        ),
    ],
)
def test_a_plan_that_was_amended_after_data_bears_a_badge(
    simulated_study: Any, stage: Stage, when: datetime, shown: bool
) -> None:
    record = registered(simulated_study.record, amendments=(amendment(after=stage, amended_at=when),))
    badges = [badge.text for badge in simulated_study.report(record=record).badges]
    assert ("Amended after data" in badges) is shown
    assert "Confirmatory" in badges


def test_a_finding_that_was_amended_after_data_is_not_called_registered_before_data(
    simulated_study: Any,
) -> None:
    results = simulated_study.results
    touched = [one | {"confirmatory": False} for one in results["findings"]]
    record = registered(simulated_study.record, amendments=(amendment(after=LATE),))
    report = simulated_study.report(record=record, results=results | {"findings": touched})
    cards = [badge["text"] for card in as_json(part(report, "findings"))["blocks"] if card["kind"] == "hypothesis"
             for badge in card["badges"]]  # fmt: skip
    assert "Amended after data" in cards
    assert "Registered before data" not in cards
