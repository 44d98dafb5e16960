"""The protocol: one study, from its question to its registered analysis."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from forethought.protocol.allocation import Allocation, NoAllocation
from forethought.protocol.analysis import Analysis
from forethought.protocol.assumed_world import Simulation
from forethought.protocol.design import Arm, Material, Session, Stimuli
from forethought.protocol.estimands import Estimand, Population
from forethought.protocol.imports import Imports
from forethought.protocol.measures import Outcome, Preparation, Rater
from forethought.protocol.recruitment import Blinding, Recruitment
from forethought.protocol.study import DataSharing, Study, Wave, WavePooling
from forethought.protocol.values import Value

FORMAT = "forethought-protocol/2"


class Protocol(Value):
    """A complete, machine-readable plan. Made by `load`, which checks what sections say of each other."""

    format: Literal["forethought-protocol/2"] = Field(description="The version of these rules.")
    study: Study = Field(description="What the study is.")
    waves: tuple[Wave, ...] = Field(min_length=1, description="The rounds of recruitment.")
    wave_pooling: WavePooling | None = Field(
        default=None, description="Where there are several waves, how they become one analysis."
    )
    recruitment: Recruitment = Field(description="Who is asked, on what terms, until when.")
    blinding: Blinding = Field(description="Who does not know the arms.")
    arms: tuple[Arm, ...] = Field(default=(), description="The conditions; the first is the reference.")
    allocation: Allocation = Field(description="How arms are allocated; `none` where they are not.")
    sessions: tuple[Session, ...] = Field(default=(), description="The planned meetings, in their order.")
    stimuli: Stimuli | None = Field(default=None, description="What the sessions draw from.")
    materials: tuple[Material, ...] = Field(default=(), description="The files that the lock holds.")
    imports: Imports = Field(description="The exports that come in.")
    raters: tuple[Rater, ...] = Field(default=(), description="Who rates conversations.")
    outcomes: tuple[Outcome, ...] = Field(default=(), description="What is measured.")
    preparation: tuple[Preparation, ...] = Field(
        default=(), description="Derivations and exclusions of the analysis data set, in their order."
    )
    analysis: Analysis = Field(description="The registered analysis.")
    data_sharing: DataSharing = Field(description="What others can get.")
    simulation: Simulation | None = Field(
        default=None, description="The assumed world that `simulate` plays; for practice and power only."
    )

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

    @property
    def estimands_by_id(self) -> Mapping[str, Estimand]:
        """The estimands by their ids."""
        return {estimand.id: estimand for estimand in self.analysis.estimands}

    @property
    def populations_by_id(self) -> Mapping[str, Population]:
        """The populations by their ids."""
        return {population.id: population for population in self.analysis.populations}
