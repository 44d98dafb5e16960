"""One person, as the tables know him."""

from dataclasses import dataclass
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A participant's wave, and when and as which arrival of it he was allocated; the arm is not among it."""

    participant: str
    wave: int
    allocated_at: datetime | None = None
    arrival: int | None = None

    @property
    def allocated(self) -> bool:
        """Whether the person has an arm."""
        return self.arrival is not None


def person(con: DuckDBPyConnection, participant: str) -> Person | None:
    """The participant of this pseudonym, if there is one. The column of arms is not read."""
    found = con.execute(
        "SELECT p.wave, a.allocated_at, a.arrival FROM participants p LEFT JOIN allocations a USING (participant_id) "
        "WHERE p.participant_id = ?",
        [participant],
    ).fetchall()
    for wave, allocated_at, arrival in found:
        at = None if allocated_at is None else allocated_at.replace(tzinfo=UTC)
        return Person(participant=participant, wave=wave, allocated_at=at, arrival=arrival)
    return None


def arm(con: DuckDBPyConnection, participant: str) -> str:
    """The arm of one allocated person: only for who opens it, and has recorded that first (KeyError: no arm)."""
    found = con.execute("SELECT arm FROM allocations WHERE participant_id = ?", [participant]).fetchall()
    if not found:
        raise KeyError(participant)
    return str(found[0][0])


def waves(con: DuckDBPyConnection) -> dict[str, int]:
    """Each participant's wave."""
    return dict(con.execute("SELECT participant_id, wave FROM participants").fetchall())
