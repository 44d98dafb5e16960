"""A small randomised study and a small one that is not, as plans and as databases."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forethought.protocol.folder import StudyFolder
from forethought.protocol.formats import upgraded
from forethought.protocol.protocol import Protocol
from forethought.store import events, migrations, rows
from forethought.store.connection import writing

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
MOMENT = pd.Timestamp("2026-11-01 09:30")
PEOPLE = ["pa", "pb", "pc", "pd"]
TRUE_ARMS = ["coach", "control", "coach", "control"]

_STUDY = {"title": "T", "summary": "S", "authors": [{"name": "A"}], "ethics": "E"}
_WAVE = {"number": 1, "opens": "2026-11-01T09:00:00+00:00", "target": 4}
_WINDOW = {"anchor": "allocation", "opens": 0, "target": 10, "closes": 60}
_ANALYSIS = {
    "population": "all_records",
    "missing_data": "none",
    "models": [
        {
            "kind": "ols",
            "id": "m",
            "label": "m",
            "formula": "y ~ 1",
            "outcomes": ["warmth"],
            "role": "primary",
            "cluster": "participant",
        }
    ],
}
_SOURCE = {"source": "csv", "participant": "id"}
_RESPONSES = [
    {"name": "looking", "column": "looking", "type": "number"},
    {"name": "size", "column": "size", "type": "number", "codes": {"small": 1, "large": 2}},
    {"name": "method", "column": "method", "type": "category", "levels": ["screen", "hpp", "eye"]},
    {"name": "lab", "column": "lab", "type": "category"},
    {"name": "remark", "column": "remark", "type": "text"},
]

RANDOMISED: dict[str, Any] = {
    "format": "forethought-protocol/1",
    "study": {"id": "small", **_STUDY},
    "waves": [_WAVE],
    "arms": [{"id": arm, "label": arm, "code": arm, "description": arm} for arm in ("control", "coach")],
    "allocation": {"method": "permuted_blocks", "ratio": {"control": 1, "coach": 1}, "block_sizes": [2]},
    "sessions": [
        {"id": "first", "label": "1", "window": _WINDOW, "variables": {"round": 0}},
        {"id": "second", "label": "2", "window": _WINDOW, "variables": {"round": 1}},
    ],
    "stimuli": {"name": "scenario", "items": ["job", "dad"], "order": "random_without_repetition", "sessions": ["first", "second"]},
    "imports": {
        "recruits": {
            "source": "csv",
            "participant": "id",
            "status": "status",
            "arrived": "arrived",
            "variables": [
                {"name": "age", "column": "Age", "type": "number"},
                {"name": "sex", "column": "Sex", "type": "category", "levels": ["Female", "Male"]},
            ],
        },
    },
    "outcomes": [
        {"kind": "rated", "id": "warmth", "label": "w", "minimum": 1, "maximum": 5, "better": "higher", "scorer": "judge"},
        {"kind": "scale", "id": "trait", "label": "t", "session": "baseline", "items": ["one"], "better": "higher"},
    ],
    "analysis": _ANALYSIS,
}  # fmt: skip

OBSERVED: dict[str, Any] = {
    "format": "forethought-protocol/1",
    "study": {"id": "trials", **_STUDY},
    "waves": [_WAVE],
    "allocation": "none",
    "imports": {"responses": {**_SOURCE, "record": "row", "variables": _RESPONSES}},
    "analysis": _ANALYSIS,
}


def as_protocol(data: dict[str, Any]) -> Protocol:
    return Protocol.model_validate_json(json.dumps(upgraded(data)))


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def randomised() -> Protocol:
    return as_protocol(RANDOMISED)


@pytest.fixture
def observed() -> Protocol:
    return as_protocol(OBSERVED)


@pytest.fixture
def study(tmp_path: Path, randomised: Protocol) -> StudyFolder:
    """A study folder with an empty database."""
    folder = StudyFolder(tmp_path)
    migrations.create(folder, "small", randomised.waves, NOW)
    return folder


@pytest.fixture
def append(study: StudyFolder) -> Callable[[str, pd.DataFrame], int]:
    """Append a frame to a table of the study, in a transaction of its own."""

    def in_a_transaction(table: str, frame: pd.DataFrame) -> int:
        with writing(study) as con:
            return rows.append(con, table, frame)

    return in_a_transaction


@pytest.fixture
def unblind(study: StudyFolder) -> Callable[[str], None]:
    """Record that the gate was opened for a scope."""

    def record(scope: str) -> None:
        with writing(study) as con:
            events.record(con, now=NOW, actor="pi", action="unblind", detail={"scope": scope})

    return record


@pytest.fixture
def filled(study: StudyFolder) -> StudyFolder:
    """Six recruits, one excluded, one waiting, four allocated; what became of their two sessions."""
    with writing(study) as con:
        for table, frame in _tables().items():
            rows.append(con, table, frame)
    return study


def _tables() -> dict[str, pd.DataFrame]:
    recruits = [*PEOPLE, "pe", "pf"]
    people = pd.DataFrame(
        {
            "participant_id": recruits,
            "wave": 1,
            "status": ["eligible"] * 5 + ["excluded"],
            "service_status": "APPROVED",
            "arrived_at": MOMENT,
        }
    )
    excluded = pd.DataFrame(
        {
            "participant_id": ["pf"],
            "stage": "eligibility",
            "position": 1,
            "criterion": "adult",
            "reason": "Under 18",
            "excluded_at": MOMENT,
        }
    )
    allocations = pd.DataFrame(
        {
            "participant_id": PEOPLE,
            "wave": 1,
            "arm": TRUE_ARMS,
            "probability": [0.5, 1.0, 0.5, 1.0],
            "stratum": ["old", "old", "young", "young"],
            "block": [1, 1, 1, 1],
            "position": [1, 2, 1, 2],
            "arrival": [1, 2, 4, 3],
            "algorithm": "permuted-blocks/1",
            "allocated_at": MOMENT,
            "unit": None,
            "batch": None,
            "replaces": None,
        }
    )
    recruitment = pd.DataFrame(
        [
            (name, item, value)
            for name in PEOPLE
            for item, value in (("age", f"3{PEOPLE.index(name)}"), ("sex", "Male"))
        ],
        columns=["participant_id", "item", "value"],
    ).query("not (participant_id == 'pd' and item == 'age')")
    responses = recruitment.assign(
        record_id=recruitment["participant_id"] + "/recruitment", session="recruitment", raw_row_id="f:1"
    )
    return {
        "participants": people,
        "exclusions": excluded,
        "allocations": allocations,
        "responses": responses,
        "sessions": _sessions(),
        "scores": _scores(),
    }


def _sessions() -> pd.DataFrame:
    statuses = {
        "pa": ("done", "done"),
        "pb": ("done", "out_of_window"),
        "pc": ("done", "missed"),
        "pd": ("planned", "planned"),
    }
    return pd.DataFrame(
        [
            (name, session, position, stimulus, MOMENT, MOMENT, MOMENT, status, None)
            for name, both in statuses.items()
            for position, (session, stimulus, status) in enumerate(
                zip(("first", "second"), ("dad", "job"), both, strict=True), start=1
            )
        ],
        columns=["participant_id", "session", "position", "stimulus", "opens_at", "target_at", "closes_at", "status", "held_at"],
    )  # fmt: skip


def _scores() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("pa", "first", "warmth", "judge", "rated/1", 2.0),
            ("pa", "second", "warmth", "judge", "rated/1", 4.0),
            ("pa", "second", "warmth", "crowd", "rated/1", 1.0),
            ("pb", "first", "warmth", "judge", "rated/1", 3.0),
            ("pb", "second", "warmth", "judge", "rated/1", 5.0),
            ("pc", "first", "warmth", "judge", "rated/1", 1.0),
            ("pa", "baseline", "trait", "scale", "scale/1", 12.0),
            ("pd", "baseline", "trait", "scale", "scale/1", 9.0),
        ],
        columns=["participant_id", "session", "outcome", "scorer", "version", "value"],
    )
