"""Allocate the eligible people who wait, each exactly once."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from forethought import registration
from forethought.errors import GateClosed, WrongUsage
from forethought.ledger import Event
from forethought.protocol.design import PermutedBlocks
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol, load
from forethought.protocol.protocol import Protocol
from forethought.randomization.blocks import ALGORITHM, allocate
from forethought.randomization.records import records
from forethought.randomization.strata import Unplaced, stratum
from forethought.steps.freeze import frozen
from forethought.store import events, rows
from forethought.store.connection import DEFAULT_WAIT, writing

logger = logging.getLogger("forethought")


@dataclass(frozen=True, slots=True, kw_only=True)
class Randomized:
    """How many were allocated now and before, and who of the eligible could not be, with the reason."""

    allocated: int
    already: int
    refused: tuple[tuple[str, str], ...]


def randomize(
    folder: StudyFolder, *, now: datetime, actor: str, wave: int = 1, wait: float = DEFAULT_WAIT
) -> Randomized:
    """Allocate everyone eligible in the wave who has no arm yet, in order of arrival. Run twice, it changes nothing.

    Who is allocated already is read in the transaction that allocates, so that two processes cannot give one
    person two arms, or one place in a block to two people. GateClosed for a study that is not randomised or is
    frozen; NotLocked without a lock that fits.
    """
    loaded, design, seed = _ready(folder, wave)
    protocol = loaded.protocol
    with writing(folder, wait) as con:
        history = events.history(con)
        _refuse_after_freeze(history, wave)
        registration.require(folder, loaded)  # again: the plan may have been amended while we waited
        registration.agree(folder, history)
        allocations = rows.read(con, "allocations")
        waiting = _waiting(rows.read(con, "participants"), allocations, wave)
        placed = _placed(protocol, design, waiting, rows.read(con, "responses"))
        before = allocations[allocations["wave"] == wave]
        allocated = _allocated(protocol, design, wave, seed, placed, before)
        rows.append(
            con, "allocations", allocated.assign(allocated_at=now.astimezone(UTC).replace(tzinfo=None))
        )
        refused = tuple(
            (person, where.reason) for person, where in placed.items() if isinstance(where, Unplaced)
        )
        if len(allocated):
            detail = _detail(wave, allocated, refused)
            events.record(con, now=now, actor=actor, action="randomize", detail=detail)
    logger.info("randomize: %s allocated, %s before, %s refused", len(allocated), len(before), len(refused))
    return Randomized(allocated=len(allocated), already=len(before), refused=refused)


def _ready(folder: StudyFolder, wave: int) -> tuple[LoadedProtocol, PermutedBlocks, bytes]:
    loaded = load(folder.protocol)
    protocol, design = loaded.protocol, loaded.protocol.allocation
    if not isinstance(design, PermutedBlocks):
        raise GateClosed(str(folder.path), "this study is not randomised", "Go on with `forethought analyze`")
    if wave not in {each.number for each in protocol.waves}:
        raise WrongUsage(
            f"wave {wave}", "the protocol has no such wave", "Give the number of one of its waves"
        )
    registration.require(folder, loaded)
    return loaded, design, registration.seed(folder, wave)


def _refuse_after_freeze(history: Sequence[Event], wave: int) -> None:
    freeze = frozen(history)
    if freeze is not None:
        raise GateClosed(
            f"wave {wave}",
            f"enrolment is closed: the study was frozen on {freeze.at:%Y-%m-%d}",
            "Who comes later needs a new study",
        )


def _waiting(participants: pd.DataFrame, allocations: pd.DataFrame, wave: int) -> list[str]:
    """The eligible of the wave who have no arm yet, in order of arrival (of two at one time, by id)."""
    here = participants[(participants["wave"] == wave) & (participants["status"] == "eligible")]
    waiting = here[~here["participant_id"].isin(allocations["participant_id"])]
    return waiting.sort_values(["arrived_at", "participant_id"])["participant_id"].tolist()


def _placed(
    protocol: Protocol, design: PermutedBlocks, waiting: Sequence[str], responses: pd.DataFrame
) -> Mapping[str, str | Unplaced]:
    """Each waiting person's stratum, or why there is none, in order of arrival."""
    recruits = protocol.imports.recruits
    known = {variable.name: variable.levels for variable in recruits.variables} if recruits else {}
    levels = {name: known.get(name, ()) for name in design.strata}
    own = responses[(responses["session"] == "recruitment") & responses["item"].isin(levels)]
    values: dict[str, dict[str, str]] = {}
    for person, item, value in zip(own["participant_id"], own["item"], own["value"], strict=True):
        values.setdefault(person, {})[item] = value
    return {person: stratum(levels, values.get(person, {})) for person in waiting}


def _allocated(
    protocol: Protocol,
    design: PermutedBlocks,
    wave: int,
    seed: bytes,
    placed: Mapping[str, str | Unplaced],
    before: pd.DataFrame,
) -> pd.DataFrame:
    strata = {person: where for person, where in placed.items() if isinstance(where, str)}
    taken = Counter(before["stratum"].tolist())
    drawn = allocate(design, protocol.study.id, wave, seed, list(strata.values()), taken)
    return records(list(strata), wave, drawn, arrived_before=len(before))


def _detail(wave: int, allocated: pd.DataFrame, refused: Sequence[tuple[str, str]]) -> dict[str, object]:
    """What the ledger says of it. The blinded read it too: counts only, nothing of arms or blocks."""
    return {
        "wave": wave,
        "algorithm": ALGORITHM,
        "allocated": len(allocated),
        "first_arrival": int(allocated["arrival"].min()),
        "refused": dict(Counter(reason for _, reason in refused)),
    }
