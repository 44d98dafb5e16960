"""One door for all formats: a recognised export becomes accepted and refused rows."""

from collections.abc import Mapping
from typing import assert_never

from forethought.protocol.imports import Conversations, Ratings, Recruits, Responses
from forethought.protocol.measures import Rated
from forethought.schemas.exports import prolific, qualtrics, table
from forethought.schemas.exports.checking import Parsed
from forethought.schemas.exports.recognition import Recognised


def parse(recognised: Recognised, rated: Mapping[str, Rated]) -> Parsed:
    """The rows that stand and those refused; `rated` gives each rated outcome's range."""
    export = recognised.export
    match recognised.mapping:
        case Recruits() as mapping:
            reader = prolific.parse if recognised.source == "prolific" else table.recruits
            return reader(export, mapping)
        case Responses() as mapping:
            read = qualtrics.parse if recognised.source == "qualtrics" else table.responses
            return read(export, mapping)
        case Conversations() as mapping:
            return table.conversations(export, mapping)
        case Ratings() as mapping:
            return table.ratings(export, mapping, rated)
        case _:
            assert_never(recognised.mapping)
