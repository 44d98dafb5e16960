"""Outcomes that a rater gives to a conversation."""

import pandas as pd

from forethought.errors import DataRefused
from forethought.protocol.measures import Rated

KEYS = ["participant_id", "session"]


def first_conversations(conversations: pd.DataFrame) -> pd.DataFrame:
    """The conversation that counts for each participant and session: the one that began first.

    A later one of the same session stays in the data and is not scored.
    """
    ordered = conversations.sort_values(["started_at", "conversation_id"])
    return ordered.drop_duplicates(KEYS)[["conversation_id", *KEYS]]


def rated(outcome: Rated, ratings: pd.DataFrame, conversations: pd.DataFrame) -> pd.DataFrame:
    """The scorer's rating for each participant and session (participant_id, session, value); no rating, no row."""
    own = ratings[(ratings["outcome"] == outcome.id) & (ratings["rater"] == outcome.scorer)]
    given = own.dropna(subset=["value"])
    outside = given[~given["value"].between(outcome.minimum, outcome.maximum)]
    if len(outside):
        raise DataRefused(
            f"ratings of {outcome.id}",
            f"{len(outside)} outside {outcome.minimum} to {outcome.maximum}, the first of conversation "
            f"{outside['conversation_id'].iloc[0]}",
            "Correct the export and import it again",
        )
    return conversations.merge(given, on="conversation_id", validate="one_to_one")[[*KEYS, "value"]]
