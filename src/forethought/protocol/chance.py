"""A probability as a protocol writes it, and exactly."""

import re
from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator, Field

_FRACTION = r"^[1-9][0-9]{0,5}/[1-9][0-9]{0,5}$"


def exact(chance: float | str) -> Fraction:
    """The probability as it was written: 0.8 is 4/5, not the nearest binary number."""
    return Fraction(str(chance))


def _probability(value: object) -> object:
    """The value, where it is a probability as one is written."""
    match value:
        case float() if 0 < value < 1:
            return value
        case str() if re.fullmatch(_FRACTION, value) and exact(value) < 1:
            return value
    raise ValueError('a probability is a number above 0 and below 1, or a fraction such as "2/3"')


Chance = Annotated[
    float | str,
    BeforeValidator(
        _probability,
        json_schema_input_type=Annotated[float, Field(gt=0, lt=1)] | Annotated[str, Field(pattern=_FRACTION)],
    ),
]
"""A probability as it is written: a decimal number, or a fraction such as "2/3"."""
