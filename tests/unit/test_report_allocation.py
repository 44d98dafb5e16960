"""What the report says of the checks of the allocation."""

from dataclasses import replace
from typing import Any

import pytest

from forethought.reports.allocation import checks_section
from forethought.reports.content import Bullets, Notice, Section, Table
from forethought.reports.record import (
    AllocationChecks,
    Predictability,
    Reason,
    Replay,
    SampleRatio,
    WaveAllocation,
)

WAVE = WaveAllocation(wave=1, allocated=40, seed_agrees=True, within_bounds=True)


def section(*waves: WaveAllocation, **more: Any) -> Section:
    return checks_section(AllocationChecks(waves=waves, **more))


def cells(found: Section) -> list[str]:
    (table,) = (block for block in found.blocks if isinstance(block, Table))
    return [cell.text for cell in table.groups[0].rows[0]]


def notices(found: Section) -> list[str]:
    return [block.text for block in found.blocks if isinstance(block, Notice)]


def bullets(found: Section) -> list[str]:
    return [item for block in found.blocks if isinstance(block, Bullets) for item in block.items]


def test_a_wave_whose_seed_is_secret_says_so_and_answers_yes() -> None:
    assert cells(section(WAVE)) == ["1", "40", "not revealed yet", "yes", "yes", "0", "0"]
    assert notices(section(WAVE)) == []


def test_a_replay_that_agrees_is_told() -> None:
    assert cells(section(replace(WAVE, replay=Replay(replayed=40, agreed=40))))[2] == "all agree"


def test_a_replay_that_differs_counts_the_rows() -> None:
    assert cells(section(replace(WAVE, replay=Replay(replayed=40, agreed=38))))[2] == "2 of 40 DIFFER"


@pytest.mark.parametrize(("answer", "text"), [(True, "yes"), (False, "NO"), (None, "no seed here")])
def test_the_automatic_replay_answers_yes_or_no(answer: bool | None, text: str) -> None:
    assert cells(section(replace(WAVE, seed_agrees=answer)))[3] == text


@pytest.mark.parametrize(("answer", "text"), [(True, "yes"), (False, "NO"), (None, "it makes none")])
def test_the_bounds_are_kept_or_not_or_there_are_none(answer: bool | None, text: str) -> None:
    assert cells(section(replace(WAVE, within_bounds=answer)))[4] == text


def test_places_that_stopped_counting_are_told_by_reason() -> None:
    stopped = (Reason(reason="stale start", count=3), Reason(reason="returned", count=1))
    assert cells(section(replace(WAVE, stopped=stopped, replaced=2)))[5:] == [
        "4: stale start (3); returned (1)",
        "2",
    ]


def test_who_was_replaced_by_whom_is_told() -> None:
    assert bullets(section(replace(WAVE, replaced=1, replacements=(("p2", "p1"),)))) == [
        "Wave 1: p2 has the place that p1 left."
    ]


def test_what_disagrees_cannot_be_overlooked() -> None:
    found = section(
        replace(WAVE, seed_agrees=False, problems=("wave 1: something",)),
        problems=("the ledger is broken",),
        ratios=(SampleRatio(counted="who came", people=30, mismatch=True),),
    )
    assert notices(found) == [
        "The ledger is broken.",
        "Wave 1: something.",
        "Wave 1: at least one allocation is NOT what the wave's seed gives.",
        "SAMPLE RATIO MISMATCH among those who came: the arms' numbers are not what the ratio gives.",
    ]


def test_the_sample_ratio_is_a_word_and_never_a_number_of_an_arm() -> None:
    ratios = (
        SampleRatio(counted="allocated", people=40, mismatch=False),
        SampleRatio(counted="who came", people=1, mismatch=None, why_not="there are too few of them"),
    )
    assert bullets(section(WAVE, ratios=ratios)) == [
        "Sample ratio of those allocated (40 people): no mismatch.",
        "Sample ratio of those who came (1 person): not tested, there are too few of them.",
    ]


def test_how_well_an_arm_could_be_guessed_is_told() -> None:
    guessed = Predictability(wave=1, units=40, guessed=0.7083, by_chance=0.5, shortest_blocks=True)
    (sentence,) = bullets(section(WAVE, predictability=(guessed,)))
    assert "in 70.8% of 40 allocations, the block sizes being sealed" in sentence
    assert sentence.endswith("whoever knew the ratio alone, in 50.0%.")


def test_a_report_without_checks_has_no_such_section(simulated_study: Any) -> None:
    record = replace(simulated_study.record, allocation=None)
    assert "allocation-checks" not in [one.id for one in simulated_study.report(record=record).sections]


def test_the_section_follows_the_allocation(simulated_study: Any) -> None:
    record = replace(simulated_study.record, allocation=AllocationChecks(waves=(WAVE,)))
    ids = [one.id for one in simulated_study.report(record=record).sections]
    assert ids[ids.index("allocation") + 1] == "allocation-checks"
