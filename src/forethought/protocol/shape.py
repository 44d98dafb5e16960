"""Whether the data have a protocol's shape; where not, in words that need no knowledge of the program."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from forethought.files import canonical_json
from forethought.protocol.formats import upgraded
from forethought.protocol.mending import PROSE, Mend, Mendable, mended, section, set_aside
from forethought.protocol.paths import NOT_THERE, STAND_IN, spoken, value_at
from forethought.protocol.problems import MOST, Fault, KeyPath, listed, nearest, suggestion
from forethought.protocol.protocol import Protocol
from forethought.protocol.sentences import REMOVE, choose, in_words, must_be, not_in_this_release, quoted
from forethought.protocol.vocabulary import keys_at, later_at, later_kinds_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What was found: every fault of shape, and the protocol that was probably meant.

    There is none where nothing can be guessed. `data` are the file's own, as far as they could be mended; `unsound`
    names the sections in which something else stands, and `renamed` the places whose key the file spells otherwise.
    """

    protocol: Protocol | None
    data: Mapping[str, object]
    faults: tuple[Fault, ...] = ()
    unsound: frozenset[str] = frozenset()
    renamed: Mapping[KeyPath, str] = field(default_factory=dict)

    def written(self, at: KeyPath) -> KeyPath:
        """The path as the file spells it."""
        return _written(at, self.renamed)

    @property
    def judged(self) -> frozenset[KeyPath]:
        """The places of faulty values, of which nothing more needs to be said."""
        renaming = (
            one.at for one in self.faults if isinstance(one, Mendable) and one.mend.instead_of is not None
        )
        return frozenset(one.at for one in self.faults) - frozenset(renaming)


def examine(data: Mapping[str, object]) -> Shape:
    """The protocol that the data spell, of whichever format, or every reason why they spell none.

    It is made from the very bytes that the fingerprint hashes, so that equal fingerprints mean equal protocols: the
    order of keys can have no effect. Where faults can be mended by guessing, what lies behind them is examined too.
    """
    faults: list[Fault] = []
    renamed: dict[KeyPath, str] = {}
    for _ in range(_ROUNDS):
        current = upgraded(data)
        try:
            return Shape(protocol=_protocol(current), data=data, faults=tuple(faults), renamed=renamed)
        except ValidationError as error:
            found = [*_faults(error, current)]
            last = error
            if len(faults) + error.error_count() > MOST:
                return Shape(protocol=None, data=data, faults=(*faults, *found), renamed=renamed)
        mends = [fault.mend for fault in found if isinstance(fault, Mendable)]
        said = {fault.at for fault in faults if isinstance(fault, Mendable) and fault.mend.at == fault.at}
        found = [replace(one, at=_written(one.at, renamed)) for one in found]
        faults += [one for one in found if one.at not in said and (isinstance(one, Mendable) or not mends)]
        if not mends:
            break
        renamed |= {mend.at: mend.instead_of for mend in mends if mend.instead_of is not None}
        data = mended(data, mends)
    shape = Shape(protocol=None, data=data, faults=tuple(faults), renamed=renamed)
    return _without_the_unsound(current, last, shape)


def _written(at: KeyPath, renamed: Mapping[KeyPath, str]) -> KeyPath:
    return tuple(renamed.get(at[: depth + 1], step) for depth, step in enumerate(at))


_ROUNDS = 10
"""How often is mended at most: a mend may show faults that lay behind it."""


def _without_the_unsound(data: Mapping[str, object], error: ValidationError, shape: Shape) -> Shape:
    """The protocol of the sections without a fault."""
    unsound = frozenset(
        section(path)
        for detail in error.errors(include_url=False)
        if (path := _path(detail["loc"], data, missing=detail["type"] == "missing"))
    )
    try:
        protocol = _protocol(set_aside(data, unsound))
    except ValidationError:
        return shape
    return replace(shape, protocol=protocol, unsound=unsound)


def _protocol(data: Mapping[str, object]) -> Protocol:
    return Protocol.model_validate_json(canonical_json(data))


def _faults(error: ValidationError, data: Mapping[str, object]) -> Iterator[Fault]:
    details = error.errors(include_url=False)[: 2 * MOST + 2]  # a misspelt key makes two
    lacking: dict[KeyPath, list[str]] = {}
    for detail in details:
        if detail["type"] == "missing":
            path = _path(detail["loc"], data, missing=True)
            lacking.setdefault(path[:-1], []).append(str(path[-1]))
    for detail in details:
        match detail["type"]:
            case "missing":
                pass
            case "extra_forbidden":
                yield _unknown_key(_path(detail["loc"], data), data, lacking)
            case _:
                yield from _of_value(detail, data)
    for parent, keys in lacking.items():
        for key in keys:
            what, remedy = f"{spoken(parent, data)} has no `{key}`", f"Add `{key}`"
            mend = Mend((*parent, key), STAND_IN) if key in PROSE else None
            yield Fault(parent, what, remedy) if mend is None else Mendable(parent, what, remedy, mend)


def _unknown_key(at: KeyPath, data: object, lacking: dict[KeyPath, list[str]]) -> Fault:
    """An unknown key; where it is near one that is lacking, the two are one mistake."""
    around, key = at[:-1], at[-1]
    known = keys_at(around, data)
    present = value_at(data, around)
    free = [name for name in known if not isinstance(present, Mapping) or name not in present]
    meant = nearest(key, lacking.get(around, ())) or nearest(key, free)
    if meant in lacking.get(around, ()):
        lacking[around].remove(str(meant))
    remedy = suggestion(key, [meant] if meant else [], f"Remove it; the keys here are {listed(known)}")
    what = f"`{key}` is no key of {spoken(around, data)}"
    mend = Mend(at) if meant is None else Mend((*around, meant), instead_of=str(key))
    return Mendable(at, what, remedy, mend)


