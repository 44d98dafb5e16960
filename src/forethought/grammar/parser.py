"""Recursive descent over the tokens of a formula; the rules are in the package's docstring."""

from dataclasses import dataclass, field
from typing import Literal, NoReturn

from forethought.errors import InvalidFormula
from forethought.grammar.formulas import (
    CONTRASTS,
    Contrasts,
    Effects,
    Factor,
    ModelFormula,
    RandomTerm,
    Term,
    Terms,
    distinct,
    spelled,
)
from forethought.grammar.tokens import Token, refusal, tokens

FUNCTIONS = ("I", "abs", "center", "exp", "log", "log10", "log1p", "log2", "scale", "sqrt")
"""The functions of one arithmetic expression that a formula may call; besides them `C`, `poly` and `offset`."""

DEEPEST = 50
"""Levels of brackets that are still read."""
MOST_TOKENS = 2000
"""Names, numbers and signs that are still read."""
MOST_TERMS = 1000
"""Products of more terms are refused: they double with each `*`."""
_POWERS = tuple("123456789")
_CODINGS = {**{name: name for name in CONTRASTS}, **{f"contr.{name.lower()}": name for name in CONTRASTS}}
_CODING_REMEDY = f'Write Treatment("reference level"), {", ".join(CONTRASTS[1:-1])} or {CONTRASTS[-1]}'


def parse_formula(text: str) -> ModelFormula:
    """The formula that `text` spells.

    Raises InvalidFormula, which shows the formula with a caret under what was not understood.
    """
    if not isinstance(text, str):
        what = f"a formula is a text, not of the kind {type(text).__name__}"
        raise InvalidFormula("formula", what, 'Write it in quotation marks, as "score ~ arm + (1 | person)"')
    return _Parser(text).formula()


def parse_contrasts(text: str) -> Contrasts:
    """The coding that `text` spells, as in C(x, coding). Raises InvalidFormula, which shows where it is not understood."""
    return _Parser(text).contrasts()


