"""The steps `assignments`, `freeze` and `unblind`: what leaves the study, and when the gate opens."""

import csv
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forethought import registration
from forethought.errors import GateClosed, NotLocked, WrongUsage
from forethought.ledger import verify_chain
from forethought.protocol.folder import StudyFolder
from forethought.steps.assignments import HEADERS, HandedOver, assignments
from forethought.steps.freeze import freeze
from forethought.steps.randomize import randomize
from forethought.steps.unblind import unblind
from forethought.store import events, freezing, milestones
from forethought.store.connection import reading
from forethought.store.vault import Vault

Recruit = Callable[..., list[str]]
Table = Callable[[str], pd.DataFrame]

CODES = {"control": "C0", "coached": "C1"}


@pytest.fixture
def people(trial: StudyFolder, recruit: Recruit, now: datetime) -> list[str]:
    """Six people, allocated."""
    arrived = recruit(range(6))
    randomize(trial, now=now, actor="tester")
    return arrived


def hand_over(folder: StudyFolder, out: str, now: datetime, **more: object) -> HandedOver:
    return assignments(folder, folder.reports / out, now=now, actor="tester", **more)


def open_gate(folder: StudyFolder, now: datetime, **more: str) -> object:
    given = {"by": "Dr Who", "reason": "enrolment is complete"} | more
    return unblind(folder, now=now, actor="tester", **given)


