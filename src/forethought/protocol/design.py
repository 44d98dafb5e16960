"""Arms, sessions, stimuli: what is done to whom, and when."""

from typing import Literal

from pydantic import Field

from forethought.protocol.values import Assumable, Name, Text, Value


class Arm(Value):
    """One condition. The first is the reference."""

    id: Name = Field(description="The arm's name in every table and formula.")
    label: Text = Field(description="The arm's name for readers.")
    code: Text = Field(description="Its name in the exports and on the delivering platform.")
    description: Text = Field(description="What is done, so that another could do it again.")
    factors: dict[Name, bool] = Field(
        default_factory=dict, description="Which components it contains; every arm says of the same ones."
    )


class Window(Assumable):
    """Minutes after the anchor in which a session is on time, both ends included.

    A session held out of its window is a deviation; its outcomes are analysed all the same.
    """

    anchor: Literal["allocation", "previous_session"] = Field(description="What the minutes count from.")
    opens: int = Field(ge=0, description="The first minute.")
    target: int = Field(ge=0, description="The minute aimed at.")
    closes: int = Field(ge=0, description="The last minute.")

    def __contains__(self, minutes: float) -> bool:
        return self.opens <= minutes <= self.closes


class Stimuli(Assumable):
    """Materials of which each session of a person gets one, never one twice."""

    name: Name = Field(description="The variable that holds the stimulus, such as `scenario`.")
    items: tuple[Name, ...] = Field(min_length=1, description="The stimuli.")
    order: Literal["random_without_repetition", "latin_square", "williams", "fixed"] = Field(
        description="Every order of different stimuli is equally likely; the rows of a Latin square, or of a Williams "
        "design, which also balances what follows what, in permuted blocks by arrival; or the order of the list."
    )
    sessions: tuple[Name, ...] = Field(min_length=1, description="The sessions that have one.")


class Session(Value):
    """One planned meeting with a participant. Sessions take place in the order of the list."""

    id: Name = Field(description="The session's name.")
    label: Text = Field(description="Its name for readers.")
    window: Window = Field(description="When it is on time.")
    variables: dict[Name, float] = Field(
        default_factory=dict, description="Numbers known from the plan alone, such as `round`."
    )
    materials: tuple[Text, ...] = Field(
        default=(), description="Files under `materials/` that are used in it."
    )


class Material(Value):
    """A file under `materials/`, hashed at the lock."""

    file: Text = Field(description="Its path inside `materials/`, with forward slashes.")
    description: Text = Field(description="What it is, and who sees it.")
