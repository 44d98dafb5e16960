"""Whatever the protocol marks as assumed is found, wherever it stands."""

from typing import Any

from forethought.reports.assumptions import assumptions, assumptions_section
from forethought.reports.content import Paragraph, Table


def test_assumed_parts_are_found_at_every_depth_in_the_protocols_order(blinded_study: Any) -> None:
    assert [one.path for one in assumptions(blinded_study.protocol)] == [
        "allocation",
        "sessions[conversation_1].window",
        "sessions[conversation_2].window",
        "sessions[conversation_3].window",
        "analysis.models[mixed]",
        "analysis.families[registered_ols_pairs]",
        "analysis.families[mixed_pairs]",
    ]


def test_an_assumption_says_what_was_assumed_and_why(blinded_study: Any) -> None:
    allocation, window, *_ = assumptions(blinded_study.protocol)
    assert allocation.says == (
        "method permuted_blocks; ratio control 1, video 1, coach 1, both 1; concealment Arms are drawn from a secret "
        "seed in the order of arrival.; strata sex"
    )
    assert window.says == "anchor allocation; opens 0; target 30; closes 4320"
    assert window.note == "The source does not say when conversations took place."


def test_a_part_with_a_label_is_called_by_it_and_a_missing_note_is_a_dash(blinded_study: Any) -> None:
    last = assumptions(blinded_study.protocol)[-1]
    assert (last.says, last.note) == ("kinds of training", "—")


def test_the_section_lists_them_all(blinded_study: Any) -> None:
    (table,) = assumptions_section(blinded_study.protocol).blocks
    assert isinstance(table, Table)
    assert len(table.groups[0].rows) == 7


def test_nothing_assumed_is_said_in_words(real_study: Any) -> None:
    hypothesis = real_study.protocol.analysis.hypotheses[0].model_copy(update={"assumed": False})
    analysis = real_study.protocol.analysis.model_copy(update={"hypotheses": (hypothesis,)})
    (only,) = assumptions_section(real_study.protocol.model_copy(update={"analysis": analysis})).blocks
    assert isinstance(only, Paragraph)
    assert only.text.startswith("Nothing:")
