"""A finding: one contrast of one model, with everything a reader needs to judge it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from forethought.analysis.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row of the results. The field names are the keys of `results.json` and of the findings table.

    A number that could not be had is None, and `warnings` says why. `df` is None for z inference. `population` is the
    id of the one that its model was fitted to, which `n` counts; `estimand` has the five attributes in one line.
    `effect_size` is the estimate in standard deviations of the outcome.
    """

    hypothesis: str | None
    model: str
    outcome: str
    contrast: str
    estimate: float | None
    se: float | None
    df: float | None
    statistic: float | None
    p: float | None
    p_adjusted: float | None
    ci_low: float | None
    ci_high: float | None
    effect_size: float | None
    ci_level: float
    smallest_effect: float | None
    n: int
    n_by_arm: Mapping[str, int]
    population: str
    estimand: str | None
    family: str | None
    role: str
    registered: bool
    confirmatory: bool
    blinded: bool
    simulated: bool
    wave: int | None
    verdict: Verdict
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON values, in the order of the fields."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {
            "n_by_arm": dict(self.n_by_arm),
            "verdict": self.verdict.value,
            "warnings": list(self.warnings),
        }


def finite(value: float) -> float | None:
    """The number, or None where it is infinite or not a number: JSON knows neither."""
    return value if math.isfinite(value) else None
