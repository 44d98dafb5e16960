"""The world that `simulate` plays: only for practice and power, never for a real study."""

from pydantic import Field

from forethought.protocol.values import Assumable, Name, Text, Value

Share = float


class SimulatedFlow(Assumable):
    """Shares of submissions that leave, and where."""

    submissions: int = Field(ge=1)
    returned: float = Field(ge=0, lt=1)
    timed_out: float = Field(ge=0, lt=1)
    ineligible: float = Field(ge=0, lt=1)
    lost_before: dict[Name, float] = Field(
        description="Session to the share of those still there who do not come to it."
    )


class PublishedCoefficients(Value):
    """One outcome's published model: coefficients by the fit's names, and the two SEs that give variances."""

    outcome: Name
    coefficients: dict[str, float]
    se_intercept: float = Field(gt=0)
    se_round: float = Field(gt=0)


class SimulatedOutcomes(Assumable):
    """Integer outcomes by ordered thresholds, whose cell means are those of the published models."""

    reference_arm_n: int = Field(ge=2, description="Participants of the reference arm behind the SEs.")
    correlation: float = Field(
        gt=-1, lt=1, description="Latent correlation of any two outcomes, after aligning their signs."
    )
    stimulus_shifts: dict[Name, float] = Field(
        default_factory=dict, description="Latent shift of each stimulus, in SD; they sum to zero."
    )
    published: tuple[PublishedCoefficients, ...] = Field(min_length=1)


class SimulatedConversations(Assumable):
    """How long conversations are, and the file their sentences come from."""

    messages: float = Field(gt=2, description="Mean number of messages in a conversation.")
    phrases: Text = Field(description="A file under materials/.")


class Simulation(Assumable):
    """Everything that `simulate` assumes."""

    flow: SimulatedFlow
    outcomes: SimulatedOutcomes
    conversations: SimulatedConversations
    source: Text = Field(description="Where the assumed effects come from.")
