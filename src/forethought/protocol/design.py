"""Arms, allocation, sessions: what is done to whom, and when."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

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


class Dropouts(Assumable):
    """Who counts towards balance, and whether somebody who leaves is replaced."""

    count: Literal["everyone_allocated"] = Field(
        description="Whoever was allocated keeps the place in the block, whatever comes after.",
        json_schema_extra={"later": ["completed", "completed_or_in_progress"]},
    )
    replace: Literal["never"] = Field(
        description="Nobody is replaced.",
        json_schema_extra={"later": ["next_arrival", "reopen_place"]},
    )
    statement: Text = Field(description="Why this suits the study.")


class SeedPolicy(Assumable):
    """Where the secret seeds come from, and when they are shown."""

    drawn_by: Literal["forethought", "statistician", "either"] = Field(
        description="The machine at the lock; a person, with `lock --seed-file`; or whichever is there."
    )
    revealed: Literal["at_unblinding"] = Field(
        description="Seeds stay secret until enrolment is closed and the study is unblinded."
    )


class PermutedBlocks(Assumable):
    """Permuted blocks within strata; each block's size is drawn from `block_sizes`."""

    method: Literal["permuted_blocks"] = Field(
        description="How arms are drawn.",
        json_schema_extra={
            "later": [
                "simple",
                "complete",
                "minimization",
                "biased_coin",
                "big_stick",
                "block_urn",
                "cluster",
                "rerandomization",
            ]
        },
    )
    unit: Literal["participant"] = Field(
        default="participant",
        description="What is allocated.",
        json_schema_extra={"later": ["cluster", "session"]},
    )
    ratio: dict[Name, Annotated[int, Field(ge=1)]] = Field(description="Arm to whole-number share.")
    block_sizes: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        min_length=1, description="Multiples of the ratio's sum, each equally likely."
    )
    strata: tuple[Name, ...] = Field(default=(), description="Recruitment variables known at allocation.")
    dropouts: Dropouts = Field(description="What becomes of the place of somebody who leaves.")
    seed: SeedPolicy = Field(description="Where the secret seeds come from.")
    concealment: Text = Field(description="Who can know an arm before it is allocated, and why nobody can.")


class NoAllocation(Value):
    """The study is not randomised; the short form is `allocation: none`."""

    method: Literal["none"] = Field(default="none", description="Nobody is allocated to anything.")


def _method(value: object) -> object:
    """The allocation's method: the short form is the method itself."""
    if isinstance(value, Mapping):
        return value.get("method")
    return value if isinstance(value, str) else getattr(value, "method", None)


def _long_form(value: object) -> object:
    return {"method": "none"} if value == "none" else value


# A validator of the whole field would hand its lists on as Python's, which strict tuples refuse.
Allocation = Annotated[
    Annotated[PermutedBlocks, Tag("permuted_blocks")]
    | Annotated[
        NoAllocation,
        BeforeValidator(_long_form, json_schema_input_type=NoAllocation | Literal["none"]),
        Tag("none"),
    ],
    Discriminator(_method),
]


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
    """Materials of which each session of a person gets one, in random order without repetition."""

    name: Name = Field(description="The variable that holds the stimulus, such as `scenario`.")
    items: tuple[Name, ...] = Field(min_length=1, description="The stimuli.")
    order: Literal["random_without_repetition"] = Field(
        description="Every order of different stimuli is equally likely.",
        json_schema_extra={"later": ["latin_square", "williams", "fixed"]},
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
