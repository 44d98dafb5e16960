"""An estimand's five attributes as one line of text, for findings and for readers."""

from collections.abc import Iterator

from forethought.protocol.estimands import Estimand, IntercurrentEvent
from forethought.protocol.formats import NOT_TOLD_APART

STRATEGIES = {
    "treatment_policy": "treatment policy",
    "hypothetical": "hypothetical",
    "composite": "composite",
    "while_on_treatment": "while on treatment",
    "principal_stratum": "principal stratum",
}


def told_apart(estimand: Estimand) -> bool:
    """Whether the attributes are stated by themselves; of an estimand of format 1 only the summary is."""
    return estimand.variable != NOT_TOLD_APART


def attributes(estimand: Estimand) -> Iterator[tuple[str, str]]:
    """The five attributes of ICH E9(R1) by their names, or the summary alone where that is all there is."""
    if told_apart(estimand):
        yield "Population", one_line(estimand.population)
        yield "Treatment", one_line(estimand.treatment)
        yield "Variable", one_line(estimand.variable)
        yield "Intercurrent events", "; ".join(map(_event, estimand.intercurrent_events))
    yield "Summary", one_line(estimand.summary)


def in_words(estimand: Estimand) -> str:
    """The estimand in one line: `Population: ... Treatment: ... Summary: ...`; format 1's prose as it was."""
    if not told_apart(estimand):
        return " ".join(estimand.summary.split())
    return " ".join(f"{name}: {text}." for name, text in attributes(estimand))


def _event(one: IntercurrentEvent) -> str:
    return f"{one_line(one.event)} ({STRATEGIES[one.strategy]}): {one_line(one.handling)}"


def one_line(text: str) -> str:
    """A text on one line, without its full stop."""
    return " ".join(text.split()).rstrip(".")
