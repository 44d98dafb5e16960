"""Where data come from: the columns of each export and what they become."""

from typing import Annotated, Literal

from pydantic import Field

from forethought.protocol.rules import Criterion
from forethought.protocol.values import Assumable, Name, Text, Value


class Variable(Value):
    """One column read from an export. `session` says when it was measured, where that matters."""

    name: Name = Field(description="Its name in the analysis data set.")
    column: Text = Field(description="Its name in the export.")
    type: Literal["number", "category", "text"] = Field(description="What its values are.")
    levels: tuple[str, ...] = Field(
        default=(), description="Of a category, the reference first; any other value is refused."
    )
    codes: dict[str, float] = Field(default_factory=dict, description="Response words to numbers.")
    minimum: float | None = Field(default=None, description="A smaller number is refused.")
    maximum: float | None = Field(default=None, description="A larger number is refused.")
    session: Name | None = Field(
        default=None, description="When it was measured: a session, `recruitment` or `baseline`."
    )


class Recruits(Assumable):
    """People as the recruitment service lists them."""

    source: Literal["prolific", "csv"] = Field(
        description="The service whose export is read.",
        json_schema_extra={"later": ["redcap", "mturk", "connect", "sona"]},
    )
    participant: Text = Field(description="The column of the service's participant id.")
    status: Text = Field(description="The column of the submission's status.")
    arrived: Text = Field(description="The column of the time of arrival: allocation follows this order.")
    missing: tuple[str, ...] = Field(
        default=("", "CONSENT_REVOKED", "DATA_EXPIRED"), description="Cells that mean that there is no value."
    )
    variables: tuple[Variable, ...] = Field(default=(), description="What is read of each person.")
    eligibility: tuple[Criterion, ...] = Field(
        default=(), description="Tried in this order; `status` is a variable too. Each must hold."
    )


class Responses(Assumable):
    """Survey answers or trial records."""

    source: Literal["qualtrics", "csv"] = Field(
        description="The service whose export is read.",
        json_schema_extra={"later": ["redcap", "jatos", "jspsych"]},
    )
    participant: Text = Field(description="The column of the participant's id.")
    record: Literal["participant", "row"] = Field(
        default="participant", description="Whether a row is one person's survey or one trial of many."
    )
    finished: Text | None = Field(default=None, description="The column of the time of completion, if any.")
    missing: tuple[str, ...] = Field(default=("",), description="Cells that mean that there is no value.")
    variables: tuple[Variable, ...] = Field(min_length=1, description="What is read of each row.")


class Conversations(Assumable):
    """Messages of conversations, one row each, the conversation's own columns repeated."""

    source: Literal["csv"] = Field(description="The format that is read.")
    conversation: Text = Field(description="The column of the conversation's id.")
    participant: Text = Field(description="The column of the participant's id.")
    session: Text = Field(description="The column that says which session it was.")
    sessions: dict[str, Name] = Field(description="That column's values to session ids.")
    stimulus: Text | None = Field(default=None, description="The column of the stimulus, if any.")
    stimuli: dict[str, Name] = Field(default_factory=dict, description="Exported words to stimulus ids.")
    number: Text = Field(description="The column of the message's number.")
    role: Text = Field(description="The column that says who wrote the message.")
    roles: dict[str, Literal["participant", "partner"]] = Field(
        description="That column's words to who they mean."
    )
    text: Text = Field(description="The column of the message's text.")
    sent: Text = Field(description="The column of the time of sending.")
    received: Text | None = Field(
        default=None, description="The column of the arm received, by arm code: sealed until unblinding."
    )
    sealed: tuple[Text, ...] = Field(default=(), description="Other columns that reveal an arm.")


class Ratings(Assumable):
    """Scores given to conversations, one row for each conversation and rater."""

    source: Literal["csv"] = Field(description="The format that is read.")
    conversation: Text = Field(description="The column of the conversation's id.")
    rater: Text = Field(description="The column of the rater's id.")
    outcomes: dict[Name, Text] = Field(description="Rated outcome to column.")


class Imports(Value):
    """Every kind of export that the study expects."""

    recruits: Recruits | None = Field(default=None, description="People, from the recruitment service.")
    responses: Responses | None = Field(default=None, description="Survey answers, or records of trials.")
    conversations: Conversations | None = Field(default=None, description="Messages of conversations.")
    ratings: Ratings | None = Field(default=None, description="Ratings of conversations.")


ImportKind = Literal["recruits", "responses", "conversations", "ratings"]
ExportSource = Annotated[Literal["prolific", "qualtrics", "csv"], "services whose exports are read"]
