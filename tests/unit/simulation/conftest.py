"""The shipped Lend an Ear protocol, its calibrated world, and people to play."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import forethought.protocols
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.simulation.attendance import People
from forethought.simulation.phrases import Phrases, read_phrases
from forethought.simulation.sessions import Played, play_sessions
from forethought.simulation.world import OutcomeWorld, outcome_world

STUDY = Path(forethought.protocols.__file__).parent / "lend_an_ear"


@pytest.fixture(scope="session")
def study() -> Path:
    return STUDY


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return load(STUDY / "protocol.yaml").protocol


@pytest.fixture(scope="session")
def world(protocol: Protocol) -> OutcomeWorld:
    return outcome_world(protocol)


@pytest.fixture(scope="session")
def phrases(protocol: Protocol) -> Phrases:
    return read_phrases(STUDY / "materials" / "phrases.yaml", protocol)


def people_of(n: int) -> People:
    """`n` people in all four arms by turns, allocated at one time, with three different scenarios each."""
    orders = np.argsort(np.random.default_rng(0).random((n, 5)), axis=1)
    return People(
        source_ids=tuple(f"{number:024x}" for number in range(n)),
        arms=np.arange(n) % 4,
        allocated_at=np.full(n, np.datetime64("2025-03-28T12:00:00", "us")),
        stimuli=orders[:, :3],
    )


@pytest.fixture(scope="session")
def people() -> Callable[[int], People]:
    return people_of


@pytest.fixture(scope="session")
def played(protocol: Protocol, phrases: Phrases) -> Played:
    """What 400 people did."""
    return play_sessions(protocol, phrases, people_of(400), seed=1)
