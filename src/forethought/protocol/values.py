"""What every part of a protocol shares: frozen, strict values, and the mark of an assumption."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=64)]
"""An identifier: letters, digits and underscores, beginning with a letter."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""A sentence or more, for people."""


class Value(BaseModel):
    """A part of the protocol: immutable, and refusing what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class Assumable(Value):
    """A part that may be assumed: its source does not say, and the report says so."""

    assumed: bool = Field(default=False, description="True where the study's source does not state this.")
    note: Text | None = Field(default=None, description="Why it was assumed, or where it was found.")
