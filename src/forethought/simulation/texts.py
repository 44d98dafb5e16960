"""What is said in simulated conversations: the partner's story, the participant's behaviours, the coach's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from forethought.simulation.attendance import Booleans, Meetings
from forethought.simulation.phrases import ANY, Feedback, Phrases
from forethought.simulation.thresholds import Floats, Integers

SLIP, GAIN = 0.03, 0.7
"""Chance that a message shows a behaviour: this at the lowest score, and so much more at the highest."""
SENTENCES = 2
"""At most so many in a message of the participant."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bank:
    """All of a participant's sentences in one list; behaviour b's are `counts[b]` from `starts[b]` on."""

    sentences: Sequence[str]
    starts: Integers
    counts: Integers

    @classmethod
    def of(cls, phrases: Phrases, outcomes: Sequence[str]) -> "Bank":
        """The sentences of each outcome, and the neutral ones last."""
        groups = [*(phrases.behaviours[outcome] for outcome in outcomes), phrases.neutral]
        ends = list(accumulate(len(group) for group in groups))
        return cls(
            sentences=[sentence for group in groups for sentence in group],
            starts=np.array([0, *ends[:-1]]),
            counts=np.array([len(group) for group in groups]),
        )

    def places(self, behaviour: Integers, turn: Integers) -> Integers:
        """Where the sentence of a behaviour stands; as turns go on, no sentence comes again before all have."""
        found: Integers = self.starts[behaviour] + turn % self.counts[behaviour]
        return found


def write_texts(
    phrases: Phrases,
    meetings: Meetings,
    stimuli: Sequence[str],
    outcomes: Sequence[str],
    shown: Floats,
    rng: np.random.Generator,
) -> list[str]:
    """The text of every message, in the order of `meetings.sent`.

    `stimuli` has one name for each meeting (`any` for none), `shown` (meetings, outcomes) how much of each
    behaviour the rater saw, from 0 to 1.
    """
    meeting = np.repeat(np.arange(len(meetings.messages)), meetings.messages)
    place = np.arange(len(meeting)) - meetings.first[meeting]
    entry = rng.integers(1000, size=len(meetings.messages))
    texts = np.empty(len(meeting), dtype=object)
    theirs = place % 2 == 0
    texts[theirs] = _story(phrases, stimuli, meeting[theirs], place[theirs] // 2, entry)
    ours = ~theirs
    texts[ours] = _behaving(
        Bank.of(phrases, outcomes), shown[meeting[ours]], entry[meeting[ours]] + place[ours] // 2, rng
    )
    found: list[str] = texts.tolist()
    return found


def _story(
    phrases: Phrases, stimuli: Sequence[str], meeting: Integers, turn: Integers, entry: Integers
) -> list[str]:
    told = [phrases.partner[stimulus or ANY] for stimulus in stimuli]
    return [
        told[one].opener if now == 0 else told[one].story[(start + now) % len(told[one].story)]
        for one, now, start in zip(meeting.tolist(), turn.tolist(), entry[meeting].tolist(), strict=True)
    ]


def _behaving(bank: Bank, shown: Floats, turn: Integers, rng: np.random.Generator) -> list[str]:
    """Messages of up to two sentences, of the behaviours that chance picks by how much they are shown."""
    picked = rng.random(shown.shape) < SLIP + GAIN * shown
    order = np.where(picked, rng.random(shown.shape), 2.0)
    chosen = np.argsort(order, axis=1)[:, :SENTENCES]
    said = np.take_along_axis(picked, chosen, axis=1)
    neutral = len(bank.counts) - 1
    behaviour = np.where(said, chosen, neutral)
    places = bank.places(behaviour, turn[:, None])
    first = [bank.sentences[place] for place in places[:, 0].tolist()]
    return [
        f"{sentence} {bank.sentences[second]}" if more else sentence
        for sentence, second, more in zip(first, places[:, -1].tolist(), said[:, -1].tolist(), strict=True)
    ]


def write_feedback(
    feedback: Feedback, coached: Booleans, outcomes: Sequence[str], goodness: Floats
) -> list[str]:
    """The coach's words on each meeting, blank where there was no coach.

    `goodness` (meetings, outcomes) is how well each behaviour went, from 0 to 1.
    """
    best = [feedback.keep[outcomes[place]] for place in goodness.argmax(axis=1)]
    worst = [feedback.change[outcomes[place]] for place in goodness.argmin(axis=1)]
    return [
        f"{keep} {change}" if coach else ""
        for keep, change, coach in zip(best, worst, coached.tolist(), strict=True)
    ]
