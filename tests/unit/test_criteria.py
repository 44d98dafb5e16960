"""Criteria of verdicts: what they understand, how they judge what is missing, and how they refuse the rest."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forethought.errors import InvalidFormula
from forethought.grammar import CRITERION_NAMES, evaluate, names, parse_criterion
from forethought.grammar.criterion_parser import DEEPEST

Values = dict[str, float | None]

NUMBERS: Values = {"estimate": 0.3, "ci_low": 0.1, "ci_high": 0.5, "p": 0.01, "alpha": 0.05, "df": None}


def judged(text: str, **values: float | None) -> bool | None:
    return evaluate(parse_criterion(text), NUMBERS | values)


def refusal(text: str) -> InvalidFormula:
    with pytest.raises(InvalidFormula) as caught:
        parse_criterion(text)
    return caught.value


# --- what is understood ---


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("p < alpha", True),
        ("p < .05 and ci_low > 0", True),
        ("p <= 1e-2", True),
        ("p < 1e-2", False),
        ("-0.1 < ci_low", True),
        ("ci_low > -ci_high", True),
        ("ci_low > --ci_high", False),
        ("not p < alpha", False),
        ("not p < alpha or ci_low > 0", True),
        ("not (p < alpha or ci_low > 0)", False),
        ("p > 1 and p > 1 or p < 1", True),  # `and` before `or`
        ("p > 1 and (p > 1 or p < 1)", False),
        ("((p < 1))", True),
        ("0.5>=ci_high", True),
        ("ci_high > 0.5", False),
    ],
)
def test_a_criterion_compares_the_numbers_as_written(text: str, answer: bool) -> None:
    assert judged(text) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("df > 10", None),
        ("not df > 10", None),
        ("df > 10 and p < alpha", None),
        ("df > 10 and p > alpha", False),
        ("df > 10 or p < alpha", True),
        ("df > 10 or p > alpha", None),
        ("se > 0", None),  # not among the values at all
    ],
)
def test_a_missing_number_leaves_open_only_what_hangs_on_it(text: str, answer: bool | None) -> None:
    assert judged(text) is answer


def test_a_number_that_is_none_to_be_had_is_missing_and_not_false() -> None:
    assert judged("p < alpha", p=math.nan) is None
    assert judged("not p < alpha", p=math.nan) is None


def test_an_infinite_number_is_compared_like_any_other() -> None:
    assert judged("df > 30", df=math.inf) is True


def test_the_names_of_a_criterion_are_each_told_once_in_their_order() -> None:
    criterion = parse_criterion("p < alpha and (ci_low > 0 or -ci_high > smallest_effect) and not p > 0.5")
    assert names(criterion) == ("p", "alpha", "ci_low", "ci_high", "smallest_effect")


def test_a_criterion_may_name_these_numbers_and_no_others() -> None:
    assert CRITERION_NAMES == (
        "estimate", "se", "df", "statistic", "p", "p_adjusted", "ci_low", "ci_high", "alpha", "smallest_effect",
    )  # fmt: skip
    for name in CRITERION_NAMES:
        assert names(parse_criterion(f"{name} > 0")) == (name,)


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "column", "what", "remedy"),
    [
        ("", 1, "the criterion ends too early", "Write a number, or one of estimate"),
        ("p", 2, "the criterion ends too early", "Compare with `<`"),
        ("p <", 4, "the criterion ends too early", "Write a number"),
        ("p < 0.05 and", 13, "the criterion ends too early", "Write a number"),
        ("p = 0.05", 3, "asks whether two numbers are equal", "Compare with `<`"),
        ("p == 0.05", 3, "asks whether two numbers are equal", "Compare with `<`"),
        ("p != 0.05", 3, "asks whether two numbers are equal", "Compare with `<`"),
        ("-1 < estimate < 1", 15, "a comparison has two sides", "Write `-1 < estimate and estimate < 1`"),
        ("p > alpha >= -se", 11, "a comparison has two sides", "Write `p > alpha and alpha >= -se`"),
        ("ci_lo > 0", 1, "`ci_lo` is no number of a finding", "The nearest name is `ci_low`"),
        ("p < Alpha", 5, "`Alpha` is no number of a finding", "The nearest name is `alpha`"),
        ("p < 0.05 and zzz > 0", 14, "`zzz` is no number of a finding", "The names are estimate, se"),
        ("p < alpha)", 10, "`)` was not expected here", "Remove it"),
        ("(p < alpha", 11, "the criterion ends too early", "Close the parenthesis"),
        ("(p) < alpha", 3, "`)` was not expected here", "Compare with `<`"),
        ("p < alpha ci_low > 0", 11, "`ci_low` was not expected here", "Join conditions with `and` or `or`"),
        ("p < alpha AND ci_low > 0", 11, "`AND` has no meaning", "Write `and`"),
        ("p < alpha && ci_low > 0", 11, "`&&` has no meaning", "Write `and`"),
        ("!p < alpha", 1, "`!` has no meaning", "Write `not`"),
        ("p ≤ alpha", 3, "`≤` has no meaning", "Write `<=`"),
        ("p + 1 < alpha", 3, "`+` would compute something", "Compare the finding's numbers"),
        ("p < 1e999", 5, "`1e999` is too large a number", "Write a smaller one"),
        ("p < 0.05;", 9, "`;` has no meaning", "Remove it"),
        ("__import__('os')", 12, "`'` has no meaning", "Remove it"),
        ("and p < 1", 1, "`and` was not expected here", "Write a number"),
    ],
)
def test_what_is_not_understood_is_marked_and_remedied(
    text: str, column: int, what: str, remedy: str
) -> None:
    error = refusal(text)
    assert error.where == f"{text}\n{' ' * (column - 1)}^\ncriterion, column {column}"
    assert what in error.what
    assert error.remedy.startswith(remedy)


@pytest.mark.parametrize("opening", ["(", "not ", "-", "not ("])
def test_what_stands_too_deep_is_refused_and_never_overflows(opening: str) -> None:
    assert "stand within each other" in refusal(opening * 100_000 + "p < 1").what


def test_what_stands_side_by_side_may_be_as_much_as_one_likes() -> None:
    assert judged(" or ".join(["p > 1"] * 20_000)) is False


@pytest.mark.parametrize("text", ["(" * DEEPEST + "p < 1" + ")" * DEEPEST, "not " * DEEPEST + "p < 1"])
def test_the_deepest_that_is_allowed_is_judged(text: str) -> None:
    assert judged(text) is True


def place_of_refusal(text: str) -> str | None:
    try:
        parse_criterion(text)
    except InvalidFormula as error:
        return error.where
    return None


PIECES = ("p", "alpha", "0.5", "<", ">=", "-", "(", ")", "and", "or", "not", "=", "é", "\n")


@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join))
def test_any_text_is_a_criterion_or_is_refused_with_its_place(text: str) -> None:
    where = place_of_refusal(text)
    assert where is None or "\ncriterion, column " in where


# --- against a tree of the test's own, judged by its own three values ---

FALSE, OPEN, TRUE = 0.0, 0.5, 1.0
"""Kleene's values as numbers: `and` is their least, `or` their greatest, `not` one less each."""


