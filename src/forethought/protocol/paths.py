"""Ways to a value in plain data, and how a person says them."""

from forethought.protocol.problems import KeyPath

NOT_THERE = object()
"""What is found where a path leads nowhere."""
STAND_IN = "-"
"""The text that stands for a missing one; it names nothing."""


def value_at(data: object, at: KeyPath) -> object:
    """The value that the path leads to; NOT_THERE where it leads to none."""
    for step in at:
        match data, step:
            case dict(), str() if step in data:
                data = data[step]
            case list(), int() if step < len(data):
                data = data[step]
            case _:
                return NOT_THERE
    return data


def spoken(at: KeyPath, data: object) -> str:
    """The path as a person would say it: list items by their own names, the top as `the protocol`."""
    words: list[str] = []
    for depth, step in enumerate(at):
        words.append(
            _item_name(value_at(data, at[: depth + 1]), step) if isinstance(step, int) else str(step)
        )
    return ".".join(words) or "the protocol"


def _item_name(item: object, position: int) -> str:
    if isinstance(item, dict):
        for key in ("id", "name", "number", "file", "label"):
            if isinstance(item.get(key), str | int) and item[key] != STAND_IN:
                return str(item[key])
    return f"#{position + 1}"