def lines(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def last_detail(table: Table) -> dict[str, Any]:
    return json.loads(table("events")["detail"].iloc[-1])


def test_the_handover_names_each_person_by_pseudonym_with_the_arms_code(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    done = hand_over(trial, "out.csv", now)
    assert done == HandedOver(file=trial.reports / "out.csv", handed_over=6, already=0)
    allocations = table("allocations")
    codes = zip(allocations["participant_id"], allocations["arm"].map(CODES), strict=True)
    assert lines(done.file) == [["participant", "condition"], *sorted(map(list, codes))]
    assert done.file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("platform", ["qualtrics", "prolific"])
def test_the_platforms_know_people_by_the_services_id(
    trial: StudyFolder, people: list[str], table: Table, now: datetime, platform: str
) -> None:
    done = hand_over(trial, "out.csv", now, platform=platform)
    arms = table("allocations").set_index("participant_id")["arm"]
    identities = Vault.open(trial).identities()
    expected = sorted([identities[person], CODES[arms[person]]] for person in people)
    assert lines(done.file) == [list(HEADERS[platform]), *expected]
    assert expected[0][0] == "service-1-0000"


def test_nobody_is_handed_over_twice_by_accident(
    trial: StudyFolder, people: list[str], recruit: Recruit, now: datetime
) -> None:
    hand_over(trial, "first.csv", now)
    later = recruit(range(10, 14))
    recruit(range(3), wave=2)
    randomize(trial, now=now, actor="tester")
    randomize(trial, now=now, actor="tester", wave=2)
    second = hand_over(trial, "second.csv", now)
    assert (second.handed_over, second.already) == (4 + 3, 6)
    assert {line[0] for line in lines(second.file)[1:]} & set(people) == set()
    assert set(later) <= {line[0] for line in lines(second.file)}
    assert hand_over(trial, "third.csv", now).handed_over == 0
    assert lines(trial.reports / "third.csv") == [["participant", "condition"]]


def test_another_platform_is_handed_everyone(trial: StudyFolder, people: list[str], now: datetime) -> None:
    hand_over(trial, "first.csv", now)
    assert hand_over(trial, "second.csv", now, platform="prolific").handed_over == 6


def test_again_hands_everyone_over_once_more(trial: StudyFolder, people: list[str], now: datetime) -> None:
    first = hand_over(trial, "out.csv", now)
    content = first.file.read_bytes()
    with pytest.raises(WrongUsage, match="this file exists"):
        hand_over(trial, "out.csv", now)
    assert hand_over(trial, "out.csv", now, again=True).handed_over == 6
    assert first.file.read_bytes() == content


def test_each_handover_is_an_event_that_tells_nothing_of_arms(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    done = hand_over(trial, "out.csv", now)
    detail = last_detail(table)
    assert detail == {
        "platform": "csv",
        "people": 6,
        "again": False,
        "arrivals": {"1": 6},
        "file_hmac": Vault.open(trial).row_hash(done.file.read_bytes()),
    }


@pytest.mark.parametrize(
    ("out", "what"), [("no/where.csv", "its folder does not exist"), (".", "this is a folder")]
)
def test_a_path_that_cannot_be_written_is_refused_and_nothing_logged(
    trial: StudyFolder, people: list[str], table: Table, now: datetime, out: str, what: str
) -> None:
    with pytest.raises(WrongUsage, match=what):
        hand_over(trial, out, now, again=True)
    assert "assignments" not in set(table("events")["action"])


def test_nothing_is_handed_over_before_allocation(
    trial: StudyFolder, recruit: Recruit, now: datetime
) -> None:
    recruit(range(3))
    with pytest.raises(GateClosed, match="nobody is allocated yet"):
        hand_over(trial, "out.csv", now)
    assert not (trial.reports / "out.csv").exists()


def test_people_whom_the_secrets_do_not_know_cannot_be_handed_over(
    trial: StudyFolder, people: list[str], now: datetime
) -> None:
    (trial.secrets / "identities.jsonl").unlink()
    with pytest.raises(WrongUsage, match="who 6 of the allocated people are"):
        hand_over(trial, "out.csv", now, platform="prolific")
    assert not (trial.reports / "out.csv").exists()


def test_a_freeze_hashes_every_table_and_closes_every_wave(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    done = freeze(trial, now=now, actor="tester")
    assert not done.already
    assert {"allocations", "participants", "sessions", "scores", "events", "waves"} <= set(done.tables)
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in done.tables.values())
    assert table("waves")["closed_at"].tolist() == [pd.Timestamp("2025-03-25 10:00")] * 2
    detail = last_detail(table)
    assert detail["tables"] == done.tables
    assert "arm" in detail["columns"]["allocations"]
    assert {"probability", "block", "position"}.isdisjoint(detail["columns"]["allocations"])


def test_frozen_twice_the_first_freeze_stands(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    first = freeze(trial, now=now, actor="tester")
    ledger = table("events")
    again = freeze(trial, now=now + timedelta(days=1), actor="another")
    assert (again.already, again.at, again.tables) == (True, first.at, first.tables)
    pd.testing.assert_frame_equal(table("events"), ledger)


def test_the_gate_does_not_open_before_the_freeze(
    trial: StudyFolder, people: list[str], now: datetime
) -> None:
    with pytest.raises(GateClosed, match=r"enrolment is still open\. Freeze the study first"):
        open_gate(trial, now)


def test_unblinding_reveals_seeds_that_fit_the_commitments(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    freeze(trial, now=now, actor="tester")
    done = open_gate(trial, now)
    assert (done.by, done.reason, done.waves, done.already) == (
        "Dr Who",
        "enrolment is complete",
        (1, 2),
        False,
    )
    detail = last_detail(table)
    assert (detail["scope"], detail["by"], detail["reason"]) == ("study", "Dr Who", "enrolment is complete")
    for published in registration.read(trial).seeds:
        revealed = {
            name: bytes.fromhex(value) for name, value in detail["waves"][str(published.wave)].items()
        }
        assert (
            registration.commitment(**revealed, study_id="small_trial", wave=published.wave)
            == published.commitment
        )
    assert registration.seed(trial, 1).hex() not in repr(done)
    with reading(trial) as con:
        assert milestones.unblinded(con)
        verify_chain(events.history(con))


def test_unblinded_twice_the_first_stands(
    trial: StudyFolder, people: list[str], table: Table, now: datetime
) -> None:
    freeze(trial, now=now, actor="tester")
    first = open_gate(trial, now)
    ledger = table("events")
    again = open_gate(trial, now + timedelta(days=1), by="someone else", reason="another")
    assert (again.already, again.at, again.by, again.reason) == (
        True,
        first.at,
        "Dr Who",
        "enrolment is complete",
    )
    pd.testing.assert_frame_equal(table("events"), ledger)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"by": " "}, "--by: it is empty"),
        ({"reason": ""}, "--reason: it is empty"),
        ({"scope": "everything"}, "--scope everything: it is no scope"),
        ({"scope": "wave"}, "--scope wave: it is no scope"),
        ({"scope": "wave one"}, "--scope wave one: it is no scope"),
        ({"scope": "wave 9"}, "--scope wave 9: the study has no such wave. Choose one of 1, 2"),
    ],
)
def test_what_unblinding_needs(
    trial: StudyFolder, people: list[str], table: Table, now: datetime, given: dict[str, str], what: str
) -> None:
    freeze(trial, now=now, actor="tester")
    with pytest.raises(WrongUsage, match=what):
        open_gate(trial, now, **given)
    assert "unblind" not in set(table("events")["action"])


@pytest.mark.parametrize("step", ["freeze", "unblind", "assignments"])
def test_an_unlocked_trial_has_no_gate_to_pass(unlocked: StudyFolder, now: datetime, step: str) -> None:
    steps: dict[str, Callable[[], object]] = {
        "freeze": lambda: freeze(unlocked, now=now, actor="tester"),
        "unblind": lambda: open_gate(unlocked, now),
        "assignments": lambda: hand_over(unlocked, "out.csv", now),
    }
    with pytest.raises(NotLocked):
        steps[step]()


def test_the_hash_of_the_arms_in_the_ledger_is_salted(
    trial: StudyFolder, people: list[str], now: datetime
) -> None:
    done = freeze(trial, now=now, actor="tester")
    with reading(trial) as con:
        assert done.tables["participants"] == freezing.table_hash(con, "participants")
        assert done.tables["allocations"] != freezing.table_hash(con, "allocations")
