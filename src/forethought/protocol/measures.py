"""Outcomes: what is measured, by whom, how it is scored, and what is derived from raw columns."""

from typing import Annotated, Literal

from pydantic import Field

from forethought.protocol.rules import Criterion
from forethought.protocol.values import Assumable, Name, Text, Value


class Rater(Assumable):
    """Who rates conversations, with what in hand. Rubric and prompt are hashed at the lock."""

    id: Text = Field(description="The rater's id, as the ratings have it.")
    kind: Literal["language_model", "person", "panel", "not_stated"] = Field(
        description="Who it is. `not_stated` is of format 1."
    )
    description: Text = Field(description="How the rating is done, and by whom.")
    rubric: Text | None = Field(
        default=None,
        description="The file under `materials/` that says what each point means. Format 2 asks for it.",
    )
    prompt: Text | None = Field(
        default=None, description="Of a language model, the file under `materials/` with its prompt."
    )
    model: Text | None = Field(default=None, description="Of a language model, its name and version.")
    temperature: float | None = Field(default=None, ge=0, description="Of a language model.")
    repeats: int = Field(default=1, ge=1, description="How often each conversation is rated.")
    blinded_to: tuple[Literal["arm", "session"], ...] = Field(
        default=(), description="What the rater is not told."
    )


class Rated(Assumable):
    """An outcome that raters give to a conversation; `scorer` names the rater whose scores count."""

    kind: Literal["rated"] = Field(description="Given by a rater.")
    id: Name = Field(description="The outcome's name in every table and formula.")
    label: Text = Field(description="Its name for readers.")
    minimum: int = Field(description="The lowest point of the scale; less is refused.")
    maximum: int = Field(description="The highest point of the scale; more is refused.")
    better: Literal["higher", "lower"] = Field(description="Which side is wanted.")
    scorer: Text = Field(description="The rater whose ratings are the outcome.")


class Composite(Assumable):
    """A weighted sum of other outcomes of the same session; missing where any part is missing."""

    kind: Literal["composite"] = Field(description="Made from other outcomes.")
    id: Name = Field(description="The outcome's name in every table and formula.")
    label: Text = Field(description="Its name for readers.")
    weights: dict[Name, float] = Field(min_length=1, description="Outcome to weight.")
    better: Literal["higher", "lower"] = Field(description="Which side is wanted.")


class Scale(Assumable):
    """The sum of a survey's items of one session; missing where any item is missing."""

    kind: Literal["scale"] = Field(description="A sum of items.")
    id: Name = Field(description="The outcome's name in every table and formula.")
    label: Text = Field(description="Its name for readers.")
    session: Name = Field(description="When it is asked: a session, `recruitment` or `baseline`.")
    items: tuple[Name, ...] = Field(min_length=1, description="Variables of imports.responses.")
    reverse: tuple[Name, ...] = Field(
        default=(),
        description="Items keyed the other way: minimum + maximum - x, by the bounds of their variables.",
    )
    missing_items: Literal["none"] = Field(
        default="none",
        description="No item may be missing.",
        json_schema_extra={"later": ["mean", "prorate"]},
    )
    better: Literal["higher", "lower"] = Field(description="Which side is wanted.")


Outcome = Annotated[Rated | Composite | Scale, Field(discriminator="kind")]


class Log(Value):
    """The natural logarithm; of zero or less, missing."""

    kind: Literal["log"] = Field(description="The natural logarithm.")
    of: Name = Field(description="A number.")


class Centre(Value):
    """The value less its mean over the records that stand when this step is reached."""

    kind: Literal["centre"] = Field(description="Less the mean.")
    of: Name = Field(description="A number.")


class Join(Value):
    """Two or more variables' values as one label, joined by `_`."""

    kind: Literal["join"] = Field(description="Several labels as one.")
    of: tuple[Name, ...] = Field(min_length=2, description="Categories, in their order.")


class Derive(Value):
    """A new variable of the analysis data set, made from others."""

    step: Literal["derive"] = Field(description="Adds a variable.")
    name: Name = Field(description="The new variable's name.")
    how: Annotated[Log | Centre | Join, Field(discriminator="kind")] = Field(description="From what.")


class Exclude(Value):
    """Records that leave the analysis data set at this step, counted under the criterion's reason."""

    step: Literal["exclude"] = Field(description="Takes records out.")
    criterion: Criterion = Field(description="Which records leave: those of which the rule holds.")


Preparation = Annotated[Derive | Exclude, Field(discriminator="step")]
