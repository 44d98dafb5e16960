"""The protocol: one study, from its question to its registered analysis."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from forethought.protocol.analysis import Analysis
from forethought.protocol.assumed_world import Simulation
from forethought.protocol.design import Allocation, Arm, Material, NoAllocation, Session, Stimuli
from forethought.protocol.imports import Imports
from forethought.protocol.measures import Outcome, Preparation
from forethought.protocol.study import Study, Wave
from forethought.protocol.values import Value

FORMAT = "forethought-protocol/1"


class Protocol(Value):
    """A complete, machine-readable plan. Made by `load`, which checks what sections say of each other."""

    format: Literal["forethought-protocol/1"]
    study: Study
    waves: tuple[Wave, ...] = Field(min_length=1)
    arms: tuple[Arm, ...] = ()
    allocation: Allocation
    sessions: tuple[Session, ...] = ()
    stimuli: Stimuli | None = None
    materials: tuple[Material, ...] = ()
    imports: Imports
    outcomes: tuple[Outcome, ...] = ()
    preparation: tuple[Preparation, ...] = Field(
        default=(), description="Derivations and exclusions of the analysis data set, in their order."
    )
    analysis: Analysis
    simulation: Simulation | None = None

    @property
    def randomised(self) -> bool:
        """Whether arms are allocated by chance."""
        return not isinstance(self.allocation, NoAllocation)

    @property
    def arms_by_id(self) -> Mapping[str, Arm]:
        """The arms by their ids, in the protocol's order (the reference arm first)."""
        return {arm.id: arm for arm in self.arms}

    @property
    def outcomes_by_id(self) -> Mapping[str, Outcome]:
        """The outcomes by their ids, in the protocol's order."""
        return {outcome.id: outcome for outcome in self.outcomes}
