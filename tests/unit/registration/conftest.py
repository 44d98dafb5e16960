"""A small randomised study of two waves, written, locked and amended."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol, load
from forethought.registration import Amended, DeclaredDeviation, Registration, Stage, Why, amend, lock

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
BEFORE_ANYTHING = Stage(first_allocation=False, first_outcome=False, unblinded=False)
SEEDS = {1: bytes(range(32)), 2: bytes(range(32, 64))}

STUDY = """
format: forethought-protocol/2
study:
  id: small
  title: T
  summary: S
  authors: [{name: A}]
  type: experiment
  framework: superiority
  existing_data: {status: prior_to_creation, explanation: E}
  ethics: E
  funding: F
  conflicts: C
waves:
  - {number: 1, opens: "2026-11-01T09:00:00+00:00", target: 4}
  - {number: 2, opens: "2026-11-02T09:00:00+00:00", target: 4}
wave_pooling: {method: together, statement: S, heterogeneity: by_wave}
recruitment:
  population: P
  procedure: P
  compensation: P
  consent: {procedure: P, material: consent.md}
  sample_size: {rationale: R, stopping: {rule: fixed, statement: S}}
  distress: D
blinding: {participants: false, deliverers: false, raters: true, analysts: true, how: H}
arms:
  - {id: control, label: control, code: control, description: control}
  - {id: coach, label: coach, code: coach, description: coach}
allocation:
  method: permuted_blocks
  ratio: {control: 1, coach: 1}
  block_sizes: [2]
  dropouts: {count: everyone_allocated, replace: never, statement: S}
  seed: {drawn_by: either, revealed: at_unblinding}
  concealment: C
sessions:
  - id: first
    label: "1"
    window: {anchor: allocation, opens: 0, target: 10, closes: 60}
    variables: {round: 0}
    materials: [script.md]
materials:
  - {file: script.md, description: What the partner says}
  - {file: consent.md, description: What people are told}
  - {file: rubric.md, description: What each point means}
imports:
  recruits: {source: csv, participant: id, status: status, arrived: arrived}
  conversations:
    source: csv
    conversation: c
    participant: id
    session: s
    sessions: {"1": first}
    number: n
    role: r
    roles: {p: participant, q: partner}
    text: t
    sent: at
  ratings: {source: csv, conversation: c, rater: rater, outcomes: {warmth: warmth}}
raters:
  - {id: judge, kind: person, description: D, rubric: rubric.md}
outcomes:
  - {kind: rated, id: warmth, label: w, minimum: 1, maximum: 5, better: higher, scorer: judge}
analysis:
  population: everyone
  populations: [{id: everyone, label: Everyone, rule: randomised}]
  missing_data: {assumption: mar, method: available_records, statement: S}
  alpha: 0.05
  models:
    - kind: ols
      id: m
      label: m
      formula: y ~ arm
      outcomes: [warmth]
      role: exploratory
      cluster: participant
      leaves_out: {wave: The other model has it}
    - kind: ols
      id: by_wave
      label: by wave
      formula: y ~ arm * wave
      outcomes: [warmth]
      role: exploratory
      cluster: participant
data_sharing: {level: open, data: D, code: C, materials: M}
"""

Plan = dict[str, Any]
Make = Callable[..., Amended]
Edit = Callable[[Callable[[Plan], object]], LoadedProtocol]


@pytest.fixture
def plan() -> Plan:
    """The protocol as its file says it."""
    data: Plan = yaml.safe_load(STUDY)
    return data


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    """A folder with the study's materials, and nothing else."""
    study = StudyFolder(tmp_path)
    study.materials.mkdir()
    for name in ("script", "consent", "rubric"):
        (study.materials / f"{name}.md").write_text(f"The {name}\n")
    return study


@pytest.fixture
def edit(folder: StudyFolder, plan: Plan) -> Edit:
    """Writes the protocol with a change of it, and loads it: `edit(lambda plan: plan["arms"].pop())`."""

    def written(change: Callable[[Plan], object]) -> LoadedProtocol:
        changed = deepcopy(plan)
        change(changed)
        folder.protocol.write_text(yaml.safe_dump(changed, sort_keys=False))
        return load(folder.protocol)

    return written


@pytest.fixture
def loaded(edit: Edit) -> LoadedProtocol:
    """The protocol, written and loaded."""
    return edit(lambda plan: None)


@pytest.fixture
def locked(folder: StudyFolder, loaded: LoadedProtocol) -> Registration:
    """The study's registration."""
    return lock(
        folder, loaded, now=NOW, by="ann", seeds=SEEDS, supplied=True, random_bytes=lambda size: b"n" * size
    )


@pytest.fixture
def made(folder: StudyFolder, locked: Registration) -> Make:
    """Amends the locked study: `made(loaded, "why", declared=[...], after=...)`."""

    def amended(
        loaded: LoadedProtocol,
        reason: str = "R",
        *,
        declared: Sequence[tuple[str | None, str]] = (),
        after: Stage = BEFORE_ANYTHING,
        seeds: dict[int, bytes] | None = None,
    ) -> Amended:
        said = tuple(DeclaredDeviation(kind=kind, statement=text) for kind, text in declared)
        why = Why(reason=reason, declared=said, after=after)
        return amend(folder, loaded, why, now=LATER, by="bob", seeds=seeds or {}, supplied=False)

    return amended
