"""Play the participants of a practice study: write the exports that the services would give next."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from forethought.errors import GateClosed, WrongUsage
from forethought.files import sha256_file, write_atomically
from forethought.protocol.assumed_world import Simulation
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.simulation.attendance import People
from forethought.simulation.exports import ExportFile
from forethought.simulation.phrases import read_phrases
from forethought.simulation.recruits import play_recruits
from forethought.simulation.sessions import play_sessions
from forethought.simulation.world import places
from forethought.steps.inbox import waiting
from forethought.store import events, meta, rows
from forethought.store.connection import DEFAULT_WAIT, Connection, reading, writing
from forethought.store.vault import Vault

logger = logging.getLogger("forethought")

Phase = Literal["recruits", "outcomes", "complete"]

A_LITTLE = timedelta(minutes=15)
"""From the last thing that happens until the study clock's next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What was played, the files that now wait in the inbox, and the study clock."""

    phase: Phase
    files: tuple[Path, ...]
    clock: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """The tables that say what comes next."""

    simulated: bool
    rows: int
    clock: datetime | None
    last_event: datetime | None
    played: frozenset[str]
    participants: pd.DataFrame
    allocations: pd.DataFrame
    sessions: pd.DataFrame
    conversations: int


def simulate(
    folder: StudyFolder,
    *,
    seed: int,
    now: datetime | None,
    actor: str,
    participants: int | None = None,
    wait: float = DEFAULT_WAIT,
) -> Simulated:
    """Write what comes next: first the recruits, and once they are scheduled, all that they do.

    An empty study becomes a simulated one for ever. The same seed in the same state gives the same bytes.
    `now` sets the study clock first; it is moved on to when all that was played is over. `participants` is
    how many recruits can be enrolled. WrongUsage: the protocol assumes no world. GateClosed: the study holds
    real rows, or what was played before is not imported, allocated and scheduled yet.
    """
    protocol, simulation = _playable(folder)
    with reading(folder, wait) as con:
        state = _state(con)
    _refuse_real(folder, state)
    _refuse_past(now, state)
    phase = _phase(folder, state)
    if phase == "complete":
        return Simulated(phase=phase, files=(), clock=state.clock)
    if phase == "recruits":
        start = now or _start(protocol, state)
        recruited = play_recruits(protocol, opens=start, seed=seed, participants=participants)
        files: tuple[ExportFile, ...] = (recruited.file,)
        ends = recruited.ends
    else:
        phrases = read_phrases(folder.materials / simulation.conversations.phrases, protocol)
        people = _people(protocol, state, Vault.open(folder).identities())
        played = play_sessions(protocol, phrases, people, seed=seed)
        files, ends = played.files, max(played.ends, now or played.ends)
    return _deliver(
        folder, phase, files, seed=seed, clock=_full_minute(ends + A_LITTLE), actor=actor, wait=wait
    )


def _playable(folder: StudyFolder) -> tuple[Protocol, Simulation]:
    protocol = load(folder.protocol).protocol
    if protocol.simulation is None:
        what = "the protocol has no `simulation` section, so there is no world to play"
        raise WrongUsage(str(folder.protocol), what, "Import real data, or add the section")
    if not protocol.randomised:
        what = "only randomised studies are played, and this one allocates nobody"
        raise WrongUsage(str(folder.protocol), what, "Import real data")
    return protocol, protocol.simulation


def _state(con: Connection) -> _State:
    history = events.history(con)
    return _State(
        simulated=meta.is_simulated(con),
        rows=_rows(con),
        clock=meta.clock(con),
        last_event=history[-1].at if history else None,
        played=frozenset(str(event.detail["phase"]) for event in history if event.action == "simulate"),
        participants=rows.read(con, "participants"),
        allocations=rows.read(con, "allocations"),
        sessions=rows.read(con, "sessions"),
        conversations=rows.count(con, "conversations"),
    )


def _rows(con: Connection) -> int:
    return sum(rows.count(con, table) for table in ("raw_rows", "participants", "responses", "allocations"))


