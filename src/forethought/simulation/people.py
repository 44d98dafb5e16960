"""What people are like: values of each column of a recruitment export, and how often they occur."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from forethought.errors import ProtocolInvalid
from forethought.protocol.allocation import Randomization
from forethought.protocol.imports import Recruits, Variable
from forethought.protocol.protocol import Protocol
from forethought.protocol.rules import Criterion, holds
from forethought.simulation.thresholds import Floats

AGES = tuple(range(15, 81))
POOLS: Mapping[str, Mapping[str, float]] = {
    "Fluent languages": {
        "English": 70, "English, Spanish": 14, "English, French": 7, "German, English": 5, "Spanish": 1, "French": 1,
    },
    "Age": {str(age): 1.0 if age < 18 else float(np.exp(-(((age - 36) / 14) ** 2) / 2)) for age in AGES},
    "Sex": {"Female": 52, "Male": 46, "Prefer not to say": 2},
    "Ethnicity simplified": {"White": 62, "Black": 16, "Asian": 8, "Mixed": 9, "Other": 5},
    "Country of birth": {"United States": 90, "Mexico": 3, "India": 2, "Canada": 2, "United Kingdom": 3},
    "Country of residence": {"United States": 1},
    "Nationality": {"United States": 97, "Canada": 1, "Mexico": 2},
    "Language": {"English": 93, "Spanish": 5, "French": 2},
    "Student status": {"No": 82, "Yes": 18},
    "Employment status": {
        "Full-Time": 52, "Part-Time": 17, "Unemployed (and job seeking)": 11,
        "Not in paid work (e.g. homemaker', 'retired or disabled)": 9, "Other": 9,
        "Due to start a new job within the next month": 2,
    },
}  # fmt: skip
"""Column of the service's export to its values and their weights; the shares are round guesses."""

FEWEST_CLUSTERS, PEOPLE_OF_A_CLUSTER = 6, 8
"""Clusters of a wave, where the protocol does not list them: so many people each, on average."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """The values of one column: those that a participant may have, with their chances."""

    values: tuple[str, ...]
    chances: Floats

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """`n` values, as an array of objects."""
        return np.array(self.values, dtype=object)[rng.choice(len(self.values), size=n, p=self.chances)]


def peopled(recruits: Recruits, protocol: Protocol) -> Recruits:
    """The recruits section, in which the clusters that are allocated have names, if they are not listed there."""
    design = protocol.allocation
    name = design.cluster if isinstance(design, Randomization) else None
    number = max(FEWEST_CLUSTERS, protocol.waves[0].target // PEOPLE_OF_A_CLUSTER)
    clusters = tuple(f"{name} {one}" for one in range(1, number + 1))
    variables = (
        one.model_copy(update={"levels": clusters}) if one.name == name and not one.levels else one
        for one in recruits.variables
    )
    return recruits.model_copy(update={"variables": tuple(variables)})


def eligible_pool(column: str, recruits: Recruits) -> Pool:
    """The values of a column with which a person is eligible. Raises ProtocolInvalid where there is none."""
    everyone = _everyone(column, recruits.variables)
    criteria = _criteria_on(column, recruits)
    kept = {
        value: weight
        for value, weight in everyone.items()
        if all(holds(rule.rule)(value) for rule in criteria)
    }
    if not kept:
        raise ProtocolInvalid(
            f"protocol.yaml: imports.recruits.eligibility.{criteria[0].id}",
            f"no simulated person has a `{column}` that passes it",
            "Correct the criterion, or give its variable `levels`",
        )
    weights = np.array(list(kept.values()), dtype=float)
    return Pool(values=tuple(kept), chances=weights / weights.sum())


def disqualifying(recruits: Recruits) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Column and failing values of each criterion that a person, not a submission, can fail."""
    found = []
    for variable in recruits.variables:
        for criterion in recruits.eligibility:
            if criterion.variable == variable.name:
                values = _everyone(variable.column, recruits.variables)
                failing = tuple(value for value in values if not holds(criterion.rule)(value))
                if failing:
                    found.append((variable.column, failing))
    return tuple(found)


def accepted_statuses(recruits: Recruits, statuses: Sequence[str]) -> tuple[str, ...]:
    """Those of the statuses that the protocol's criteria on `status` let pass."""
    rules = [holds(criterion.rule) for criterion in recruits.eligibility if criterion.variable == "status"]
    return tuple(status for status in statuses if all(rule(status) for rule in rules))


def screeners(recruits: Recruits, known: Sequence[str]) -> tuple[str, ...]:
    """Columns of the protocol's variables that the service's own header lacks."""
    return tuple(dict.fromkeys(v.column for v in recruits.variables if v.column not in known))


def needed(recruits: Recruits) -> frozenset[str]:
    """Columns on which eligibility depends."""
    judged = {criterion.variable for criterion in recruits.eligibility}
    return frozenset(variable.column for variable in recruits.variables if variable.name in judged)


def _everyone(column: str, variables: Sequence[Variable]) -> Mapping[str, float]:
    """The column's values, by the protocol's variable where it states them, otherwise as the service has them."""
    variable = next((variable for variable in variables if variable.column == column), None)
    pool = POOLS.get(column, {})
    if variable is None:
        return pool
    if variable.levels or variable.codes:
        return {word: pool.get(word, 1.0) for word in chain(variable.levels, variable.codes)}
    if variable.type != "number":
        return pool or {"yes": 1.0, "no": 1.0}
    low = -np.inf if variable.minimum is None else variable.minimum
    high = np.inf if variable.maximum is None else variable.maximum
    numbers = pool or {f"{value:g}": 1.0 for value in np.linspace(max(low, 0), min(high, 100), 11)}
    return {text: weight for text, weight in numbers.items() if low <= float(text) <= high}


def _criteria_on(column: str, recruits: Recruits) -> tuple[Criterion, ...]:
    names = {variable.name for variable in recruits.variables if variable.column == column}
    return tuple(criterion for criterion in recruits.eligibility if criterion.variable in names)
