"""Who waits for an arm, in order of arrival, and who cannot have one and why."""

# ruff: noqa: S608 -- numbered columns of this module's own; names and values of a query are parameters

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from forethought.protocol.allocation import Design
from forethought.randomization.arrivals import Arrivals
from forethought.randomization.strata import Unplaced, stratum

Levels = Mapping[str, Sequence[str]]
"""Recruitment variable to its levels; none where it may have any value."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waiting:
    """Who can be allocated, and who of those looked at cannot, with the reason; `already` have an arm."""

    participants: NDArray[np.object_]
    arrivals: Arrivals
    refused: tuple[tuple[str, str], ...]
    already: int


def waiting(
    con: DuckDBPyConnection, wave: int, design: Design, levels: Levels, only: Collection[str] | None = None
) -> Waiting:
    """The people of the wave who have no arm, in order of arrival (of two at one time, by id).

    `levels` has those of the recruitment variables. Everyone eligible is looked at, or `only` these people, each of
    whom is allocated already, waiting, or refused. A recruitment value that was corrected is the corrected one.
    """
    if only is not None:
        return _asked(con, wave, design, levels, only)
    needed = _needed(design)
    already = int(con.execute("SELECT count(*) FROM allocations WHERE wave = ?", [wave]).fetchall()[0][0])
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE waiting AS {_people(needed)} "
        "WHERE p.wave = $wave AND p.status = 'eligible' AND a.arm IS NULL",
        {"wave": wave, **_named(needed)},
    )
    try:
        return _everyone(con, design, levels, needed, already)
    finally:
        con.execute("DROP TABLE waiting")


def _everyone(
    con: DuckDBPyConnection, design: Design, levels: Levels, needed: Sequence[str], already: int
) -> Waiting:
    """Labels are made of each combination of values once; a person is then an id and a number."""
    columns = [f"v{place}" for place in range(len(needed))]
    listed = ", ".join(columns)
    combinations = (
        con.execute(f"SELECT DISTINCT {listed} FROM waiting ORDER BY ALL").fetchall() if needed else [()]
    )
    spots = [_spot(design, levels, dict(zip(needed, values, strict=True))) for values in combinations]
    known = pd.DataFrame(combinations, columns=columns, dtype=object).assign(
        code=np.arange(len(combinations))
    )
    con.register("combinations", known)
    try:
        same = " AND ".join(f"w.{each} IS NOT DISTINCT FROM c.{each}" for each in columns) or "true"
        found = con.execute(
            f"SELECT w.participant_id, c.code FROM waiting w JOIN combinations c ON {same} "
            "ORDER BY w.arrived_at, w.participant_id"
        ).fetchnumpy()
    finally:
        con.unregister("combinations")
    return _separated(np.asarray(found["participant_id"]), np.asarray(found["code"]), spots, already)


def _asked(
    con: DuckDBPyConnection, wave: int, design: Design, levels: Levels, only: Collection[str]
) -> Waiting:
    """Of people who are asked for by name, every one is answered."""
    asked = list(only)
    places = ", ".join("?" * len(asked)) or "NULL"
    found = con.execute(
        "SELECT p.participant_id, p.wave, p.status, a.arm FROM participants p LEFT JOIN allocations a "
        f"ON a.participant_id = p.participant_id WHERE p.participant_id IN ({places}) "
        "ORDER BY p.arrived_at, p.participant_id",
        asked,
    ).fetchall()
    values = _values(con, _needed(design), asked)
    known = {row[0] for row in found}
    refused = [(name, "the study knows nobody of this name") for name in only if name not in known]
    people, spots, already = [], [], 0
    for person, own_wave, status, arm in found:
        if own_wave != wave:
            refused.append((person, f"belongs to wave {own_wave}"))
        elif arm is not None:
            already += 1
        elif status != "eligible":
            refused.append((person, _ineligible(con, person, status)))
        else:
            people.append(person)
            spots.append(_spot(design, levels, values.get(person, {})))
    separated = _separated(np.array(people, dtype=object), np.arange(len(people)), spots, already)
    return Waiting(
        participants=separated.participants,
        arrivals=separated.arrivals,
        refused=(*refused, *separated.refused),
        already=already,
    )


def _values(
    con: DuckDBPyConnection, needed: Sequence[str], asked: Sequence[str]
) -> Mapping[str, Mapping[str, str]]:
    """The needed recruitment values of these people, the last that is true in the place of those before."""
    if not needed or not asked:
        return {}
    people, names = ", ".join("?" * len(asked)), ", ".join("?" * len(needed))
    found: dict[str, dict[str, str]] = {}
    for person, item, value in con.execute(
        f"SELECT participant_id, item, value FROM (SELECT participant_id, item, value, 0 AS number FROM responses "
        f"WHERE session = 'recruitment' AND participant_id IN ({people}) AND item IN ({names}) UNION ALL "
        "SELECT participant_id, item, corrected, CAST(split_part(correction_id, '/', 2) AS INTEGER) FROM corrections "
        f"WHERE kind = 'wrong_value' AND participant_id IN ({people}) AND item IN ({names})) ORDER BY number",
        [*asked, *needed, *asked, *needed],
    ).fetchall():
        found.setdefault(person, {})[item] = value
    return found


_Spot = tuple[str, str | None] | Unplaced
"""Stratum and cluster, or why there is none."""


def _separated(
    people: NDArray[np.object_], codes: NDArray[np.int64], spots: Sequence[_Spot], already: int
) -> Waiting:
    """Those who have a stratum apart from those who have none."""
    placed = [spot for spot in spots if not isinstance(spot, Unplaced)]
    labels = tuple(dict.fromkeys(label for label, _ in placed))
    place = {label: number for number, label in enumerate(labels)}
    of_spot = np.array(
        [-1 if isinstance(spot, Unplaced) else place[spot[0]] for spot in spots], dtype=np.intp
    )
    strata = of_spot[codes] if len(codes) else of_spot[:0]
    out = np.flatnonzero(strata < 0)
    reasons = [(str(people[row]), _reason(spots[codes[row]])) for row in out]
    kept = slice(None) if not len(out) else np.flatnonzero(strata >= 0)
    clustered = any(cluster is not None for _, cluster in placed)
    units = tuple(str(spots[code][1]) for code in codes[kept].tolist()) if clustered else None
    return Waiting(
        participants=people[kept],
        arrivals=Arrivals(labels=labels, codes=strata[kept], units=units),
        refused=tuple(reasons),
        already=already,
    )


def _spot(design: Design, levels: Levels, values: Mapping[str, str | None]) -> _Spot:
    told = {name: value for name, value in values.items() if value is not None}
    label = stratum({name: levels.get(name, ()) for name in design.covariates}, told)
    if isinstance(label, Unplaced):
        return label
    if design.unit != "cluster" or design.cluster is None:
        return label, None
    if design.cluster not in told:
        return Unplaced(reason=f"`{design.cluster}` has no value")
    return label, told[design.cluster]


def _reason(spot: _Spot) -> str:
    return spot.reason if isinstance(spot, Unplaced) else ""


def _ineligible(con: DuckDBPyConnection, person: str, status: str) -> str:
    """Why somebody is not eligible, in words."""
    found = con.execute(
        "SELECT criterion, reason FROM exclusions WHERE participant_id = ? ORDER BY position LIMIT 1",
        [person],
    ).fetchall()
    why = f" by `{found[0][0]}`: {found[0][1]}" if found else ""
    return f"is not eligible ({status}{why})"


def _needed(design: Design) -> tuple[str, ...]:
    """The recruitment variables that an allocation looks at."""
    cluster = () if design.cluster is None or design.unit != "cluster" else (design.cluster,)
    return tuple(dict.fromkeys((*design.covariates, *cluster)))


def _named(needed: Sequence[str]) -> dict[str, str]:
    return {f"n{place}": name for place, name in enumerate(needed)}


def _people(needed: Sequence[str]) -> str:
    """Everyone with the needed values v0, v1, ..., those corrected in the place of those recorded."""
    places = range(len(needed))
    values = "".join(f", coalesce(t.v{place}, r.v{place}) AS v{place}" for place in places)
    joins = ""
    if needed:
        names = ", ".join(f"$n{place}" for place in places)
        told = ", ".join(f"max(value) FILTER (item = $n{place}) AS v{place}" for place in places)
        true = ", ".join(
            f"last(corrected ORDER BY CAST(split_part(correction_id, '/', 2) AS INTEGER)) "
            f"FILTER (item = $n{place}) AS v{place}"
            for place in places
        )
        joins = (
            f" LEFT JOIN (SELECT participant_id, {told} FROM responses WHERE session = 'recruitment' "
            f"AND item IN ({names}) GROUP BY participant_id) r ON r.participant_id = p.participant_id "
            f"LEFT JOIN (SELECT participant_id, {true} FROM corrections WHERE kind = 'wrong_value' "
            f"AND item IN ({names}) GROUP BY participant_id) t ON t.participant_id = p.participant_id"
        )
    return (
        f"SELECT p.participant_id, p.arrived_at, p.wave, p.status, a.arm{values} FROM participants p "
        f"LEFT JOIN allocations a ON a.participant_id = p.participant_id{joins}"
    )
