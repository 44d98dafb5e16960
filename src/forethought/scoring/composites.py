"""Outcomes that are weighted sums of others."""

from collections.abc import Mapping

import pandas as pd

from forethought.protocol.measures import Composite

KEYS = ["participant_id", "session"]


def composite(outcome: Composite, values: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The weighted sum for each participant and session that has every part; missing where any part is missing.

    `values` holds participant_id, session and value of each part. Parts are added in the order of their names, so
    that protocols of the same fingerprint give the same last digit.
    """
    weighted = [
        values[part].set_index(KEYS)["value"].mul(weight) for part, weight in sorted(outcome.weights.items())
    ]
    total = weighted[0]
    for part in weighted[1:]:
        total = total.add(part)
    return total.dropna().rename("value").reset_index()
