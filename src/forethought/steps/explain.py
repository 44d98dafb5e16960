"""Explain one allocation, once its wave is unblinded."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import assert_never

from forethought import registration
from forethought.errors import GateClosed, VerificationFailed
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.randomization import explanation
from forethought.randomization.explanation import ByBatch, ByBlock, ByWord, Explanation
from forethought.steps.drawn import drawn_wave
from forethought.steps.people import find_allocated
from forethought.store import milestones
from forethought.store.connection import DEFAULT_WAIT, reading


def explain(folder: StudyFolder, participant: str, *, wait: float = DEFAULT_WAIT) -> Explanation:
    """How the person's arm came about. Reads, and writes nothing.

    GateClosed where the study is not randomised, the person has no arm, or the wave is blinded: an emergency, which
    opens one arm, does not open how it was drawn. DataRefused: nobody of this name.
    """
    loaded = load(folder.protocol)
    if not loaded.protocol.randomised:
        raise GateClosed(
            str(folder.path), "this study is not randomised", "There is no allocation to explain"
        )
    locked = registration.require(folder, loaded)
    with reading(folder, wait) as con:
        person = find_allocated(con, folder, participant)
        if person.wave not in milestones.unblinded_waves(con):
            raise GateClosed(
                f"participant {person.participant}",
                f"wave {person.wave} is blinded, and how an arm was drawn tells of others",
                "Unblind the wave or the study first",
            )
        wave = drawn_wave(con, folder, loaded.protocol, locked, person.wave)
    if not wave.readable:
        raise VerificationFailed(
            f"wave {person.wave}",
            "a recorded stratum does not name what the design looks at",
            "Run `forethought replay`, and compare the database with a copy from before",
        )
    return explanation.explain(wave.design, wave.source, wave.recorded, wave.counting, person.participant)


def as_json(found: Explanation) -> dict[str, object]:
    """The explanation as one JSON object: probabilities as fractions and decimals, the word in hex."""
    drawn = {} if found.drawn is None else _drawn(found.drawn)
    return {
        "participant": found.participant,
        "wave": found.wave,
        "arrival": found.arrival,
        "stratum": found.stratum,
        "unit": found.unit,
        "algorithm": found.algorithm,
        "arm": found.recorded,
        "arm_from_the_seed": None if found.drawn is None else found.drawn.arm,
        "agrees": found.agrees,
        "probabilities": {}
        if found.drawn is None
        else {
            arm: {"fraction": str(chance), "decimal": float(chance)}
            for arm, chance in found.drawn.probabilities.items()
        },
        **drawn,
    }


def lines(found: Explanation) -> Iterator[str]:
    """The explanation in sentences, for people."""
    yield f"participant {found.participant}, arrival {found.arrival:,} of wave {found.wave}"
    yield f"stratum     {found.stratum}{f', cluster {found.unit}' if found.unit else ''}"
    yield f"algorithm   {found.algorithm}"
    if found.drawn is not None:
        yield from _drawn_in_words(found.drawn)
        chances = (f"{arm} {_chance(chance)}" for arm, chance in found.drawn.probabilities.items())
        yield f"chances     {', '.join(chances)}"
    yield f"arm         {found.recorded}: {_agreement(found)}"


def _agreement(found: Explanation) -> str:
    if found.agrees:
        return "the record and the seed agree"
    given = "none, every one being full" if found.drawn is None else found.drawn.arm
    return f"the record DIFFERS from the seed, which gives {given}"


def _drawn(drawn: ByWord | ByBlock | ByBatch) -> dict[str, object]:
    match drawn:
        case ByWord(draw=draw):
            return {
                "counts": draw.counts,
                "weights": draw.weights,
                "word": f"{draw.word:016x}",
                "number": draw.number,
                "total": sum(draw.weights.values()),
                "block": draw.block or None,
                "position": draw.position or None,
                "replaces": draw.replaces,
                "drawn_for": drawn.drawn_for,
                "margins": [
                    {"factor": one.factor, "level": one.level, "counts": one.counts} for one in drawn.margins
                ],
            }
        case ByBlock():
            return {
                "counts": drawn.counts,
                "block": drawn.block,
                "position": drawn.position,
                "order": list(drawn.order),
            }
        case ByBatch():
            return {
                "batch": drawn.batch,
                "people": drawn.people,
                "draws": drawn.draws,
                "distance": drawn.distance,
            }
        case _:
            assert_never(drawn)


def _drawn_in_words(drawn: ByWord | ByBlock | ByBatch) -> Iterator[str]:
    match drawn:
        case ByWord():
            yield from _by_word(drawn)
        case ByBlock():
            order = (
                f"[{arm}]" if place == drawn.position else arm for place, arm in enumerate(drawn.order, 1)
            )
            yield f"place       position {drawn.position} of block {drawn.block}"
            yield f"in block    {_numbers(drawn.counts)} before"
            yield f"draw        the block was shuffled into {', '.join(order)}"
        case ByBatch():
            yield f"batch       {drawn.batch}, of {drawn.people:,} people together"
            yield f"draw        number {drawn.draws:,} was close enough, at a distance of {drawn.distance:.6g}"
        case _:
            assert_never(drawn)


def _by_word(drawn: ByWord) -> Iterator[str]:
    draw = drawn.draw
    if draw.replaces is not None:
        yield f"place       that of {draw.replaces}, which counts no longer"
    elif draw.block:
        yield f"place       position {draw.position} of block {draw.block}"
    yield f"counting    {_numbers(draw.counts)} in the stratum before"
    for one in drawn.margins:
        yield f"            {_numbers(one.counts)} with {one.factor}={one.level}"
    yield f"weights     {_numbers(draw.weights)}"
    total = sum(draw.weights.values())
    yield f"draw        word {draw.word:016x}, number {draw.number:,} of 0 to {total - 1:,}, for {drawn.drawn_for}"


def _numbers(by_arm: Mapping[str, int]) -> str:
    return ", ".join(f"{arm} {number:,}" for arm, number in by_arm.items())


def _chance(chance: Fraction) -> str:
    return f"{chance} ({float(chance):.4f})"
