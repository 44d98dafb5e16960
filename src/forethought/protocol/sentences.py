"""Faults of single values, in words that need no knowledge of the program."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from forethought.protocol.problems import nearest, suggestion

REMOVE = "Write a value, or remove the key"


def choose(value: object, possible: Sequence[str]) -> str:
    """The remedy for a word that is none of the possible ones."""
    return suggestion(value, possible, f"Write {_either(possible)}")


def not_in_this_release(
    value: object, possible: Sequence[str], later: Sequence[str]
) -> tuple[str, str] | None:
    """What is wrong with a word that names a method of a later release, and what to do; None for any other."""
    if value not in later and (nearest(value, possible) or nearest(value, later) is None):
        return None
    has = ", ".join(f"`{one}`" for one in possible)
    return (
        f"{shown(value)} is a method this release does not have; it has {has}",
        f"Write {_either(possible)}",
    )


def _either(possible: Sequence[str]) -> str:
    quoted = [f"`{one}`" for one in possible]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def quoted(text: str) -> list[str]:
    """The names in pydantic's `'a', 'b' or 'c'`."""
    return text.split("'")[1::2]


def in_words(kind: str, value: object, context: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong with a value, and what to do, for each kind of error that the types can raise."""
    match kind:
        case "literal_error":
            possible = quoted(context["expected"])
            return f"cannot be {shown(value)}", choose(value, possible)
        case "string_type":
            return must_be("text", value), "Put it in quotes" if _simple(value) else "Write a text"
        case "string_too_short":
            return "is empty", REMOVE
        case "string_too_long":
            return f"is longer than {context['max_length']} characters", "Shorten it"
        case "string_pattern_mismatch":
            return (
                f"cannot be {shown(value)}: a name has letters, digits and underscores, and begins with a letter",
                "Rename it",
            )
        case "too_short":
            return f"lists {len(_sized(value))}, and needs {context['min_length']} or more", "Add to the list"
        case "datetime_parsing" | "datetime_from_date_parsing" | "datetime_object_invalid" | "datetime_type":
            return f"cannot be {shown(value)}: it is a time", _TIME
        case "timezone_aware":
            return f"{shown(value)} has no offset from UTC", _TIME
        case _:
            return _of_type(kind, value, context)


def _of_type(kind: str, value: object, context: Mapping[str, Any]) -> tuple[str, str]:
    if kind in _TYPES:
        return must_be(_TYPES[kind], value), "Correct it"
    if kind in _BOUNDS:
        limit, words = _BOUNDS[kind]
        return f"is {shown(value)}; it must be {words} {context[limit]:,.12g}", "Correct it"
    return f"cannot be {shown(value)}", "See the protocol's schema (`forethought schema`)"


_TIME = 'Write it as "2025-03-25T09:00:00+00:00", in quotes'
_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def must_be(wanted: str, value: object) -> str:
    """What is wrong with a value of another type."""
    return f"must be {wanted}, not {shown(value)}"


def shown(value: object) -> str:
    """The value between backticks, cut short; of a list or mapping only that it is one."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Mapping):
        return "a mapping"
    text = value if isinstance(value, str) else json.dumps(value)
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def _simple(value: object) -> bool:
    return not isinstance(value, list | Mapping)


def _sized(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
