"""What the head of the report and its first section say: what it may claim, and each hypothesis's answer."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from forethought.grammar import parse_criterion
from forethought.protocol.formats import NOT_TOLD_APART
from forethought.reports.claims import criterion_in_words
from forethought.reports.content import (
    Bullets,
    Facts,
    Heading,
    HypothesisCard,
    Notice,
    Paragraph,
    Report,
    Section,
    Table,
    as_json,
)
from forethought.reports.record import BalanceRow, Replay


def part(report: Report, name: str) -> Section:
    (found,) = [section for section in report.sections if section.id == name]
    return found


def cards(report: Report) -> list[HypothesisCard]:
    return [block for block in part(report, "findings").blocks if isinstance(block, HypothesisCard)]


def tables(section: Section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def texts(value: Any) -> Iterator[str]:
    """Every text of some content, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def badges(report: Report) -> list[str]:
    return [badge.text for badge in report.badges]


# --- the head of the page ---


def test_simulated_data_are_named_in_title_banner_and_badge(simulated_study: Any) -> None:
    report = simulated_study.report()
    assert report.document_title.startswith("SIMULATED DATA: ")
    assert report.banner == "SIMULATED DATA: no person took part in this study"
    assert "Simulated data" in badges(report)


def test_real_data_have_no_banner(blinded_study: Any, real_study: Any) -> None:
    assert blinded_study.report().banner is None
    assert real_study.report().document_title == "Reaction time over days of sleep deprivation"


def test_a_lock_before_the_first_outcome_makes_it_confirmatory(simulated_study: Any) -> None:
    assert badges(simulated_study.report()) == ["Simulated data", "Confirmatory"]


def test_a_blinded_report_is_registered_and_not_confirmatory_yet(blinded_study: Any) -> None:
    assert badges(blinded_study.report()) == ["Blinded: placebo allocation", "Registered before data"]


def test_a_lock_after_the_first_outcome_is_said_to_be_late(simulated_study: Any) -> None:
    record = simulated_study.record
    earlier = replace(record.moments, first_outcome=record.registration.locked_at - timedelta(hours=5))
    report = simulated_study.report(record=replace(record, moments=earlier))
    assert badges(report) == ["Simulated data", "Registered after data"]
    (times,) = [block for block in part(report, "registration").blocks if isinstance(block, Bullets)]
    assert times.items[1].startswith("The first outcome was 5 hours before the lock")


def test_a_study_never_locked_says_so(real_study: Any) -> None:
    assert badges(real_study.report()) == ["Not registered"]


def test_a_study_that_is_not_randomised_says_so_in_words(real_study: Any) -> None:
    report = real_study.report()
    sentence = "This study is not randomised: its design allocates nobody to an arm."
    assert sentence in report.summary
    assert sentence in list(texts(as_json(part(report, "allocation"))))


# --- the findings ---


def test_one_test_is_answered_in_one_word_and_one_sentence(real_study: Any) -> None:
    (card,) = cards(real_study.report())
    assert card.answer == "Corroborated."
    assert card.sentences == (
        "Each further day, reaction: 10.47, 95% CI [7.21, 13.73], t(17.0) = 6.77, p < .001.",
    )
    assert [badge.text for badge in card.badges] == ["Not registered", "Assumed"]


def test_several_tests_are_tallied_and_no_one_verdict_stands_for_them(simulated_study: Any) -> None:
    overall, components, _ = cards(simulated_study.report())
    assert (overall.answer, overall.verdict) == ("Corroborated in all 3 tests.", "corroborated")
    assert components.answer == "Corroborated in 16 of 18 tests, falsified in 1, inconclusive in 1."
    assert components.verdict is None


def test_the_sensitivity_model_stands_beside_the_answer_and_not_in_it(simulated_study: Any) -> None:
    overall, *_ = cards(simulated_study.report())
    assert overall.sentences == ("Mixed model: the same verdict in 3 of 3 tests.",)
    assert sum(len(group.rows) for group in overall.table.groups) == 3


