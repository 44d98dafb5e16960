"""Which tests were added or changed once outcomes were there, and so cannot be confirmatory."""

from dataclasses import dataclass
from datetime import datetime

from forethought.deviations.classing import after_data
from forethought.deviations.records import planned
from forethought.protocol.measures import Composite, Rated
from forethought.protocol.protocol import Protocol
from forethought.registration import Difference, Registration

_WHOLE = (
    "analysis.alpha",
    "analysis.sides",
    "analysis.missing_data",
    "analysis.population",
    "analysis.populations",
    "preparation",
)
"""What every test rests on."""
_WORDS_ONLY = ("label", "note", "assumed")
_ORDERED = ("preparation", "formulas")
"""Lists whose order decides something: steps of the preparation, formulas of a pruning rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedAfterData:
    """The fields that amendments changed after the first outcome, as differences speak them.

    `hypotheses` and `outcomes` are those that changed themselves, or something did by which they are defined: an
    estimand, a rater, a part of a composite.
    """

    fields: frozenset[str] = frozenset()
    hypotheses: frozenset[str] = frozenset()
    outcomes: frozenset[str] = frozenset()

    def touches(
        self, *, hypothesis: str | None, model: str, outcome: str, contrast: str, family: str | None
    ) -> bool:
        """Whether a test rests on anything that was added or changed then: it cannot be confirmatory."""
        rests_on = (
            *_WHOLE,
            f"analysis.models.{model}",
            f"analysis.contrasts.{contrast}",
            *((f"analysis.families.{family}",) if family else ()),
        )
        return (
            hypothesis in self.hypotheses
            or outcome in self.outcomes
            or any(_changed(one, self.fields) for one in rests_on)
        )


def changed_after_data(registration: Registration, first_outcome: datetime | None) -> ChangedAfterData:
    """What amendments changed once the first outcome was there; nothing where there was no such amendment.

    A change of words for readers (a label, a note, the mark of an assumption), or of the order of a list that has
    none, changes no test.
    """
    late = [one for one in registration.amendments if after_data(one, first_outcome)]
    fields = frozenset(
        difference.field for one in late for difference in one.differences if _matters(difference)
    )
    if not fields:
        return ChangedAfterData()
    now = planned(registration).now
    return ChangedAfterData(
        fields=fields, hypotheses=_hypotheses(now, fields), outcomes=_outcomes(now, fields)
    )


def _matters(difference: Difference) -> bool:
    last = difference.field.rpartition(".")[2]
    return last in _ORDERED if difference.change == "moved" else last not in _WORDS_ONLY


def _hypotheses(now: Protocol, fields: frozenset[str]) -> frozenset[str]:
    return frozenset(
        one.id
        for one in now.analysis.hypotheses
        if _changed(f"analysis.hypotheses.{one.id}", fields)
        or _changed(f"analysis.estimands.{one.estimand}", fields)
    )


def _outcomes(now: Protocol, fields: frozenset[str]) -> frozenset[str]:
    changed = {
        one.id
        for one in now.outcomes
        if _changed(f"outcomes.{one.id}", fields)
        or (isinstance(one, Rated) and _changed(f"raters.{one.scorer}", fields))
    }
    composites = [one for one in now.outcomes if isinstance(one, Composite)]
    for _ in composites:  # a composite may be a part of another: as many rounds reach the last
        changed |= {one.id for one in composites if changed & set(one.weights)}
    return frozenset(changed)


def _changed(field: str, fields: frozenset[str]) -> bool:
    """Whether this field, a part of it, or a whole that it is a part of is among the changed ones."""
    return any(f"{one}.".startswith(f"{field}.") or f"{field}.".startswith(f"{one}.") for one in fields)
