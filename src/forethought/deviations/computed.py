"""One difference that was computed, before it is known who declared it; and how people say lists of names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What differs, and which changes of the plan would have announced it.

    `fields` are spoken as differences speak them (`analysis.alpha`); none where the deed is not as any amendment
    says, so that none can excuse it. `foreseen` says where the plan itself, as locked, has a rule for it.
    """

    kind: str
    planned: str
    done: str
    fields: tuple[str, ...] = ()
    foreseen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests:
    """Tests of one model that have a hypothesis, contrasts and outcomes in common."""

    hypothesis: str | None
    model: str
    contrasts: tuple[str, ...]
    outcomes: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """`hypothesis `h`, model `m`: contrasts `a`, `b` on outcome `y``, in one line."""
        contrast = "contrast" if len(self.contrasts) == 1 else "contrasts"
        outcome = "outcome" if len(self.outcomes) == 1 else "outcomes"
        whose = f"hypothesis `{self.hypothesis}`, " if self.hypothesis else ""
        return f"{whose}model `{self.model}`: {contrast} {named(self.contrasts)} on {outcome} {named(self.outcomes)}"

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of a plan that make these tests, or unmake them."""
        of_hypothesis = f"analysis.hypotheses.{self.hypothesis}"
        return (
            *(
                (f"{of_hypothesis}.{part}" for part in ("models", "outcomes", "contrasts"))
                if self.hypothesis
                else ()
            ),
            *((f"analysis.models.{self.model}.{part}" for part in _MODEL) if not self.hypothesis else ()),
            f"analysis.models.{self.model}.outcomes",
            *(f"analysis.contrasts.{contrast}.id" for contrast in self.contrasts),
            *(f"outcomes.{outcome}.id" for outcome in self.outcomes),
        )


_MODEL = ("report_coefficients", "formula")
"""What gives a model findings without a hypothesis."""


def grouped(tests: Iterable[tuple[str | None, str, str, str]]) -> tuple[Tests, ...]:
    """Tests, each (hypothesis, model, outcome, contrast), in as few groups as contrasts with the same outcomes make."""
    outcomes: dict[tuple[str | None, str, str], list[str]] = {}
    for hypothesis, model, outcome, contrast in tests:
        outcomes.setdefault((hypothesis, model, contrast), []).append(outcome)
    contrasts: dict[tuple[str | None, str, tuple[str, ...]], list[str]] = {}
    for (hypothesis, model, contrast), found in outcomes.items():
        contrasts.setdefault((hypothesis, model, tuple(dict.fromkeys(found))), []).append(contrast)
    return tuple(
        Tests(hypothesis=hypothesis, model=model, contrasts=tuple(several), outcomes=together)
        for (hypothesis, model, together), several in contrasts.items()
    )


def named(names: Sequence[str]) -> str:
    """`` `a`, `b` ``."""
    return ", ".join(f"`{name}`" for name in names)
