"""p values adjusted within the registered families."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from forethought.analysis.multiplicity import adjust
from forethought.protocol.analysis import Family


@dataclass(frozen=True, slots=True, order=True)
class Comparison:
    """Which contrast of which model of which outcome."""

    model: str
    outcome: str
    contrast: str


def members(family: Family) -> Iterator[tuple[Comparison, ...]]:
    """The groups of tests that the family adjusts together: one, or one for each outcome."""
    groups = [family.outcomes] if family.scope == "all_outcomes" else [(one,) for one in family.outcomes]
    for outcomes in groups:
        yield tuple(
            Comparison(family.model, outcome, contrast)
            for outcome in outcomes
            for contrast in family.contrasts
        )


def adjusted(
    families: tuple[Family, ...], p_values: Mapping[Comparison, float]
) -> dict[Comparison, tuple[str, float | None]]:
    """Each registered test's family and adjusted p.

    A test without a p value is in its family all the same: it counts there as p = 1, and its own is None.
    """
    found: dict[Comparison, tuple[str, float | None]] = {}
    for family in families:
        for group in members(family):
            values = adjust([p_values.get(test, 1.0) for test in group], family.method)
            found |= {
                test: (family.id, value if test in p_values else None)
                for test, value in zip(group, values, strict=True)
            }
    return found
