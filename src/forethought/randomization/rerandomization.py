"""Rerandomisation: those who wait are allocated together, anew until the arms are alike enough.

Morgan and Rubin (2012, Annals of Statistics 40:1263). One draw is complete randomisation: each arm gets the same number
of people, and chance decides which arms get one more where the arms do not divide them; so every way of giving the arms
such numbers of people is equally likely. Whether a draw is accepted does not depend on which arm bears which name:
exchanging two names turns an accepted draw into another, which is as likely. So every person has each arm with
probability one over the number of arms, exactly, given that some draw is accepted.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from forethought.errors import GateClosed, ProtocolInvalid
from forethought.protocol.allocation import Rerandomization, exact
from forethought.randomization.arrivals import Arrivals, Drawn, Source
from forethought.randomization.closeness import Closeness
from forethought.randomization.words import Words

Int8s = NDArray[np.int8]
Int64s = NDArray[np.int64]

_LEAST_OF_AN_ARM = 2
_FIRST_AT_ONCE = 16
_PLACES_AT_ONCE = 1 << 18
"""How much is drawn at once moves no arm: each draw has words of its own."""


def allocate_batch(design: Rerandomization, source: Source, arrivals: Arrivals, batch: int) -> Drawn:
    """The arms of all who wait: the first of the batch's draws that is close enough; `batch` counts from 1.

    The strata's labels name `design.variables`; `covariates.columns` says how they are read. A variable that is the
    same for everyone here is left out. GateClosed, with nobody allocated: too few people for the arms or for what is
    balanced; for the Mahalanobis distance, a variable that follows from others; `most_draws` used up. ProtocolInvalid: a
    design with unequal shares, clusters, caps or a simple phase.
    """
    _require_people(design)
    arms, people = tuple(sorted(design.ratio)), len(arrivals)
    compared = closeness(design, [arrivals.labels[code] for code in arrivals.codes])
    words = Words(source.seed, *source.labels, f"batch {batch}", "order")
    for drawn in _draws(words, people, len(arms), design.most_draws):
        accepted = np.flatnonzero(compared.accepted(drawn))
        if accepted.size:
            return _together(arms, drawn[accepted[0]], batch)
    raise GateClosed(
        "allocation",
        f"of {design.most_draws} draws of the {people} people who wait, none has a distance of {design.at_most:g} or less",
        "Wait until more have come, or amend `at_most` or `most_draws`",
    )


def closeness(design: Rerandomization, labels: Sequence[str]) -> Closeness:
    """What decides whether people with these labels may be allocated so; GateClosed where they are too few."""
    arms = len(design.ratio)
    if len(labels) < _LEAST_OF_AN_ARM * arms:
        raise GateClosed(
            "allocation",
            f"{len(labels)} wait, and rerandomisation in {arms} arms needs {_LEAST_OF_AN_ARM * arms} people together",
            "Wait until more have come",
        )
    return Closeness.of(labels, design.variables, design.criterion, arms, exact(design.at_most))


def _require_people(design: Rerandomization) -> None:
    """Equal shares, and none of the rules that are about one unit at a time."""
    if (
        len(set(design.ratio.values())) > 1
        or design.unit == "cluster"
        or design.caps
        or design.initial_simple
    ):
        raise ProtocolInvalid(
            "allocation",
            "rerandomisation gives equal shares to people who are allocated together",
            "Give every arm the same share, and leave out `unit: cluster`, `caps` and `initial_simple`",
        )


def totals(people: int, arms: int) -> Int64s:
    """What the uniform numbers of one draw lie below, in the order in which they are used."""
    over = [*range(arms, 1, -1)] if people % arms else []
    return np.array([*over, *range(people, 1, -1)], dtype=np.int64)


def complete(numbers: Int64s, people: int, arms: int) -> Int8s:
    """Complete randomisations from uniform numbers below `totals`, (D, numbers of a draw): each person's arm, (D, people).

    Where the arms do not divide the people, the first numbers shuffle the arms, and the first arms in that order get
    one person more. The other numbers shuffle the people's places, which begin in the order of the arms.
    """
    each, over = divmod(people, arms)
    sizes = np.full((arms, len(numbers)), each)
    if over:
        order = np.repeat(np.arange(arms, dtype=np.int8)[:, np.newaxis], len(numbers), axis=1)
        _shuffle(order, numbers[:, : arms - 1])
        sizes[order[:over], np.arange(len(numbers))] += 1
    ends = np.cumsum(sizes[:-1], axis=0)
    places = (np.arange(people)[:, np.newaxis, np.newaxis] >= ends).sum(axis=1).astype(np.int8)
    _shuffle(places, numbers[:, -(people - 1) :])
    return np.ascontiguousarray(places.T)


def _shuffle(rows: Int8s, numbers: Int64s) -> None:
    """Put the rows of each column into a random order, as `streams.shuffled` does, each column by its numbers."""
    everywhere = np.arange(rows.shape[1])
    for step, last in enumerate(range(len(rows) - 1, 0, -1)):
        chosen = numbers[:, step]
        exchanged = rows[chosen, everywhere]
        rows[chosen, everywhere] = rows[last]
        rows[last] = exchanged


def _draws(words: Words, people: int, arms: int, most: int) -> Iterator[Int8s]:
    """The draws of a batch in order, some at a time: draw d (from 0) has the words d * n to d * n + n - 1."""
    below = totals(people, arms)
    done, at_once = 0, _FIRST_AT_ONCE
    while done < most:
        now = min(at_once, most - done)
        numbers = words.below(done * len(below), np.tile(below, now)).reshape(now, len(below))
        yield complete(numbers, people, arms)
        done, at_once = done + now, max(1, _PLACES_AT_ONCE // people)


def _together(arms: tuple[str, ...], arm: Int8s, batch: int) -> Drawn:
    return Drawn(
        arms=arms,
        arm=arm,
        probability=np.full(len(arm), 1 / len(arms)),
        block=np.zeros(len(arm), dtype=np.int32),
        position=np.zeros(len(arm), dtype=np.int32),
        batch=batch,
    )
