"""The inbox when two processes empty it at once: a file that is gone when its turn comes was imported by the other."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from forethought.errors import DataRefused
from forethought.protocol.folder import StudyFolder
from forethought.steps import import_file, inbox
from forethought.steps.inbox import import_waiting
from forethought.steps.init_study import init_study

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    init_study(tmp_path / "sleep", "sleepstudy", now=NOW, actor="tester")
    return StudyFolder(tmp_path / "sleep")


def bring_in(study: StudyFolder) -> dict[str, int]:
    return import_waiting(study, ("responses",), now=NOW, actor="tester", wave=1)


def test_a_waiting_file_is_imported(study: StudyFolder) -> None:
    assert bring_in(study) == {"sleepstudy.csv": 180}


def test_a_file_that_was_listed_and_is_gone_is_passed_over(
    study: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = (study.inbox / "gone.csv", study.inbox / "sleepstudy.csv")
    monkeypatch.setattr(inbox, "waiting", lambda _: listed)
    assert bring_in(study) == {"sleepstudy.csv": 180}


def test_a_file_that_goes_after_it_was_read_is_passed_over(
    study: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognise = inbox.recognise

    def and_lose(*arguments: object, **more: object) -> object:
        (study.inbox / "sleepstudy.csv").unlink()
        return recognise(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox, "recognise", and_lose)
    assert bring_in(study) == {}


def test_a_file_that_is_no_export_stops_it(study: StudyFolder) -> None:
    (study.inbox / "strange.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataRefused, match="strange"):
        bring_in(study)


def test_a_file_that_another_process_took_away_once_it_was_imported_is_imported_all_the_same(
    study: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = import_file.keep_raw

    def and_lose(folder: StudyFolder, file: Path, data: bytes, sha256: str) -> Path:
        keep(folder, file, data, sha256)
        return keep(folder, file, data, sha256)

    monkeypatch.setattr(import_file, "keep_raw", and_lose)
    assert bring_in(study) == {"sleepstudy.csv": 180}
    assert not any(study.inbox.iterdir())