def test_a_hypothesis_without_a_finding_is_unevaluable_and_still_there(simulated_study: Any) -> None:
    kept = [one for one in simulated_study.results["findings"] if one["hypothesis"] != "kinds"]
    *_, card = cards(simulated_study.report(results=simulated_study.results | {"findings": kept}))
    assert card.answer == "Unevaluable: the registered analysis gave no estimate."
    assert card.forest is None


def test_before_the_analysis_every_hypothesis_waits_for_its_result(simulated_study: Any) -> None:
    nothing = {"findings": [], "models": [], "preparation": []}
    report = simulated_study.report(results=simulated_study.results | nothing)
    assert [card.answer for card in cards(report)] == ["No result yet."] * 3
    assert isinstance(part(report, "findings").blocks[0], Notice)


def test_more_than_two_hypotheses_are_shown_at_a_glance_each_leading_to_its_card(
    simulated_study: Any,
) -> None:
    report = simulated_study.report()
    glance = part(report, "findings").blocks[0]
    assert isinstance(glance, Table)
    assert [row[0].href for row in glance.groups[0].rows] == [card.id for card in cards(report)]
    assert [cell.text for cell in glance.groups[0].rows[1]][1:] == [
        "Corroborated in 16 of 18 tests, falsified in 1, inconclusive in 1.",
        "−1.040 to 0.650",
        "0.1",
    ]


def test_a_glance_at_blinded_hypotheses_judges_nothing(blinded_study: Any) -> None:
    glance = part(blinded_study.report(), "findings").blocks[0]
    assert isinstance(glance, Table)
    assert glance.columns[2].label == "Estimates of a placebo allocation"
    assert {row[1].text for row in glance.groups[0].rows} == {"Not judged yet."}


def test_one_hypothesis_needs_no_glance(real_study: Any) -> None:
    assert isinstance(part(real_study.report(), "findings").blocks[0], HypothesisCard)


def test_rows_are_grouped_by_outcome_where_there_is_more_than_one(simulated_study: Any) -> None:
    overall, components, _ = cards(simulated_study.report())
    assert [group.label for group in overall.table.groups] == [None]
    assert [group.label for group in components.table.groups][:2] == [
        "Encouraging elaboration",
        "Validating emotions",
    ]


def test_the_adjustment_is_said_in_words(simulated_study: Any) -> None:
    overall, _, kinds = cards(simulated_study.report())
    assert (
        overall.details[-1]
        == "p adjusted by Holm's method over all its outcomes (gains over control; 21 tests together)."
    )
    assert kinds.details[-1] == (
        "p adjusted by Holm's method within each outcome (kinds of training; 3 tests together). "
        "This family is an assumption."
    )


# --- what was claimed ---


def test_a_card_says_what_was_predicted_and_names_its_estimand(simulated_study: Any) -> None:
    overall, *_ = cards(simulated_study.report())
    assert overall.details[0] == (
        "Predicted: for the better, whichever way the outcome runs. Smallest effect of interest: 0.5, "
        "in the outcome's own units. Estimand: gain in overall empathy, below."
    )


def test_a_card_has_both_criteria_in_words_beside_the_registered_text(simulated_study: Any) -> None:
    overall, *_ = cards(simulated_study.report())
    corroborated, falsified = overall.details[1:3]
    assert corroborated == (
        "Corroborated if the adjusted p is below alpha (0.05) and the interval's lower end is above 0. "
        "The protocol says: p_adjusted < alpha and ci_low > 0"
    )
    assert falsified == (
        "Falsified if the interval's upper end is below the smallest effect of interest. "
        "The protocol says: ci_high < smallest_effect"
    )


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        ("p <= 0.01", "p is at most 0.01"),
        ("-1.5 < estimate", "−1.5 is below the estimate"),
        ("ci_low >= -smallest_effect", "the interval's lower end is at least minus the smallest effect of interest"),
        ("not df < 10", "it is not so that the degrees of freedom is below 10"),
        ("p < alpha or (se < 1 and se > 0)", "p is below alpha (0.1) or (the standard error is below 1 and the standard error is above 0)"),
    ],
)  # fmt: skip
def test_a_criterion_is_said_in_words(criterion: str, words: str) -> None:
    assert criterion_in_words(parse_criterion(criterion), 0.1) == words


