"""A formula cut into names, numbers, quoted texts and symbols."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from forethought.errors import InvalidFormula

LONGEST = 20_000
"""Characters of a formula that are still read."""

WIDEST = 200
"""Characters of a formula's line that a refusal shows."""

_DIGITS = "0123456789"
_CONTRASTS = ("contr.treatment", "contr.sum", "contr.helmert", "contr.poly")
"""R's names of codings, the only ones with a dot that need no backticks."""
SYMBOLS = ("||", "**", "~", "+", "-", "*", "/", ":", "^", "(", ")", "|", ",")


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # "name", "contrasts", "number", "text", "end", or the symbol itself
    text: str
    column: int


def refusal(text: str, column: int, what: str, remedy: str, *, noun: str = "formula") -> InvalidFormula:
    """The error that shows the formula, or what `noun` says, with a caret below the column (counted from 0)."""
    line, at = _around(text, column)
    return InvalidFormula(f"{line}\n{' ' * at}^\n{noun}, column {column + 1}", what, remedy)


def _around(text: str, column: int) -> tuple[str, int]:
    """The line that has the column, cut on both sides where it is long, and the column's place in what is left."""
    start = text.rfind("\n", 0, column) + 1
    line = text[start:].split("\n", 1)[0]
    at = column - start
    if len(line) <= WIDEST:
        return line, at
    first = max(0, min(at - WIDEST // 2, len(line) - WIDEST))
    before, after = "... " if first else "", " ..." if first + WIDEST < len(line) else ""
    return f"{before}{line[first : first + WIDEST]}{after}", at - first + len(before)


def _refuse_the_endless(text: str) -> None:
    """Refuse a text that nobody wrote by hand, before reading it takes long."""
    if len(text) > LONGEST:
        what = f"the formula is longer than {LONGEST:,} characters"
        raise refusal(text, LONGEST, what, "Write a shorter formula")


def tokens(text: str) -> Iterator[Token]:
    """The formula's tokens and, last, one of kind `end`; InvalidFormula for a sign without a meaning."""
    _refuse_the_endless(text)
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token, at = _next_token(text, at)
        yield token
    yield Token("end", "", len(text))


def _next_token(text: str, at: int) -> tuple[Token, int]:
    """The token that begins at `at`, and where the next may begin."""
    sign = text[at]
    if sign in "`'\"":
        return _quoted(text, at)
    if coding := next((name for name in _CONTRASTS if text.startswith(name, at)), ""):
        return Token("contrasts", coding, at), at + len(coding)
    if sign.isidentifier():
        name = "".join(takewhile(lambda sign: f"_{sign}".isidentifier(), text[at:]))
        return Token("name", name, at), at + len(name)
    if sign in _DIGITS:
        number = "".join(takewhile(lambda sign: sign in _DIGITS or sign == ".", text[at:]))
        if number.count(".") > 1:
            raise refusal(text, at, f"`{number}` is no number", "Write one decimal point")
        return Token("number", number, at), at + len(number)
    for symbol in SYMBOLS:
        if text.startswith(symbol, at):
            return Token(symbol, symbol, at), at + len(symbol)
    if sign == ".":
        remedy = "Name a column; one with a dot in its name goes between backticks"
        raise refusal(text, at, "a dot is not allowed, neither for attributes nor for `all columns`", remedy)
    raise refusal(text, at, f"`{sign}` has no meaning in a formula", "Remove it")


def _quoted(text: str, at: int) -> tuple[Token, int]:
    end = text.find(text[at], at + 1)
    if end <= at + 1:
        what = "the quotation is never closed" if end < 0 else "the quotation is empty"
        raise refusal(text, at, what, f"Write a name or level, then {text[at]}")
    kind = "name" if text[at] == "`" else "text"
    return Token(kind, text[at + 1 : end], at), end + 1
