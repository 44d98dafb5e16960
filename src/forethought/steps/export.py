"""Export the plan: the protocol as the form of a registry asks for it."""

from pathlib import Path
from typing import Literal, assert_never

from forethought import registration
from forethought.errors import WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.reports.forms.aspredicted import aspredicted
from forethought.reports.forms.form import Filled, Plan
from forethought.reports.forms.osf import osf

FormName = Literal["aspredicted", "osf"]


def export(path: Path, form: FormName) -> Filled:
    """Fill the form from a protocol.yaml, or from the one of a study's folder; nothing is written.

    A study that is locked must be as it was locked (NotLocked). Raises ProtocolInvalid with every problem.
    """
    file = path / "protocol.yaml" if path.is_dir() else path
    if not file.is_file():
        raise WrongUsage(str(file), "there is no such file", "Give a protocol.yaml or a study's folder")
    loaded, folder = load(file), StudyFolder(file.parent)
    locked = file == folder.protocol and folder.registration.exists()
    plan = Plan(
        protocol=loaded.protocol,
        fingerprint=loaded.fingerprint,
        registration=registration.require(folder, loaded) if locked else None,
    )
    match form:
        case "aspredicted":
            return aspredicted(plan)
        case "osf":
            return osf(plan)
        case _:
            assert_never(form)
