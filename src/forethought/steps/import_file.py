"""Import one export: its good rows land together, its refused rows are quarantined, nothing of it is lost."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import pandas as pd

from forethought import registration
from forethought.errors import DataRefused, GateClosed, WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.schemas.exports.checking import together
from forethought.schemas.exports.reading import Export, read
from forethought.schemas.exports.recognition import SIMULATION_COLUMN, Recognised, recognise
from forethought.steps.arrivals import Arrival, receive
from forethought.steps.freeze import closed
from forethought.steps.intake import Known, admit
from forethought.steps.raw_files import keep_raw
from forethought.steps.waves import check_wave
from forethought.store import events, meta, rows
from forethought.store.connection import Connection, reading, writing
from forethought.store.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file's rows. `new` ones added something; `already`: the file was imported before."""

    kind: str
    source: str
    file: str
    rows: int
    new: int
    quarantined: int
    already: bool


def import_file(
    folder: StudyFolder,
    file: Path,
    *,
    now: datetime,
    actor: str,
    source: str | None = None,
    kind: str | None = None,
    wave: int | None = None,
    wait: float = 10.0,
) -> Imported:
    """Import an export; the same file again adds nothing. `wave` may be left out where there is one.

    WrongUsage: no such file or wave. DataRefused: unreadable, not recognised, a column missing; nothing is
    written then. NotLocked: outcomes of a randomised study before the lock, anything where the plan is not the
    registered one. GateClosed: simulated rows for a real study or real ones for a simulated study, recruits of a
    wave whose enrolment is closed.
    """
    data = _bytes(file)
    sha256 = hashlib.sha256(data).hexdigest()
    loaded = load(folder.protocol)
    with reading(folder, wait) as con:
        done = _imported_before(con, file, sha256, wave)
        simulated = meta.is_simulated(con)
        people = rows.read(con, "participants")["participant_id"]
    if done is None:
        export = read(data, str(file))
        _check_world(export, simulated=simulated)
        recognised = recognise(export, loaded.protocol.imports, source=source, kind=kind)
        wave = _wave(loaded.protocol, recognised, wave)
        if folder.registration.exists() or (loaded.protocol.randomised and recognised.kind != "recruits"):
            registration.require(folder, loaded)
        arrival = receive(recognised, loaded.protocol, Vault.open(folder), people, wave=wave, now=now)
        with writing(folder, wait) as con:
            done = _imported_before(con, file, sha256, wave)  # by another process, since
            if done is None:
                _refuse_recruits_of_a_closed_wave(con, loaded.protocol, recognised, wave)
                done, tables = _land(arrival, partial(rows.read, con), file)
                added = {name: rows.append(con, name, frame) for name, frame in tables.items()}
                events.record(con, now=now, actor=actor, action="import", detail=_told(done, arrival, added))
    keep_raw(folder, file, data, sha256)
    return done


def _bytes(file: Path) -> bytes:
    if not file.is_file():
        raise WrongUsage(str(file), "there is no such file", "Give the path of an export")
    try:
        return file.read_bytes()
    except OSError as error:
        raise WrongUsage(
            str(file), f"it cannot be read ({error.strerror})", "Check its permissions"
        ) from error


def _check_world(export: Export, *, simulated: bool) -> None:
    """Simulated rows and real ones never meet in one study."""
    written_by_simulate = SIMULATION_COLUMN in export.header
    if written_by_simulate and not simulated:
        what = "`simulate` wrote this export, and the study is real"
        raise GateClosed(export.name, what, "Import it into the simulated study that it was written for")
    if simulated and not written_by_simulate:
        what = "this export is not one that `simulate` wrote, and the study is simulated for ever"
        raise GateClosed(export.name, what, "Make a new study folder for real data")


def _wave(protocol: Protocol, recognised: Recognised, wave: int | None) -> int:
    """The wave of the export: the only one, or the one that was asked for."""
    if wave is None and len(protocol.waves) > 1 and recognised.kind == "recruits":
        raise WrongUsage(
            recognised.export.name, "it is not said into which wave these people come", "Give `--wave`"
        )
    number = protocol.waves[0].number if wave is None else wave
    check_wave(protocol, number)
    return number


