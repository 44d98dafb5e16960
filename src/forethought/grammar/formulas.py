"""What a model formula says, as frozen values: factors, terms, effects, random terms."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from keyword import iskeyword

CONTRASTS = ("Treatment", "Sum", "Helmert", "Poly")
"""How the levels of a category may be coded; R's contr.treatment, contr.sum, contr.helmert and contr.poly."""


@dataclass(frozen=True, slots=True)
class Contrasts:
    """How the levels of a category become columns: one of `CONTRASTS`, and Treatment's reference level if named."""

    name: str = "Treatment"
    reference: str | float | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """A column, or a permitted function of columns; `text` is its canonical spelling.

    `contrasts` is set where the formula says that it is a category, and how to code it.
    """

    text: str
    variables: tuple[str, ...]
    contrasts: Contrasts | None = None

    def __str__(self) -> str:
        return self.text

    @property
    def column(self) -> str | None:
        """The column that this is without any function; None where one is called."""
        plain = len(self.variables) == 1 and self.text == spelled(self.variables[0])
        return self.variables[0] if plain else None


@dataclass(frozen=True, slots=True)
class Term:
    """Factors that interact; a main effect has one. The order of the factors makes no other term."""

    factors: tuple[Factor, ...]

    def __str__(self) -> str:
        return ":".join(factor.text for factor in self.factors)

    @property
    def key(self) -> frozenset[str]:
        return frozenset(factor.text for factor in self.factors)

    def __mul__(self, other: "Term") -> "Term":
        return Term(self.factors + tuple(f for f in other.factors if f not in self.factors))


@dataclass(frozen=True, slots=True)
class Effects:
    """The columns of a design before the data are known: an intercept or none, and terms by their order."""

    intercept: bool
    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return " + ".join(["1" if self.intercept else "0", *map(str, self.terms)])

    @property
    def variables(self) -> tuple[str, ...]:
        return distinct(name for term in self.terms for factor in term.factors for name in factor.variables)


@dataclass(frozen=True, slots=True)
class RandomTerm:
    """`(effects | group)`; several names in `group` mean their combinations, as in `a:b`."""

    effects: Effects
    group: tuple[str, ...]
    correlated: bool = True

    def __str__(self) -> str:
        group = ":".join(map(spelled, self.group))
        return f"({self.effects} {'|' if self.correlated else '||'} {group})"


@dataclass(frozen=True, slots=True)
class ModelFormula:
    """`response ~ fixed + offset + random`. A formula without random terms is an ordinary linear model.

    `offset` holds what is known of the response: arithmetic whose values add up.
    """

    response: Factor
    fixed: Effects
    random: tuple[RandomTerm, ...]
    offset: tuple[Factor, ...] = ()

    def __str__(self) -> str:
        offset = [f"offset({known})" for known in self.offset]
        return f"{self.response} ~ {' + '.join(map(str, (self.fixed, *offset, *self.random)))}"


@dataclass(frozen=True, slots=True)
class Variables:
    """The column names of each part of a formula, in order of appearance; those of an offset are among `fixed`."""

    response: tuple[str, ...]
    fixed: tuple[str, ...]
    random: tuple[str, ...]
    groups: tuple[str, ...]

    def __iter__(self) -> Iterator[str]:
        return iter(distinct((*self.response, *self.fixed, *self.random, *self.groups)))


def variables(formula: ModelFormula) -> Variables:
    """The columns that a formula needs; iterating over them gives each name once."""
    return Variables(
        response=formula.response.variables,
        fixed=distinct((*formula.fixed.variables, *(v for known in formula.offset for v in known.variables))),
        random=distinct(name for term in formula.random for name in term.effects.variables),
        groups=distinct(name for term in formula.random for name in term.group),
    )


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in the order in which it first comes."""
    return tuple(dict.fromkeys(names))


def spelled(name: str) -> str:
    """The name as a formula writes it: between backticks where it is no identifier."""
    return name if name.isidentifier() and not iskeyword(name) else f"`{name}`"


@dataclass(frozen=True, slots=True)
class Terms:
    """Wilkinson and Rogers' algebra of terms (1973, Appl. Statist. 22:392): ordered, each once."""

    terms: tuple[Term, ...] = ()

    def plus(self, *others: "Terms") -> "Terms":
        first = dict[frozenset[str], Term]()
        for term in chain(self.terms, *(other.terms for other in others)):
            first.setdefault(term.key, term)
        return Terms(tuple(first.values()))

    def minus(self, other: "Terms") -> "Terms":
        gone = {term.key for term in other.terms}
        return Terms(tuple(term for term in self.terms if term.key not in gone))

    def times(self, other: "Terms") -> "Terms":
        return Terms().plus(Terms(tuple(a * b for a in self.terms for b in other.terms)))

    def together(self) -> "Terms":
        """The one term in which all factors interact."""
        return Terms((Term(tuple(dict.fromkeys(f for term in self.terms for f in term.factors))),))

    def by_order(self) -> tuple[Term, ...]:
        """Main effects first, then interactions by their number of factors, as R orders them."""
        return tuple(sorted(self.terms, key=lambda term: len(term.factors)))
