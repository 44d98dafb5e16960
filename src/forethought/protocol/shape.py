"""Whether the data have a protocol's shape; where not, in words that need no knowledge of the program."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from forethought.files import canonical_json
from forethought.protocol.paths import NOT_THERE, spoken, value_at
from forethought.protocol.problems import Fault, KeyPath, listed, nearest, suggestion
from forethought.protocol.protocol import Protocol
from forethought.protocol.sentences import REMOVE, choose, in_words, must_be, quoted
from forethought.protocol.vocabulary import keys_at


@dataclass(frozen=True, slots=True)
class Shape:
    """What was found: every fault of shape, and the protocol where the data, misspelt keys aside, give one."""

    protocol: Protocol | None
    faults: tuple[Fault, ...]


def examine(data: Mapping[str, object]) -> Shape:
    """The protocol that the data spell, or every reason why they spell none.

    It is made from the very bytes that the fingerprint hashes, so that equal fingerprints mean equal protocols: the
    order of keys can have no effect. Where only keys are unknown or misspelt, the protocol that was probably meant
    is given besides the faults, so that what its sections say of each other can be checked in the same run.
    """
    try:
        return Shape(_protocol(data), ())
    except ValidationError as error:
        faults = tuple(_faults(error, data))
    try:
        return Shape(_protocol(_mended(data, faults)), faults)
    except ValidationError:
        return Shape(None, faults)


def _protocol(data: Mapping[str, object]) -> Protocol:
    return Protocol.model_validate_json(canonical_json(data))


@dataclass(frozen=True, slots=True)
class _UnknownKey(Fault):
    meant: str | None


def _faults(error: ValidationError, data: Mapping[str, object]) -> Iterator[Fault]:
    details = error.errors(include_url=False)
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
            yield Fault(parent, f"{spoken(parent, data)} has no `{key}`", f"Add `{key}`")


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
    return _UnknownKey(at, f"`{key}` is no key of {spoken(around, data)}", remedy, meant)


def _mended(data: Mapping[str, object], faults: Sequence[Fault]) -> Mapping[str, object]:
    """The data with misspelt keys as they were meant and unknown ones left out."""
    mended = copy.deepcopy(dict(data))
    for fault in faults:
        if isinstance(fault, _UnknownKey):
            around: Any = value_at(mended, fault.at[:-1])
            value = around.pop(fault.at[-1])
            if fault.meant is not None:
                around[fault.meant] = value
    return mended


def _of_value(detail: Any, data: object) -> Iterator[Fault]:
    """A fault of one value; nothing where it only follows from faults inside the value."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    at = _path(detail["loc"], data)
    name = spoken(at, data)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        yield _of_kind(at, detail, data)
    elif kind == "too_short" and len(value) >= context["min_length"]:
        return
    elif value is None:
        yield Fault(at, f"{name} is empty", REMOVE)
    elif kind == "value_error":
        yield Fault(at, f"{name}: {context['error']}", "Correct it")
    else:
        what, remedy = in_words(kind, value, context)
        yield Fault(at, f"{name} {what}", remedy)


def _of_kind(at: KeyPath, detail: Any, data: object) -> Fault:
    """A fault of the key that says which of several kinds of mapping this is, or of its short form."""
    name, value = spoken(at, data), detail["input"]
    if value is None:
        return Fault(at, f"{name} is empty", REMOVE)
    if isinstance(value, str):
        return _unknown_kind(at, name, value, detail)
    if not isinstance(value, Mapping):
        return Fault(at, f"{name} {must_be('a mapping of keys to values', value)}", "See a shipped protocol")
    key = _discriminator(detail["ctx"]["discriminator"])
    if value.get(key) is not None:
        return _unknown_kind((*at, key), f"{name}.{key}", value[key], detail)
    if key in value:
        return Fault((*at, key), f"{name}.{key} is empty", REMOVE)
    known = keys_at(at, data)
    misspelt = nearest(key, [name for name in value if name not in known])
    if misspelt is not None:
        return Fault((*at, misspelt), f"`{misspelt}` is no key of {name}", f"Did you mean `{key}`?")
    return Fault(at, f"{name} has no `{key}`", f"Add `{key}`")


def _unknown_kind(at: KeyPath, name: str, value: object, detail: Any) -> Fault:
    kinds = quoted(detail["ctx"]["expected_tags"])
    what = f"{name}: `{value}` is not in this release, which has {listed(kinds)}"
    return Fault(at, what, choose(value, kinds))


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
