"""The columns of the analysis data set, known from the protocol alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

from forethought.protocol.imports import Variable
from forethought.protocol.measures import Composite, Derive, Join, Outcome, Rated, Scale
from forethought.protocol.protocol import Protocol

ALWAYS = ("participant", "session", "arm", "wave", "y", "status")
"""Names with a meaning of their own, which no variable may take."""
BEFORE_ALLOCATION = ("recruitment", "baseline")
"""Occasions of measurement that are not planned sessions."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name and type. Levels that are not known beforehand are None; the first is the reference."""

    name: str
    type: Literal["number", "category", "text"]
    levels: tuple[str, ...] | None = None


def record_columns(protocol: Protocol) -> Mapping[str, Column]:
    """The columns of the records before any preparation.

    A randomised study has a row for each session of a participant; another has one for each imported record.
    """
    found = _randomised(protocol) if protocol.randomised else _observed(protocol)
    return {column.name: column for column in found}


def analysis_columns(protocol: Protocol) -> Mapping[str, Column]:
    """The columns that models can use: those of the records and the derived ones."""
    derived = {step.name: derived_column(step) for step in protocol.preparation if isinstance(step, Derive)}
    return {**record_columns(protocol), **derived}


def derived_column(step: Derive) -> Column:
    """The column that a derivation adds."""
    return Column(step.name, "category" if isinstance(step.how, Join) else "number")


def bounds(variable: Variable) -> tuple[float, float] | None:
    """The lowest and highest number of a variable: its own, or without them those of its codes; None without either."""
    if variable.minimum is not None and variable.maximum is not None:
        return variable.minimum, variable.maximum
    codes = variable.codes.values()
    return (min(codes), max(codes)) if codes else None


def planned_sessions(
    outcome: Outcome, protocol: Protocol, *, inside: frozenset[str] = frozenset()
) -> frozenset[str]:
    """The planned sessions in which an outcome is measured; none where it is measured before allocation.

    A composite is measured where all of its parts are; `inside` names the composites around this one.
    """
    planned = frozenset(session.id for session in protocol.sessions)
    match outcome:
        case Rated():
            return planned
        case Scale(session=session):
            return planned & {session}
        case Composite(weights=weights):
            around = inside | {outcome.id}
            known = protocol.outcomes_by_id
            parts = [known[name] for name in weights if name in known and name not in around]
            return planned.intersection(*(planned_sessions(part, protocol, inside=around) for part in parts))
        case _:
            assert_never(outcome)


def _observed(protocol: Protocol) -> Iterator[Column]:
    yield Column("participant", "category")
    responses = protocol.imports.responses
    yield from (_imported(variable) for variable in responses.variables) if responses else ()


def _randomised(protocol: Protocol) -> Iterator[Column]:
    recruits = protocol.imports.recruits
    yield from (_imported(variable) for variable in recruits.variables) if recruits else ()
    yield from (Column(outcome.id, "number") for outcome in protocol.outcomes)
    for session in protocol.sessions:
        yield from (Column(name, "number") for name in session.variables)
    if protocol.stimuli is not None:
        yield Column(protocol.stimuli.name, "category", protocol.stimuli.items)
    yield Column("participant", "category")
    yield Column("session", "category", tuple(session.id for session in protocol.sessions))
    yield Column("arm", "category", tuple(arm.id for arm in protocol.arms))
    yield Column("wave", "number")


def _imported(variable: Variable) -> Column:
    return Column(variable.name, variable.type, variable.levels or None)
