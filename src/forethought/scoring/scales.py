"""Outcomes that are sums of a survey's items."""

import sys

import pandas as pd

from forethought.errors import DataRefused, ProtocolInvalid
from forethought.protocol.columns import bounds
from forethought.protocol.imports import Imports, Variable
from forethought.protocol.measures import Scale

LARGEST = sys.float_info.max
"""The bound of an item that declares none: any finite number."""

RECRUITMENT = "recruitment"
"""The session under which recruitment variables are stored."""


def scale(outcome: Scale, imports: Imports, responses: pd.DataFrame) -> pd.DataFrame:
    """The sum of the items for each participant who answered all of them (participant_id, session, value).

    An item keyed the other way counts as its bounds' sum less the answer: of 1 to 5, a 2 as 4.
    """
    answers = responses[(responses["session"] == outcome.session) & responses["item"].isin(outcome.items)]
    _refuse_repeated(outcome, answers)
    items = [
        _keyed(outcome, _variable(outcome, item, imports), answers[answers["item"] == item])
        for item in outcome.items
    ]
    sums = pd.concat(items, axis="columns", join="inner").sum(axis="columns")
    return pd.DataFrame({"participant_id": sums.index, "session": outcome.session, "value": sums.to_numpy()})


def _refuse_repeated(outcome: Scale, answers: pd.DataFrame) -> None:
    repeated = answers[answers.duplicated(["participant_id", "item"])]
    if len(repeated):
        raise DataRefused(
            f"responses to {outcome.id}",
            f"{repeated['participant_id'].iloc[0]} answered {repeated['item'].iloc[0]} more than once",
            "Say in the protocol which survey each session has",
        )


def _variable(outcome: Scale, item: str, imports: Imports) -> Variable:
    """The declaration of the item as it was asked on the scale's occasion."""
    at_recruitment = imports.recruits.variables if imports.recruits and outcome.session == RECRUITMENT else ()
    later = imports.responses.variables if imports.responses else ()
    asked = (*at_recruitment, *(variable for variable in later if variable.session == outcome.session))
    for variable in asked:
        if variable.name == item and (variable.codes or variable.type == "number"):
            return variable
    raise ProtocolInvalid(
        f"outcomes.{outcome.id}",
        f"its item {item} is no number of its session",
        "Declare it under `imports` with `type: number`, and `codes` for words",
    )


def _keyed(outcome: Scale, variable: Variable, answers: pd.DataFrame) -> "pd.Series[float]":
    """The item's answers by participant, turned round where the scale says so."""
    numbers = _numbers(variable, answers)
    if variable.name not in outcome.reverse:
        return numbers
    ends = bounds(variable)
    if ends is None:
        raise ProtocolInvalid(
            f"outcomes.{outcome.id}",
            f"its reversed item {variable.name} has no lowest and highest value",
            "Give the variable `minimum` and `maximum`, or `codes`",
        )
    return sum(ends) - numbers


def _numbers(variable: Variable, answers: pd.DataFrame) -> "pd.Series[float]":
    """The answers as numbers, by participant: words by their codes, numbers within their range."""
    given = answers.set_index("participant_id")["value"]
    if variable.codes:
        numbers = given.map(variable.codes).astype("float64")
    else:
        numbers = pd.to_numeric(given, errors="coerce").astype("float64")
    low = -LARGEST if variable.minimum is None else variable.minimum
    high = LARGEST if variable.maximum is None else variable.maximum
    wrong = ~numbers.between(low, high)
    if wrong.any():
        raise DataRefused(
            f"responses to {variable.name}",
            f"{int(wrong.sum())} are no number of its scale, the first in record "
            f"{answers['record_id'].to_numpy()[wrong.to_numpy()][0]}",
            "Correct the export and import it again, or the codes before the lock",
        )
    return numbers
