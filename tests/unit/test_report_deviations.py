"""What a report says of deviations, and of what was registered and not done."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from forethought.reports.content import Report, Section, Table, as_json
from forethought.reports.record import DeviationRow, NotDoneRow, Record


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


# --- deviations ---


def deviating(record: Record, *found: DeviationRow) -> Record:
    return replace(record, deviations=found)


def deviation(**changes: Any) -> DeviationRow:
    parts: dict[str, Any] = {
        "kind": "alpha",
        "planned": "alpha 0.05",
        "done": "alpha 0.01",
        "declared": "declared after data",
        "reason": "A reviewer asked.",
        "amendment": 2,
    }
    return DeviationRow(**(parts | changes))


def test_a_deviation_is_shown_with_plan_deed_class_and_reason(simulated_study: Any) -> None:
    undeclared = deviation(declared="undeclared", reason=None, amendment=None)
    by_plan = deviation(kind="pruning", reason="The registered pruning rule: singular", amendment=None)
    record = deviating(simulated_study.record, deviation(), undeclared, by_plan)
    assert rows(part(simulated_study.report(record=record), "deviations")) == [
        ["alpha", "alpha 0.05", "alpha 0.01", "declared after data", "Amendment 2: A reviewer asked."],
        ["alpha", "alpha 0.05", "alpha 0.01", "undeclared", "—"],
        [
            "pruning",
            "alpha 0.05",
            "alpha 0.01",
            "declared after data",
            "The registered pruning rule: singular",
        ],
    ]


def test_without_a_deviation_it_is_said_what_was_compared(simulated_study: Any) -> None:
    told = said(part(simulated_study.report(record=deviating(simulated_study.record)), "deviations"))
    assert "None found" in told
    assert "models, tests, alpha" in told


def test_a_blinded_report_does_not_say_that_the_analysis_is_as_registered(blinded_study: Any) -> None:
    told = said(part(blinded_study.report(record=deviating(blinded_study.record)), "deviations"))
    assert "models, tests, alpha" not in told
    assert "once it has been run on the true arms" in told


def test_without_a_registration_there_is_no_plan_to_compare_with(real_study: Any) -> None:
    told = said(part(real_study.report(), "deviations"))
    assert "Without a registration there is no plan" in told


# --- registered, but not done ---

MISSING = NotDoneRow(what="Hypothesis `h1`: It helps.", why="not run")
QUESTION = NotDoneRow(what="Exploratory question `q`: And age?", why="no result recorded", promised=False)


def undone(study: Any, *rows_: NotDoneRow) -> Section:
    return part(study.report(record=replace(study.record, not_done=rows_)), "not-done")


def test_promises_and_exploratory_questions_are_listed_apart(simulated_study: Any) -> None:
    tables = [
        block for block in undone(simulated_study, MISSING, QUESTION).blocks if isinstance(block, Table)
    ]
    assert [table.caption for table in tables] == [
        "Registered, and not done",
        "Exploratory questions without a recorded result",
    ]
    assert [[cell.text for cell in row] for table in tables for row in table.groups[0].rows] == [
        ["Hypothesis `h1`: It helps.", "not run"],
        ["Exploratory question `q`: And age?", "no result recorded"],
    ]


def test_where_everything_was_done_it_says_so(simulated_study: Any) -> None:
    assert "Everything that was registered was done." in said(undone(simulated_study, QUESTION))


def test_a_blinded_report_claims_nothing_of_what_was_not_done(blinded_study: Any) -> None:
    told = said(undone(blinded_study))
    assert "can be said once the analysis has been run on the true arms" in told
    assert "was done" not in told


def test_a_registered_study_without_an_analysis_claims_nothing_yet(simulated_study: Any) -> None:
    results = simulated_study.results | {"findings": [], "models": []}
    section = part(simulated_study.report(results=results), "not-done")
    assert "can be said once" in said(section)


def test_where_nothing_was_registered_nothing_was_promised(real_study: Any) -> None:
    assert "Nothing was registered." in said(part(real_study.report(), "not-done"))
