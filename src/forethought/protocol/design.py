"""Arms, allocation, sessions: what is done to whom, and when."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from forethought.protocol.values import Assumable, Name, Text, Value


class Arm(Value):
    """One condition. `code` is its name in the exports and on the delivering platform."""

    id: Name
    label: Text
    code: Text
    description: Text
    factors: dict[Name, bool] = Field(default_factory=dict, description="Which components it contains.")


class PermutedBlocks(Assumable):
    """Permuted blocks within strata; each block's size is drawn from `block_sizes`."""

    method: Literal["permuted_blocks"]
    ratio: dict[Name, Annotated[int, Field(ge=1)]] = Field(description="Arm to whole-number share.")
    block_sizes: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    strata: tuple[Name, ...] = Field(default=(), description="Recruitment variables known at allocation.")


class NoAllocation(Value):
    """The study is not randomised; the short form is `allocation: none`."""

    method: Literal["none"] = "none"


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

    anchor: Literal["allocation", "previous_session"]
    opens: int = Field(ge=0)
    target: int = Field(ge=0)
    closes: int = Field(ge=0)

    def __contains__(self, minutes: float) -> bool:
        return self.opens <= minutes <= self.closes


class Stimuli(Assumable):
    """Materials of which each session of a person gets one, in random order without repetition."""

    name: Name = Field(description="The variable that holds the stimulus, such as `scenario`.")
    items: tuple[Name, ...] = Field(min_length=1)
    order: Literal["random_without_repetition"]
    sessions: tuple[Name, ...] = Field(min_length=1)


class Session(Value):
    """One planned meeting with a participant; `variables` are known from the plan alone."""

    id: Name
    label: Text
    window: Window
    variables: dict[Name, float] = Field(default_factory=dict)


class Material(Value):
    """A file under `materials/`, hashed at the lock."""

    file: Text
    description: Text
