"""The sessions as they were held: surveys, conversations and ratings, with outcomes that follow each arm."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from forethought.errors import ProtocolInvalid
from forethought.protocol.protocol import Protocol
from forethought.simulation.attendance import People, play_attendance
from forethought.simulation.conversations import Talks, write_conversations
from forethought.simulation.exports import ExportFile
from forethought.simulation.phrases import Phrases
from forethought.simulation.ratings import write_ratings
from forethought.simulation.streams import stream
from forethought.simulation.surveys import play_survey
from forethought.simulation.world import outcome_world


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """The exports, when the last of it had happened, and how much of it there was."""

    files: tuple[ExportFile, ...]
    ends: datetime
    completers: int
    conversations: int
    messages: int


def play_sessions(protocol: Protocol, phrases: Phrases, people: People, *, seed: int) -> Played:
    """Everything that those allocated do: they come or are lost, talk, are rated, and answer the survey.

    Outcomes follow the arm allocated: the assumed effects are those of being allocated. Where nobody comes
    there is no file. Raises ProtocolInvalid where the protocol's assumed world is impossible, or it imports no conversations or
    ratings.
    """
    simulation, imports = protocol.simulation, protocol.imports
    if simulation is None or imports.conversations is None or imports.ratings is None:
        raise ProtocolInvalid(
            "protocol.yaml",
            "it has no conversations and ratings to simulate",
            "Add imports.conversations, imports.ratings and simulation",
        )
    world = outcome_world(protocol)
    outcomes = world.draw(people.arms, people.stimuli, stream(seed, "outcomes"))
    meetings = play_attendance(
        protocol,
        people,
        messages=simulation.conversations.messages,
        lost_before=[simulation.flow.lost_before.get(session.id, 0.0) for session in protocol.sessions],
        rng=stream(seed, "flow", "attendance"),
    )
    talks = Talks.of(people, meetings, outcomes)
    files = (
        play_survey(protocol, people, meetings, seed),
        write_conversations(protocol, imports.conversations, phrases, world, talks, seed),
        write_ratings(protocol, imports.ratings, world, talks, seed),
    )
    ends = np.append(meetings.ended, meetings.over).max()
    sessions_held = np.bincount(meetings.person, minlength=len(people.arms))
    return Played(
        files=tuple(file for file in files if file is not None and file.rows),
        ends=ends.astype("datetime64[us]").item().replace(tzinfo=UTC),
        completers=int((sessions_held == len(protocol.sessions)).sum()),
        conversations=len(meetings.messages),
        messages=len(meetings.sent),
    )
