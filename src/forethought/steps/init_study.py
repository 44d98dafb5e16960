"""Make a study folder from a shipped protocol."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forethought.protocol import shipped
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

    Broken off in the middle, the folder is not empty and the next call says so: nothing is overwritten.
    """
    folder = shipped.copy(template, path)
    for needed in (folder.inbox, folder.reports):
        needed.mkdir(exist_ok=True)
    Vault.create(folder)
    protocol = load(folder.protocol).protocol
    migrations.create(folder, protocol.study.id, protocol.waves, now)
    with writing(folder) as con:
        events.record(con, now=now, actor=actor, action="init", detail={"from": template})
    return Initialised(folder=folder.path, study=protocol.study.id)