class _Parser:
    """Recursive descent: one method for each rule of the module's grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tuple(tokens(text))
        self._at = 0
        self._refuse_excess()

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, *kinds: str) -> Token | None:
        return self._take() if self._next.kind in kinds else None

    def _expect(self, kind: str, remedy: str) -> Token:
        return self._accept(kind) or self._refuse(remedy)

    def _refuse(self, remedy: str, *, what: str = "", token: Token | None = None) -> NoReturn:
        token = token or self._next
        found = f"`{token.text}` was not expected here" if token.text else "the formula ends too early"
        raise refusal(self._text, token.column, what or found, remedy)

    def _refuse_excess(self) -> None:
        """Refuse what nobody writes and what would take too long, or too deep a recursion, to read."""
        depth = 0
        for token in self._tokens:
            depth += (token.kind == "(") - (token.kind == ")")
            if depth > DEEPEST:
                self._refuse("Remove brackets", what=f"brackets go deeper than {DEEPEST} levels", token=token)
        if len(self._tokens) > MOST_TOKENS:
            what = f"the formula has more than {MOST_TOKENS:,} words and signs"
            self._refuse("Write a shorter formula", what=what, token=self._tokens[MOST_TOKENS])

    def formula(self) -> ModelFormula:
        response = self._factor()
        self._expect("~", "Write `~` between the outcome and its predictors")
        right = self._sum(inside="formula")
        self._expect("end", "Join terms with `+`, `-`, `*`, `:` or `/`")
        return ModelFormula(response, right.effects, tuple(right.random), tuple(right.offset))

    def contrasts(self) -> Contrasts:
        coding, _ = self._coding()
        self._expect("end", "Write one coding alone")
        return coding

    def _sum(self, *, inside: Literal["formula", "random", "brackets"]) -> "_Sum":
        """Items added to and taken from each other."""
        read = _Sum()
        sign = self._accept("+", "-")
        while True:
            self._item(read, inside, adds=sign is None or sign.kind == "+")
            if not (sign := self._accept("+", "-")):
                return read

    def _item(self, read: "_Sum", inside: str, *, adds: bool) -> None:
        """One of them, put where it belongs."""
        whole = adds and inside == "formula"
        if inside != "brackets" and (number := self._accept("number")):
            read.intercept = self._intercept(number) is adds
        elif self._opens_random():
            read.random += self._random(allowed=whole)
        elif whole and self._opens_offset():
            read.offset.append(self._offset())
        elif adds:
            read.terms = read.terms.plus(self._product())
        else:
            read.terms = read.terms.minus(self._product())

    def _intercept(self, number: Token) -> bool:
        if number.text not in ("0", "1"):
            self._refuse("Write 1 for an intercept or 0 for none", token=number)
        return number.text == "1"

    def _opens_random(self) -> bool:
        """Whether the bracket that opens here has a bar of its own."""
        depth = 0
        for token in self._tokens[self._at :]:
            depth += (token.kind == "(") - (token.kind == ")")
            if depth == 0:
                return False
            if depth == 1 and token.kind in ("|", "||"):
                return True
        return False

    def _opens_offset(self) -> bool:
        calls = self._next.kind == "name" and self._next.text == "offset"
        return calls and self._tokens[self._at + 1].kind == "("

    def _offset(self) -> Factor:
        self._take()
        self._expect("(", "Write offset(column)")
        known = self._arithmetic()
        self._expect(")", "Close `offset(` with `)`")
        return known

    def _random(self, *, allowed: bool) -> list[RandomTerm]:
        if not allowed:
            self._refuse(
                "Add random terms at the end, `+ (1 | group)`", what="a random term cannot stand here"
            )
        opening = self._take()
        effects = self._sum(inside="random").effects
        bar = self._take()
        groups = self._groups()
        self._expect(")", "Close the random term with `)`")
        if not effects.intercept and not effects.terms:
            self._refuse(
                "Write 1 or a predictor before the bar", what="the random term is empty", token=opening
            )
        return [RandomTerm(effects, group, correlated=bar.kind == "|") for group in groups]

    def _groups(self) -> list[tuple[str, ...]]:
        """The grouping factors that `a/b` stands for, innermost first."""
        groups = [self._segment()]
        while self._accept("/"):
            groups.insert(0, distinct((*self._segment(), *groups[0])))
        return groups

    def _segment(self) -> tuple[str, ...]:
        names = [self._expect("name", "Name a grouping column after the bar").text]
        while self._accept(":"):
            names.append(self._expect("name", "Name a grouping column after `:`").text)
        return distinct(names)

    def _product(self) -> "Terms":
        left = self._interaction()
        while operator := self._accept("*", "/"):
            right = self._interaction()
            if operator.kind == "*":
                left = left.plus(right, self._times(left, right))
            else:
                left = left.plus(self._times(left.together(), right))
        return left

    def _interaction(self) -> "Terms":
        left = self._power()
        while self._accept(":"):
            left = self._times(left, self._power())
        return left

    def _power(self) -> "Terms":
        base = result = self._atom()
        if self._accept("^", "**"):
            exponent = self._expect("number", "Write a whole number after `^`")
            if exponent.text not in _POWERS:
                self._refuse("Write a whole number from 1 to 9 after `^`", token=exponent)
            for _ in range(int(exponent.text) - 1):
                result = result.plus(self._times(result, base))
        return result

    def _times(self, left: "Terms", right: "Terms") -> "Terms":
        if len(left.terms) * len(right.terms) > MOST_TERMS:
            what = f"the formula multiplies into more than {MOST_TERMS:,} terms"
            self._refuse("Join fewer variables with `*`, `^` or `:`", what=what)
        return left.times(right)

    def _atom(self) -> "Terms":
        if not self._accept("("):
            return Terms((Term((self._factor(),)),))
        inner = self._sum(inside="brackets")
        self._expect(")", "Close the bracket with `)`")
        return Terms(inner.effects.terms)

    def _factor(self) -> Factor:
        name = self._expect("name", "Name a column")
        if not self._accept("("):
            return Factor(spelled(name.text), (name.text,))
        if name.text == "C":
            factor = self._categories()
        elif name.text == "poly":
            factor = self._polynomial()
        elif name.text in FUNCTIONS:
            inner = self._arithmetic()
            factor = Factor(f"{name.text}({inner})", inner.variables)
        elif name.text == "offset":
            remedy = "Add it by itself, `+ offset(column)`"
            self._refuse(remedy, what="an offset cannot stand here", token=name)
        else:
            functions = f"Use a column, or one of C, poly, {', '.join(FUNCTIONS)}"
            remedy = "Write C(column)" if name.text == "factor" else functions
            self._refuse(remedy, what=f"`{name.text}` is no function that a formula may call", token=name)
        self._expect(")", f"Close `{name.text}(` with `)`")
        return factor

    def _categories(self) -> Factor:
        name = self._expect("name", "Name the column of categories").text
        if not self._accept(","):
            return Factor(f"C({spelled(name)})", (name,), Contrasts())
        contrasts, written = self._coding()
        return Factor(f"C({spelled(name)}, {written})", (name,), contrasts)

    def _coding(self) -> tuple[Contrasts, str]:
        """A coding, and its canonical spelling."""
        coding = self._accept("contrasts") or self._expect("name", _CODING_REMEDY)
        if coding.text not in _CODINGS:
            self._refuse(_CODING_REMEDY, token=coding)
        name = _CODINGS[coding.text]
        if coding.text != "Treatment" or not self._accept("("):
            return Contrasts(name), name
        level = self._accept("number") or self._expect(
            "text", "Write the reference level between quotation marks"
        )
        self._expect(")", "Close `Treatment(` with `)`")
        if level.kind == "number":
            return Contrasts(name, float(level.text)), f"Treatment({level.text})"
        quote = '"' if "'" in level.text else "'"
        return Contrasts(name, level.text), f"Treatment({quote}{level.text}{quote})"

    def _polynomial(self) -> Factor:
        name = self._expect("name", "Name the column of the polynomial").text
        self._expect(",", "Write the degree after a comma")
        degree = self._expect("number", "Write the degree as a whole number")
        if not degree.text.isdecimal() or len(degree.text) > 2 or int(degree.text) < 1:
            self._refuse("Write the degree as a whole number from 1 to 99", token=degree)
        return Factor(f"poly({spelled(name)}, {degree.text})", (name,))

    def _arithmetic(self) -> Factor:
        """Operands joined by `+ - * / ^ **`; the signs' precedence is Python's and R's."""
        left = self._operand()
        while operator := self._accept("+", "-", "*", "/", "^", "**"):
            right = self._operand()
            sign = "**" if operator.kind == "^" else operator.kind
            left = Factor(f"{left} {sign} {right}", distinct(left.variables + right.variables))
        return left

    def _operand(self) -> Factor:
        signs = ""
        while self._accept("-"):
            signs += "-"
        if signs:
            inner = self._operand()
            return Factor(f"{signs}{inner}", inner.variables)
        if number := self._accept("number"):
            return Factor(number.text, ())
        if self._accept("("):
            inner = self._arithmetic()
            self._expect(")", "Close the bracket with `)`")
            return Factor(f"({inner})", inner.variables)
        name = self._next
        factor = self._factor()
        if name.text in ("C", "poly") and factor.text != spelled(name.text):
            self._refuse("Use numeric functions in arithmetic", token=name)
        return factor


@dataclass(slots=True)
class _Sum:
    """What a sum has read so far."""

    intercept: bool = True
    terms: Terms = field(default_factory=Terms)
    random: list[RandomTerm] = field(default_factory=list)
    offset: list[Factor] = field(default_factory=list)

    @property
    def effects(self) -> Effects:
        return Effects(self.intercept, self.terms.by_order())
