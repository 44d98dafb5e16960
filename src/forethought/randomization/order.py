"""Within-person order of the materials, the same whatever the arm: random, a Latin square's, Williams', or fixed."""

from collections.abc import Callable, Mapping, Sequence

from forethought.errors import ProtocolInvalid
from forethought.protocol.design import Stimuli
from forethought.randomization.streams import Stream

Rows = tuple[tuple[str, ...], ...]


def orders(
    stimuli: Stimuli, study_id: str, wave: int, seed: bytes, arrivals: Mapping[str, int]
) -> Mapping[str, tuple[str, ...]]:
    """Each participant's own order of the materials, one for each session of `stimuli.sessions`.

    `arrivals` has each participant's place in the wave's order of arrival, from 1. A random order is a function of the
    seed and the id alone, a row of a square one of the seed and the arrival alone: others who come or go change
    nothing.
    """
    sessions = len(stimuli.sessions)
    _require_enough(stimuli.items, sessions)
    labels = (study_id, f"wave {wave}")
    match stimuli.order:
        case "random_without_repetition":
            return {
                who: order(stimuli.items, sessions, Stream(seed, *labels, f"order/{who}")) for who in arrivals
            }
        case "fixed":
            return dict.fromkeys(arrivals, stimuli.items[:sessions])
        case "latin_square":
            rows, purpose = latin_square(stimuli.items, sessions), "latin-square/1"
        case "williams":
            rows, purpose = williams(stimuli.items, sessions), "williams/1"
    return _dealt(rows, arrivals, lambda block: Stream(seed, *labels, purpose, f"block {block}"))


def order(items: Sequence[str], k: int, stream: Stream) -> tuple[str, ...]:
    """The first k of the items in random order: each ordered choice of k different ones is equally likely."""
    _require_enough(items, k)
    return tuple(stream.shuffle(items)[:k])


def latin_square(items: Sequence[str], k: int) -> Rows:
    """A row for each item, of k of them: over all rows, each item is once at each place.

    The cyclic square: a row begins one item later than the row before it.
    """
    n = len(items)
    return tuple(tuple(items[(row + place) % n] for place in range(k)) for row in range(n))


def williams(items: Sequence[str], k: int) -> Rows:
    """The rows in which each item is equally often at each place, and follows each other item equally often.

    Williams (1949, Australian Journal of Scientific Research A 2:149): n rows for an even number n of items; 2n for an
    odd one, the rows and the same backwards. It needs all items in each row.
    """
    n = len(items)
    if k != n:
        raise ProtocolInvalid(
            "stimuli",
            f"a Williams design needs as many sessions as items, and there are {k} sessions and {n} items",
            "Make them as many, or take the order `latin_square`",
        )
    # 0, 1, n - 1, 2, n - 2, ...: the steps between neighbours, modulo n, are all different when n is even.
    first = [(place + 1) // 2 if place % 2 else (n - place // 2) % n for place in range(n)]
    rows = tuple(tuple(items[(row + step) % n] for step in first) for row in range(n))
    return rows if n % 2 == 0 else rows + tuple(row[::-1] for row in rows)


def _dealt(
    rows: Rows, arrivals: Mapping[str, int], stream: Callable[[int], Stream]
) -> Mapping[str, tuple[str, ...]]:
    """Each participant's row: the arrivals get all rows in a random order, then all in another, and so on.

    Block b, from 1, has the order of `stream(b)`.
    """
    found: dict[int, list[tuple[str, ...]]] = {}
    dealt = {}
    for participant, arrival in arrivals.items():
        if arrival < 1:
            raise ValueError(f"arrivals count from 1, not {arrival}")
        block, place = divmod(arrival - 1, len(rows))
        if block not in found:
            found[block] = stream(block + 1).shuffle(rows)
        dealt[participant] = found[block][place]
    return dealt


def _require_enough(items: Sequence[str], k: int) -> None:
    if k > len(items):
        raise ProtocolInvalid(
            "stimuli", f"{k} sessions need {k} different items, and there are {len(items)}", "Add items"
        )
