"""Check a protocol: every problem at once."""

from dataclasses import dataclass
from pathlib import Path

from forethought.errors import WrongUsage
from forethought.protocol.loading import load


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A protocol without a problem, its fingerprint, and what is allowed and seldom wise, one line each."""

    path: Path
    study: str
    fingerprint: str
    warnings: tuple[str, ...] = ()


def check(path: Path) -> Checked:
    """Load a protocol.yaml, or the one of a study's folder; raises ProtocolInvalid with every problem."""
    try:
        file = path / "protocol.yaml" if path.is_dir() else path
        found = file.is_file()
    except OSError as error:
        raise WrongUsage(
            str(path), f"this cannot be looked at ({error.strerror})", "Check the path"
        ) from error
    if not found:
        raise WrongUsage(str(file), "there is no such file", "Give a protocol.yaml or a study's folder")
    loaded = load(file)
    return Checked(
        path=file,
        study=loaded.protocol.study.id,
        fingerprint=loaded.fingerprint,
        warnings=loaded.warnings,
    )
