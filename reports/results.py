"""The values of `results.json`, read back as findings and fitted models."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forethought.analysis.findings import Finding
from forethought.analysis.verdicts import Verdict

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One model of one outcome, as `results.json` has it: its fit, or the error that left it without one.

    `formula` is the one that stands, and `pruned` has those that gave way to it; `cross_check` is what a second program
    found. Results written before these existed have None and nothing.
    """

    model: str
    label: str
    outcome: str
    kind: str
    role: str
    error: str | None
    fit: Values | None
    cell_means: tuple[Values, ...]
    expected: tuple[Values, ...]
    formula: str | None = None
    pruned: tuple[Values, ...] = ()
    cross_check: Values | None = None

    @property
    def coefficients(self) -> tuple[Values, ...]:
        """The rows of the fixed effects; none where the model was not fitted."""
        return tuple(self.fit["coefficients"]) if self.fit else ()

    @property
    def terms(self) -> frozenset[str]:
        """The names of the fixed effects."""
        return frozenset(row["term"] for row in self.coefficients)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What the registered analysis gave, and what it may claim."""

    fingerprint: str | None
    data_sha256: str | None
    blinded: bool
    simulated: bool
    registered: bool
    findings: tuple[Finding, ...]
    models: tuple[ModelEntry, ...]
    preparation: tuple[Values, ...]

    @property
    def comparable(self) -> bool:
        """Whether published numbers could be ours: not where data are simulated, or arms a placebo."""
        return not (self.blinded or self.simulated)

    def of_hypothesis(self, hypothesis: str) -> tuple[Finding, ...]:
        """The hypothesis's findings, in the order of the analysis."""
        return tuple(finding for finding in self.findings if finding.hypothesis == hypothesis)

    def by_model(self) -> Iterator[tuple[ModelEntry, ...]]:
        """The entries of each model, one for each outcome, in the order of the analysis."""
        for model in dict.fromkeys(entry.model for entry in self.models):
            yield tuple(entry for entry in self.models if entry.model == model)


def read_results(values: Values) -> Results:
    """`results.json` as values; an analysis that has not been run yet has no findings and no models."""
    return Results(
        fingerprint=values.get("fingerprint"),
        data_sha256=values.get("data_sha256"),
        blinded=values["blinded"],
        simulated=values["simulated"],
        registered=values["registered"],
        findings=tuple(_finding(one) for one in values["findings"]),
        models=tuple(_entry(one) for one in values["models"]),
        preparation=tuple(values["preparation"]),
    )


def _finding(values: Values) -> Finding:
    typed = {"verdict": Verdict(values["verdict"]), "warnings": tuple(values["warnings"])}
    return Finding(**{**values, **typed})


def _entry(values: Values) -> ModelEntry:
    several = {name: tuple(values.get(name, ())) for name in ("cell_means", "expected", "pruned")}
    return ModelEntry(**{**values, **several})
