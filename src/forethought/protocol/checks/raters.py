"""Raters: whether each rated outcome has one, each rates something, and each has what it needs."""

from collections.abc import Iterator

from forethought.protocol.checks.check import reading
from forethought.protocol.measures import Rated
from forethought.protocol.problems import Fault, KeyPath, meant, one_of, suggestion
from forethought.protocol.protocol import Protocol

OF_LANGUAGE_MODELS = ("prompt", "model", "temperature")
"""What only a language model has."""


def scorers_are_raters(protocol: Protocol) -> Iterator[Fault]:
    """The scorer of a rated outcome is one of the raters, and each rater scores some outcome."""
    known = [rater.id for rater in protocol.raters]
    scorers = meant((one.scorer for one in protocol.outcomes if isinstance(one, Rated)), known)
    for index, outcome in enumerate(protocol.outcomes):
        if isinstance(outcome, Rated) and outcome.scorer not in known:
            what = f"the scorer `{outcome.scorer}` of `{outcome.id}` is none of the raters"
            remedy = suggestion(outcome.scorer, known, one_of(known))
            yield Fault(("outcomes", index, "scorer"), what, remedy)
    for index, name in enumerate(known):
        if name not in scorers:
            what = f"no outcome is scored by the rater `{name}`"
            yield Fault(("raters", index, "id"), what, "Name it as a scorer, or remove it")


def raters_have_what_they_need(protocol: Protocol) -> Iterator[Fault]:
    """A rater has a rubric, and a language model a prompt, which nobody else has; format 1 did not ask."""
    for index, rater in enumerate(protocol.raters):
        at: KeyPath = ("raters", index)
        if rater.kind == "not_stated":
            continue
        if rater.rubric is None:
            yield Fault(
                at,
                f"the rater `{rater.id}` has no `rubric`",
                "Add it: the file with the meaning of each point",
            )
        if rater.kind == "language_model":
            if rater.prompt is None:
                yield Fault(
                    at, f"the language model `{rater.id}` has no `prompt`", "Add it: the file with its prompt"
                )
            continue
        for key in OF_LANGUAGE_MODELS:
            if getattr(rater, key) is not None:
                what = f"`{key}` is of a language model, and `{rater.id}` is a {rater.kind}"
                yield Fault((*at, key), what, "Remove it, or write `kind: language_model`")


CHECKS = (
    reading(scorers_are_raters, "raters", "outcomes"),
    reading(raters_have_what_they_need, "raters"),
)
