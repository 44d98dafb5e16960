"""Recursive descent over the tokens of a criterion; the rules are in `forethought.grammar.criteria`."""

import math
import re
from collections.abc import Iterator
from difflib import get_close_matches

from forethought.errors import InvalidFormula
from forethought.grammar.criteria import (
    COMPARE,
    CRITERION_NAMES,
    Both,
    Comparison,
    Criterion,
    Either,
    Minus,
    Name,
    Not,
    Number,
    Operand,
)
from forethought.grammar.tokens import Token, refusal

DEEPEST = 50
"""How deep conditions and signs may stand within each other."""

LONGEST_NAME = 64
"""How much of an unknown name is compared with those known, which takes time by its square."""

_WORDS = ("and", "or", "not")
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W0-9]\w*)"
    r"|(?P<symbol><=|>=|<|>|\(|\)|-)"
)
_EQUALITY = re.compile(r"==?|!=|<>|≠")
_OTHER_SIGNS = {
    "≤": "<=", "≥": ">=", "−": "-", "&&": "and", "&": "and", "||": "or", "|": "or", "!": "not",
}  # fmt: skip
_SIGNS = "Compare with `<`, `<=`, `>` or `>=`"


def parse_criterion(text: str) -> Criterion:
    """The criterion that `text` spells; `str` of it parses to the same value.

    Raises InvalidFormula, which shows the criterion with a caret under what was not understood.
    """
    return _Parser(text).whole()


def _refusal(text: str, column: int, what: str, remedy: str) -> InvalidFormula:
    return refusal(text, column, what, remedy, noun="criterion")


def _tokens(text: str) -> Iterator[Token]:
    """The criterion's tokens and, last, one of kind `end`; InvalidFormula for a sign without a meaning."""
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        if equality := _EQUALITY.match(text, at):
            what = f"`{equality[0]}` asks whether two numbers are equal, which computed numbers are only by chance"
            raise _refusal(text, at, what, _SIGNS)
        if not (found := _TOKEN.match(text, at)):
            raise _unknown_sign(text, at)
        kind = found.lastgroup or ""
        spelled = found[0]
        own = kind == "symbol" or spelled in _WORDS
        if not own and spelled.lower() in _WORDS:
            raise _refusal(
                text, at, f"`{spelled}` has no meaning in a criterion", f"Write `{spelled.lower()}`"
            )
        yield Token(spelled if own else kind, spelled, at)
        at = found.end()
    yield Token("end", "", len(text))


def _unknown_sign(text: str, at: int) -> InvalidFormula:
    sign = next((one for one in _OTHER_SIGNS if text.startswith(one, at)), text[at])
    if sign in _OTHER_SIGNS:
        return _refusal(text, at, f"`{sign}` has no meaning in a criterion", f"Write `{_OTHER_SIGNS[sign]}`")
    if sign in "+*/^%":
        what = f"`{sign}` would compute something, and a criterion only compares"
        return _refusal(
            text, at, what, "Compare the finding's numbers with each other, or with a number worked out"
        )
    return _refusal(text, at, f"`{sign}` has no meaning in a criterion", "Remove it")


class _Parser:
    """Recursive descent: one method for each rule of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tuple(_tokens(text))
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _accept(self, *kinds: str) -> Token | None:
        if self._next.kind not in kinds:
            return None
        self._at += 1
        return self._tokens[self._at - 1]

    def _refused(self, remedy: str, *, what: str = "", token: Token | None = None) -> InvalidFormula:
        token = token or self._next
        found = f"`{token.text}` was not expected here" if token.text else "the criterion ends too early"
        return _refusal(self._text, token.column, what or found, remedy)

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            what = f"more than {DEEPEST} conditions stand within each other"
            raise self._refused("Write it with fewer parentheses", what=what, token=token)

    def whole(self) -> Criterion:
        criterion = self._either()
        if self._accept("end"):
            return criterion
        if self._next.kind == ")":
            raise self._refused("Remove it, or open a parenthesis before it")
        raise self._refused("Join conditions with `and` or `or`")

    def _either(self) -> Criterion:
        conditions = [self._both()]
        while self._accept("or"):
            conditions.append(self._both())
        return conditions[0] if len(conditions) == 1 else Either(tuple(conditions))

    def _both(self) -> Criterion:
        conditions = [self._condition()]
        while self._accept("and"):
            conditions.append(self._condition())
        return conditions[0] if len(conditions) == 1 else Both(tuple(conditions))

    def _condition(self) -> Criterion:
        if opening := self._accept("not"):
            self._deeper(opening)
            condition: Criterion = Not(self._condition())
        elif opening := self._accept("("):
            self._deeper(opening)
            condition = self._either()
            if not self._accept(")"):
                raise self._refused("Close the parenthesis with `)`")
        else:
            return self._comparison()
        self._depth -= 1
        return condition

    def _comparison(self) -> Comparison:
        left = self._term()
        sign = self._accept(*COMPARE)
        if sign is None:
            raise self._refused(_SIGNS)
        right = self._term()
        if again := self._accept(*COMPARE):
            remedy = f"Write `{left} {sign.text} {right} and {right} {again.text} {self._term()}`"
            raise self._refused(remedy, what="a comparison has two sides", token=again)
        return Comparison(left, sign.text, right)

    def _term(self) -> Operand:
        if sign := self._accept("-"):
            self._deeper(sign)
            inner = self._term()
            self._depth -= 1
            return Minus(inner)
        if number := self._accept("number"):
            value = float(number.text)
            if math.isinf(value):
                raise self._refused(
                    "Write a smaller one", what=f"`{number.text}` is too large a number", token=number
                )
            return Number(value)
        if name := self._accept("name"):
            return self._name(name)
        raise self._refused(f"Write a number, or one of {', '.join(CRITERION_NAMES)}")

    def _name(self, name: Token) -> Name:
        if name.text in CRITERION_NAMES:
            return Name(name.text)
        close = get_close_matches(name.text[:LONGEST_NAME].lower(), CRITERION_NAMES, n=1)
        remedy = (
            f"The nearest name is `{close[0]}`" if close else f"The names are {', '.join(CRITERION_NAMES)}"
        )
        raise self._refused(remedy, what=f"`{name.text}` is no number of a finding", token=name)
