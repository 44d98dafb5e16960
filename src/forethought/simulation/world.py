"""The assumed world of a protocol, calibrated, and outcomes drawn from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forethought.errors import ProtocolInvalid
from forethought.protocol.protocol import Protocol
from forethought.simulation.cells import WHERE, AssumedOutcome, assumed_outcomes, unreadable_terms
from forethought.simulation.thresholds import (
    Floats,
    Integers,
    moments,
    solve_person_shares,
    solve_thresholds,
)

TOLERANCE = 1e-9
"""How far a calibrated mean or variance may lie from the published one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomeWorld:
    """Where every outcome's integers come from; A arms, S sessions, T stimuli, O outcomes, K thresholds.

    An outcome is its minimum plus the number of thresholds below the sum of the stimulus's shift, the person's
    part (variance `person_share`) and the occasion's part (the rest of a variance of 1). Person and occasion
    parts correlate between outcomes by `root` times its transpose.
    """

    outcomes: tuple[str, ...]
    arms: tuple[str, ...]
    sessions: tuple[str, ...]
    stimuli: tuple[str, ...]
    signs: Integers  # (O,), +1 where more is good
    minimum: Integers  # (O,)
    thresholds: Floats  # (A, S, O, K)
    shifts: Floats  # (T + 1, O); the last row is for a session without a stimulus
    person_share: Floats  # (O,)
    root: Floats  # (O, O)

    def draw(self, arms: Integers, stimuli: Integers, rng: np.random.Generator) -> Integers:
        """Outcomes (n, S, O) of n persons; `arms` (n,) and `stimuli` (n, S) are places in the world's tuples.

        A session without a stimulus has -1.
        """
        n, sessions, outcomes = len(arms), len(self.sessions), len(self.outcomes)
        person = rng.standard_normal((n, 1, outcomes)) @ self.root.T
        occasion = rng.standard_normal((n, sessions, outcomes)) @ self.root.T
        latent = np.sqrt(self.person_share) * person + np.sqrt(1 - self.person_share) * occasion
        latent += self.shifts[stimuli]
        passed = np.zeros(latent.shape, dtype=np.int64)
        for number in range(self.thresholds.shape[-1]):
            passed += latent > self.thresholds[arms, :, :, number]
        drawn: Integers = passed + self.minimum
        return drawn

    def shares(self, outcomes: Integers) -> Floats:
        """Outcomes (..., O) from 0, the lowest that there is, to 1, the highest."""
        steps = np.isfinite(self.thresholds[0, 0]).sum(axis=-1)
        found: Floats = (outcomes - self.minimum) / steps
        return found


def outcome_world(protocol: Protocol) -> OutcomeWorld:
    """The protocol's assumed world with the published means and variances, exact to 1e-9.

    Raises ProtocolInvalid with every problem: a coefficient of no cell, a mean or a variance that no integer
    outcome has, a correlation that no outcomes have.
    """
    simulation = protocol.simulation
    if simulation is None:
        raise ProtocolInvalid("protocol.yaml", "there is no `simulation` section", "Add one")
    problems = list(unreadable_terms(protocol, simulation))
    outcomes = assumed_outcomes(protocol, simulation)
    problems += [problem for outcome in outcomes for problem in outcome.problems]
    signs = np.array([outcome.sign for outcome in outcomes])
    correlation = _correlation(signs, simulation.outcomes.correlation)
    if np.linalg.eigvalsh(correlation)[0] <= 0:
        lowest = -1 / (len(outcomes) - 1)
        problems.append(
            f"{WHERE}: no {len(outcomes)} outcomes have a correlation of {simulation.outcomes.correlation} with "
            f"each other. Give one above {lowest:.3g}."
        )
    _refuse(problems)
    stimuli = protocol.stimuli.items if protocol.stimuli else ()
    known = simulation.outcomes.stimulus_shifts
    shifts = np.array([*(known.get(item, 0.0) for item in stimuli), 0.0])[:, None] * signs
    averaged = _averaged_shifts(protocol, shifts)
    thresholds = _thresholds(outcomes, averaged)
    return OutcomeWorld(
        outcomes=tuple(outcome.id for outcome in outcomes),
        arms=tuple(arm.id for arm in protocol.arms),
        sessions=tuple(session.id for session in protocol.sessions),
        stimuli=stimuli,
        signs=signs,
        minimum=np.array([outcome.minimum for outcome in outcomes]),
        thresholds=thresholds,
        shifts=shifts,
        person_share=_person_shares(outcomes, thresholds[0, 0], averaged[0]),
        root=np.linalg.cholesky(correlation).astype(np.float64),
    )


