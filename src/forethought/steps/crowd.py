"""People who might come, for checks of a design before they do."""

from collections.abc import Sequence

import numpy as np

from forethought.protocol.allocation import Design
from forethought.protocol.imports import Recruits, Variable
from forethought.protocol.protocol import Protocol
from forethought.randomization.strata import WHOLE_WAVE, Unplaced, stratum
from forethought.simulation.people import eligible_pool


def strata(protocol: Protocol, design: Design, people: int, rng: np.random.Generator) -> Sequence[str]:
    """The stratum of each of so many people, in order of arrival.

    Values are as common as the protocol's simulated world has them; in a protocol without one, all alike.
    """
    recruits = protocol.imports.recruits
    if recruits is None or not design.covariates:
        return [WHOLE_WAVE] * people
    variables = {variable.name: variable for variable in recruits.variables}
    alike = protocol.simulation is None
    drawn = {name: _values(variables[name], recruits, people, rng, alike=alike) for name in design.covariates}
    levels: dict[str, tuple[str, ...]] = dict.fromkeys(drawn, ())
    persons = [dict(zip(drawn, values, strict=True)) for values in zip(*drawn.values(), strict=True)]
    return [label for person in persons if not isinstance(label := stratum(levels, person), Unplaced)]


def _values(
    variable: Variable, recruits: Recruits, people: int, rng: np.random.Generator, *, alike: bool
) -> Sequence[str]:
    pool = eligible_pool(variable.column, recruits)
    drawn = pool.values
    chosen = rng.choice(len(drawn), size=people, p=None if alike else pool.chances)
    return [_as_recorded(variable, drawn[place]) for place in chosen.tolist()]


def _as_recorded(variable: Variable, text: str) -> str:
    """A word that stands for a number is recorded as the number."""
    return f"{variable.codes[text]:g}" if text in variable.codes else text
