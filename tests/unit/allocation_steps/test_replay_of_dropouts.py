"""People who come in groups, and places that count no longer in between: the replay needs no clock to follow them."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from forethought import registration
from forethought.protocol import shipped
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load, read_yaml
from forethought.steps.freeze import freeze
from forethought.steps.monitor import monitor
from forethought.steps.randomize import randomize
from forethought.steps.registering import complete
from forethought.steps.replay import check
from forethought.steps.unblind import unblind
from forethought.store import migrations
from forethought.store.connection import writing
from forethought.store.vault import Vault

BLOCKS = {"method": "permuted_blocks", "block_sizes": [4, 8], "strata": ["sex"]}
URN = {"method": "block_urn", "block_size": 4, "strata": ["sex"]}
MINIMIZED = {
    "method": "minimization", "factors": [{"name": "sex"}], "imbalance": "range", "chance": 0.8,
}  # fmt: skip


@pytest.fixture(
    params=[
        (BLOCKS, "never"), (BLOCKS, "reopen_place"), (BLOCKS, "next_arrival"), (URN, "reopen_place"), (MINIMIZED, "never"),
    ],
    ids=lambda given: f"{given[0]['method']}, {given[1]}",
)  # fmt: skip
def unlocked(request: pytest.FixtureRequest, tmp_path: Path, now: datetime) -> StudyFolder:
    """Lend an Ear with another allocation, in which whoever has not finished after half an hour counts no longer."""
    method, replace = request.param
    folder = shipped.copy("lend_an_ear", tmp_path / "study")
    data: Any = read_yaml(folder.protocol)
    rule = {
        "count": "completed_or_in_progress",
        "in_progress_minutes": 30,
        "replace": replace,
        "statement": "Rule.",
    }
    common = {name: data["allocation"][name] for name in ("unit", "ratio", "seed", "concealment")}
    folder.protocol.write_text(json.dumps({**data, "allocation": {**method, **common, "dropouts": rule}}))
    protocol = load(folder.protocol).protocol
    Vault.create(folder)
    migrations.create(folder, protocol.study.id, protocol.waves, now)
    return folder


def test_the_replay_follows_who_stopped_counting_and_who_was_replaced(
    unlocked: StudyFolder, recruit: Callable[..., list[str]], now: datetime, tmp_path: Path
) -> None:
    loaded = load(unlocked.protocol)
    registration.lock(unlocked, loaded, now=now, by="tester", seeds={1: bytes(range(32))}, supplied=True)
    with writing(unlocked) as con:
        complete(con, unlocked, loaded.protocol, now=now, actor="tester")
    first = 0
    for group, size in enumerate((7, 1, 12, 5, 1, 20, 3)):
        recruit(range(first, first + size))
        first += size
        randomize(unlocked, now=now + timedelta(minutes=20 * group), actor="tester")
    checks = monitor(unlocked).checks
    assert checks is not None
    (wave,) = checks.waves
    replaces = loaded.protocol.allocation.dropouts.replace != "never"  # type: ignore[union-attr]
    assert (wave.seed_agrees, [one.count for one in wave.stopped]) == (True, [26])
    assert (wave.replaced > 0) is replaces
    later = now + timedelta(days=1)
    freeze(unlocked, now=later, actor="tester")
    unblind(unlocked, now=later, actor="tester", by="A. Person", reason="Over")
    for path, save_to in ((unlocked.path, tmp_path / "record.zip"), (tmp_path / "record.zip", None)):
        done = check(path, save_to=save_to)
        assert [(one.allocations, one.differences) for one in done.replayed.waves] == [(49, ())]
        done.require()
