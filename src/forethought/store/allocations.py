"""Who is allocated, who waits, and what a wave holds already: the SQL of allocation."""

# ruff: noqa: S608 -- names of tables and columns are this package's own; the values of a query are parameters

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from forethought.protocol.allocation import Design, Stratified
from forethought.randomization.arrivals import Before, Drawn, OpenPlace, Tally
from forethought.randomization.replicates import needs_courses
from forethought.store import rows

# What is drawn: each person, or the first of each cluster; and whether its place counts at the moment.
_ALL_COUNT = """
WITH units AS (SELECT a.*, true AS counts, NULL AS since FROM allocations a WHERE a.wave = $wave)
"""
_BY_STANDING = """
WITH standing AS (
    SELECT participant_id, arg_max(counts, from_arrival) AS counts, max(from_arrival) AS since
    FROM counting WHERE wave = $wave GROUP BY participant_id
), units AS (
    SELECT a.*, coalesce(s.counts, true) AS counts, s.since
    FROM allocations a LEFT JOIN standing s USING (participant_id) WHERE a.wave = $wave
)
"""
_FIRST_OF_CLUSTER = (
    "a.wave = $wave\n"
    "QUALIFY row_number() OVER (PARTITION BY coalesce(a.unit, a.participant_id) ORDER BY a.arrival) = 1"
)
_FEW = 2_000
"""Up to so many rows go into the database as the parameters of a statement: a frame takes longer to hand over."""

_INSERT = """
INSERT INTO allocations SELECT i.participant_id, $wave, CAST(i.arm AS VARCHAR), NULL, CAST(i.stratum AS VARCHAR),
    NULL, NULL, $first + i.row, $algorithm, $now, i.unit, $batch, i.replaces
FROM (SELECT * FROM {incoming} ORDER BY participant_id) i
"""
# In the order of its key the index grows at its end, which takes half the time.


