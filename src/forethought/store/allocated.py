"""Allocations with their arms, of one wave: for views behind the gate."""

from dataclasses import dataclass

from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """Who got which arm, where and with which probability; None where a method has no blocks, or nothing is told yet."""

    participant: str
    arrival: int
    stratum: str
    block: int | None
    position: int | None
    probability: float | None
    arm: str

    @property
    def in_words(self) -> str:
        """The allocation in one line."""
        place = f"  block {self.block}, position {self.position}" if self.block else ""
        chance = "" if self.probability is None else f"  probability {self.probability:.4f}"
        return f"{self.arrival:>5}  {self.participant}  {self.stratum}{place}{chance}  {self.arm}"


def of_wave(con: DuckDBPyConnection, wave: int) -> tuple[Allocated, ...]:
    """The wave's allocations in order of arrival; only for who has seen that the wave is unblinded."""
    found = con.execute(
        "SELECT participant_id, arrival, stratum, block, position, probability, arm FROM allocations "
        "WHERE wave = ? ORDER BY arrival",
        [wave],
    ).fetchall()
    return tuple(
        Allocated(
            participant=participant,
            arrival=arrival,
            stratum=stratum,
            block=block or None,
            position=position or None,
            probability=probability,
            arm=arm,
        )
        for participant, arrival, stratum, block, position, probability, arm in found
    )
