"""What an unquoted word of YAML is. What two programs would read differently is refused, not guessed."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

LARGEST = 2**53 - 1
"""The largest whole number that JSON's numbers, and those of most programs, tell from its neighbours."""

Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A word that cannot be taken: what it is, and what to write."""

    what: str
    remedy: str


def resolve(word: str) -> Plain | Ambiguous:
    """The value of an unquoted word: true, false, null, a decimal number, or text.

    Numbers follow JSON's rules, with a leading `+` or dot allowed. Everything that YAML 1.1 or 1.2 reads as
    something else (`no`, `12:30`, `2025-03-25`, `0x1F`, `1_000`, `.nan`) is Ambiguous.
    """
    if word in _WORDS:
        return _WORDS[word]
    for pattern, refusal in _TRAPS:
        if pattern.fullmatch(word):
            return refusal(word)
    if _INTEGER.fullmatch(word):
        return _integer(word)
    if _NUMBER.fullmatch(word):
        return _number(word)
    return word


def _integer(word: str) -> int | Ambiguous:
    if len(word) > len(str(LARGEST)) + 1 or abs(int(word)) > LARGEST:
        return Ambiguous(f"{_short(word)} is beyond 2^53 - 1, where numbers stop being exact", _QUOTE)
    return int(word)


def _number(word: str) -> float | Ambiguous:
    value = float(word)
    if not math.isfinite(value):
        return Ambiguous(f"{_short(word)} is too large for a number", "Write a smaller number")
    return value


def _truth(word: str) -> Ambiguous:
    meant = "true" if word.lower() in ("yes", "on", "true") else "false"
    return Ambiguous(
        f"`{word}` is a truth value to some programs and text to others",
        f'Write {meant}, or "{word}" if it is text',
    )


def _nothing(word: str) -> Ambiguous:
    return Ambiguous(
        f"`{word}` is nothing to some programs and text to others", "Write null, or quote the text"
    )


def _sexagesimal(word: str) -> Ambiguous:
    return Ambiguous(f"`{word}` is a number in base 60 to some programs", _QUOTE)


def _date(word: str) -> Ambiguous:
    return Ambiguous(f"`{word}` is a date to some programs and text to others", _QUOTE)


def _not_finite(word: str) -> Ambiguous:
    return Ambiguous(
        f"`{word}` is not a number that can be computed with", "Write a number, or remove the key"
    )


def _odd_number(word: str) -> Ambiguous:
    return Ambiguous(
        f"`{_short(word)}` is a number that programs read differently",
        "Write it in plain decimal digits, or quote the text",
    )


def _reserved(word: str) -> Ambiguous:
    return Ambiguous(f"`{word}` is a YAML merge key or default", "Write the keys out; or quote the text")


def _short(word: str) -> str:
    return word if len(word) <= 24 else f"{word[:20]}..."


_QUOTE = "Put it in quotes"
_WORDS: dict[str, Plain] = {"true": True, "false": False, "null": None, "": None}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_TRAPS: tuple[tuple[re.Pattern[str], Callable[[str], Ambiguous]], ...] = (
    (re.compile(r"(?i:yes|no|on|off|true|false)"), _truth),
    (re.compile(r"~|(?i:null)"), _nothing),
    (re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"), _sexagesimal),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?"), _date),
    (re.compile(r"[-+]?\.(?i:inf|nan)"), _not_finite),
    (re.compile(r"[-+]?0([xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][01_]+)"), _odd_number),
    (re.compile(r"[-+]?0[0-9_]+(\.[0-9_]*)?([eE][-+]?[0-9]+)?"), _odd_number),
    (re.compile(r"[-+]?(?=[0-9_.]*_)[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?"), _odd_number),
    (re.compile(r"<<|="), _reserved),
)
