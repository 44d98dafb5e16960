"""Assignments as rows of the table `allocations`."""

from collections.abc import Sequence

import pandas as pd

from forethought.randomization.blocks import ALGORITHM, Assignment


def records(
    participants: Sequence[str], wave: int, drawn: Sequence[Assignment], *, arrived_before: int = 0
) -> pd.DataFrame:
    """One row for each participant, in order of arrival; every column of `allocations` but allocated_at.

    `arrival` counts from 1 within the wave, in the order in which people were allocated.
    """
    return pd.DataFrame(
        {
            "participant_id": list(participants),
            "wave": wave,
            "arm": [assignment.arm for assignment in drawn],
            "probability": [assignment.probability for assignment in drawn],
            "stratum": [assignment.stratum for assignment in drawn],
            "block": [assignment.block for assignment in drawn],
            "position": [assignment.position for assignment in drawn],
            "arrival": range(arrived_before + 1, arrived_before + len(drawn) + 1),
            "algorithm": ALGORITHM,
        }
    )
