"""A study's folder: where its parts lie, and what is said where there is no study."""

from pathlib import Path

import pytest

from forethought.errors import WrongUsage
from forethought.protocol import StudyFolder


def test_each_part_has_its_place() -> None:
    folder = StudyFolder(Path("study"))
    places = {
        "protocol": "protocol.yaml",
        "materials": "materials",
        "registration": "registration.json",
        "inbox": "inbox",
        "database": "study.duckdb",
        "secrets": "secrets",
        "raw": "secrets/raw",
        "reports": "reports",
        "results": "reports/results.json",
    }
    assert {name: getattr(folder, name) for name in places} == {
        name: Path("study") / place for name, place in places.items()
    }


def test_a_folder_with_a_protocol_is_a_study(tmp_path: Path) -> None:
    (tmp_path / "protocol.yaml").touch()
    assert StudyFolder.open(tmp_path) == StudyFolder(tmp_path)


def test_a_folder_without_a_protocol_is_none(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=r"no protocol\.yaml") as caught:
        StudyFolder.open(tmp_path)
    assert caught.value.exit_code == 2


def test_a_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "study").touch()
    with pytest.raises(WrongUsage, match="this is a file"):
        StudyFolder.open(tmp_path / "study")


def test_a_folder_that_does_not_exist_is_none(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="there is no such folder"):
        StudyFolder.open(tmp_path / "nowhere")
