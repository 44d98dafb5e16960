"""Records of small allocations, made of nothing but their parts."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forethought.ledger import GENESIS, Event, chain
from forethought.protocol.allocation import algorithm
from forethought.protocol.fingerprint import fingerprint
from forethought.protocol.folder import StudyFolder
from forethought.protocol.formats import upgraded
from forethought.protocol.loading import read_yaml
from forethought.randomization.arrivals import Source
from forethought.randomization.order import orders
from forethought.randomization.replay import rederive
from forethought.registration import (
    Registration,
    SeedCommitment,
    block_commitment,
    commitment,
    read_document,
)
from forethought.registration.anchoring import recorded
from forethought.registration.designs import allocation_of
from forethought.registration.document import document_of, write
from forethought.verification.records import AllocationRecord, record

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SEEDS = {1: bytes(range(32)), 2: bytes(range(1, 33))}
NONCE = bytes(range(2, 34))
RULES = {
    "unit": "participant",
    "dropouts": {"count": "everyone_allocated", "replace": "never", "statement": "All."},
    "seed": {"drawn_by": "either", "revealed": "at_unblinding"},
    "concealment": "Nobody knows the seed.",
    "ratio": {"control": 1, "coached": 1},
}
BLOCKS = {**RULES, "method": "permuted_blocks", "block_sizes": [4, 6], "strata": ["sex"]}
NOBODY = pd.DataFrame(columns=["participant_id", "wave", "from_arrival", "counts", "reason"], dtype=object)

Make = Callable[..., AllocationRecord]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Allocates people in two waves, and gives the record of it; `revealed` are the waves that were unblinded."""
    number = count()

    def made(
        allocation: Mapping[str, Any] = BLOCKS,
        *,
        people: int = 24,
        revealed: tuple[int, ...] = (1,),
        secrets: Mapping[int, Mapping[str, Any]] | None = None,
        sizes: tuple[int, ...] | None = None,
        counting: pd.DataFrame = NOBODY,
        units: bool = False,
    ) -> AllocationRecord:
        folder = StudyFolder(tmp_path / f"study {next(number)}")
        folder.path.mkdir()
        locked = _locked(folder, allocation, sizes)
        waves = [_wave(locked, wave, people, sizes, counting, units=units) for wave in SEEDS]
        said = {"seed": None, "nonce": NONCE.hex()} | ({"block_sizes": list(sizes)} if sizes else {})
        told = {str(wave): said | {"seed": SEEDS[wave].hex()} for wave in revealed}
        return record(
            folder,
            locked,
            _ledger(folder, people, {**told, **{str(wave): one for wave, one in (secrets or {}).items()}}),
            pd.concat([allocations for allocations, _ in waves]),
            counting,
            pd.concat([materials for _, materials in waves]),
        )

    return made


def _locked(
    folder: StudyFolder, allocation: Mapping[str, Any], sizes: tuple[int, ...] | None
) -> Registration:
    trial = read_yaml(Path(__file__).parents[1] / "allocation_steps" / "small_trial.yaml")
    data = {**upgraded(trial), "allocation": dict(allocation)}  # type: ignore[arg-type]
    locked = Registration(
        study_id="small_trial",
        fingerprint=fingerprint(data),
        protocol_sha256="0" * 64,
        locked_at=NOW,
        locked_by="tester",
        git_commit=None,
        materials={},
        software={},
        seeds=tuple(
            SeedCommitment(
                wave=wave,
                commitment=commitment(seed, NONCE, "small_trial", wave),
                supplied=True,
                blocks=block_commitment(sizes, NONCE, "small_trial", wave) if sizes else None,
            )
            for wave, seed in SEEDS.items()
        ),
        allocation_algorithm=algorithm(allocation_of(data)),  # type: ignore[arg-type]
        protocol=data,
    )
    write(folder, document_of(locked))
    return locked


def _wave(
    locked: Registration,
    wave: int,
    people: int,
    sizes: tuple[int, ...] | None,
    counting: pd.DataFrame,
    *,
    units: bool,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    design: Any = allocation_of(locked.protocol)
    if sizes:
        design = design.model_copy(update={"block_sizes": sizes})
    source = Source(
        seed=SEEDS[wave], study_id="small_trial", wave=wave, algorithm=str(locked.allocation_algorithm)
    )
    labels = ["sex=Female", "sex=Female", "sex=Male"] if design.covariates else ["all"]
    came = pd.DataFrame(
        {
            "participant_id": [f"p{wave}{number:02}" for number in range(people)],
            "wave": wave,
            "stratum": [labels[number % len(labels)] for number in range(people)],
            "arrival": range(1, people + 1),
            "unit": [f"school {number // 3}" for number in range(people)] if units else None,
        }
    )
    given = rederive(design, source, came, counting[counting["wave"] == wave])
    arrivals = dict(zip(came["participant_id"], came["arrival"], strict=True))
    plan = _stimuli(locked)
    drawn = orders(plan, "small_trial", wave, SEEDS[wave], arrivals)
    materials = pd.DataFrame(
        [(who, f"c{place + 1}", item) for who, items in drawn.items() for place, item in enumerate(items)],
        columns=["participant_id", "session", "stimulus"],
    )
    return given.assign(wave=wave, stratum=came["stratum"]), materials


def _stimuli(locked: Registration) -> Any:
    from forethought.deviations import planned

    return planned(locked).now.stimuli


def _ledger(folder: StudyFolder, people: int, told: Mapping[str, Any]) -> tuple[Event, ...]:
    document = read_document(folder.registration)
    assert document is not None
    said: list[tuple[str, Mapping[str, object]]] = [
        (action, detail) for action, _, detail in recorded(document)
    ]
    said += [
        ("randomize", {"wave": wave, "allocated": part})
        for wave in SEEDS
        for part in (people // 2, people - people // 2)
    ]
    if told:
        said.append(("unblind", {"scope": "study", "by": "A. Person", "reason": "Over", "waves": dict(told)}))
    found: list[Event] = []
    for number, (action, detail) in enumerate(said, start=1):
        previous = found[-1].hash if found else GENESIS
        found.append(chain(previous, number, NOW + timedelta(minutes=number), "tester", action, detail))
    return tuple(found)
