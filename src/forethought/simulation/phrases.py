"""The sentences of which simulated conversations are made, from a file among the study's materials."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from forethought.errors import ProtocolInvalid
from forethought.files import canonical_json
from forethought.protocol.loading import read_yaml
from forethought.protocol.protocol import Protocol
from forethought.protocol.values import Name, Text, Value

ANY = "any"
"""In the place of a stimulus, in a session that has none."""

Sentences = tuple[Text, ...]


class PartnerPhrases(Value):
    """What the partner says about one stimulus: an opener, then more of the story."""

    opener: Text
    story: Sentences = Field(min_length=1)


class Feedback(Value):
    """What a coach says after a conversation: what went best, and what to do more (or less) of, by outcome."""

    factor: Name = Field(description="Arms with this factor are coached.")
    column: Text = Field(description="The export's column.")
    keep: dict[Name, Text]
    change: dict[Name, Text]


class Phrases(Value):
    """Every sentence that simulated people say."""

    partner: dict[Name, PartnerPhrases] = Field(
        min_length=1, description="By stimulus; `any` where there is none."
    )
    neutral: Sentences = Field(min_length=1, description="What a participant says that shows no behaviour.")
    behaviours: dict[Name, Sentences] = Field(
        description="What a participant says, by the outcome it raises."
    )
    feedback: Feedback | None = None


def read_phrases(file: Path, protocol: Protocol) -> Phrases:
    """The phrases of a YAML file. ProtocolInvalid where a stimulus or a simulated outcome has none."""
    try:
        phrases = Phrases.model_validate_json(canonical_json(read_yaml(file)))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ProtocolInvalid(f"{file.name}: {place}", first["msg"], "Correct the file") from error
    missing = [
        *_without(phrases.partner, _stimuli(protocol)),
        *_without(phrases.behaviours, _outcomes(protocol)),
    ]
    if phrases.feedback is not None:
        missing += [
            f"feedback.{name}"
            for part in (phrases.feedback.keep, phrases.feedback.change)
            for name in _without(part, _outcomes(protocol))
        ]
    if missing:
        raise ProtocolInvalid(file.name, f"it has no sentences for {', '.join(missing)}", "Add them")
    return phrases


def _without(sentences: Mapping[str, object], names: tuple[str, ...]) -> list[str]:
    return [name for name in names if not sentences.get(name)]


def _stimuli(protocol: Protocol) -> tuple[str, ...]:
    if protocol.stimuli is None:
        return (ANY,)
    everywhere = {session.id for session in protocol.sessions} <= set(protocol.stimuli.sessions)
    return protocol.stimuli.items if everywhere else (*protocol.stimuli.items, ANY)


def _outcomes(protocol: Protocol) -> tuple[str, ...]:
    assumed = protocol.simulation.outcomes.published if protocol.simulation else ()
    return tuple(published.outcome for published in assumed)
