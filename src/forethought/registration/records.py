"""What a registration holds: the lock's record, the amendments chained to it, and timestamps of either."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

_Sha256 = Field(pattern=r"^[0-9a-f]{64}$")


class Record(BaseModel):
    """A frozen record that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SeedCommitment(Record):
    """What is published of a wave's seed before it is revealed."""

    wave: int = Field(ge=1)
    commitment: str = _Sha256
    supplied: bool = Field(description="Whether the seed was given by a person, who may know it.")
    blocks: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Of a design that seals its block sizes: the commitment to those of the wave.",
    )
    blocks_supplied: bool = Field(
        default=False, description="Whether the block sizes were given by a person, who may know them."
    )
    list_sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Of a list drawn ahead: the SHA-256 of its sealed records.",
    )


class Difference(Record):
    """One field that an amendment changed, as `protocol.differences` found it; or a file under `materials/`."""

    field: str
    change: Literal["added", "removed", "changed", "moved"]
    before: JsonValue
    after: JsonValue
    words: str


class DeclaredDeviation(Record):
    """What a person says was done otherwise; `kind` is that of the computed deviations it declares, if any."""

    kind: str | None
    statement: str = Field(min_length=1)


class Stage(Record):
    """What had happened already when an amendment was made."""

    first_allocation: bool
    first_outcome: bool
    unblinded: bool


class Amendment(Record):
    """A plan in the place of another: what changed, why, who said so, and when."""

    number: int = Field(ge=1)
    parent: str = Field(pattern=r"^[0-9a-f]{64}$", description="The fingerprint of the plan it changes.")
    previous: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the canonical JSON of the record before it: the lock's, or an amendment.",
    )
    fingerprint: str = _Sha256
    protocol_sha256: str = _Sha256
    protocol: dict[str, JsonValue]
    differences: tuple[Difference, ...]
    declared: tuple[DeclaredDeviation, ...]
    reason: str = Field(min_length=1)
    amended_at: AwareDatetime
    amended_by: str
    git_commit: str | None
    materials: dict[str, str]
    scorers: dict[str, str]
    software: dict[str, str]
    seeds: tuple[SeedCommitment, ...]
    after: Stage
    allocation_algorithm: str | None = Field(
        default=None, description="Where the design of the allocation was amended: how arms are drawn since."
    )


class Timestamp(Record):
    """Evidence by a third party that a record existed at a time (RFC 3161)."""

    record: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the stamped record.")
    service: str = Field(description="The address that was asked.")
    at: AwareDatetime = Field(description="The time that the service vouches for.")
    token: str = Field(description="The service's answer, which holds its token: DER in base64.")
    root: str = Field(description="The certificates that the token was verified against: PEM.")


class Registration(Record):
    """What was locked, when and by whom, and what became of it. `protocol` is what its fingerprint covers.

    A registration of format 1 was written by a release without scorers, amendments and timestamps; it keeps its
    format when amendments or timestamps are added, so that its own record stays as it was.
    """

    format: Literal["forethought-registration/1", "forethought-registration/2"] = "forethought-registration/2"
    study_id: str
    fingerprint: str = _Sha256
    protocol_sha256: str = _Sha256
    locked_at: AwareDatetime
    locked_by: str
    git_commit: str | None
    materials: dict[str, str]
    scorers: dict[str, str] = Field(
        default_factory=dict, description="Rater to the SHA-256 of what it is, its rubric and its prompt."
    )
    software: dict[str, str]
    seeds: tuple[SeedCommitment, ...]
    allocation_algorithm: str | None
    protocol: dict[str, JsonValue]
    amendments: tuple[Amendment, ...] = ()
    timestamps: tuple[Timestamp, ...] = ()

    @property
    def current_fingerprint(self) -> str:
        """The fingerprint of the plan that stands."""
        return self.amendments[-1].fingerprint if self.amendments else self.fingerprint

    @property
    def current_protocol(self) -> dict[str, JsonValue]:
        """The plan that stands, as its file said it."""
        return self.amendments[-1].protocol if self.amendments else self.protocol

    @property
    def current_materials(self) -> dict[str, str]:
        """The materials of the plan that stands, by their paths under `materials/`."""
        return self.amendments[-1].materials if self.amendments else self.materials

    @property
    def current_scorers(self) -> dict[str, str]:
        """The scorers of the plan that stands."""
        return self.amendments[-1].scorers if self.amendments else self.scorers

    @property
    def current_algorithm(self) -> str | None:
        """The arithmetic that draws the arms: the lock's, until an amendment changes the design."""
        amended = (one.allocation_algorithm for one in reversed(self.amendments))
        return next((name for name in amended if name is not None), self.allocation_algorithm)

    @property
    def all_seeds(self) -> tuple[SeedCommitment, ...]:
        """The commitments of the lock and of every amendment: one for each wave."""
        return (*self.seeds, *(seed for amendment in self.amendments for seed in amendment.seeds))
