"""The flow diagram counts everyone once, and says so where it does not."""

from dataclasses import replace
from typing import Any

import pytest

from forethought.reports.content import FlowDiagram, Notice, Section
from forethought.reports.flow import flow_section
from forethought.reports.names import Names
from forethought.reports.record import Flow, Followed, Reason
from forethought.reports.results import read_results

TOGETHER = Followed(
    arm=None,
    allocated=10,
    received=9,
    not_received=(Reason(reason="left", count=1),),
    analysed=8,
    in_progress=1,
    not_analysed=(Reason(reason="not scored", count=1),),
)
FLOW = Flow(
    assessed=15,
    excluded=(Reason(reason="under 18", count=3),),
    awaiting=2,
    randomised=10,
    together=TOGETHER,
    by_arm=(
        Followed(arm="control", allocated=5, analysed=5),
        Followed(arm="coach", allocated=5, analysed=4, in_progress=1),
    ),
)


def section(study: Any, flow: Flow) -> Section:
    return flow_section(study.protocol, read_results(study.results), flow, Names(study.protocol))


def words(part: Section) -> str:
    (diagram,) = [block for block in part.blocks if isinstance(block, FlowDiagram)]
    boxes = [*diagram.enrolment, *(box for column in diagram.columns for box in column.boxes)]
    return "\n".join(line for box in boxes for line in (box.text, *box.reasons))


def test_sums_that_come_out_are_no_problem() -> None:
    assert not list(FLOW.problems())


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (
            replace(FLOW, assessed=16),
            "assessed (16) is not excluded, awaiting allocation and randomised (15)",
        ),
        (replace(FLOW, randomised=11, assessed=16), "randomised (11) is not allocated (10)"),
        (replace(FLOW, by_arm=FLOW.by_arm[:1]), "randomised (10) is not the sum of the arms (5)"),
        (
            replace(FLOW, together=replace(TOGETHER, analysed=7)),
            "all arms together: allocated (10) is not analysed, in progress and not analysed (9)",
        ),
        (
            replace(FLOW, together=replace(TOGETHER, received=10)),
            "all arms together: allocated (10) is not received and not received (11)",
        ),
    ],
)
def test_each_sum_that_does_not_come_out_is_named(wrong: Flow, problem: str) -> None:
    assert list(wrong.problems()) == [problem]


def test_a_wrong_sum_stands_in_the_report(simulated_study: Any) -> None:
    blocks = section(simulated_study, replace(FLOW, assessed=16)).blocks
    (notice,) = [block for block in blocks if isinstance(block, Notice)]
    assert notice.text.startswith("The counts do not add up: assessed (16)")


def test_each_arm_has_a_column_under_its_label_after_unblinding(simulated_study: Any) -> None:
    (diagram, *_) = section(simulated_study, FLOW).blocks
    assert isinstance(diagram, FlowDiagram)
    assert [column.label for column in diagram.columns] == ["Control", "Personalised feedback"]


def test_reasons_stand_with_their_counts(simulated_study: Any) -> None:
    shown = words(section(simulated_study, replace(FLOW, by_arm=())))
    assert shown.splitlines() == [
        "Assessed for eligibility (n = 15)",
        "Excluded (n = 3)",
        "3 under 18",
        "Awaiting allocation (n = 2)",
        "Randomised (n = 10)",
        "Allocated (n = 10), received it (n = 9)",
        "not received: 1 left",
        "Did not complete (n = 0)",
        "Analysed (n = 8)",
        "not analysed: 1 not scored",
        "still in progress: 1",
    ]


def test_a_study_that_is_not_randomised_shows_who_is_in_its_data(real_study: Any) -> None:
    left = (Reason(reason="no reaction time", count=2),)
    flow = Flow(
        assessed=18,
        randomised=None,
        together=Followed(arm=None, allocated=18, analysed=16, not_analysed=left),
    )
    assert words(section(real_study, flow)).splitlines() == [
        "Participants in the data (n = 18)",
        "Not analysed (n = 2)",
        "2 no reaction time",
        "Analysed (n = 16)",
    ]