def _of_value(detail: Any, data: object) -> Iterator[Fault]:
    """A fault of one value; nothing where it only follows from faults inside the value."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    at = _path(detail["loc"], data)
    name = spoken(at, data)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        yield from _of_kind(at, detail, data)
    elif kind == "too_short" and len(value) >= context["min_length"]:
        return
    elif kind == "literal_error" and value is not None:
        yield _of_word(at, name, value, context["expected"], later_at(at, data))
    else:
        if value is None:
            what, remedy = f"{name} is empty", REMOVE
        elif kind == "value_error":
            what, remedy = f"{name}: {context['error']}", "Correct it"
        else:
            said, remedy = in_words(kind, value, context)
            what = f"{name} {said}"
        mend = _guess(at, kind, value_at(data, at))
        yield Fault(at, what, remedy) if mend is None else Mendable(at, what, remedy, mend)


def _guess(at: KeyPath, kind: str, value: object) -> Mend | None:
    """What a value of the wrong type was probably meant to be."""
    if at[-1:] in (("note",), ("assumed",)):
        return Mend(at)
    if kind == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        return Mend(at, str(value))
    if kind in ("string_type", "string_too_short") and at[-1:] and at[-1] in PROSE:
        return Mend(at, STAND_IN)
    if kind == "tuple_type" and isinstance(value, str | int | float) and not isinstance(value, bool):
        return Mend(at, [value])
    return None


def _of_word(at: KeyPath, name: str, value: object, expected: str, later: tuple[str, ...]) -> Fault:
    """A word that is none of the possible ones."""
    possible = quoted(expected)
    if refused := not_in_this_release(value, possible, later):
        return Fault(at, f"{name}: {refused[0]}", refused[1])
    what, remedy = in_words("literal_error", value, {"expected": expected})
    meant = nearest(value, possible)
    fault = Fault(at, f"{name} {what}", remedy)
    return fault if meant is None else Mendable(fault.at, fault.what, fault.remedy, Mend(at, meant))


def _of_kind(at: KeyPath, detail: Any, data: object) -> Iterator[Fault]:
    """Faults of the key that says which of several kinds of mapping this is, or of its short form."""
    name, value = spoken(at, data), detail["input"]
    key = _discriminator(detail["ctx"]["discriminator"])
    later = later_kinds_at(at, key, data)
    if value is None:
        yield Fault(at, f"{name} is empty", REMOVE)
    elif isinstance(value, str):
        yield _unknown_kind(at, name, value, detail, later)
    elif not isinstance(value, Mapping):
        yield Fault(at, f"{name} {must_be('a mapping of keys to values', value)}", "See a shipped protocol")
    elif value.get(key) is not None:
        yield _unknown_kind((*at, key), f"{name}.{key}", value[key], detail, later)
    elif key in value:
        yield Fault((*at, key), f"{name}.{key} is empty", REMOVE)
    else:
        yield from _without_kind(at, key, value, data)


def _without_kind(at: KeyPath, key: str, value: Mapping[str, object], data: object) -> Iterator[Fault]:
    """A mapping that does not say of which kind it is, and its keys that are of none."""
    name, known = spoken(at, data), keys_at(at, data)
    unknown = [one for one in value if one not in known]
    misspelt = nearest(key, unknown)
    if misspelt is not None:
        mend = Mend((*at, key), instead_of=misspelt)
        what = f"`{misspelt}` is no key of {name}"
        yield Mendable((*at, misspelt), what, f"Did you mean `{key}`?", mend)
        return
    yield Fault(at, f"{name} has no `{key}`", f"Add `{key}`")
    for one in unknown:
        yield Fault((*at, one), f"`{one}` is no key of {name}", suggestion(one, known, "Remove it"))


def _unknown_kind(at: KeyPath, name: str, value: object, detail: Any, later: tuple[str, ...]) -> Fault:
    kinds = quoted(detail["ctx"]["expected_tags"])
    if refused := not_in_this_release(value, kinds, later):
        return Fault(at, f"{name}: {refused[0]}", refused[1])
    what, remedy = (
        f"{name}: `{value}` is not in this release, which has {listed(kinds)}",
        choose(value, kinds),
    )
    meant = nearest(value, kinds)
    # The short form stands for the kind without keys alone: `none` is one, `permuted_blocks` is not.
    guessed = meant is not None and not (at == ("allocation",) and meant != "none")
    return Mendable(at, what, remedy, Mend(at, meant)) if guessed else Fault(at, what, remedy)


def _discriminator(named: str) -> str:
    """The key that says the kind. A discriminator that is a function is the allocation's method."""
    return named.strip("'") if named.startswith("'") else "method"


def _path(loc: tuple[str | int, ...], data: object, *, missing: bool = False) -> KeyPath:
    """The path in the data of pydantic's location: the parts of it that are there.

    Its tags of alternatives and its marks of keys are not; a last part that is a missing key is kept.
    """
    inside, last = (loc[:-1], loc[-1:]) if missing else (loc, ())
    path: list[str | int] = []
    for step in inside:
        inner = value_at(data, (step,))
        if inner is not NOT_THERE:
            path.append(step)
            data = inner
    return (*path, *last)
