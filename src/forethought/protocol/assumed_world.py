"""The world that `simulate` plays: only for practice and power, never for a real study."""

from pydantic import Field

from forethought.protocol.values import Assumable, Name, Text, Value


class SimulatedFlow(Assumable):
    """Shares of submissions that leave, and where."""

    submissions: int = Field(ge=1, description="How many people begin.")
    returned: float = Field(ge=0, lt=1, description="The share that gives up.")
    timed_out: float = Field(ge=0, lt=1, description="The share that runs out of time.")
    ineligible: float = Field(ge=0, lt=1, description="The share that may not take part.")
    lost_before: dict[Name, float] = Field(
        description="Session to the share of those still there who do not come to it."
    )


class PublishedCoefficients(Value):
    """One outcome's published model: coefficients by the fit's names, and the two SEs that give variances."""

    outcome: Name = Field(description="A rated outcome.")
    coefficients: dict[str, float] = Field(description="Coefficient, as the fit names it, to estimate.")
    se_intercept: float = Field(gt=0, description="Published standard error of the intercept.")
    se_round: float = Field(gt=0, description="Published standard error of the change in the reference arm.")


class SimulatedOutcomes(Assumable):
    """Integer outcomes by ordered thresholds, whose cell means are those of the published models."""

    reference_arm_n: int = Field(ge=2, description="Participants of the reference arm behind the SEs.")
    correlation: float = Field(
        gt=-1, lt=1, description="Latent correlation of any two outcomes, after aligning their signs."
    )
    stimulus_shifts: dict[Name, float] = Field(
        default_factory=dict, description="Latent shift of each stimulus, in SD; they sum to zero."
    )
    published: tuple[PublishedCoefficients, ...] = Field(
        min_length=1, description="One for each rated outcome."
    )


class SimulatedConversations(Assumable):
    """How long conversations are, and the file their sentences come from."""

    messages: float = Field(gt=2, description="Mean number of messages in a conversation.")
    phrases: Text = Field(description="A file under materials/.")


class Simulation(Assumable):
    """Everything that `simulate` assumes."""

    flow: SimulatedFlow = Field(description="Who leaves, and where.")
    outcomes: SimulatedOutcomes = Field(description="What is measured of those who stay.")
    conversations: SimulatedConversations = Field(description="What they write.")
    source: Text = Field(description="Where the assumed effects come from.")
