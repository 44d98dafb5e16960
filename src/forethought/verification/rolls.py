"""Who was allocated, as the ledger told it when it happened, beside who is recorded now."""

from collections.abc import Iterator

from forethought.randomization.roll import roll_hash
from forethought.verification.records import AllocationRecord


def told_otherwise(record: AllocationRecord, wave: int) -> Iterator[str]:
    """What of the wave's people, their order, strata and standing is not as the ledger's hashes have it.

    `record` has the rows of this wave alone. An event of a release that told no hash says nothing here.
    """
    people = record.allocations.set_index("arrival").sort_index()
    moved = record.counting.groupby("from_arrival")
    changes = {int(str(first)): rows for first, rows in moved}
    events = [
        event for event in record.events if event.action == "randomize" and event.detail.get("wave") == wave
    ]
    hashed = [event for event in events if event.detail.get("roll_sha256")]
    for event in hashed:
        first, many = (int(str(event.detail[name])) for name in ("first_arrival", "allocated"))
        rows = people.loc[first : first + many - 1]
        units = rows["unit"].dropna().astype(str).tolist()
        own = changes.pop(first, None)
        moves = [] if own is None else list(zip(own["participant_id"], map(bool, own["counts"]), strict=True))
        if (
            roll_hash(rows["participant_id"].tolist(), rows["stratum"].tolist(), units, moves)
            != event.detail["roll_sha256"]
        ):
            yield f"wave {wave}: the people allocated at event {event.seq} are not those of whom the ledger has a hash"
    if hashed and len(hashed) == len(events) and changes:
        yield f"wave {wave}: `counting` has rows of arrivals at which the ledger has no allocation"
