"""Make a study folder from a shipped protocol, or from one of your own."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forethought.errors import WrongUsage
from forethought.files import write_atomically
from forethought.protocol import shipped
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.store import events, migrations
from forethought.store.connection import writing
from forethought.store.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A shipped study's name and title."""

    name: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialised:
    """The new study's folder and id."""

    folder: Path
    study: str


def shipped_studies() -> tuple[Shipped, ...]:
    """The studies that `init --from` knows."""
    return tuple(Shipped(name=name, title=shipped.title(name)) for name in shipped.names())


def init_study(path: Path, template: str, *, now: datetime, actor: str) -> Initialised:
    """A folder with the protocol and its materials, secret keys, and an empty database; in that order.

    `template` is a shipped study's name, or the path of a protocol.yaml or of a folder that holds one. A shipped name
    goes before a folder of the same name. Broken off in the middle, the folder is not empty and the next call says
    so: nothing is overwritten.
    """
    own = None if not template or template in shipped.names() else _own(Path(template))
    folder = shipped.copy(template, path) if own is None else _copy(own, path)
    for needed in (folder.inbox, folder.reports):
        needed.mkdir(exist_ok=True)
    Vault.create(folder)
    protocol = load(folder.protocol).protocol
    migrations.create(folder, protocol.study.id, protocol.waves, now)
    origin = template if own is None else own.name
    with writing(folder) as con:
        events.record(con, now=now, actor=actor, action="init", detail={"from": origin})
    return Initialised(folder=folder.path, study=protocol.study.id)


def _own(path: Path) -> Path | None:
    """The protocol that this path means; None where nothing is there."""
    found = path / "protocol.yaml" if path.is_dir() else path
    return found if found.is_file() else None


def _copy(protocol: Path, to: Path) -> StudyFolder:
    """Make `to` a study folder with this protocol and the materials beside it that it names.

    Raises ProtocolInvalid before anything is made, and WrongUsage for a folder that is not empty.
    """
    loaded = load(protocol).protocol
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        what = "this folder is not empty" if to.is_dir() else "this is a file"
        raise WrongUsage(str(to), what, "Name a folder that does not exist yet, or an empty one")
    folder, beside = StudyFolder(to), StudyFolder(protocol.parent)
    try:
        to.mkdir(parents=True, exist_ok=True)
        for material in loaded.materials:
            source, target = beside.materials / material.file, folder.materials / material.file
            if source.is_file():  # `check` names each that is missing
                target.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(target, source.read_bytes())
        write_atomically(folder.protocol, protocol.read_bytes())
    except OSError as error:
        what = f"the folder cannot be written ({error.strerror})"
        raise WrongUsage(str(to), what, "Name a folder where you may write") from error
    return folder
