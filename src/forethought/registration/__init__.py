"""The registration: what was planned, fixed before the data, and every change of it since.

`registration.json` is for everyone. The seeds and their nonces are in `secrets/seeds.json` until they are
revealed; whoever knows them then can check the commitments that were published here.
"""

from forethought.registration.amending import Amended, Why, amend
from forethought.registration.anchoring import agree
from forethought.registration.document import read, read_document
from forethought.registration.locking import lock, require
from forethought.registration.records import (
    Amendment,
    DeclaredDeviation,
    Difference,
    Registration,
    SeedCommitment,
    Stage,
    Timestamp,
)
from forethought.registration.sealing import (
    Sealing,
    drawn_ahead,
    list_secret,
    resolved,
    revealed,
    sealed_sizes,
    seals_blocks,
)
from forethought.registration.seeds import (
    SEED_BYTES,
    Seed,
    block_commitment,
    commitment,
    committed,
    nonce,
    seed,
    seedless_waves,
)
from forethought.registration.timestamps import Service

__all__ = [
    "SEED_BYTES",
    "Amended",
    "Amendment",
    "DeclaredDeviation",
    "Difference",
    "Registration",
    "Sealing",
    "Seed",
    "SeedCommitment",
    "Service",
    "Stage",
    "Timestamp",
    "Why",
    "agree",
    "amend",
    "block_commitment",
    "commitment",
    "committed",
    "drawn_ahead",
    "list_secret",
    "lock",
    "nonce",
    "read",
    "read_document",
    "require",
    "resolved",
    "revealed",
    "sealed_sizes",
    "seals_blocks",
    "seed",
    "seedless_waves",
]
