"""Every outcome of the protocol, scored from ratings and answers, as rows of the table `scores`."""

from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import assert_never

import pandas as pd

from forethought.protocol.measures import Composite, Outcome, Rated, Scale
from forethought.protocol.protocol import Protocol
from forethought.scoring.composites import composite
from forethought.scoring.ratings import first_conversations, rated
from forethought.scoring.scales import scale

COLUMNS = ("participant_id", "session", "outcome", "scorer", "version", "value")
"""Of the table `scores`; by participant, session and outcome. A missing score has no row."""


def score(
    protocol: Protocol, ratings: pd.DataFrame, conversations: pd.DataFrame, responses: pd.DataFrame
) -> pd.DataFrame:
    """The scores that the data so far give, the frames being the tables of those names.

    Raises DataRefused for a rating out of range and for an answer that is no number of its item.
    """
    counted = first_conversations(conversations)
    values: dict[str, pd.DataFrame] = {}
    for name in _parts_first(protocol.outcomes_by_id):
        outcome = protocol.outcomes_by_id[name]
        match outcome:
            case Rated():
                values[name] = rated(outcome, ratings, counted)
            case Composite():
                values[name] = composite(outcome, values)
            case Scale():
                values[name] = scale(outcome, protocol.imports, responses)
            case _:
                assert_never(outcome)
    rows = [_rows(protocol.outcomes_by_id[name], frame) for name, frame in values.items()]
    scores = pd.concat([_nothing(), *(frame for frame in rows if len(frame))], ignore_index=True)
    return scores.sort_values(["participant_id", "session", "outcome"], ignore_index=True)


def versioned(scores: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """The scores under the newest version there is of each outcome, or the next one where they are others.

    `before` holds the scores that are there already. Those of one way of scoring agree wherever both have a value,
    and more may come; a value that is another now, or is gone, was scored in another way.
    """
    numbers = before["version"].str.extract(r"/(\d+)$", expand=False).astype("int64")
    found = scores.copy()
    for (outcome, scorer), own in scores.groupby(["outcome", "scorer"], sort=False):
        same = (before["outcome"] == outcome) & (before["scorer"] == scorer)
        if not same.any():
            continue
        newest = int(numbers[same].max())
        then = before[same & (numbers == newest)].set_index(["participant_id", "session"])["value"]
        now = own.set_index(["participant_id", "session"])["value"].reindex(then.index)
        number = newest if now.equals(then) else newest + 1
        kinds = own["version"].str.extract(r"^(\w+)/", expand=False)
        found.loc[own.index, "version"] = kinds + f"/{number}"
    return found


def _parts_first(outcomes: Mapping[str, Outcome]) -> tuple[str, ...]:
    """The outcomes' names, each composite after all of its parts."""
    parts = {
        name: tuple(outcome.weights) if isinstance(outcome, Composite) else ()
        for name, outcome in outcomes.items()
    }
    return tuple(TopologicalSorter(parts).static_order())


def _rows(outcome: Outcome, values: pd.DataFrame) -> pd.DataFrame:
    scorer = outcome.scorer if isinstance(outcome, Rated) else outcome.kind
    labelled = values.assign(outcome=outcome.id, scorer=scorer, version=f"{outcome.kind}/1")
    return labelled[list(COLUMNS)].astype({"value": "float64"})


def _nothing() -> pd.DataFrame:
    return pd.DataFrame(
        {column: pd.Series(dtype="float64" if column == "value" else "str") for column in COLUMNS}
    )
