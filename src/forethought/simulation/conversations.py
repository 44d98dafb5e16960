"""The conversations: one row for each message, as the delivering platform exports them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forethought.protocol.imports import Conversations
from forethought.protocol.protocol import Protocol
from forethought.schemas.exports.recognition import SIMULATION_COLUMN
from forethought.simulation.attendance import Meetings, People
from forethought.simulation.exports import ExportFile, csv_file, iso_times
from forethought.simulation.phrases import ANY, Phrases
from forethought.simulation.streams import stream
from forethought.simulation.texts import write_feedback, write_texts
from forethought.simulation.thresholds import Floats, Integers
from forethought.simulation.world import OutcomeWorld

FILE = "conversations.csv"
TECHNICAL_FAILURE = 0.003
"""Assumed share of people who received the reference arm whatever was allocated."""
_MILLION = 10**6
_STEP = 618_033  # no common factor with a million: a million ids end in different digits

Strings = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Talks:
    """The meetings with their conversations' ids (m,) and scores (m, outcomes)."""

    people: People
    meetings: Meetings
    ids: Strings
    scores: Integers

    @classmethod
    def of(cls, people: People, meetings: Meetings, outcomes: Integers) -> "Talks":
        """The meetings that were held, with their share of all outcomes (people, sessions, outcomes)."""
        scores = outcomes[meetings.person, meetings.session]
        return cls(people=people, meetings=meetings, ids=_ids(meetings), scores=scores)


def write_conversations(
    protocol: Protocol,
    columns: Conversations,
    phrases: Phrases,
    world: OutcomeWorld,
    talks: Talks,
    seed: int,
) -> ExportFile:
    """Every message in order of its conversation's start, with the arm received and the coach's words."""
    meetings = talks.meetings
    rng = stream(seed, "text")
    received = _received(talks.people, rng)[meetings.person]
    stimuli = [world.stimuli[place] if place >= 0 else ANY for place in _stimuli(talks)]
    shown = world.shares(talks.scores)
    texts = write_texts(phrases, meetings, stimuli, world.outcomes, shown, rng)
    order = np.argsort(np.repeat(meetings.started, meetings.messages), kind="stable")
    meeting = np.repeat(np.arange(len(meetings.messages)), meetings.messages)[order]
    number = (np.arange(len(order)) - np.repeat(meetings.first, meetings.messages))[order]

    def repeated(values: Sequence[str]) -> list[str]:
        found: list[str] = np.array(values, dtype=object)[meeting].tolist()
        return found

    codes = [arm.code for arm in protocol.arms]
    sources = talks.people.source_ids
    feedback = _feedback(protocol, phrases, world, talks, received, shown)
    cells: dict[str | None, list[str]] = {
        columns.conversation: repeated(talks.ids.tolist()),
        columns.participant: repeated([sources[person] for person in meetings.person]),
        columns.session: repeated(_words(columns.sessions, [world.sessions[s] for s in meetings.session])),
        columns.received: repeated([codes[arm] for arm in received]),
        columns.stimulus: repeated(_words(columns.stimuli, stimuli)),
        columns.number: (number + 1).astype(str).tolist(),
        columns.role: _roles(columns, number),
        columns.text: np.array(texts, dtype=object)[order].tolist(),
        columns.sent: iso_times(meetings.sent[order]),
        **_sealed(columns, phrases, repeated(feedback), number == meetings.messages[meeting] - 1),
        SIMULATION_COLUMN: [str(seed)] * len(order),
    }
    return csv_file(FILE, {name: values for name, values in cells.items() if name is not None})


def _ids(meetings: Meetings) -> Strings:
    """Conversation ids: the second of the start, and six digits that make them different."""
    seconds = np.datetime_as_string(meetings.started, unit="s").tolist()
    return np.array(
        [
            f"{second.replace('-', '').replace('T', '').replace(':', '')}{place * _STEP % _MILLION:06d}"
            for place, second in enumerate(seconds, start=1)
        ],
        dtype=object,
    )


def _stimuli(talks: Talks) -> list[int]:
    found: list[int] = talks.people.stimuli[talks.meetings.person, talks.meetings.session].tolist()
    return found


def _received(people: People, rng: np.random.Generator) -> Integers:
    """The arm that each person received: the one allocated, but for a few technical failures."""
    failed = rng.random(len(people.arms)) < TECHNICAL_FAILURE
    received: Integers = np.where(failed, 0, people.arms)
    return received


def _feedback(
    protocol: Protocol, phrases: Phrases, world: OutcomeWorld, talks: Talks, received: Integers, shown: Floats
) -> list[str]:
    """The coach's words after each conversation but a person's last planned one, in the arms with a coach."""
    if phrases.feedback is None:
        return [""] * len(shown)
    with_coach = np.array([arm.factors.get(phrases.feedback.factor, False) for arm in protocol.arms])
    coached = with_coach[received] & (talks.meetings.session < len(world.sessions) - 1)
    goodness = np.where(world.signs > 0, shown, 1 - shown)
    return write_feedback(phrases.feedback, coached, world.outcomes, goodness)


def _sealed(
    columns: Conversations, phrases: Phrases, feedback: list[str], last: npt.NDArray[np.bool_]
) -> dict[str | None, list[str]]:
    """The other columns that reveal an arm; the coach's words stand at a conversation's last message."""
    words = np.where(last, np.array(feedback, dtype=object), "").tolist()
    own = phrases.feedback.column if phrases.feedback else None
    return {name: words if name == own else [""] * len(words) for name in columns.sealed}


def _roles(columns: Conversations, number: Integers) -> list[str]:
    words = {role: word for word, role in columns.roles.items()}
    found: list[str] = np.where(number % 2 == 0, words["partner"], words["participant"]).tolist()
    return found


def _words(exported: Mapping[str, str], ids: Sequence[str]) -> list[str]:
    """The words in which the platform exports these ids; the ids themselves where it has no words."""
    words = {name: word for word, name in exported.items()}
    return [words.get(name, "" if name == ANY else name) for name in ids]