def _refuse_recruits_of_a_closed_wave(
    con: Connection, protocol: Protocol, recognised: Recognised, wave: int
) -> None:
    end = closed(events.history(con), wave)
    if end is None or not protocol.randomised or recognised.kind != "recruits":
        return
    if end.action == "freeze":
        what = f"enrolment is closed: the study was frozen on {end.at:%Y-%m-%d}"
        raise GateClosed(recognised.export.name, what, "Who comes later needs a new study")
    what = f"the enrolment of wave {wave} was closed on {end.at:%Y-%m-%d}"
    raise GateClosed(recognised.export.name, what, "Who comes later needs another wave")


def _imported_before(con: Connection, file: Path, sha256: str, wave: int | None) -> Imported | None:
    """What the earlier import of the same file was, if there was one; DataRefused if it was into another wave."""
    before = rows.raw_rows_of(con, sha256)
    if before.empty:
        return None
    told = [event.detail for event in events.actions(con, "import") if event.detail["file_sha256"] == sha256]
    into = next((one["wave"] for one in told if one["kind"] == "recruits"), wave)
    if wave is not None and into != wave:
        what = f"these people were imported into wave {into}, and nobody is in two waves"
        raise DataRefused(file.name, what, f"Leave them there, or give `--wave {into}`")
    return Imported(
        kind=str(before["kind"].iloc[0]),
        source=str(before["source"].iloc[0]),
        file=file.name,
        rows=len(before),
        new=0,
        quarantined=int((before["disposition"] == "quarantined").sum()),
        already=True,
    )


def _land(arrival: Arrival, known: Known, file: Path) -> tuple[Imported, dict[str, pd.DataFrame]]:
    """What becomes of each row, and everything that is to be written of the file."""
    admitted = admit(arrival, known)
    refused = together([arrival.parsed.refused, admitted.refused])
    quarantined = int(refused["row_number"].nunique())
    imported = Imported(
        kind=arrival.recognised.kind,
        source=arrival.recognised.source,
        file=file.name,
        rows=len(arrival.sealed),
        new=len(arrival.sealed) - quarantined - len(admitted.repeated),
        quarantined=quarantined,
        already=False,
    )
    return imported, {
        **admitted.tables,
        "raw_rows": _raw_rows(arrival, refused),
        "payloads": arrival.sealed[["raw_row_id", "participant_id", "nonce", "ciphertext"]],
        "quarantine": _quarantine(arrival, refused),
    }


def _told(imported: Imported, arrival: Arrival, added: dict[str, int]) -> dict[str, object]:
    """What the ledger says of an import: counts and hashes, never the file's name or a value."""
    return {
        "kind": imported.kind,
        "source": imported.source,
        "file_sha256": arrival.recognised.export.sha256,
        "wave": arrival.wave,
        "rows": imported.rows,
        "new": imported.new,
        "quarantined": imported.quarantined,
        "added": added,
    }


def _raw_rows(arrival: Arrival, refused: pd.DataFrame) -> pd.DataFrame:
    sealed = arrival.sealed
    quarantined = sealed.index.isin(refused["row_number"])
    return sealed[["raw_row_id", "row_hash"]].assign(
        file_sha256=arrival.recognised.export.sha256,
        source=arrival.recognised.source,
        kind=arrival.recognised.kind,
        row_number=sealed.index,
        imported_at=pd.Timestamp(arrival.at).as_unit("us"),
        disposition=pd.Series(quarantined, index=sealed.index).map({True: "quarantined", False: "kept"}),
    )


def _quarantine(arrival: Arrival, refused: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "raw_row_id": arrival.raw_row_ids.reindex(refused["row_number"]).to_numpy(),
            "column_name": refused["column"].to_numpy(),
            "value": refused["value"].to_numpy(),
            "reason": refused["reason"].to_numpy(),
            "quarantined_at": pd.Timestamp(arrival.at).as_unit("us"),
        }
    )
