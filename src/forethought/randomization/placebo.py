"""The placebo allocation, on which every report runs until unblinding."""

import hashlib
from collections.abc import Mapping, Sequence

from forethought.protocol.design import PermutedBlocks
from forethought.randomization.blocks import allocate


def placebo(
    design: PermutedBlocks, study_id: str, wave: int, arrivals: Sequence[tuple[str, str]], data_hash: str
) -> Mapping[str, str]:
    """Participant to an arm drawn anew from the registered design; the same for the same data.

    `arrivals` are pairs of participant and stratum, in order of arrival. Neither the secret seed nor an allocation
    is an argument, so that no arm here can tell of a true one. The seed is SHA-256 of `blinded/<data hash>`.
    """
    seed = hashlib.sha256(f"blinded/{data_hash}".encode()).digest()
    drawn = allocate(design, study_id, wave, seed, [stratum for _, stratum in arrivals])
    return {participant: assignment.arm for (participant, _), assignment in zip(arrivals, drawn, strict=True)}
