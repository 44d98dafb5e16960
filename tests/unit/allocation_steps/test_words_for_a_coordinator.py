"""What a coordinator reads while people come: true of the study at hand, and in words."""

from collections.abc import Callable
from datetime import datetime

import pytest

from forethought import errors
from forethought.cli.application import EXIT_CODES
from forethought.cli.entry import run
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.reports.conduct import sessions_section
from forethought.reports.content import Paragraph
from forethought.reports.names import Names
from forethought.steps.correct import correct
from forethought.steps.correctable import NotCounted
from forethought.steps.monitor import monitor
from forethought.steps.randomize import randomize

Recruit = Callable[..., list[str]]
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.ForethoughtError)
]


def test_a_person_may_be_asked_for_by_the_services_id_and_by_both_is_one_person(
    trial: StudyFolder, recruit: Recruit, now: datetime
) -> None:
    people = recruit(range(3))
    done = randomize(trial, now=now, actor="tester", participants=["service-1-0001", people[1]])
    assert (done.allocated, done.already, done.refused) == (1, 0, ())


def test_a_name_that_the_study_does_not_know_is_answered_as_it_was_given(
    trial: StudyFolder, recruit: Recruit, now: datetime
) -> None:
    recruit(range(3))
    done = randomize(trial, now=now, actor="tester", participants=["service-9-0001"])
    assert done.refused == (("service-9-0001", "the study knows nobody of this name"),)


def test_one_place_that_counts_no_longer_is_told_in_words(
    trial: StudyFolder, recruit: Recruit, now: datetime
) -> None:
    first, *_ = recruit(range(4))
    randomize(trial, now=now, actor="tester")
    correct(trial, first, NotCounted(), now=now, actor="tester", by="Dr Who", reason="a test run")
    recruit(range(4, 6))
    randomize(trial, now=now, actor="tester")
    assert "Wave 1: 1 place counts no longer: not counted." in list(monitor(trial).lines())


def test_sessions_that_nobody_has_yet_are_not_said_to_be_unplanned(trial: StudyFolder) -> None:
    protocol = load(trial.protocol).protocol
    without = protocol.model_copy(update={"sessions": ()})
    said = [sessions_section(plan, (), Names(plan)).blocks for plan in (protocol, without)]
    assert said == [
        (Paragraph(text="No session has been scheduled yet."),),
        (Paragraph(text="This study plans no sessions."),),
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_help_names_the_exit_code_of_every_kind_of_mistake(kind: type[errors.ForethoughtError]) -> None:
    codes = [part.split()[0] for part in EXIT_CODES.removeprefix("Exit codes: ").split("; ")]
    assert str(kind.exit_code) in codes


def test_the_command_ends_with_12_for_a_named_person_who_is_refused_and_allocates_the_others(
    trial: StudyFolder, recruit: Recruit, capsys: pytest.CaptureFixture[str]
) -> None:
    people = recruit(range(3))
    named = ["--participant", people[0], "--participant", "service-9-0001"]
    assert run(["randomize", str(trial.path), *named]) == errors.DataRefused.exit_code
    assert "1 person allocated, 0 before." in capsys.readouterr().out
    assert run(["randomize", str(trial.path), "--participant", people[0]]) == 0
