"""What differs between two plans, field by field, in words.

The plans are what their files say, so that a file that is no valid protocol can be compared too. Comments, the order
of keys and the layout are no differences; everything that moves the fingerprint is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeGuard

from forethought.files import canonical_json
from forethought.protocol.wording import orders, pair, shown

Change = Literal["added", "removed", "changed", "moved"]

NAMES = ("id", "name", "number", "file", "label", "term", "outcome")
"""The keys by which an item of a list is known, the first that it has."""

_Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that differs. `before` is None where it was added, `after` where it was removed.

    `field` is spoken: `analysis.models.mixed.formula`; an item without a name is counted from 1, as in
    `study.limitations.2`. Of a list whose common items stand in another order, the values are the two orders.
    """

    field: str
    change: Change
    before: object
    after: object
    words: str


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[Difference, ...]:
    """Every difference, in the order of the first plan; none where the fingerprints are the same."""
    return tuple(_mappings(before, after, ()))


def _values(before: object, after: object, at: tuple[str, ...]) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _mappings(before, after, at)
    elif _is_list(before) and _is_list(after):
        yield from _lists(before, after, at)
    elif not _same(before, after):
        yield _changed(at, before, after)


def _mappings(
    before: Mapping[str, object], after: Mapping[str, object], at: tuple[str, ...]
) -> Iterator[Difference]:
    for key in dict.fromkeys((*before, *after)):
        here = (*at, str(key))
        if key not in after:
            yield _removed(here, before[key])
        elif key not in before:
            yield _added(here, after[key])
        else:
            yield from _values(before[key], after[key], here)


def _lists(before: Sequence[object], after: Sequence[object], at: tuple[str, ...]) -> Iterator[Difference]:
    """Named items are matched by name, others by value; of those left over, the first with the first, and so on."""
    old, new = _keyed(before), _keyed(after)
    matched = {key: key for key in old if key in new}
    left = [key for key in old if key not in new and not _named(key)]
    come = [key for key in new if key not in old and not _named(key)]
    matched |= dict(zip(left, come, strict=False))
    places = {key: place for place, key in enumerate(new, start=1)}
    for place, (key, value) in enumerate(old.items(), start=1):
        if key in matched:
            partner = matched[key]
            yield from _values(value, new[partner], (*at, _spoken(partner, places[partner])))
        else:
            yield _removed((*at, _spoken(key, place)), value)
    found = set(matched.values())
    for key in (key for key in new if key not in found):
        yield _added((*at, _spoken(key, places[key])), new[key])
    yield from _order(old, new, matched, at)


def _order(
    old: Mapping[_Key, object], new: Mapping[_Key, object], matched: Mapping[_Key, _Key], at: tuple[str, ...]
) -> Iterator[Difference]:
    """Whether the items that both lists have stand in another order, which the fingerprint sees."""
    was = [key for key in old if key in matched]
    places = {key: place for place, key in enumerate(new)}
    now = sorted(was, key=lambda key: places[matched[key]])
    if [key[:2] for key in was] != [key[:2] for key in now]:
        before, after = [_title(key, old[key]) for key in was], [_title(key, old[key]) for key in now]
        first, second = orders(before, after)
        words = f"the order of {'.'.join(at)} was changed from {first} to {second}"
        yield Difference(field=".".join(at), change="moved", before=before, after=after, words=words)


def _keyed(items: Sequence[object]) -> dict[_Key, object]:
    """Each item by its kind of key, its key, and how often that came before."""
    found: dict[_Key, object] = {}
    seen: dict[tuple[str, str], int] = {}
    for item in items:
        kind, name = _known_by(item)
        seen[kind, name] = seen.get((kind, name), -1) + 1
        found[kind, name, seen[kind, name]] = item
    return found


def _known_by(item: object) -> tuple[str, str]:
    """The item's name where it has one; its value otherwise. An exclusion is known by its criterion."""
    if isinstance(item, Mapping):
        criterion = item.get("criterion")
        named = criterion if isinstance(criterion, Mapping) else item
        for name in NAMES:
            value = named.get(name)
            if isinstance(value, str):
                return "name", value
            if isinstance(value, int | float) and not isinstance(value, bool):
                return "name", canonical_json(value).decode()  # 1.0 is the name that 1 is
    return "value", canonical_json(item).decode()


def _named(key: _Key) -> bool:
    return key[0] == "name"


def _spoken(key: _Key, place: int) -> str:
    """The name of an item, or its place; of items of one name, the second says that it is the second."""
    if not _named(key):
        return str(place)
    name = " ".join(key[1].split())
    return name if key[2] == 0 else f"{name} ({key[2] + 1})"


def _title(key: _Key, item: object) -> object:
    return key[1] if _named(key) else item


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _same(before: object, after: object) -> bool:
    """Whether the fingerprint cannot tell them apart: 1 and 1.0 are one number, true is none."""
    return canonical_json(before) == canonical_json(after)


def _changed(at: tuple[str, ...], before: object, after: object) -> Difference:
    field = ".".join(at)
    was, now = pair(before, after)
    words = f"{field} was changed from {was} to {now}"
    return Difference(field=field, change="changed", before=before, after=after, words=words)


def _added(at: tuple[str, ...], after: object) -> Difference:
    field = ".".join(at)
    words = f"{field} was added: {shown(after)}"
    return Difference(field=field, change="added", before=None, after=after, words=words)


def _removed(at: tuple[str, ...], before: object) -> Difference:
    field = ".".join(at)
    words = f"{field} was removed; it was {shown(before)}"
    return Difference(field=field, change="removed", before=before, after=None, words=words)
