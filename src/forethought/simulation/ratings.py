"""The ratings: one row for each conversation and rater."""

from collections.abc import Mapping

import numpy as np

from forethought.protocol.imports import Ratings
from forethought.protocol.measures import Rated
from forethought.protocol.protocol import Protocol
from forethought.schemas.exports.recognition import SIMULATION_COLUMN
from forethought.simulation.conversations import Talks
from forethought.simulation.exports import ExportFile, csv_file
from forethought.simulation.streams import stream
from forethought.simulation.world import OutcomeWorld

FILE = "ratings.csv"
UNRATED = 0.003
"""Assumed share of conversations that the raters failed to rate."""


def write_ratings(
    protocol: Protocol, ratings: Ratings, world: OutcomeWorld, talks: Talks, seed: int
) -> ExportFile:
    """The outcomes as integers, by the rater that the protocol names for each; blank where another rates it."""
    rated = stream(seed, "ratings").random(len(talks.ids)) >= UNRATED
    order = np.argsort(talks.meetings.started, kind="stable")
    rows = order[rated[order]]
    rated_columns = {o: ratings.outcomes[o] for o in protocol.outcomes_by_id if o in ratings.outcomes}
    columns: dict[str, list[str]] = {
        column: []
        for column in (ratings.conversation, ratings.rater, *rated_columns.values(), SIMULATION_COLUMN)
    }
    for rater, places in _raters(protocol, world).items():
        columns[ratings.conversation] += talks.ids[rows].tolist()
        columns[ratings.rater] += [rater] * len(rows)
        columns[SIMULATION_COLUMN] += [str(seed)] * len(rows)
        for outcome, column in rated_columns.items():
            mine = outcome in places
            columns[column] += (
                talks.scores[rows, places[outcome]].astype(str).tolist() if mine else [""] * len(rows)
            )
    return csv_file(FILE, columns)


def _raters(protocol: Protocol, world: OutcomeWorld) -> Mapping[str, Mapping[str, int]]:
    """Each rater's outcomes, and their places in the world."""
    raters: dict[str, dict[str, int]] = {}
    for place, name in enumerate(world.outcomes):
        outcome = protocol.outcomes_by_id[name]
        if isinstance(outcome, Rated):
            raters.setdefault(outcome.scorer, {})[name] = place
    return raters
