"""Arms, sessions and stimuli: whether they can be carried out as written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from forethought.protocol.checks.check import reading
from forethought.protocol.problems import Fault, KeyPath, exact_keys, one_of, suggestion
from forethought.protocol.protocol import Protocol


def arms_fit_the_allocation(protocol: Protocol) -> Iterator[Fault]:
    """Two arms or more where arms are drawn, none where nothing is."""
    count = len(protocol.arms)
    arms = f"arms lists {count} arm{'' if count == 1 else 's'}"
    if protocol.randomised and count < 2:
        at: KeyPath = ("arms",) if count else ("allocation",)
        remedy = "Add an arm, or set `allocation: none`"
        yield Fault(at, f"{arms}; a randomised study needs two or more", remedy)
    if not protocol.randomised and count:
        remedy = "Remove the arms, or choose a method of allocation"
        yield Fault(("arms",), f"{arms}, but allocation is none", remedy)


def factors_are_complete(protocol: Protocol) -> Iterator[Fault]:
    """Every arm says of the same components whether it contains them."""
    yield from _same_names(
        "factor", [(("arms", i, "factors"), arm.factors) for i, arm in enumerate(protocol.arms)]
    )


def windows_are_ordered(protocol: Protocol) -> Iterator[Fault]:
    """Each window opens, aims and closes in this order; the first counts from allocation."""
    for index, session in enumerate(protocol.sessions):
        window, at = session.window, ("sessions", index, "window")
        if window.target < window.opens:
            what = f"the target, {window.target}, is before the window opens, {window.opens}"
            yield Fault((*at, "target"), what, "Let opens <= target <= closes")
        if window.closes < max(window.target, window.opens):
            what = f"the window closes at {window.closes}, before its target or opening"
            yield Fault((*at, "closes"), what, "Let opens <= target <= closes")
        if index == 0 and window.anchor != "allocation":
            what = "the first session has no previous session to count from"
            yield Fault((*at, "anchor"), what, "Write `anchor: allocation`")


def windows_do_not_overlap(protocol: Protocol) -> Iterator[Fault]:
    """A window that counts from allocation opens after every earlier one has closed.

    Windows that count from the previous session follow it by construction; the latest that it can be held and they
    can close is their sum.
    """
    latest, holder = -1, ""
    for index, session in enumerate(protocol.sessions):
        window = session.window
        if window.anchor == "allocation":
            if window.opens <= latest:
                what = f"`{session.id}` opens at {window.opens}, when `{holder}` may last until {latest}"
                yield Fault(("sessions", index, "window", "opens"), what, f"Let it open after {latest}")
            closes = window.closes
        else:
            closes = max(latest, 0) + window.closes
        if closes > latest:
            latest, holder = closes, session.id


def session_variables_are_complete(protocol: Protocol) -> Iterator[Fault]:
    """Every session gives the same variables."""
    places = [
        (("sessions", i, "variables"), session.variables) for i, session in enumerate(protocol.sessions)
    ]
    yield from _same_names("variable", places)


def stimuli_suffice(protocol: Protocol) -> Iterator[Fault]:
    """Stimuli are of planned sessions, with an item for each, as none may be repeated."""
    stimuli = protocol.stimuli
    if stimuli is None:
        return
    sessions = [session.id for session in protocol.sessions]
    for index, name in enumerate(stimuli.sessions):
        if name not in sessions:
            what = f"stimuli are for `{name}`, which is no session"
            yield Fault(("stimuli", "sessions", index), what, suggestion(name, sessions, one_of(sessions)))
    if len(stimuli.items) < len(stimuli.sessions):
        what = f"{len(stimuli.sessions)} sessions need as many stimuli without repetition, not {len(stimuli.items)}"
        yield Fault(("stimuli", "items"), what, "Add items, or take sessions away")
    elif stimuli.order == "williams" and len(stimuli.items) > len(stimuli.sessions):
        what = f"a Williams design has as many sessions as stimuli, not {len(stimuli.sessions)} of {len(stimuli.items)}"
        yield Fault(("stimuli", "order"), what, "Take items away, or write `latin_square`")
    if not protocol.randomised:
        what = "stimuli are drawn from the wave's random stream, but allocation is none"
        yield Fault(("stimuli",), what, "Remove the stimuli, or choose a method of allocation")


def _same_names(noun: str, places: Sequence[tuple[KeyPath, Mapping[str, object]]]) -> Iterator[Fault]:
    """Mappings that must have the same keys; a key that most of them have is one that all should have."""
    counts = Counter(name for _, given in places for name in given)
    expected = [name for name, count in counts.items() if 2 * count > len(places)]
    for at, given in places:
        yield from exact_keys(at, given, expected, noun)


CHECKS = (
    reading(arms_fit_the_allocation, "arms", "allocation"),
    reading(factors_are_complete, "arms"),
    reading(windows_are_ordered, "sessions"),
    reading(windows_do_not_overlap, "sessions"),
    reading(session_variables_are_complete, "sessions"),
    reading(stimuli_suffice, "stimuli", "sessions", "allocation"),
)
