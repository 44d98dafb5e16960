"""Which records a model is fitted to: those of its population's participants."""

from collections.abc import Mapping
from typing import Any, assert_never

import pandas as pd

from forethought.protocol.analysis import Model
from forethought.protocol.estimands import Population
from forethought.protocol.protocol import Protocol

Members = Mapping[str, frozenset[str]]
"""The participants of whom a rule on sessions holds, by the rule: `every_session`, `sessions_in_window`."""


def population_of(model: Model, protocol: Protocol) -> Population:
    """The model's population, or the analysis's where it names none."""
    return protocol.populations_by_id[model.population or protocol.analysis.population]


def restricted(records: pd.DataFrame, population: Population, members: Members) -> pd.DataFrame:
    """The population's records, every column as it is.

    Who belongs is known from the sessions alone. Preparation comes before this, on all records, so that what it
    derives and excludes is the same in every population.
    """
    match population.rule:
        case "randomised" | "all_records":
            return records
        case "every_session" | "sessions_in_window" as rule:
            participants: pd.Series[Any] = records["participant"]
            return records.loc[participants.isin(members[rule])]
        case _:
            assert_never(population.rule)
