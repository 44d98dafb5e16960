"""Imports: whether every column becomes something that the rest of the protocol knows."""

from collections.abc import Iterator, Mapping, Sequence

from forethought.protocol.checks.check import reading
from forethought.protocol.checks.criteria import criterion_faults
from forethought.protocol.columns import BEFORE_ALLOCATION, Column
from forethought.protocol.imports import Recruits, Variable
from forethought.protocol.measures import Rated
from forethought.protocol.problems import Fault, KeyPath, one_of, suggestion, unknown_keys
from forethought.protocol.protocol import Protocol

STATUS = "status"
"""The submission's status, a variable of every recruit."""


def people_come_from_somewhere(protocol: Protocol) -> Iterator[Fault]:
    """A randomised study has recruits; another one has responses."""
    if protocol.randomised and protocol.imports.recruits is None:
        what = "imports has no `recruits`; a randomised study allocates people who were recruited"
        yield Fault(("imports",), what, "Add `recruits`, or set `allocation: none`")
    if not protocol.randomised and protocol.imports.responses is None:
        what = "imports has no `responses`; a study that is not randomised analyses imported records"
        yield Fault(("imports",), what, "Add `responses`")


def variables_are_sound(protocol: Protocol) -> Iterator[Fault]:
    """Types, levels, codes, limits and sessions of the imported variables fit each other."""
    for at, variable in _variables(protocol):
        yield from _type_faults(at, variable)
        yield from _session_faults(at, variable, protocol)


def _variables(protocol: Protocol) -> Iterator[tuple[KeyPath, Variable]]:
    for kind in ("recruits", "responses"):
        section = getattr(protocol.imports, kind)
        for index, variable in enumerate(section.variables if section else ()):
            yield ("imports", kind, "variables", index), variable


def _type_faults(at: KeyPath, variable: Variable) -> Iterator[Fault]:
    name = variable.name
    if variable.levels and variable.type != "category":
        yield Fault((*at, "levels"), f"`{name}` has levels, but is no category", "Write `type: category`")
    if len(set(variable.levels)) < len(variable.levels):
        yield Fault((*at, "levels"), f"`{name}` has a level twice", "List each level once")
    if variable.codes and variable.type != "number":
        yield Fault((*at, "codes"), f"`{name}` has codes, but is no number", "Write `type: number`")
    for key in ("minimum", "maximum"):
        if getattr(variable, key) is not None and variable.type != "number":
            yield Fault((*at, key), f"`{name}` has a {key}, but is no number", "Write `type: number`")
    low, high = variable.minimum, variable.maximum
    if low is not None and high is not None and low > high:
        yield Fault((*at, "maximum"), f"`{name}` has a maximum below its minimum", "Exchange them")


def _session_faults(at: KeyPath, variable: Variable, protocol: Protocol) -> Iterator[Fault]:
    sessions = [*BEFORE_ALLOCATION, *(session.id for session in protocol.sessions)]
    if variable.session is not None and variable.session not in sessions:
        what = f"`{variable.name}` is measured in `{variable.session}`, which is no session"
        yield Fault((*at, "session"), what, suggestion(variable.session, sessions, one_of(sessions)))


def eligibility_can_be_judged(protocol: Protocol) -> Iterator[Fault]:
    """Each criterion tests a recruitment variable, or the status, in a way that its type allows."""
    recruits = protocol.imports.recruits
    if recruits is None:
        return
    columns = _recruit_columns(recruits)
    for index, criterion in enumerate(recruits.eligibility):
        yield from criterion_faults(("imports", "recruits", "eligibility", index), criterion, columns)


def _recruit_columns(recruits: Recruits) -> Mapping[str, Column]:
    known = {one.name: Column(one.name, one.type, one.levels or None) for one in recruits.variables}
    return {STATUS: Column(STATUS, "category"), **known}


def conversations_fit_the_plan(protocol: Protocol) -> Iterator[Fault]:
    """Conversations belong to planned sessions and stimuli, and both speakers are known."""
    conversations, at = protocol.imports.conversations, ("imports", "conversations")
    if conversations is None:
        return
    sessions = [session.id for session in protocol.sessions]
    yield from _values_exist((*at, "sessions"), conversations.sessions, sessions, "session")
    items = list(protocol.stimuli.items) if protocol.stimuli else []
    yield from _values_exist((*at, "stimuli"), conversations.stimuli, items, "stimulus")
    if (conversations.stimulus is None) != (not conversations.stimuli):
        what = "`stimulus`, the column, and `stimuli`, what its words mean, need each other"
        yield Fault((*at, "stimulus" if conversations.stimulus else "stimuli"), what, "Give both, or neither")
    for role in ("participant", "partner"):
        if role not in conversations.roles.values():
            yield Fault((*at, "roles"), f"no exported word means `{role}`", f"Add the word for the {role}")
    if conversations.received is not None and not protocol.randomised:
        what = "`received` is the column of an arm, but allocation is none"
        yield Fault((*at, "received"), what, "Remove it")


def _values_exist(at: KeyPath, given: Mapping[str, str], known: Sequence[str], noun: str) -> Iterator[Fault]:
    """The values of a mapping from exported words are known names, each reached by some word."""
    for word, name in given.items():
        if name not in known:
            yield Fault((*at, word), f"`{name}` is no {noun}", suggestion(name, known, one_of(known)))
    if given and set(given.values()) <= set(known):
        for name in known:
            if name not in given.values():
                yield Fault(at, f"no exported word means the {noun} `{name}`", "Add the word for it")


def ratings_give_the_rated_outcomes(protocol: Protocol) -> Iterator[Fault]:
    """The rated outcomes are just those that the ratings have a column for."""
    rated = [outcome.id for outcome in protocol.outcomes if isinstance(outcome, Rated)]
    ratings = protocol.imports.ratings
    if ratings is not None:
        at = ("imports", "ratings", "outcomes")
        yield from unknown_keys(at, ratings.outcomes, rated, "rated outcome")
    for index, outcome in enumerate(protocol.outcomes):
        if isinstance(outcome, Rated) and (ratings is None or outcome.id not in ratings.outcomes):
            what = f"the rated outcome `{outcome.id}` has no column among the ratings"
            yield Fault(("outcomes", index, "id"), what, "Add it to imports.ratings.outcomes")


CHECKS = (
    reading(people_come_from_somewhere, "allocation", "imports.recruits", "imports.responses"),
    reading(variables_are_sound, "imports.recruits", "imports.responses", "sessions"),
    reading(eligibility_can_be_judged, "imports.recruits"),
    reading(conversations_fit_the_plan, "imports.conversations", "sessions", "stimuli", "allocation"),
    reading(ratings_give_the_rated_outcomes, "imports.ratings", "outcomes"),
)
