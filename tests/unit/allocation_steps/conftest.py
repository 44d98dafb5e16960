"""A small locked trial of two arms, two strata and two waves, and what comes into it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile, copytree, rmtree
from typing import Any

import pandas as pd
import pytest

from forethought import registration
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.steps.randomize import randomize
from forethought.steps.registering import complete
from forethought.steps.schedule import schedule
from forethought.steps.score import score
from forethought.store import migrations, rows
from forethought.store.connection import reading, writing
from forethought.store.vault import Vault

NOW = datetime(2025, 3, 25, 10, 0, tzinfo=UTC)
ARRIVED = datetime(2025, 3, 25, 9, 0)  # noqa: DTZ001 - the tables hold naive UTC
SEEDS = {1: bytes(range(32)), 2: bytes(range(1, 33))}

Table = Callable[[str], pd.DataFrame]
Recruit = Callable[..., list[str]]


@pytest.fixture
def now() -> datetime:
    return NOW


class Stages:
    """Study folders as they were at a stage: made by the first test that comes to it, and copied for the others."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._given: dict[str, Any] = {}

    def reach(self, name: str, folder: StudyFolder, make: Callable[[], Any]) -> Any:
        """Bring the folder to the stage; what `make` gave when the stage was made."""
        if name in self._given:
            rmtree(folder.path, ignore_errors=True)
            copytree(self._kept / name, folder.path)
        else:
            self._given[name] = make()
            copytree(folder.path, self._kept / name)
        return self._given[name]


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return Stages(tmp_path_factory.mktemp("stages"))


@pytest.fixture
def unlocked(tmp_path: Path, stages: Stages) -> StudyFolder:
    folder = StudyFolder(tmp_path / "trial")

    def make() -> None:
        folder.materials.mkdir(parents=True)
        folder.reports.mkdir()
        copyfile(Path(__file__).with_name("small_trial.yaml"), folder.protocol)
        protocol = load(folder.protocol).protocol
        Vault.create(folder)
        migrations.create(folder, protocol.study.id, protocol.waves, NOW)

    stages.reach("unlocked", folder, make)
    return folder


@pytest.fixture
def trial(unlocked: StudyFolder, stages: Stages) -> StudyFolder:
    def make() -> None:
        loaded = load(unlocked.protocol)
        registration.lock(unlocked, loaded, now=NOW, by="tester", seeds=SEEDS, supplied=True)
        with writing(unlocked) as con:
            complete(con, unlocked, loaded.protocol, now=NOW, actor="tester")

    stages.reach("locked", unlocked, make)
    return unlocked


@pytest.fixture
def six_people(
    trial: StudyFolder, recruit: "Recruit", talk: Callable[..., None], stages: Stages
) -> list[str]:
    """Six people, allocated; each has held the first conversation, and every third is male."""

    def make() -> list[str]:
        found = recruit(range(6))
        randomize(trial, now=NOW, actor="tester")
        for person in found:
            talk(person, "c1", NOW + timedelta(minutes=5), warmth=4, advice=2)
        schedule(trial, now=NOW, actor="tester")
        score(trial, now=NOW, actor="tester")
        return found

    people: list[str] = stages.reach("six people", trial, make)
    return list(people)


@pytest.fixture
def table(trial: StudyFolder) -> Table:
    """A table of the trial as it stands."""

    def read(name: str) -> pd.DataFrame:
        with reading(trial) as con:
            return rows.read(con, name)

    return read


@pytest.fixture
def recruit(unlocked: StudyFolder) -> Recruit:
    """Let people arrive a second apart, and return their pseudonyms in that order; every third is male."""

    def arrive(
        numbers: Sequence[int], *, wave: int = 1, sexes: Sequence[str] = ("Female", "Female", "Male")
    ) -> list[str]:
        vault = Vault.open(unlocked)
        people = [vault.pseudonym(f"service-{wave}-{number:04}") for number in numbers]
        vault.remember(dict(zip(people, [f"service-{wave}-{number:04}" for number in numbers], strict=True)))
        arrived = [ARRIVED + timedelta(seconds=number) for number in numbers]
        participants = pd.DataFrame(
            {
                "participant_id": people,
                "wave": wave,
                "status": "eligible",
                "service_status": "APPROVED",
                "arrived_at": arrived,
            }
        )
        responses = pd.DataFrame(
            {
                "record_id": [f"{person}/recruitment" for person in people],
                "item": "sex",
                "participant_id": people,
                "session": "recruitment",
                "value": [sexes[number % len(sexes)] for number in numbers],
                "raw_row_id": "0" * 16 + ":1",
            }
        )
        with writing(unlocked) as con:
            rows.append(con, "participants", participants)
            rows.append(con, "responses", responses[responses["value"] != ""])
        return people

    return arrive


@pytest.fixture
def talk(unlocked: StudyFolder) -> Callable[..., None]:
    """Let a participant hold a session's conversation, and the judge rate it."""

    def hold(person: str, session: str, began: datetime, **ratings: float) -> None:
        started = began.replace(tzinfo=None)
        conversation = pd.DataFrame(
            {
                "conversation_id": [f"{person}/{session}"],
                "participant_id": person,
                "session": session,
                "stimulus": None,
                "started_at": started,
                "ended_at": started + timedelta(minutes=9),
                "messages": 11,
            }
        )
        rated = pd.DataFrame(
            [(f"{person}/{session}", "judge", outcome, value) for outcome, value in ratings.items()],
            columns=["conversation_id", "rater", "outcome", "value"],
        )
        with writing(unlocked) as con:
            rows.append(con, "conversations", conversation)
            rows.append(con, "ratings", rated)

    return hold
