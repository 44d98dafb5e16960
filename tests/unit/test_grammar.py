"""The grammar of model formulas: what it understands, and how it refuses the rest."""

import pytest

from forethought.errors import ForethoughtError, InvalidFormula
from forethought.grammar import (
    Contrasts,
    Effects,
    Factor,
    RandomTerm,
    Term,
    parse_contrasts,
    parse_formula,
    variables,
)


def fixed(text: str) -> str:
    return str(parse_formula(f"y ~ {text}").fixed)


def random(text: str) -> list[str]:
    return [str(term) for term in parse_formula(f"y ~ 1 + {text}").random]


def refusal(text: str) -> InvalidFormula:
    with pytest.raises(InvalidFormula) as caught:
        parse_formula(text)
    return caught.value


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("1", "1"),
        ("x", "1 + x"),
        ("0 + x", "0 + x"),
        ("x - 1", "0 + x"),
        ("a + b - a", "1 + b"),
        ("a * b", "1 + a + b + a:b"),
        ("a * b * c", "1 + a + b + c + a:b + a:c + b:c + a:b:c"),
        ("a * b * c - a:b:c", "1 + a + b + c + a:b + a:c + b:c"),
        ("a / b", "1 + a + a:b"),
        ("(a + b) / c", "1 + a + b + a:b:c"),
        ("(a + b + c)^2", "1 + a + b + c + a:b + a:c + b:c"),
        ("(a + b)**2", "1 + a + b + a:b"),
        ("a * b:c", "1 + a + b:c + a:b:c"),
        ("a:(b + c)", "1 + a:b + a:c"),
        ("a:a", "1 + a"),
        ("a:b + a", "1 + a + a:b"),
        ("`my column` + x", "1 + `my column` + x"),
    ],
)
def test_fixed_terms_follow_wilkinson_and_rogers(written: str, means: str) -> None:
    assert fixed(written) == means


def test_an_interaction_is_the_same_term_in_either_order() -> None:
    assert fixed("a:b + b:a") == "1 + a:b"


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("(1|g)", ["(1 | g)"]),
        ("(x|g)", ["(1 + x | g)"]),
        ("(0 + x|g)", ["(0 + x | g)"]),
        ("(x||g)", ["(1 + x || g)"]),
        ("(1|a:b)", ["(1 | a:b)"]),
        ("(1|a/b)", ["(1 | b:a)", "(1 | a)"]),
        ("(1|a/b/c)", ["(1 | c:b:a)", "(1 | b:a)", "(1 | a)"]),
        ("(x|a/b)", ["(1 + x | b:a)", "(1 + x | a)"]),
        ("(1|g) + (0 + x|g)", ["(1 | g)", "(0 + x | g)"]),
        ("(f * x|g)", ["(1 + f + x + f:x | g)"]),
        ("(0 + f:x|g)", ["(0 + f:x | g)"]),
        ("(x||a/b)", ["(1 + x || b:a)", "(1 + x || a)"]),
        ("(C(f, Sum)|g)", ["(1 + C(f, Sum) | g)"]),
    ],
)
def test_random_terms_follow_lme4(written: str, means: list[str]) -> None:
    assert random(written) == means


def test_a_random_term_is_a_value() -> None:
    days = Effects(intercept=True, terms=(Term((Factor("Days", ("Days",)),)),))
    assert parse_formula("y ~ 1 + (Days || Subject)").random == (
        RandomTerm(days, ("Subject",), correlated=False),
    )


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("log(x)", "1 + log(x)"),
        ("I(x^2 + 1)", "1 + I(x ** 2 + 1)"),
        ("I((a - b) / 2)", "1 + I((a - b) / 2)"),
        ("C(arm)", "1 + C(arm)"),
        ('C(arm, Treatment("b"))', "1 + C(arm, Treatment('b'))"),
        ("C(week, Treatment(5))", "1 + C(week, Treatment(5))"),
        ("C(arm, Treatment)", "1 + C(arm, Treatment)"),
        ("C(arm, Sum)", "1 + C(arm, Sum)"),
        ("C(arm, contr.treatment)", "1 + C(arm, Treatment)"),
        ("C(arm, contr.sum)", "1 + C(arm, Sum)"),
        ("C(arm, contr.helmert)", "1 + C(arm, Helmert)"),
        ("C(arm, contr.poly)", "1 + C(arm, Poly)"),
        ("poly(x, 2)", "1 + poly(x, 2)"),
        ("log(x):g", "1 + log(x):g"),
    ],
)
def test_permitted_functions_are_factors(written: str, means: str) -> None:
    assert fixed(written) == means


def test_the_outcome_may_be_transformed() -> None:
    assert parse_formula("log(y + 1) ~ x").response == Factor("log(y + 1)", ("y",))


def test_a_coding_is_a_value() -> None:
    (term,) = parse_formula('y ~ C(week, Treatment("5"))').fixed.terms
    assert term.factors == (Factor("C(week, Treatment('5'))", ("week",), Contrasts("Treatment", "5")),)


def test_a_coding_alone_is_read() -> None:
    assert parse_contrasts("Treatment(5)") == Contrasts("Treatment", 5.0)


def test_more_than_a_coding_is_refused() -> None:
    with pytest.raises(InvalidFormula, match="Write one coding alone"):
        parse_contrasts("Sum) + (1 | g")


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("offset(z)", ["z"]),
        ("x + offset(log(z) + 2 * w) + (1|g)", ["log(z) + 2 * w"]),
        ("offset(z) + offset(w)", ["z", "w"]),
    ],
)
def test_an_offset_is_no_term(written: str, known: list[str]) -> None:
    formula = parse_formula(f"y ~ {written}")
    assert [str(one) for one in formula.offset] == known
    assert "offset" not in str(formula.fixed)


