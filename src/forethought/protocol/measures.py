"""Outcomes: what is measured, how it is scored, and what is derived from raw columns."""

from typing import Annotated, Literal

from pydantic import Field

from forethought.protocol.rules import Criterion
from forethought.protocol.values import Assumable, Name, Text, Value


class Rated(Assumable):
    """An outcome that raters give to a conversation; `scorer` names the rater whose scores count."""

    kind: Literal["rated"]
    id: Name
    label: Text
    minimum: int
    maximum: int
    better: Literal["higher", "lower"]
    scorer: Text


class Composite(Assumable):
    """A weighted sum of other outcomes of the same session; missing where any part is missing."""

    kind: Literal["composite"]
    id: Name
    label: Text
    weights: dict[Name, float] = Field(min_length=1)
    better: Literal["higher", "lower"]


class Scale(Assumable):
    """The sum of a survey's items of one session; missing where any item is missing."""

    kind: Literal["scale"]
    id: Name
    label: Text
    session: Name
    items: tuple[Name, ...] = Field(min_length=1)
    better: Literal["higher", "lower"]


Outcome = Annotated[Rated | Composite | Scale, Field(discriminator="kind")]


class Log(Value):
    """The natural logarithm; of zero or less, missing."""

    kind: Literal["log"]
    of: Name


class Centre(Value):
    """The value less its mean over the records that stand when this step is reached."""

    kind: Literal["centre"]
    of: Name


class Join(Value):
    """Two or more variables' values as one label, joined by `_`."""

    kind: Literal["join"]
    of: tuple[Name, ...] = Field(min_length=2)


class Derive(Value):
    """A new variable of the analysis data set, made from others."""

    step: Literal["derive"]
    name: Name
    how: Annotated[Log | Centre | Join, Field(discriminator="kind")]


class Exclude(Value):
    """Records that leave the analysis data set at this step, counted under the criterion's reason."""

    step: Literal["exclude"]
    criterion: Criterion


Preparation = Annotated[Derive | Exclude, Field(discriminator="step")]
