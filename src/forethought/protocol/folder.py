"""A study is a folder: where each of its parts lies."""

from dataclasses import dataclass
from pathlib import Path

from forethought.errors import WrongUsage


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """The paths of one study. Naming them reads nothing and makes nothing."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> "StudyFolder":
        """The study in this folder; WrongUsage where there is none."""
        folder = cls(path)
        if not path.exists():
            raise WrongUsage(str(path), "there is no such folder", _START)
        if not path.is_dir():
            raise WrongUsage(str(path), "this is a file", "Give the study's folder")
        if not folder.protocol.is_file():
            raise WrongUsage(str(path), "this folder has no protocol.yaml, so it is no study", _START)
        return folder

    @property
    def protocol(self) -> Path:
        """The plan."""
        return self.path / "protocol.yaml"

    @property
    def materials(self) -> Path:
        """What participants and raters see, hashed at the lock."""
        return self.path / "materials"

    @property
    def registration(self) -> Path:
        """The lock."""
        return self.path / "registration.json"

    @property
    def inbox(self) -> Path:
        """Exports that have come and are not imported yet."""
        return self.path / "inbox"

    @property
    def database(self) -> Path:
        """Everything that has happened, under pseudonyms."""
        return self.path / "study.duckdb"

    @property
    def secrets(self) -> Path:
        """Seeds, keys, the id map: never bundled."""
        return self.path / "secrets"

    @property
    def raw(self) -> Path:
        """Exports as they came, once imported."""
        return self.secrets / "raw"

    @property
    def reports(self) -> Path:
        """What is written for readers."""
        return self.path / "reports"

    @property
    def results(self) -> Path:
        """The numbers of the newest analysis."""
        return self.reports / "results.json"


_START = "Begin one with `forethought init DIR --from NAME`"
