"""Find the person whom a command names."""

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


def find_allocated(con: Connection, folder: StudyFolder, named: str) -> Person:
    """As `find_person`; GateClosed where the person has no arm."""
    found = find_person(con, folder, named)
    if not found.allocated:
        raise GateClosed(
            f"participant {found.participant}",
            "this person is not allocated, and has no arm",
            "Run `forethought randomize` first",
        )
    return found
