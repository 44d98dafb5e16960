"""Estimands and populations: whether each is there, used, and possible in this design."""

from collections.abc import Iterator

from forethought.protocol.checks.check import reading
from forethought.protocol.problems import Fault, KeyPath, meant, one_of, suggestion
from forethought.protocol.protocol import Protocol

BY_SESSIONS = ("every_session", "sessions_in_window")
"""Rules that ask which sessions were held."""


def estimands_are_used(protocol: Protocol) -> Iterator[Fault]:
    """Each hypothesis is about an estimand that is there, and each estimand is some hypothesis's."""
    known = [estimand.id for estimand in protocol.analysis.estimands]
    for index, hypothesis in enumerate(protocol.analysis.hypotheses):
        name = hypothesis.estimand
        if name not in known:
            at: KeyPath = ("analysis", "hypotheses", index, "estimand")
            yield Fault(at, f"`{name}` is no estimand", suggestion(name, known, one_of(known)))
    used = meant((hypothesis.estimand for hypothesis in protocol.analysis.hypotheses), known)
    for index, name in enumerate(known):
        if name not in used:
            what = f"no hypothesis is about the estimand `{name}`"
            yield Fault(("analysis", "estimands", index, "id"), what, "Name it in a hypothesis, or remove it")


def populations_exist(protocol: Protocol) -> Iterator[Fault]:
    """The population of the analysis, and that of a model with one of its own, are there."""
    known = protocol.populations_by_id
    named: list[tuple[KeyPath, str]] = [(("analysis", "population"), protocol.analysis.population)]
    for index, model in enumerate(protocol.analysis.models):
        if model.population is not None:
            named.append((("analysis", "models", index, "population"), model.population))
    for at, name in named:
        if name not in known:
            yield Fault(at, f"`{name}` is no population", suggestion(name, known, one_of(known)))


def populations_fit_the_design(protocol: Protocol) -> Iterator[Fault]:
    """Nobody is analysed as allocated where nothing is allocated, nor by sessions where there are none."""
    for index, population in enumerate(protocol.analysis.populations):
        at: KeyPath = ("analysis", "populations", index, "rule")
        name, rule = population.id, population.rule
        if not protocol.randomised and rule != "all_records":
            what = f"the population `{name}` is of people in the arm allocated, but allocation is none"
            yield Fault(at, what, "Analyse all_records")
        elif protocol.randomised and rule == "all_records":
            what = f"the population `{name}` is of records without arms, but arms are allocated"
            yield Fault(at, what, "Write randomised, every_session or sessions_in_window")
        elif rule in BY_SESSIONS and not protocol.sessions:
            what = f"the population `{name}` is of people who held sessions, and there are none"
            yield Fault(at, what, "Add sessions, or write randomised")


CHECKS = (
    reading(estimands_are_used, "analysis.estimands", "analysis.hypotheses"),
    reading(populations_exist, "analysis.population", "analysis.populations", "analysis.models"),
    reading(populations_fit_the_design, "analysis.populations", "allocation", "sessions"),
)