def _refuse_real(folder: StudyFolder, state: _State) -> None:
    """A study that is not simulated must hold nothing yet, neither in its tables nor in its inbox."""
    if state.simulated:
        return
    remedy = "Make a new study folder to practise in"
    if state.rows:
        raise GateClosed(str(folder.path), "the study holds real rows and cannot be simulated", remedy)
    if files := waiting(folder):
        what = "a real export may wait here, and a simulated study could never take it"
        raise GateClosed(str(files[0]), what, remedy)


def _refuse_past(now: datetime | None, state: _State) -> None:
    if now is not None and state.clock is not None and now < state.clock:
        what = f"the study clock stands at {state.clock.isoformat()} and cannot go back"
        raise WrongUsage(f"--now {now.isoformat()}", what, "Give a later time, or leave --now out")


def _phase(folder: StudyFolder, state: _State) -> Phase:
    """What is to be played next. GateClosed where something else must come first."""
    launch = "Run `forethought launch`"
    if state.conversations:
        return "complete"
    phase: Phase = "recruits" if state.participants.empty else "outcomes"
    files = waiting(folder)
    if files and phase in state.played:  # otherwise a crash left them there: they are written anew
        raise GateClosed(str(files[0]), "what was simulated before is not imported yet", launch)
    if phase == "recruits":
        return phase
    if state.allocations.empty:
        raise GateClosed(str(folder.path), "the recruits are not allocated yet", launch)
    if not state.allocations["participant_id"].isin(state.sessions["participant_id"]).all():
        raise GateClosed(str(folder.path), "the sessions of those allocated are not scheduled yet", launch)
    return phase


def _start(protocol: Protocol, state: _State) -> datetime:
    """When recruitment opens: as planned, or after all that has been recorded, so that no lock comes after data."""
    known = (protocol.waves[0].opens.astimezone(UTC), state.last_event, state.clock)
    return _full_minute(max(time for time in known if time is not None))


def _full_minute(time: datetime) -> datetime:
    whole = time.replace(second=0, microsecond=0)
    return whole if whole == time else whole + timedelta(minutes=1)


def _people(protocol: Protocol, state: _State, source_ids: Mapping[str, str]) -> People:
    """Those allocated, in the order of their arrival, with the arm that each is to receive.

    This is the one place where true arms meet what will be outcomes: somebody has to play the participants.
    What is written of it names no arm but in the columns that an import seals.
    """
    allocated = state.allocations.sort_values(["wave", "arrival"])
    ids = [str(person) for person in allocated["participant_id"]]
    planned = state.sessions.set_index(["participant_id", "session"])["stimulus"].to_dict()
    items = protocol.stimuli.items if protocol.stimuli else ()
    place = {item: number for number, item in enumerate(items)}
    return People(
        source_ids=tuple(source_ids[person] for person in ids),
        arms=places(allocated["arm"].tolist(), [arm.id for arm in protocol.arms]),
        allocated_at=allocated["allocated_at"].to_numpy().astype("datetime64[us]"),
        stimuli=np.array(
            [[place.get(planned[person, session.id], -1) for session in protocol.sessions] for person in ids]
        ),
    )


def _deliver(
    folder: StudyFolder,
    phase: Phase,
    files: Sequence[ExportFile],
    *,
    seed: int,
    clock: datetime,
    actor: str,
    wait: float,
) -> Simulated:
    """Mark the study, put the files into the inbox, and only then record that they are there."""
    with writing(folder, wait) as con:
        if not meta.is_simulated(con):
            if _rows(con):
                raise GateClosed(
                    str(folder.path),
                    "real rows came in meanwhile, and the study cannot be simulated",
                    "Make a new study folder to practise in",
                )
            meta.mark_simulated(con)
    folder.inbox.mkdir(exist_ok=True)
    written = tuple(folder.inbox / file.name for file in files)
    for path, file in zip(written, files, strict=True):
        write_atomically(path, file.content)
    with writing(folder, wait) as con:
        meta.set_clock(con, clock)
        detail = {"phase": phase, "seed": seed, "files": {path.name: sha256_file(path) for path in written}}
        events.record(con, now=clock, actor=actor, action="simulate", detail=detail)
    logger.info("simulate: %s, %s files", phase, len(written))
    return Simulated(phase=phase, files=written, clock=clock)
