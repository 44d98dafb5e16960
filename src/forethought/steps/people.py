"""Find the person whom a command names."""

from collections.abc import Collection

from forethought.errors import DataRefused, GateClosed
from forethought.protocol.folder import StudyFolder
from forethought.store import people
from forethought.store.connection import Connection
from forethought.store.people import Person
from forethought.store.vault import Vault


def find_person(con: Connection, folder: StudyFolder, named: str) -> Person:
    """The participant of this pseudonym, or of this id of the recruitment service; DataRefused where there is none."""
    name = named.strip()
    found = people.person(con, name) or people.person(con, Vault.open(folder).pseudonym(name))
    if found is None:
        raise DataRefused(
            f"participant {name}",
            "the study knows nobody of this name",
            "Give the pseudonym, or the id by which the recruitment service knows the person",
        )
    return found


def pseudonyms(con: Connection, folder: StudyFolder, named: Collection[str]) -> tuple[str, ...]:
    """Who is meant, each once, as in `find_person`; a name stays as it is where the study knows nobody of it."""
    return tuple(dict.fromkeys(_pseudonym(con, folder, name.strip()) for name in named))


def _pseudonym(con: Connection, folder: StudyFolder, name: str) -> str:
    if people.person(con, name):
        return name
    found = people.person(con, Vault.open(folder).pseudonym(name))
    return found.participant if found else name


def find_allocated(con: Connection, folder: StudyFolder, named: str) -> Person:
    """As `find_person`; GateClosed where the person has no arm."""
    found = find_person(con, folder, named)
    if not found.allocated:
        raise GateClosed(
            f"participant {found.participant}",
            "this person is not allocated, and has no arm",
            "Run `forethought randomize` first, if the person is eligible",
        )
    return found
