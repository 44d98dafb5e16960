"""Names: each once in its list, and none that has a meaning of its own."""

from collections.abc import Iterable, Iterator
from functools import partial

from forethought.protocol.checks.check import COLUMNS, Check, reading
from forethought.protocol.columns import ALWAYS, BEFORE_ALLOCATION
from forethought.protocol.imports import Variable
from forethought.protocol.measures import Derive, Exclude
from forethought.protocol.problems import Fault, KeyPath
from forethought.protocol.protocol import Protocol

Named = tuple[KeyPath, str]
"""Where a name is written, and the name."""

LISTS: tuple[tuple[str, str, str], ...] = (
    ("arm", "arms", "id"),
    ("arm code", "arms", "code"),
    ("session", "sessions", "id"),
    ("material", "materials", "file"),
    ("rater", "raters", "id"),
    ("quota", "recruitment.quotas", "id"),
    ("harm", "recruitment.harms", "id"),
    ("population", "analysis.populations", "id"),
    ("estimand", "analysis.estimands", "id"),
    ("model", "analysis.models", "id"),
    ("contrast", "analysis.contrasts", "id"),
    ("hypothesis", "analysis.hypotheses", "id"),
    ("family", "analysis.families", "id"),
    ("expected table", "analysis.expected", "id"),
    ("exploratory question", "analysis.exploratory", "id"),
)
"""What a list's items are called, where the list is, and the key that holds the name."""

REFERENCES: tuple[tuple[str, str, str], ...] = (
    ("stimulus", "stimuli", "items"),
    ("session", "stimuli", "sessions"),
    ("material", "sessions", "materials"),
    ("kind of thing", "raters", "blinded_to"),
    ("item", "outcomes", "items"),
    ("item", "outcomes", "reverse"),
    ("outcome", "analysis.models", "outcomes"),
    ("model", "analysis.hypotheses", "models"),
    ("outcome", "analysis.hypotheses", "outcomes"),
    ("contrast", "analysis.hypotheses", "contrasts"),
    ("outcome", "analysis.families", "outcomes"),
    ("contrast", "analysis.families", "contrasts"),
)
"""Lists inside items, in which a name twice would count twice: what is named, the items, and the list's key."""


def _ids_are_unique(noun: str, place: str, key: str, protocol: Protocol) -> Iterator[Fault]:
    """Each id occurs once in its list."""
    at: KeyPath = tuple(place.split("."))
    yield from _repeated(noun, _ids(at, _value(protocol, at), key))


def _references_are_unique(noun: str, place: str, key: str, protocol: Protocol) -> Iterator[Fault]:
    """Each name occurs once in a list of references."""
    at: KeyPath = tuple(place.split("."))
    found = _value(protocol, at)
    items = (
        [((*at, index), item) for index, item in enumerate(found)]
        if isinstance(found, tuple)
        else [(at, found)]
    )
    for where, item in items:
        names = getattr(item, key, ())
        yield from _repeated(noun, (((*where, key, index), str(name)) for index, name in enumerate(names)))


def _value(protocol: Protocol, at: KeyPath) -> Iterable[object]:
    found: object = protocol
    for step in at:
        found = getattr(found, str(step))
    return found  # type: ignore[return-value]


def criteria_are_unique(protocol: Protocol) -> Iterator[Fault]:
    """Criteria are counted by their names, those of eligibility and of exclusion together."""
    yield from _repeated("criterion", _criteria(protocol))


def columns_are_unique(protocol: Protocol) -> Iterator[Fault]:
    """Each column of the analysis data set has one origin, and no name with a meaning of its own."""
    named = list(_column_names(protocol))
    yield from _repeated("outcome or variable", named)
    for at, name in named:
        if name in ALWAYS:
            yield Fault(at, f"`{name}` has a meaning of its own and cannot name a variable", "Rename it")


def occasions_are_distinct(protocol: Protocol) -> Iterator[Fault]:
    """No session bears the name of an occasion before allocation."""
    for index, session in enumerate(protocol.sessions):
        if session.id in BEFORE_ALLOCATION:
            what = f"`{session.id}` names what is measured before allocation, and cannot name a session"
            yield Fault(("sessions", index, "id"), what, "Rename the session")


def _ids(prefix: KeyPath, items: Iterable[object], key: str = "id") -> Iterator[Named]:
    for index, item in enumerate(items):
        yield (*prefix, index, key), str(getattr(item, key))


def _criteria(protocol: Protocol) -> Iterator[Named]:
    recruits = protocol.imports.recruits
    yield from _ids(("imports", "recruits", "eligibility"), recruits.eligibility if recruits else ())
    for index, step in enumerate(protocol.preparation):
        if isinstance(step, Exclude):
            yield ("preparation", index, "criterion", "id"), step.criterion.id


def _column_names(protocol: Protocol) -> Iterator[Named]:
    for kind in ("recruits", "responses"):
        section = getattr(protocol.imports, kind)
        variables: tuple[Variable, ...] = section.variables if section else ()
        yield from _ids(("imports", kind, "variables"), variables, "name")
    yield from _ids(("outcomes",), protocol.outcomes)
    if protocol.stimuli is not None:
        yield ("stimuli", "name"), protocol.stimuli.name
    first: dict[str, KeyPath] = {}
    for index, session in enumerate(protocol.sessions):
        for name in session.variables:
            first.setdefault(name, ("sessions", index, "variables", name))
    yield from ((at, name) for name, at in first.items())
    for index, step in enumerate(protocol.preparation):
        if isinstance(step, Derive):
            yield ("preparation", index, "name"), step.name


def _repeated(noun: str, named: Iterable[Named]) -> Iterator[Fault]:
    seen: set[str] = set()
    for at, name in named:
        if name in seen:
            yield Fault(at, f"there is another {noun} `{name}` before this one", "Rename one, or remove one")
        seen.add(name)


def _section(place: str) -> str:
    return "recruitment" if place.startswith("recruitment.") else place


CHECKS: tuple[Check, ...] = (
    *(reading(partial(_ids_are_unique, *one), _section(one[1])) for one in LISTS),
    *(reading(partial(_references_are_unique, *one), _section(one[1])) for one in REFERENCES),
    reading(criteria_are_unique, "imports.recruits", "preparation"),
    reading(columns_are_unique, *COLUMNS),
    reading(occasions_are_distinct, "sessions"),
)
