"""Quotas: which of the eligible people of a wave come too late for a place of their kind."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from forethought.protocol.recruitment import Quota


def turned_away(
    quotas: Sequence[Quota], arriving: pd.DataFrame, levels: pd.DataFrame, admitted: pd.DataFrame
) -> pd.Series:
    """The place (from 1) of the first quota that was full when each came; 0 for those who are taken.

    `arriving` has participant and arrived of the new eligible people of one wave, and `levels` their variables, both
    by row number; `admitted` has a column for each variable and a row for each person whom the wave already has.
    Whoever has a place keeps it. The others come in the order of arrival, those of one moment by their pseudonym. A
    person counts for every quota of the own kind, and for none where turned away; one whose value is missing is of
    no kind.
    """
    taken = Counter({quota.id: int((admitted[quota.variable] == quota.value).sum()) for quota in quotas})
    places: dict[int, int] = {}
    for row in arriving.sort_values(["arrived", "participant"]).index:
        own = [quota for quota in quotas if levels.at[row, quota.variable] == quota.value]
        full = next((quota for quota in own if taken[quota.id] >= quota.at_most), None)
        places[row] = 0 if full is None else quotas.index(full) + 1
        if full is None:
            taken.update(quota.id for quota in own)
    return pd.Series(places, index=arriving.index, dtype="int64")