_PASSED: set[tuple[int, str, str, str]] = set()
"""Wave, algorithm, arm and stratum of rows that the table's model has passed in this process."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """People who get an arm now, in order of arrival; `first_arrival` is the number of the first of them."""

    wave: int
    participants: NDArray[np.object_]
    labels: tuple[str, ...]
    codes: NDArray[np.intp]
    units: tuple[str, ...] | None
    drawn: Drawn
    algorithm: str
    first_arrival: int


def before(
    con: DuckDBPyConnection, wave: int, design: Design, strata: Sequence[str], arrivals: int
) -> Before:
    """What the wave holds, as the design looks at it; who counts is what `counting` says.

    `strata` are those of the people who come: of the others nothing is read where the design looks at each stratum
    apart. `arrivals` is how many the wave has (`arrived`).
    """
    changed = con.execute("SELECT count(*) FROM counting WHERE wave = ?", [wave]).fetchall()[0][0]
    units = _BY_STANDING if changed else _ALL_COUNT
    if design.unit == "cluster":
        units = units.replace("a.wave = $wave", _FIRST_OF_CLUSTER)
    named: dict[str, object] = {"wave": wave}
    apart = isinstance(design, Stratified) and design.unit == "participant" and not design.caps
    if apart:
        named["strata"] = list(strata)
    found = con.execute(
        f"{units} SELECT stratum, arm, count(*), count(*) - count(replaces), count(*) FILTER (counts), max(batch) "
        f"FROM units {'WHERE list_contains($strata, stratum)' if apart else ''} "
        "GROUP BY stratum, arm ORDER BY stratum, arm",
        named,
    ).fetchall()
    return Before(
        tallies=tuple(
            Tally(stratum=stratum, arm=arm, placed=placed, regular=regular, counting=counting)
            for stratum, arm, placed, regular, counting, _ in found
        ),
        open=_open(con, units, wave) if changed and design.dropouts.replace != "never" else (),
        units=_units(con, units, wave) if design.unit == "cluster" else {},
        arrivals=arrivals,
        batches=max((batch or 0 for *_, batch in found), default=0),
        courses=_courses(con, units, wave) if needs_courses(design) else {},
    )


def arrived(con: DuckDBPyConnection, wave: int) -> int:
    """How many people of the wave have an arm; they are its arrivals 1, 2, ... (ValueError: one is missing)."""
    found = con.execute(
        "SELECT count(*), coalesce(min(arrival), 1), coalesce(max(arrival), 0) FROM allocations WHERE wave = ?",
        [wave],
    ).fetchall()
    people, first, last = found[0]
    if (first, last) != (1, people):
        raise ValueError(f"wave {wave} has {people} allocations, and its arrivals are {first} to {last}")
    return int(people)


def add(con: DuckDBPyConnection, placed: Placed, now: datetime) -> int:
    """Add the allocations of all who got an arm, and return how many these are; `now` is naive, in UTC.

    Probability, block and position are not written: they would tell the next arm. Of a million rows the table's model
    is shown one for each stratum and arm, the first and the last arrival, and the shortest id: by nothing else can a
    row fail it. A person who is allocated already is a fault of ours, and nothing is written then.
    """
    got = np.flatnonzero(placed.drawn.arm >= 0)
    if not len(got):
        return 0
    _validate(placed, got, now)
    named = {
        "wave": placed.wave,
        "first": placed.first_arrival,
        "algorithm": placed.algorithm,
        "now": now,
        "batch": placed.drawn.batch or None,
    }
    if len(got) <= _FEW:
        unnested = ", ".join(f"unnest(CAST(${name} AS {type_})) AS {name}" for name, type_ in _TYPES.items())
        con.execute(_INSERT.format(incoming=f"(SELECT {unnested})"), named | _lists(placed, got))
        return len(got)
    con.register("incoming", _frame(placed, got))
    try:
        con.execute(_INSERT.format(incoming="incoming"), named)
    finally:
        con.unregister("incoming")
    return len(got)


_TYPES = {
    "participant_id": "VARCHAR[]",
    "arm": "VARCHAR[]",
    "stratum": "VARCHAR[]",
    "row": "INTEGER[]",
    "unit": "VARCHAR[]",
    "replaces": "VARCHAR[]",
}


def _lists(placed: Placed, got: NDArray[np.intp]) -> dict[str, list[Any]]:
    """What differs from row to row, for a few of them."""
    drawn, places = placed.drawn, got.tolist()
    return {
        "participant_id": placed.participants[got].tolist(),
        "arm": [drawn.arms[arm] for arm in drawn.arm[got].tolist()],
        "stratum": [placed.labels[code] for code in placed.codes[got].tolist()],
        "row": list(range(len(places))),
        "unit": [None if placed.units is None else placed.units[place] for place in places],
        "replaces": [drawn.replaces.get(place) for place in places],
    }


def _frame(placed: Placed, got: NDArray[np.intp]) -> pd.DataFrame:
    """The same for many; texts that repeat are categories."""
    units, replaces = np.full((2, len(got)), None, dtype=object)
    if placed.units is not None:
        units[:] = np.array(placed.units, dtype=object)[got]
    for row, place in enumerate(got.tolist() if placed.drawn.replaces else ()):
        replaces[row] = placed.drawn.replaces.get(place)
    columns = {
        "participant_id": pd.Series(placed.participants[got], dtype=object),
        "arm": pd.Categorical.from_codes(placed.drawn.arm[got], categories=pd.Index(placed.drawn.arms)),
        "stratum": pd.Categorical.from_codes(placed.codes[got], categories=pd.Index(placed.labels)),
        "row": np.arange(len(got)),
        "unit": pd.Series(units, dtype=object),
        "replaces": pd.Series(replaces, dtype=object),
    }
    return pd.DataFrame(columns, copy=False)


def _validate(placed: Placed, got: NDArray[np.intp], now: datetime) -> None:
    """DataRefused where a row would not be what the table holds. What has passed is not looked at again."""
    strata = len(placed.labels)
    combined = placed.drawn.arm[got].astype(np.intp) * strata + placed.codes[got]
    found, first = np.unique(combined, return_index=True)
    likes = [
        (placed.wave, placed.algorithm, placed.drawn.arms[spot // strata], placed.labels[spot % strata])
        for spot in found.tolist()
    ]
    if _PASSED.issuperset(likes) and len(got) <= _FEW:
        return
    shortest = int(np.argmin([len(person) for person in placed.participants[got]]))
    shown = np.unique([*first.tolist(), 0, len(got) - 1, shortest])
    empty = dict.fromkeys(("probability", "block", "position", "unit", "replaces"))
    rows.valid(
        "allocations",
        pd.DataFrame(
            {
                "participant_id": placed.participants[got[shown]],
                "wave": placed.wave,
                "arm": [placed.drawn.arms[arm] for arm in placed.drawn.arm[got[shown]]],
                "stratum": [placed.labels[code] for code in placed.codes[got[shown]]],
                "arrival": placed.first_arrival + shown,
                "algorithm": placed.algorithm,
                "allocated_at": pd.Timestamp(now),
                "batch": placed.drawn.batch or None,
                **empty,
            }
        ),
    )
    _PASSED.update(likes)


def arms(con: DuckDBPyConnection, participants: Collection[str]) -> Mapping[str, str]:
    """The arm of each of these people who has one."""
    asked = list(participants)
    places = ", ".join("?" * len(asked)) or "NULL"
    return dict(
        con.execute(
            f"SELECT participant_id, arm FROM allocations WHERE participant_id IN ({places})", asked
        ).fetchall()
    )


def recorded(con: DuckDBPyConnection, wave: int) -> pd.DataFrame:
    """The wave's rows of `allocations`, in order of arrival."""
    return con.execute("SELECT * FROM allocations WHERE wave = ? ORDER BY arrival", [wave]).df()


