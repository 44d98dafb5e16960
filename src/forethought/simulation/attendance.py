"""Who comes to which session, and when: dropping out, keeping the window or not, and the pace of messages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forethought.protocol.design import Session
from forethought.protocol.protocol import Protocol
from forethought.simulation.exports import Instants
from forethought.simulation.thresholds import Floats, Integers

LATE = 0.02
"""Share of sessions held after their window has closed."""
LATEST = 0.25
"""How late at most, as a share of the window's length."""
PARTNER_SECONDS, PARTICIPANT_SECONDS = 4.0, 38.0
"""Typical time that each needs for a message."""

Booleans = npt.NDArray[np.bool_]
_TIMES = "datetime64[us]"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """Those allocated, n of them, in a fixed order; `stimuli` (n, sessions) has -1 for none.

    `arms` and `stimuli` are places in the protocol's tuples; times are naive UTC in microseconds.
    """

    source_ids: tuple[str, ...]
    arms: Integers
    allocated_at: Instants
    stimuli: Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Meetings:
    """The sessions held, m of them, by person and then by session, and every message's time of sending.

    Message j of meeting i is at `first[i] + j`; the partner sends the first, and they take turns. At `over`
    the last window has closed, also for those who were lost.
    """

    person: Integers  # (m,)
    session: Integers  # (m,)
    started: Instants  # (m,)
    messages: Integers  # (m,)
    sent: Instants  # (all messages,)
    over: np.datetime64

    @property
    def first(self) -> Integers:
        """Where each meeting's messages begin."""
        starts: Integers = np.cumsum(self.messages) - self.messages
        return starts

    @property
    def ended(self) -> Instants:
        """When the last message of each meeting was sent."""
        last: Instants = self.sent[self.first + self.messages - 1]
        return last


def play_attendance(
    protocol: Protocol,
    people: People,
    *,
    messages: float,
    lost_before: Sequence[float],
    rng: np.random.Generator,
) -> Meetings:
    """The sessions that each person holds; who is lost before one comes to no later one.

    `messages` is the mean number in a session, `lost_before` the share of those still there lost before each.
    """
    n, sessions = len(people.arms), len(protocol.sessions)
    held = np.logical_and.accumulate(rng.random((n, sessions)) >= np.array(lost_before), axis=1)
    numbers = _message_counts(messages, (n, sessions), rng)
    pauses = _pauses(numbers, rng)
    lengths = np.add.reduceat(pauses, np.cumsum(numbers) - numbers).reshape(n, sessions)
    started = _starts(protocol.sessions, people.allocated_at, lengths, rng)
    elapsed = np.cumsum(pauses) - np.repeat(np.cumsum(lengths) - lengths.ravel(), numbers)
    sent = np.repeat(started.ravel(), numbers) + elapsed.astype("timedelta64[us]")
    person, session = np.nonzero(held)
    return Meetings(
        person=person,
        session=session,
        started=started[held],
        messages=numbers.reshape(n, sessions)[held],
        sent=sent[np.repeat(held.ravel(), numbers)],
        over=_over(protocol.sessions, people.allocated_at, started, held),
    )


def _message_counts(mean: float, shape: tuple[int, int], rng: np.random.Generator) -> Integers:
    """Two or more messages in each meeting, flat; overdispersed, as talks are."""
    dispersion = 30.0
    further = rng.negative_binomial(
        dispersion, dispersion / (dispersion + mean - 2), size=shape[0] * shape[1]
    )
    return 2 + further


def _pauses(numbers: Integers, rng: np.random.Generator) -> Integers:
    """Microseconds before each message, flat; none before the first of a meeting."""
    place = np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers)
    typical = np.where(place % 2 == 0, PARTNER_SECONDS, PARTICIPANT_SECONDS)
    seconds = typical * rng.lognormal(0.0, 0.4, size=len(place))
    pauses: Integers = np.where(place == 0, 0, seconds * 1e6).astype(np.int64)
    return pauses


def _starts(
    sessions: Sequence[Session], allocated_at: Instants, lengths: Integers, rng: np.random.Generator
) -> Instants:
    """When each person's sessions begin (n, sessions), most within their window and around its target.

    A session never begins before the one before it has ended.
    """
    starts = np.empty(lengths.shape, dtype=_TIMES)
    for place, session in enumerate(sessions):
        window = session.window
        anchor = allocated_at if place == 0 or window.anchor == "allocation" else starts[:, place - 1]
        minutes = _within(window.opens, window.target, window.closes, len(lengths), rng)
        start = anchor + _minutes(minutes)
        if place:
            ended = starts[:, place - 1] + lengths[:, place - 1].astype("timedelta64[us]")
            start = np.maximum(start, ended + np.timedelta64(90, "s"))
        starts[:, place] = start
    return starts


def _over(
    sessions: Sequence[Session], allocated_at: Instants, started: Instants, held: Booleans
) -> np.datetime64:
    """When the last window has closed and the last session begun; a lost session is reckoned at its target."""
    previous = allocated_at
    latest = allocated_at.max()
    for place, session in enumerate(sessions):
        window = session.window
        anchor = allocated_at if window.anchor == "allocation" else previous
        previous = np.where(held[:, place], started[:, place], anchor + _minutes(np.array(window.target)))
        latest = max(latest, (anchor + _minutes(np.array(window.closes))).max(), previous.max())
    return np.datetime64(latest, "us")


def _minutes(minutes: Floats | Integers) -> npt.NDArray[np.timedelta64]:
    return (np.asarray(minutes) * 60e6).astype(np.int64).astype("timedelta64[us]")


def _within(opens: int, target: int, closes: int, n: int, rng: np.random.Generator) -> Floats:
    """Minutes after the anchor: triangular over the window, and a few of them late."""
    if closes <= opens:
        return np.full(n, float(opens))
    punctual = rng.triangular(opens, min(max(target, opens), closes), closes, size=n)
    late = closes + rng.uniform(0.0, LATEST, size=n) * (closes - opens) + 1
    return np.where(rng.random(n) < LATE, late, punctual)
