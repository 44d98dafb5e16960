"""The list of arms that was drawn and sealed at the lock, as the database keeps it."""

from collections.abc import Sequence

import pandas as pd
from duckdb import DuckDBPyConnection

from forethought.randomization.sealed_list import SealedRecord
from forethought.store import rows


def put(con: DuckDBPyConnection, wave: int, records: Sequence[SealedRecord]) -> int:
    """Add the records of a wave that are not there, and return how many these were. Safe to repeat."""
    frame = pd.DataFrame(
        {
            "wave": wave,
            "stratum": [one.stratum for one in records],
            "place": [one.place for one in records],
            "nonce": pd.Series([one.nonce for one in records], dtype=object),
            "ciphertext": pd.Series([one.ciphertext for one in records], dtype=object),
        }
    )
    return rows.append(con, "sealed_list", frame)


def waves(con: DuckDBPyConnection) -> frozenset[int]:
    """The waves of which there is a record."""
    return frozenset(int(wave) for (wave,) in con.execute("SELECT DISTINCT wave FROM sealed_list").fetchall())


def of_wave(con: DuckDBPyConnection, wave: int) -> list[SealedRecord]:
    """The records of a wave, in order of stratum and place, as they are; `sealed_list.check` says if they were so."""
    found = con.execute(
        "SELECT stratum, place, nonce, ciphertext FROM sealed_list WHERE wave = ? ORDER BY stratum, place",
        [wave],
    ).fetchall()
    return [
        SealedRecord(stratum=stratum, place=place, nonce=nonce, ciphertext=ciphertext)
        for stratum, place, nonce, ciphertext in found
    ]
