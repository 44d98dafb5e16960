"""Hand each person's condition to the platform that delivers it."""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, cast

import pandas as pd

from forethought import registration
from forethought.errors import GateClosed, WrongUsage
from forethought.files import write_atomically
from forethought.ledger import Event
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.store import events, rows
from forethought.store.connection import DEFAULT_WAIT, writing
from forethought.store.vault import Vault

logger = logging.getLogger("forethought")

Platform = Literal["csv", "qualtrics", "prolific"]

HEADERS: Mapping[Platform, tuple[str, str]] = {
    "csv": ("participant", "condition"),
    "qualtrics": ("ExternalDataReference", "condition"),
    "prolific": ("Participant id", "Group"),
}
"""The two columns of each platform's file: who, and the code of the arm.

Qualtrics: a contact list, its second column an embedded-data field. Prolific: one group of participants per code.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """The file that was written, how many people are in it, and how many were handed over before."""

    file: Path
    handed_over: int
    already: int


def assignments(
    folder: StudyFolder,
    out: Path,
    *,
    now: datetime,
    actor: str,
    platform: Platform = "csv",
    again: bool = False,
    wait: float = DEFAULT_WAIT,
) -> HandedOver:
    """Write who gets which condition to `out` (mode 0600), for those not handed to this platform before.

    `csv` names people by pseudonym; the others by the id of the service that recruited them. `again` hands over
    everyone, over a file that is there. Each handover is an event. GateClosed where nobody is allocated.
    """
    loaded = load(folder.protocol)
    if not loaded.protocol.randomised:
        raise GateClosed(str(folder.path), "this study is not randomised", "There is nothing to hand over")
    registration.require(folder, loaded)
    _check_out(out, again)
    vault = Vault.open(folder)
    with writing(folder, wait) as con:
        allocated = rows.read(con, "allocations")
        if allocated.empty:
            raise GateClosed(str(folder.path), "nobody is allocated yet", "Run `forethought randomize` first")
        history = events.history(con)
        registration.agree(folder, history)
        chosen = allocated if again else allocated[~_handed_over(history, platform, allocated)]
        content = _content(loaded.protocol, vault, platform, chosen)
        detail = {
            "platform": platform,
            "people": len(chosen),
            "again": again,
            "arrivals": _last_arrivals(allocated),
            "file_hmac": vault.row_hash(content),
        }
        events.record(con, now=now, actor=actor, action="assignments", detail=detail)
        write_atomically(out, content, mode=0o600)
    logger.info("assignments: %s handed over to %s", len(chosen), platform)
    return HandedOver(file=out, handed_over=len(chosen), already=len(allocated) - len(chosen))


def _check_out(out: Path, again: bool) -> None:
    if not out.parent.is_dir():
        raise WrongUsage(str(out), "its folder does not exist", "Make the folder, or give another path")
    if out.is_dir() or (out.exists() and not again):
        what = "this is a folder" if out.is_dir() else "this file exists"
        raise WrongUsage(str(out), what, "Give a new path; --again hands everyone over once more")


def _handed_over(history: Sequence[Event], platform: Platform, allocated: pd.DataFrame) -> "pd.Series[bool]":
    """Who is in an earlier handover to this platform.

    Each takes all who are allocated at the time, so that the last arrival of each wave says who they were.
    """
    last: dict[str, int] = {}
    for event in history:
        if event.action == "assignments" and event.detail["platform"] == platform:
            last |= cast("Mapping[str, int]", event.detail["arrivals"])
    return allocated["arrival"] <= allocated["wave"].astype(str).map(last).fillna(0)


def _last_arrivals(allocated: pd.DataFrame) -> dict[str, int]:
    return {str(wave): int(last) for wave, last in allocated.groupby("wave")["arrival"].max().items()}


def _content(protocol: Protocol, vault: Vault, platform: Platform, chosen: pd.DataFrame) -> bytes:
    """The file, sorted by the name it gives to people, so that its order tells nothing of their arrival."""
    names = dict(zip(chosen["participant_id"], chosen["participant_id"], strict=True))
    if platform != "csv":
        names = _service_ids(vault, chosen["participant_id"].tolist())
    codes = {arm.id: arm.code for arm in protocol.arms}
    lines = sorted(
        (names[person], codes[arm])
        for person, arm in zip(chosen["participant_id"], chosen["arm"], strict=True)
    )
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([HEADERS[platform], *lines])
    return text.getvalue().encode()


def _service_ids(vault: Vault, participants: list[str]) -> dict[str, str]:
    known = vault.identities()
    missing = sum(person not in known for person in participants)
    if missing:
        raise WrongUsage(
            "secrets/identities.jsonl",
            f"it does not say who {missing} of the allocated people are",
            "Restore the secrets folder from a backup",
        )
    return {person: known[person] for person in participants}
