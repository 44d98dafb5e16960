"""Predicates on one variable, used by eligibility and exclusions. Data, never code."""

from collections.abc import Callable
from typing import Annotated, Literal, assert_never

from pydantic import Field

from forethought.protocol.values import Assumable, Name, Text, Value


class OneOf(Value):
    """The value is one of these."""

    test: Literal["one_of"] = Field(description="The kind of test.")
    values: tuple[str, ...] = Field(min_length=1, description="The values, as they are exported.")


class NoneOf(Value):
    """The value is there and is none of these."""

    test: Literal["none_of"] = Field(description="The kind of test.")
    values: tuple[str, ...] = Field(min_length=1, description="The values, as they are exported.")


class AtLeast(Value):
    """The number is at least this."""

    test: Literal["at_least"] = Field(description="The kind of test.")
    value: float = Field(description="The bound, which itself passes.")


class AtMost(Value):
    """The number is at most this."""

    test: Literal["at_most"] = Field(description="The kind of test.")
    value: float = Field(description="The bound, which itself passes.")


class Contains(Value):
    """The text contains this."""

    test: Literal["contains"] = Field(description="The kind of test.")
    value: str = Field(min_length=1, description="The part, in this very spelling.")


class Missing(Value):
    """There is no value."""

    test: Literal["missing"] = Field(description="The kind of test.")


Test = Annotated[OneOf | NoneOf | AtLeast | AtMost | Contains | Missing, Field(discriminator="test")]


def holds(test: Test) -> Callable[[str | float | None], bool]:
    """The test as a function of one value; None, the missing value, passes no test but `missing`."""
    match test:
        case OneOf(values=values):
            return lambda value: value is not None and str(value) in values
        case NoneOf(values=values):
            return lambda value: value is not None and str(value) not in values
        case AtLeast(value=bound):
            return lambda value: value is not None and float(value) >= bound
        case AtMost(value=bound):
            return lambda value: value is not None and float(value) <= bound
        case Contains(value=part):
            return lambda value: value is not None and part in str(value)
        case Missing():
            return lambda value: value is None
        case _:
            assert_never(test)


class Criterion(Assumable):
    """A rule that a person or a record must pass (eligibility) or that removes it (exclusion)."""

    id: Name = Field(description="The criterion's name.")
    variable: Name = Field(description="What is tested.")
    rule: Test = Field(description="What must hold.")
    reason: Text = Field(description="The words that the flow diagram prints.")
