"""The roll of one allocation: who came in which order and stratum, and whose places counted otherwise from then on.

Its hash stands in the ledger. No arm is in it, so that the blinded may read it; with the seed it gives every arm, so
that whoever exchanges two people, or moves one to another stratum, is found out by a stranger too.
"""

import hashlib
import json
from collections.abc import Sequence


def roll_hash(
    participants: Sequence[str],
    strata: Sequence[str],
    units: Sequence[str],
    changes: Sequence[tuple[str, bool]],
) -> str:
    """SHA-256 of the compact JSON of four lists, in order of arrival; `units` is empty where people are allocated.

    `changes` are sorted by participant; true: the place counts again.
    """
    content = [list(participants), list(strata), list(units), [list(one) for one in sorted(changes)]]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
