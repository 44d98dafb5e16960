"""Where data come from: the columns of each export and what they become."""

from typing import Annotated, Literal

from pydantic import Field

from forethought.protocol.rules import Criterion
from forethought.protocol.values import Assumable, Name, Text, Value


class Variable(Value):
    """One column read from an export. `session` says when it was measured, where that matters."""

    name: Name
    column: Text
    type: Literal["number", "category", "text"]
    levels: tuple[str, ...] = Field(
        default=(), description="Of a category, the reference first; any other value is refused."
    )
    codes: dict[str, float] = Field(default_factory=dict, description="Response words to numbers.")
    minimum: float | None = None
    maximum: float | None = None
    session: Name | None = None


class Recruits(Assumable):
    """People as the recruitment service lists them."""

    source: Literal["prolific", "csv"]
    participant: Text = Field(description="The column of the service's participant id.")
    status: Text = Field(description="The column of the submission's status.")
    arrived: Text = Field(description="The column of the time of arrival: allocation follows this order.")
    missing: tuple[str, ...] = ("", "CONSENT_REVOKED", "DATA_EXPIRED")
    variables: tuple[Variable, ...] = ()
    eligibility: tuple[Criterion, ...] = Field(
        default=(), description="Tried in this order; `status` is a variable too. Each must hold."
    )


class Responses(Assumable):
    """Survey answers or trial records."""

    source: Literal["qualtrics", "csv"]
    participant: Text = Field(description="The column of the participant's id.")
    record: Literal["participant", "row"] = Field(
        default="participant", description="Whether a row is one person's survey or one trial of many."
    )
    finished: Text | None = Field(default=None, description="The column of the time of completion, if any.")
    missing: tuple[str, ...] = ("",)
    variables: tuple[Variable, ...] = Field(min_length=1)


class Conversations(Assumable):
    """Messages of conversations, one row each, the conversation's own columns repeated."""

    source: Literal["csv"]
    conversation: Text
    participant: Text
    session: Text = Field(description="The column that says which session it was.")
    sessions: dict[str, Name] = Field(description="That column's values to session ids.")
    stimulus: Text | None = None
    stimuli: dict[str, Name] = Field(default_factory=dict, description="Exported words to stimulus ids.")
    number: Text
    role: Text
    roles: dict[str, Literal["participant", "partner"]]
    text: Text
    sent: Text
    received: Text | None = Field(
        default=None, description="The column of the arm received, by arm code: sealed until unblinding."
    )
    sealed: tuple[Text, ...] = Field(default=(), description="Other columns that reveal an arm.")


class Ratings(Assumable):
    """Scores given to conversations, one row for each conversation and rater."""

    source: Literal["csv"]
    conversation: Text
    rater: Text
    outcomes: dict[Name, Text] = Field(description="Rated outcome to column.")


class Imports(Value):
    """Every kind of export that the study expects."""

    recruits: Recruits | None = None
    responses: Responses | None = None
    conversations: Conversations | None = None
    ratings: Ratings | None = None


ImportKind = Literal["recruits", "responses", "conversations", "ratings"]
ExportSource = Annotated[Literal["prolific", "qualtrics", "csv"], "services whose exports are read"]