def _correlation(signs: Integers, correlation: float) -> Floats:
    """Equal correlations, positive between outcomes that are good or bad together."""
    matrix: Floats = correlation * np.outer(signs, signs).astype(float)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def _averaged_shifts(protocol: Protocol, shifts: Floats) -> Floats:
    """The shifts (S, O, T) that each session and outcome average over: zeros where there is no stimulus."""
    holding = protocol.stimuli.sessions if protocol.stimuli else ()
    of_stimuli = shifts[:-1] if len(shifts) > 1 else shifts
    return np.array([of_stimuli.T * (session.id in holding) for session in protocol.sessions])


def _thresholds(outcomes: Sequence[AssumedOutcome], shifts: Floats) -> Floats:
    """Thresholds (A, S, O, K) of every cell; each different cell is solved once."""
    means = np.stack([outcome.means - outcome.minimum for outcome in outcomes], axis=-1)
    variances = np.broadcast_to([outcome.variance for outcome in outcomes], means.shape)
    steps = np.broadcast_to([outcome.maximum - outcome.minimum for outcome in outcomes], means.shape)
    of_cell = np.broadcast_to(shifts, (*means.shape, shifts.shape[-1]))
    described = np.concatenate([np.stack([means, variances, steps], axis=-1), of_cell], axis=-1)
    cells, place = np.unique(described.reshape(-1, described.shape[-1]), axis=0, return_inverse=True)
    solved = solve_thresholds(cells[:, 0], cells[:, 1], cells[:, 2].astype(np.int64), cells[:, 3:])
    reached = np.stack(moments(solved, cells[:, 3:]), axis=1)
    _refuse(
        f"{WHERE}: no thresholds give a mean of {cell[0]:.4g} above the minimum with a variance of {cell[1]:.4g}. "
        "Correct the coefficients or the standard errors."
        for cell, near in zip(cells, reached, strict=True)
        if np.abs(near - cell[:2]).max() > TOLERANCE
    )
    return solved[place.ravel()].reshape(*means.shape, -1)


def _person_shares(outcomes: Sequence[AssumedOutcome], thresholds: Floats, shifts: Floats) -> Floats:
    """The latent shares (O,) of persons that give the published variances in the cell with these thresholds.

    One cell must stand for all: the reference arm's first session.
    """
    variances = np.array([outcome.person_variance for outcome in outcomes])
    shares = solve_person_shares(thresholds, shifts, variances)
    _refuse(
        f"{WHERE}.published.{outcome.id}: persons cannot hold {outcome.person_variance:.4g} of a variance of "
        f"{outcome.variance:.4g} where stimuli differ. Correct se_round, or make stimulus_shifts smaller."
        for outcome, share in zip(outcomes, shares, strict=True)
        if np.isnan(share)
    )
    return shares


def places(names: Sequence[str], known: Sequence[str]) -> npt.NDArray[np.int64]:
    """The place of each name among the known ones."""
    lookup = {name: place for place, name in enumerate(known)}
    return np.array([lookup[name] for name in names], dtype=np.int64)


def _refuse(problems: Iterable[str]) -> None:
    found = tuple(problems)
    if found:
        raise ProtocolInvalid(WHERE, "the assumed world is impossible", "Correct it", problems=found)
