"""A study with `allocation: none` has nothing to allocate, hand over or unblind, and needs no lock for the rest."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

import pandas as pd
import pytest

from forethought.errors import GateClosed
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.assignments import assignments
from forethought.steps.freeze import freeze
from forethought.steps.randomize import randomize
from forethought.steps.schedule import Scheduled, schedule
from forethought.steps.score import Scored, score
from forethought.steps.unblind import unblind
from forethought.store import migrations, rows
from forethought.store.connection import reading, writing
from forethought.store.vault import Vault

WHEN = {"now": datetime(2025, 3, 25, 10, 0, tzinfo=UTC), "actor": "tester"}


@pytest.fixture
def survey(tmp_path: Path) -> StudyFolder:
    folder = StudyFolder(tmp_path / "survey")
    folder.materials.mkdir(parents=True)
    copyfile(Path(__file__).with_name("small_survey.yaml"), folder.protocol)
    protocol = load(folder.protocol).protocol
    Vault.create(folder)
    migrations.create(folder, protocol.study.id, protocol.waves, WHEN["now"])
    return folder


STEPS: dict[str, Callable[[StudyFolder], object]] = {
    "randomize": lambda folder: randomize(folder, **WHEN),
    "assignments": lambda folder: assignments(folder, folder.path / "out.csv", **WHEN),
    "unblind": lambda folder: unblind(folder, by="Dr Who", reason="it is over", **WHEN),
}


@pytest.mark.parametrize("step", list(STEPS))
def test_what_needs_arms_is_refused(survey: StudyFolder, step: str) -> None:
    with pytest.raises(GateClosed, match="this study is not randomised"):
        STEPS[step](survey)


def test_there_is_nothing_to_schedule(survey: StudyFolder) -> None:
    assert schedule(survey, **WHEN) == Scheduled(planned=0, updated=0)


def test_it_can_be_frozen_unlocked(survey: StudyFolder) -> None:
    assert not freeze(survey, **WHEN).already
    assert freeze(survey, **WHEN).already


def test_its_scales_are_scored_unlocked(survey: StudyFolder) -> None:
    answers = pd.DataFrame(
        [("pa", "trait_1", "2"), ("pa", "trait_2", "much"), ("pb", "trait_1", "3")],
        columns=["participant_id", "item", "value"],
    )
    answers = answers.assign(
        record_id=answers["participant_id"] + "/baseline", session="baseline", raw_row_id="0" * 16 + ":1"
    )
    with writing(survey) as con:
        rows.append(con, "responses", answers)
    assert score(survey, **WHEN) == Scored(new=1, already=0)
    with reading(survey) as con:
        assert rows.read(con, "scores")["value"].tolist() == [7]