@dataclass(frozen=True)
class Tree:
    """An expression: `kind` is or, and, not, or a sign; a leaf's terms are pairs of a text and a value."""

    kind: str
    parts: tuple["Tree", ...] = ()
    terms: tuple[tuple[str, float | None], ...] = ()


GIVEN: Values = dict(
    zip(CRITERION_NAMES, (0.3, 0.1, None, 3.0, 0.01, None, 0.1, 0.5, 0.05, 0.2), strict=True)
)

terms = st.one_of(
    st.sampled_from(CRITERION_NAMES).map(lambda name: (name, GIVEN[name])),
    st.floats(0, 2).map(lambda value: (f"{value:.2f}", float(f"{value:.2f}"))),
)
signed = st.tuples(terms, st.integers(0, 2)).map(
    lambda pair: ("-" * pair[1] + pair[0][0], None if pair[0][1] is None else (-1) ** pair[1] * pair[0][1])
)
leaves = st.tuples(st.sampled_from(["<", "<=", ">", ">="]), signed, signed).map(
    lambda parts: Tree(parts[0], terms=parts[1:])
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda part: Tree("not", (part,))),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)).map(
            lambda pair: Tree(pair[0], tuple(pair[1]))
        ),
    ),
    max_leaves=12,
)

STRENGTH = {"or": 0, "and": 1, "not": 2}


def spelled(tree: Tree, *, always: bool) -> str:
    """The tree as text, with parentheses everywhere or only where Python's order of operators needs them."""
    if tree.terms:
        return f"{tree.terms[0][0]} {tree.kind} {tree.terms[1][0]}"
    parts = []
    for part in tree.parts:
        text = spelled(part, always=always)
        weaker = STRENGTH.get(part.kind, 3) < STRENGTH[tree.kind]
        parts.append(f"({text})" if always or weaker else text)
    return f"not {parts[0]}" if tree.kind == "not" else f" {tree.kind} ".join(parts)


def truth(tree: Tree) -> float:
    if tree.terms:
        (_, left), (_, right) = tree.terms
        if left is None or right is None:
            return OPEN
        holds = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
        return TRUE if holds[tree.kind] else FALSE
    values = [truth(part) for part in tree.parts]
    return {"or": max(values), "and": min(values), "not": 1 - values[0]}[tree.kind]


@given(trees, st.booleans())
def test_a_criterion_is_judged_as_its_tree_is_by_kleenes_three_values(tree: Tree, always: bool) -> None:
    answer = evaluate(parse_criterion(spelled(tree, always=always)), GIVEN)
    assert {True: TRUE, False: FALSE, None: OPEN}[answer] == truth(tree)


@given(trees, st.booleans())
def test_a_criterion_spelled_out_parses_to_itself(tree: Tree, always: bool) -> None:
    criterion = parse_criterion(spelled(tree, always=always))
    assert parse_criterion(str(criterion)) == criterion


@given(st.floats(0, allow_nan=False, allow_infinity=False))
def test_every_number_comes_back_to_the_last_bit(value: float) -> None:
    criterion = parse_criterion(f"estimate > {value!r}")
    assert parse_criterion(str(criterion)) == criterion
    assert evaluate(criterion, {"estimate": value}) is False
    assert evaluate(parse_criterion(f"estimate >= {value!r}"), {"estimate": value}) is True
