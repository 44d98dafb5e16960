"""What an analysis may still call confirmatory after the plan was amended."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from forethought.errors import NotLocked
from forethought.protocol.folder import StudyFolder
from forethought.steps.amend import amend
from forethought.steps.analyze import analyze
from forethought.steps.import_file import import_file
from forethought.steps.init_study import init_study
from forethought.steps.lock import lock

BEGAN = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
DATA = Path(str(files("forethought.protocols") / "sleepstudy" / "data" / "sleepstudy.csv"))

Confirmatory = dict[str, bool]


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    """The sleep study with its plan locked and its data not yet imported."""
    path = tmp_path / "study"
    init_study(path, "sleepstudy", now=BEGAN, actor="pi")
    folder = StudyFolder(path)
    lock(folder, now=BEGAN, actor="pi")
    return folder


@pytest.fixture
def amended(study: StudyFolder) -> Callable[[str, str, int], None]:
    """Change one text of the plan, and amend it so many hours after the lock."""

    def change(written: str, instead: str, hours: int) -> None:
        text = study.protocol.read_text("utf-8")
        assert text.count(written) == 1
        study.protocol.write_text(text.replace(written, instead), "utf-8")
        amend(study, reason="A better one.", now=BEGAN + timedelta(hours=hours), actor="pi")

    return change


def imported(study: StudyFolder) -> None:
    import_file(study, DATA, kind="responses", now=BEGAN + timedelta(hours=2), actor="pi")


def confirmatory(study: StudyFolder) -> Confirmatory:
    """Whether each contrast's finding is confirmatory."""
    analyze(study, now=BEGAN + timedelta(hours=9), actor="pi")
    findings = json.loads(study.results.read_text("utf-8"))["findings"]
    return {one["contrast"]: one["confirmatory"] for one in findings}


def test_a_plan_that_was_never_amended_leaves_every_finding_confirmatory(study: StudyFolder) -> None:
    imported(study)
    assert confirmatory(study) == {"slowing": True, "Intercept": True}


def test_an_amendment_before_the_first_outcome_leaves_them_so(
    study: StudyFolder, amended: Callable[[str, str, int], None]
) -> None:
    amended("smallest_effect: 1 ", "smallest_effect: 2 ", 1)
    imported(study)
    assert confirmatory(study) == {"slowing": True, "Intercept": True}


def test_a_test_that_was_changed_when_outcomes_were_there_is_confirmatory_no_more_and_the_others_are(
    study: StudyFolder, amended: Callable[[str, str, int], None]
) -> None:
    imported(study)
    amended("smallest_effect: 1 ", "smallest_effect: 2 ", 3)
    assert confirmatory(study) == {"slowing": False, "Intercept": True}


def test_a_registration_that_lacks_an_amendment_of_the_ledger_is_refused(
    study: StudyFolder, amended: Callable[[str, str, int], None]
) -> None:
    """Or whoever amended too late could cut that off, with the plan put back as it was."""
    plan, registered = study.protocol.read_text("utf-8"), study.registration.read_text("utf-8")
    imported(study)
    amended("smallest_effect: 1 ", "smallest_effect: 2 ", 3)
    study.protocol.write_text(plan, "utf-8")
    study.registration.write_text(registered, "utf-8")
    with pytest.raises(NotLocked, match="amendment 1 of 2026-11-01 is in the ledger, and not here"):
        analyze(study, now=BEGAN + timedelta(hours=9), actor="pi")
