"""Values of a plan as a sentence shows them: short, and never two different ones alike."""

import json
import unicodedata
from collections.abc import Mapping, Sequence

LONGEST = 80
"""Characters of a value that are shown whole."""

_BEFORE, _AFTER = 24, 48
_ITEMS = 5
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Zl", "Zp", "Zs"})


def shown(value: object) -> str:
    """The value on one line, texts in quotes, cut where it is long."""
    return _cut(_whole(value))


def pair(before: object, after: object) -> tuple[str, str]:
    """Two different values, so that the difference shows: long texts are shortened around it."""
    was, now = _whole(before), _whole(after)
    if isinstance(before, str) and isinstance(after, str):
        start = _common(before, after)
        was, now = (_quoted(_around(text, start)) for text in (before, after))
    elif _cut(was) != _cut(now):
        was, now = _cut(was), _cut(now)
    else:
        start = _common(was, now)
        was, now = _around(was, start), _around(now, start)
    if unicodedata.normalize("NFKC", was) == unicodedata.normalize("NFKC", now):
        return _spelt(was), _spelt(now)
    return was, now


def orders(before: Sequence[object], after: Sequence[object]) -> tuple[str, str]:
    """The same things in two orders, from the first place where they differ."""
    was, now = _listed(before), _listed(after)
    start = next((place for place, (one, two) in enumerate(zip(was, now, strict=True)) if one != two), 0)
    return _from(was, start), _from(now, start)


def _listed(items: Sequence[object]) -> list[str]:
    return [item if isinstance(item, str) and item.isidentifier() else shown(item) for item in items]


def _from(words: Sequence[str], start: int) -> str:
    rest = words[start:]
    return ", ".join((*["…"][: start > 0], *rest[:_ITEMS], *["…"][: len(rest) > _ITEMS]))


def _whole(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case str():
            return _quoted(value)
        case Mapping():
            return "{" + ", ".join(f"{key}: {_whole(item)}" for key, item in value.items()) + "}"
        case Sequence():
            return "[" + ", ".join(_whole(item) for item in value) + "]"
    return json.dumps(value)


def _quoted(text: str) -> str:
    """The text as JSON writes it, with what cannot be seen as its number."""
    return "".join(
        f"\\u{ord(sign):04x}" if sign != " " and unicodedata.category(sign) in _UNSEEN else sign
        for sign in json.dumps(text, ensure_ascii=False)
    )


def _spelt(text: str) -> str:
    """The text with every sign beyond ASCII as its number: two that look alike are told apart."""
    return "".join(
        sign if sign.isascii() or sign == "…" else sign.encode("ascii", "backslashreplace").decode()
        for sign in text
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _common(before: str, after: str) -> int:
    """How many signs two texts have in common at their beginning."""
    pairs = zip(before, after, strict=False)
    return next((place for place, (was, now) in enumerate(pairs) if was != now), min(len(before), len(after)))


def _around(text: str, start: int) -> str:
    if len(text) <= LONGEST:
        return text
    first, last = max(0, start - _BEFORE), start + _AFTER
    return f"{'…' if first else ''}{text[first:last]}{'…' if last < len(text) else ''}"