def estimands(report: Report) -> dict[str, list[str]]:
    """The terms of each list of facts in the first section, by the heading before it."""
    blocks = part(report, "findings").blocks
    return {
        one.text: [fact.term for fact in other.items]
        for one, other in pairwise(blocks)
        if isinstance(one, Heading) and isinstance(other, Facts)
    }


def test_each_estimand_is_shown_once_with_its_five_attributes(simulated_study: Any) -> None:
    five = ["Population", "Treatment", "Variable", "Intercurrent events", "Summary"]
    assert estimands(simulated_study.report()) == {
        "Estimand: gain in overall empathy": five,
        "Estimand: gain in components": five,
        "Estimand: difference between trainings": five,
    }


def test_an_estimand_of_format_1_has_its_summary_alone(real_study: Any) -> None:
    analysis = real_study.protocol.analysis
    apart = dict.fromkeys(("treatment", "population", "variable"), NOT_TOLD_APART)
    old = tuple(one.model_copy(update=apart) for one in analysis.estimands)
    protocol = real_study.protocol.model_copy(
        update={"analysis": analysis.model_copy(update={"estimands": old})}
    )
    assert list(estimands(real_study.report(protocol=protocol)).values()) == [["Summary"]]


def test_the_rule_of_verdicts_says_sides_and_alpha(simulated_study: Any, blinded_study: Any) -> None:
    def rule(report: Report) -> list[str]:
        blocks = part(report, "findings").blocks
        return [one.text for one in blocks if isinstance(one, Paragraph) and "verdict is reached" in one.text]

    (words,) = rule(simulated_study.report())
    assert "Tests and intervals have two sides; alpha is 0.05." in words
    assert rule(blinded_study.report()) == []


def test_an_estimate_that_could_not_be_had_is_a_dash(simulated_study: Any) -> None:
    numbers = ("estimate", "se", "df", "statistic", "p", "p_adjusted", "ci_low", "ci_high", "effect_size")
    first, *others = simulated_study.results["findings"]
    gone = (
        first | dict.fromkeys(numbers) | {"verdict": "unevaluable", "warnings": ["the model was not fitted"]}
    )
    report = simulated_study.report(results=simulated_study.results | {"findings": [gone, *others]})
    card = cards(report)[0]
    assert card.answer == "Corroborated in 2 of 3 tests, unevaluable in 1."
    assert [cell.text for cell in card.table.groups[0].rows[0]][1:] == ["unevaluable", "—", "—", "—"]
    notes = [note for table in tables(part(report, "results")) for note in table.notes]
    assert "Warning, Overall empathy: the model was not fitted." in notes


# --- blinding ---


def test_a_blinded_report_gives_no_verdict(blinded_study: Any) -> None:
    for card in cards(blinded_study.report()):
        assert card.answer.startswith("Not judged while the study is blinded")
        assert (card.verdict, len(card.table.columns)) == (None, 4)


def test_every_table_of_results_says_placebo_while_blinded(blinded_study: Any) -> None:
    report = blinded_study.report()
    captions = [
        table.caption for name in ("results", "means", "coefficients") for table in tables(part(report, name))
    ]
    outcome_tables = [caption for caption in captions if "how it was fitted" not in caption]
    assert len(outcome_tables) == 6
    assert all("(placebo allocation)" in caption for caption in outcome_tables)
    assert all("placebo" in card.table.caption for card in cards(report))


def test_no_count_by_arm_is_in_a_blinded_report(blinded_study: Any) -> None:
    numbers = set(re.findall(r"\b\d+\b", " ".join(texts(as_json(blinded_study.report())))))
    assert not numbers & {"245", "231", "247", "246", "244", "242"}


@pytest.mark.parametrize(
    "revealing",
    [
        {"balance": (BalanceRow(wave=1, stratum="all", allocated=2, by_arm={"control": 1, "coach": 1}),)},
        {"replay": Replay(replayed=2, agreed=2)},
    ],
)
def test_counts_by_arm_given_to_a_blinded_report_are_refused(
    blinded_study: Any, revealing: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="blinded report"):
        blinded_study.report(record=replace(blinded_study.record, **revealing))