def counting(con: DuckDBPyConnection, wave: int) -> pd.DataFrame:
    """The wave's rows of `counting`, in the order in which they hold."""
    return con.execute(
        "SELECT * FROM counting WHERE wave = ? ORDER BY from_arrival, participant_id", [wave]
    ).df()


def reveal(con: DuckDBPyConnection, told: pd.DataFrame) -> int:
    """Fill in probability, block and position where the record has none yet, and return how many rows were filled.

    `told` has participant_id and these three columns. What is there already stays as it is.
    """
    con.register("told", told)
    try:
        done = con.execute(
            "UPDATE allocations SET probability = coalesce(allocations.probability, told.probability), "
            "block = coalesce(allocations.block, told.block), "
            "position = coalesce(allocations.position, told.position) FROM told "
            "WHERE allocations.participant_id = told.participant_id AND (allocations.probability IS NULL "
            "OR allocations.block IS NULL OR allocations.position IS NULL)"
        )
        return int(done.fetchall()[0][0])
    finally:
        con.unregister("told")


def _open(con: DuckDBPyConnection, units: str, wave: int) -> tuple[OpenPlace, ...]:
    """The places that count no longer and were never filled again, first left first."""
    found = con.execute(
        f"{units} SELECT u.participant_id, u.stratum, u.arm FROM units u WHERE NOT u.counts AND NOT EXISTS "
        "(SELECT 1 FROM units r WHERE r.replaces = u.participant_id) "
        "ORDER BY u.since, u.participant_id",
        {"wave": wave},
    ).fetchall()
    return tuple(OpenPlace(participant=person, stratum=stratum, arm=arm) for person, stratum, arm in found)


def _units(con: DuckDBPyConnection, units: str, wave: int) -> Mapping[str, tuple[str, str]]:
    """Each cluster's stratum and arm."""
    found = con.execute(
        f"{units} SELECT unit, stratum, arm FROM units WHERE unit IS NOT NULL", {"wave": wave}
    )
    return {unit: (stratum, arm) for unit, stratum, arm in found.fetchall()}


def _courses(con: DuckDBPyConnection, units: str, wave: int) -> Mapping[str, tuple[str, ...]]:
    """Each stratum's arms in order, replacements left out."""
    found = con.execute(
        f"{units} SELECT stratum, list(arm ORDER BY arrival) FROM units WHERE replaces IS NULL GROUP BY stratum",
        {"wave": wave},
    )
    return {stratum: tuple(in_order) for stratum, in_order in found.fetchall()}
