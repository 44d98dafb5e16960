"""What every model refuses of its formula, with the place marked where it does not parse."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.glmm import glmer
from forethought.analysis.lmm import lmer
from forethought.analysis.marginal import gee, glm, ordinal
from forethought.analysis.ols import ols
from forethought.errors import InvalidFormula, ModelNotFitted

Fits = Callable[..., Any]
Study = Callable[..., pd.DataFrame]

KINDS = ("lmer", "glmer", "ols", "glm", "gee", "ordinal")
MIXED = ("lmer", "glmer")

each_model = pytest.mark.parametrize("kind", KINDS)
each_mixed = pytest.mark.parametrize("kind", MIXED)


def refusal(attempt: Callable[[], object]) -> ModelNotFitted:
    with pytest.raises(ModelNotFitted) as caught:
        attempt()
    return caught.value


@each_model
def test_a_formula_without_any_fixed_effect_is_refused(fit: Fits, study: Study, kind: str) -> None:
    error = refusal(lambda: fit(kind, "0", study()))
    assert (error.what, error.remedy) == (
        "the formula has no fixed effect",
        "Write 1 for an intercept, or name a predictor",
    )


@each_mixed
@pytest.mark.parametrize("second", ["(1 | person)", "(x | person)"])
def test_a_random_effect_that_stands_twice_is_refused(
    fit: Fits, study: Study, kind: str, second: str
) -> None:
    """lme4 divides its variance between the two as chance has it, and warns of a degenerate Hessian."""
    error = refusal(lambda: fit(kind, f"x + {second}", study()))
    assert error.what == "the random effect Intercept of `person` stands in 2 terms"


@each_mixed
def test_an_intercept_and_a_slope_of_one_group_may_stand_apart(fit: Fits, study: Study, kind: str) -> None:
    assert fit(kind, "x + (0 + x | person)", study()).n_groups == {"person": 20}


@pytest.mark.parametrize("kind", ["ols", "glm", "gee", "ordinal"])
def test_random_terms_are_refused_where_no_model_has_them(fit: Fits, study: Study, kind: str) -> None:
    assert "(1 | person)" in refusal(lambda: fit(kind, "x + (1 | person)", study())).what


@pytest.mark.parametrize("fit", [lmer, lambda formula, data: glmer(formula, data, family="binomial")])
def test_a_mixed_model_needs_a_random_term(study: Study, fit: Callable[..., Any]) -> None:
    error = refusal(lambda: fit("passed ~ x", study()))
    assert error.what == "the formula has no random term"
    assert "(1 | group)" in error.remedy


@each_mixed
@pytest.mark.parametrize(
    ("right", "change", "what"),
    [
        ("1 + (1 | one)", {"one": "a"}, "the grouping factor `one` has one level"),
        ("1 + (x | few)", {"few": np.arange(120) % 2}, "2 levels of `few` are fewer than the 3 parameters"),
    ],
)  # fmt: skip
def test_random_terms_that_the_rows_cannot_carry_are_refused(
    fit: Fits, study: Study, kind: str, right: str, change: dict[str, object], what: str
) -> None:
    assert refusal(lambda: fit(kind, right, study(**change))).what.startswith(what)


@pytest.mark.parametrize("right", ["1 + (1 | x)", "1 + (0 + C(week) | person)"])
def test_as_many_random_effects_as_rows_are_refused_beside_a_residual(
    fit: Fits, study: Study, right: str
) -> None:
    data = study(week=np.tile(range(6), 20))
    what = refusal(lambda: fit("lmer", right, data)).what
    assert what.startswith("120 rows cannot tell 120 random effects of")
    assert what.endswith("from the residual")


def test_without_a_residual_each_row_may_have_an_effect_but_not_two(fit: Fits, study: Study) -> None:
    data = study(row=range(120))
    assert fit("glmer", "1 + (1 | row)", data).n_groups == {"row": 120, "person": 20}
    what = refusal(lambda: fit("glmer", "1 + (arm | row)", data)).what
    assert what == "120 rows cannot tell 360 random effects of `row` from each other"


@each_mixed
def test_a_slope_of_an_unknown_column_is_refused(fit: Fits, study: Study, kind: str) -> None:
    assert refusal(lambda: fit(kind, "1 + (z | person)", study())).what == "the data have no column `z`"


def test_groups_may_be_fractions(study: Study) -> None:
    model = lmer("score ~ x + (1 | person)", study(person=study()["person"] + 0.5))
    assert model.conditional_modes["person"].index[:2].tolist() == [0.5, 1.5]


@each_model
@pytest.mark.parametrize(
    ("right", "change", "name"),
    [
        ("Intercept", {"Intercept": np.arange(120.0)}, "Intercept"),
        ("arm + `arm[T.good]`", {"arm[T.good]": np.arange(120.0)}, "arm[T.good]"),
        ("mixed", {"mixed": pd.Series([2, 1, "1"] * 40, dtype=object)}, "mixed[T.1]"),
    ],
)
def test_coefficients_that_share_a_name_are_refused(
    fit: Fits, study: Study, kind: str, right: str, change: dict[str, Any], name: str
) -> None:
    """A contrast that names one would weigh both."""
    error = refusal(lambda: fit(kind, right, study(**change)))
    assert error.what == f"several coefficients would be called {name}"


@each_model
@pytest.mark.parametrize("formula", [None, 3, b"score ~ x", ["score ~ x"]])
def test_a_formula_that_is_no_text_is_refused(study: Study, kind: str, formula: Any) -> None:
    whole = {
        "lmer": lambda: lmer(formula, study()),
        "glmer": lambda: glmer(formula, study(), family="binomial"),
        "ols": lambda: ols(formula, study()),
        "glm": lambda: glm(formula, study(), family="binomial"),
        "gee": lambda: gee(formula, study(), cluster="person"),
        "ordinal": lambda: ordinal(formula, study()),
    }
    with pytest.raises(InvalidFormula, match="a formula is a text, not of the kind"):
        whole[kind]()


@each_model
def test_a_formula_that_does_not_parse_is_shown_with_a_caret(fit: Fits, study: Study, kind: str) -> None:
    with pytest.raises(InvalidFormula) as caught:
        fit(kind, "x @ arm", study())
    _, formula, caret = str(caught.value).split("\n")
    assert formula[caret.index("^")] == "@"


def test_of_a_formula_of_several_lines_the_one_at_fault_is_shown(study: Study) -> None:
    with pytest.raises(InvalidFormula) as caught:
        ols("score ~ x +\n  arm @ x +\n  rating", study())
    sentence, line, caret = str(caught.value).split("\n")
    assert (line, caret.index("^")) == ("  arm @ x +", line.index("@"))
    assert sentence.startswith("formula, column 19: `@` has no meaning")


@pytest.mark.parametrize("before", [0, 30, 500])
def test_of_a_long_formula_what_lies_around_the_fault_is_shown(study: Study, before: int) -> None:
    with pytest.raises(InvalidFormula) as caught:
        ols(f"score ~ {'x + ' * before} @ {' + x' * 500}", study())
    _, line, caret = str(caught.value).split("\n")
    assert line[caret.index("^")] == "@"
    assert len(line) < 220
