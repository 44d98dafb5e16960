"""The placebo allocation, on which every report runs until unblinding."""

import hashlib
from collections.abc import Mapping, Sequence

from forethought.protocol.allocation import (
    Complete,
    Design,
    PermutedBlocks,
    Randomization,
    Rerandomization,
    algorithm,
)
from forethought.randomization.allocating import allocate
from forethought.randomization.arrivals import Arrivals, Source
from forethought.randomization.strata import WHOLE_WAVE

_LEAST_SIZE = 2


def placebo(
    design: Design,
    study_id: str,
    wave: int,
    arrivals: Sequence[tuple[str, str, str | None]],
    data_hash: str,
) -> Mapping[str, str]:
    """Participant to an arm drawn anew from the registered design; the same for the same data.

    `arrivals` are participant, stratum and cluster (None where the design has none), in order of arrival. Neither the
    secret seed nor an allocation is an argument, so that no arm here can tell of a true one. The seed is SHA-256 of
    `blinded/<data hash>`. What depends on a secret or on who left, is left out: sealed block sizes are one and two times
    the ratio's sum, caps and replacements do not hold, and rerandomisation is complete randomisation of everyone.
    """
    drawn_from = _without_secrets(design, len(arrivals))
    seed = hashlib.sha256(f"blinded/{data_hash}".encode()).digest()
    source = Source(seed=seed, study_id=study_id, wave=wave, algorithm=algorithm(drawn_from))
    together = isinstance(design, Rerandomization)
    strata = [WHOLE_WAVE if together else stratum for _, stratum, _ in arrivals]
    units = [unit or participant for participant, _, unit in arrivals]
    drawn = allocate(drawn_from, source, Arrivals.of(strata, units))
    return {
        participant: drawn.arms[arm]
        for (participant, _, _), arm in zip(arrivals, drawn.arm.tolist(), strict=True)
    }


def _without_secrets(design: Design, people: int) -> Design:
    """The design as a placebo can draw from it."""
    if isinstance(design, Rerandomization):
        shared = {name: getattr(design, name) for name in Randomization.model_fields}
        return Complete(**shared | {"method": "complete", "size": max(people, _LEAST_SIZE), "caps": ()})
    changed: dict[str, object] = {"caps": ()}
    if isinstance(design, PermutedBlocks) and design.block_sizes == "sealed":
        once = sum(design.ratio.values())
        changed["block_sizes"] = (once, 2 * once)
    return design.model_copy(update=changed)
