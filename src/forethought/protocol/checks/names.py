"""Names: each once in its list, and none that has a meaning of its own."""

from collections.abc import Iterable, Iterator, Sequence

from forethought.protocol.columns import ALWAYS, BEFORE_ALLOCATION
from forethought.protocol.imports import Variable
from forethought.protocol.measures import Derive, Exclude
from forethought.protocol.problems import Fault, KeyPath
from forethought.protocol.protocol import Protocol

Named = tuple[KeyPath, str]
"""Where a name is written, and the name."""


def names_are_unique(protocol: Protocol) -> Iterator[Fault]:
    """Each id occurs once in its list."""
    for noun, named in _lists(protocol):
        yield from _repeated(noun, named)


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


def waves_count_up(protocol: Protocol) -> Iterator[Fault]:
    """Waves are numbered 1, 2, 3 and so on: their numbers are part of the random streams."""
    for index, wave in enumerate(protocol.waves):
        if wave.number != index + 1:
            what = f"wave {index + 1} of the list has the number {wave.number}"
            yield Fault(("waves", index, "number"), what, "Number the waves 1, 2, 3 in their order")


def _ids(prefix: KeyPath, items: Iterable[object], key: str = "id") -> Iterator[Named]:
    for index, item in enumerate(items):
        if (name := getattr(item, key, None)) is not None:
            yield (*prefix, index, key), str(name)


def _plain(prefix: KeyPath, names: Iterable[object]) -> Iterator[Named]:
    return (((*prefix, index), str(name)) for index, name in enumerate(names))


def _lists(protocol: Protocol) -> Iterator[tuple[str, Sequence[Named]]]:
    analysis = protocol.analysis
    yield "arm", [*_ids(("arms",), protocol.arms)]
    yield "arm code", [*_ids(("arms",), protocol.arms, "code")]
    yield "session", [*_ids(("sessions",), protocol.sessions)]
    yield "material", [*_ids(("materials",), protocol.materials, "file")]
    yield "model", [*_ids(("analysis", "models"), analysis.models)]
    yield "contrast", [*_ids(("analysis", "contrasts"), analysis.contrasts)]
    yield "hypothesis", [*_ids(("analysis", "hypotheses"), analysis.hypotheses)]
    yield "family", [*_ids(("analysis", "families"), analysis.families)]
    yield "expected table", [*_ids(("analysis", "expected"), analysis.expected)]
    yield "criterion", [*_criteria(protocol)]
    if protocol.stimuli is not None:
        yield "stimulus", [*_plain(("stimuli", "items"), protocol.stimuli.items)]
        yield "session", [*_plain(("stimuli", "sessions"), protocol.stimuli.sessions)]
    yield from _inner_lists(protocol)


def _inner_lists(protocol: Protocol) -> Iterator[tuple[str, Sequence[Named]]]:
    """Lists of references, in which a name twice would count twice."""
    for section in ("models", "hypotheses", "families"):
        for index, item in enumerate(getattr(protocol.analysis, section)):
            for key in ("outcomes", "contrasts", "models"):
                if isinstance(names := getattr(item, key, None), tuple):
                    yield key.removesuffix("s"), [*_plain(("analysis", section, index, key), names)]
    for index, outcome in enumerate(protocol.outcomes):
        yield "item", [*_plain(("outcomes", index, "items"), getattr(outcome, "items", ()))]


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


CHECKS = (names_are_unique, columns_are_unique, occasions_are_distinct, waves_count_up)
