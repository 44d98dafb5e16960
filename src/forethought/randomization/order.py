"""Within-person order of the materials: random, without repetition, the same whatever the arm."""

from collections.abc import Iterable, Mapping, Sequence

from forethought.errors import ProtocolInvalid
from forethought.protocol.design import Stimuli
from forethought.randomization.streams import Stream


def order(items: Sequence[str], k: int, stream: Stream) -> tuple[str, ...]:
    """The first k of the items in random order: each ordered choice of k different ones is equally likely."""
    if k > len(items):
        raise ProtocolInvalid(
            "stimuli", f"{k} sessions need {k} different items, and there are {len(items)}", "Add items"
        )
    return tuple(stream.shuffle(items)[:k])


def orders(
    stimuli: Stimuli, study_id: str, wave: int, seed: bytes, participants: Iterable[str]
) -> Mapping[str, tuple[str, ...]]:
    """Each participant's own order of the materials, one for each session of `stimuli.sessions`.

    A participant's stream is a function of the seed and the id alone: others who come or go change nothing.
    """
    return {
        participant: order(
            stimuli.items,
            len(stimuli.sessions),
            Stream(seed, study_id, f"wave {wave}", f"order/{participant}"),
        )
        for participant in participants
    }
