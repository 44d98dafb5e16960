"""Hypotheses: whether what speaks for each and against it can be judged."""

from collections.abc import Iterator

from forethought.errors import InvalidFormula
from forethought.grammar import parse_criterion
from forethought.protocol.checks.check import reading
from forethought.protocol.checks.models import unparsed
from forethought.protocol.problems import Fault, KeyPath
from forethought.protocol.protocol import Protocol


def criteria_can_be_judged(protocol: Protocol) -> Iterator[Fault]:
    """Both criteria of a hypothesis parse, and they are not the same."""
    for index, hypothesis in enumerate(protocol.analysis.hypotheses):
        at: KeyPath = ("analysis", "hypotheses", index)
        parsed = []
        for key in ("corroborate_if", "falsify_if"):
            try:
                parsed.append(parse_criterion(getattr(hypothesis, key)))
            except InvalidFormula as error:
                yield unparsed((*at, key), error)
        if len(parsed) == 2 and parsed[0] == parsed[1]:
            what = f"the same criterion speaks for `{hypothesis.id}` and against it"
            yield Fault((*at, "falsify_if"), what, "Say what would speak against it")


CHECKS = (reading(criteria_can_be_judged, "analysis.hypotheses"),)