def test_a_column_may_be_called_offset() -> None:
    assert fixed("offset + x") == "1 + offset + x"


def test_the_variables_of_an_offset_are_on_the_fixed_side() -> None:
    assert variables(parse_formula("y ~ x + offset(log(z)) + (1|g)")).fixed == ("x", "z")


def test_variables_are_named_for_each_side() -> None:
    used = variables(parse_formula("log(y) ~ a * I(b / c) + (x | g:h) + (1 | g)"))
    assert used.response == ("y",)
    assert used.fixed == ("a", "b", "c")
    assert used.random == ("x",)
    assert used.groups == ("g", "h")
    assert list(used) == ["y", "a", "b", "c", "x", "g", "h"]


@pytest.mark.parametrize(
    "text",
    [
        "y ~ a*b + (x||g)",
        "log(y) ~ 0 + poly(x, 3) + (1|a/b)",
        "`a b` ~ `class`",
        "y ~ offset(log(`a b`) - 1) + x + (1|g) + offset(z)",
        "y ~ C(a, contr.sum) + C(`b c`, Poly) + (f*x|g)",
        """y ~ C(a, Treatment("it's")) + C(b, Treatment('say "no"')) + C(c, Treatment('back\\slash'))""",
    ],
)
def test_the_spelling_of_a_formula_parses_to_the_same_formula(text: str) -> None:
    assert parse_formula(str(parse_formula(text))) == parse_formula(text)


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("y ~ os.system", 7, "a dot is not allowed"),
        ("y ~ system(x)", 5, "`system` is no function that a formula may call"),
        ("y ~ x + (1|g", 13, "the formula ends too early"),
        ("y ~ x + (1|)", 12, "`)` was not expected here"),
        ("y ~ (0|g)", 5, "the random term is empty"),
        ("y ~ x - (1|g)", 9, "a random term cannot stand here"),
        ("y ~ ((1|g))", 6, "a random term cannot stand here"),
        ("y ~ (1|g) * x", 11, "`*` was not expected here"),
        ("y x", 3, "`x` was not expected here"),
        ("", 1, "the formula ends too early"),
        ("y ~", 4, "the formula ends too early"),
        ("y ~ x + 2", 9, "`2` was not expected here"),
        ("y ~ (x + 1):z", 10, "`1` was not expected here"),
        ("y ~ x^0", 7, "`0` was not expected here"),
        ("y ~ x %in% g", 7, "`%` has no meaning in a formula"),
        ("y ~ `x", 5, "the quotation is never closed"),
        ("y ~ I(C(x) + 1)", 7, "`C` was not expected here"),
        ("y ~ C(x, Sam)", 10, "`Sam` was not expected here"),
        ("y ~ C(x, contr.SAS)", 15, "a dot is not allowed"),
        ("y ~ C(x, Sum(3))", 13, "`(` was not expected here"),
        ("y ~ contr.sum", 5, "`contr.sum` was not expected here"),
        ("y ~ x - offset(z)", 9, "an offset cannot stand here"),
        ("y ~ x:offset(z)", 7, "an offset cannot stand here"),
        ("y ~ (x + offset(z))", 10, "an offset cannot stand here"),
        ("y ~ (x + offset(z)|g)", 10, "an offset cannot stand here"),
        ("y ~ offset(z):x", 14, "`:` was not expected here"),
        ("y ~ offset()", 12, "`)` was not expected here"),
        ("offset(y) ~ x", 1, "an offset cannot stand here"),
        ("y ~ poly(x, 1.5)", 13, "`1.5` was not expected here"),
        ("y ~ I(1.2.3)", 7, "`1.2.3` is no number"),
        ("y ~ x; import os", 6, "`;` has no meaning in a formula"),
    ],
)
def test_a_refusal_says_where_and_what(text: str, column: int, what: str) -> None:
    error = refusal(text)
    assert error.what == what or error.what.startswith(what)
    assert error.where.endswith(f"column {column}")


def test_a_refusal_shows_the_formula_with_a_caret() -> None:
    sentence, formula, caret = str(refusal("y ~ x + (1|g")).split("\n")
    assert formula == "y ~ x + (1|g"
    assert caret.index("^") == len(formula)
    assert sentence == "formula, column 13: the formula ends too early. Close the random term with `)`."


def test_a_refusal_is_an_error_of_ours() -> None:
    assert isinstance(refusal("~"), ForethoughtError)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("y ~ " + " * ".join(f"a{number}" for number in range(40)), "more than 1,000 terms"),
        ("y ~ (a + b + c + d + e + f + g + h + i + j)^9", "more than 1,000 terms"),
        ("y ~ " + "(" * 5000 + "a" + ")" * 5000, "deeper than 50 levels"),
        ("y ~ " + " + ".join(f"a{number}" for number in range(2000)), "more than 2,000 words and signs"),
    ],
)
def test_a_formula_that_would_grow_without_bound_is_refused(text: str, what: str) -> None:
    """Forty factors multiplied would be 2^40 terms."""
    assert what in refusal(text).what


def test_any_number_of_minus_signs_is_read() -> None:
    assert parse_formula("y ~ I(" + "-" * 1900 + "a)").fixed.terms[0].factors[0].variables == ("a",)
