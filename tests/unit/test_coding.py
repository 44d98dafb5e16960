"""How a fitted design makes columns of new rows: levels, contrasts and transformations as fitted."""

import pickle

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.coding import distinct
from forethought.analysis.designs import Coding, fixed_design, independent_columns, model_data
from forethought.errors import ModelNotFitted
from forethought.grammar import parse_formula

TRIAL = pd.DataFrame(
    {
        "y": np.arange(12.0) ** 1.1,
        "arm": list("abcabcabcacb"),
        "sex": list("uvuvvuvuvuvu"),
        "week": [1, 1, 2, 2, 3, 3, 1, 2, 3, 1, 2, 3],
        "x": [3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8],
        "odd": [True, False] * 6,
    }
)


def coding(effects: str, data: pd.DataFrame = TRIAL, **options: object) -> Coding:
    return fixed_design(model_data(parse_formula(f"y ~ {effects}"), data, **options)).coding


def refusal(effects: str, rows: pd.DataFrame) -> str:
    with pytest.raises(ModelNotFitted) as caught:
        coding(effects).columns(rows)
    return str(caught.value)


EFFECTS = (
    "arm * sex * x",
    "poly(x, 2) * arm + scale(x):sex",
    "center(x) + log(x) + odd",
    "C(arm, Sum) * C(sex, Helmert)",
    "C(week, Poly) + arm:x",
    "0 + arm:sex",
    "1",
)


@pytest.mark.parametrize("effects", EFFECTS)
def test_the_fitted_rows_have_the_fitted_columns(effects: str) -> None:
    design = fixed_design(model_data(parse_formula(f"y ~ {effects}"), TRIAL))
    found = design.coding.columns(TRIAL)[:, list(design.coding.kept)]
    np.testing.assert_allclose(found, design.X, atol=1e-12)


@pytest.mark.parametrize("effects", EFFECTS)
def test_two_rows_alone_have_the_columns_that_they_have_among_all(effects: str) -> None:
    made = coding(effects)
    np.testing.assert_allclose(made.columns(TRIAL.iloc[[4, 2]]), made.columns(TRIAL)[[4, 2]], atol=1e-12)


@pytest.mark.parametrize("effects", EFFECTS)
def test_no_rows_have_no_columns_filled(effects: str) -> None:
    made = coding(effects)
    assert made.columns(TRIAL.iloc[:0]).shape == (0, len(made.names))


@pytest.mark.parametrize("effects", EFFECTS)
def test_a_coding_survives_a_pickle(effects: str) -> None:
    made = coding(effects)
    again = pickle.loads(pickle.dumps(made))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.columns(TRIAL), made.columns(TRIAL))


def test_the_levels_are_those_of_factors_also_by_C() -> None:
    made = coding("arm + C(week) + x + odd")
    assert dict(made.levels) == {"arm": ("a", "b", "c"), "week": (1, 2, 3), "odd": (False, True)}


def test_the_means_are_those_of_numbers() -> None:
    assert dict(coding("arm + log(x) + week").means) == {"x": TRIAL["x"].mean(), "week": 2.0}


def test_each_column_knows_its_term() -> None:
    made = coding("arm + x + x:arm")
    assert made.names == (
        "Intercept",
        "arm[T.b]",
        "arm[T.c]",
        "x",
        "x:arm[T.b]",
        "x:arm[T.c]",
    )
    assert made.term_of == (-1, 0, 0, 1, 2, 2)


def test_dependent_columns_keep_their_places() -> None:
    made = coding("x + I(2 * x) + arm")
    assert made.kept == (0, 1, 3, 4)
    assert made.term_of == (-1, 0, 1, 2, 2)


def test_new_rows_may_hold_their_levels_in_another_order() -> None:
    rows = pd.DataFrame({"arm": pd.Categorical(["c", "a"], ["c", "b", "a"])})
    assert coding("arm").columns(rows).tolist() == [[1, 0, 1], [1, 0, 0]]


def test_an_unknown_level_is_refused_by_name_and_column() -> None:
    assert refusal("arm", TRIAL.assign(arm="q")) == (
        "new data: `arm` has the level q, which the fitted data do not have. Its levels are a, b, c."
    )


def test_a_number_that_is_no_level_is_refused() -> None:
    assert "`week` has the level 17" in refusal("C(week)", TRIAL.assign(week=17))


def test_a_missing_value_of_new_rows_is_refused() -> None:
    assert refusal("arm + x", TRIAL.assign(x=np.nan)).startswith("new data: values are missing: x (12)")


def test_a_text_where_a_number_was_fitted_is_refused() -> None:
    assert "`x` is not numeric" in refusal("x", TRIAL.assign(x="tall"))


def test_a_column_that_new_rows_lack_is_refused() -> None:
    assert "the new data have no column `x`" in refusal("arm + x", TRIAL[["arm"]])


def test_contrasts_code_a_variable_wherever_it_stands_in_the_fixed_effects() -> None:
    made = coding("arm * x", contrasts={"arm": "Sum"})
    assert made.names == (
        "Intercept", "arm[S.a]", "arm[S.b]", "x", "arm[S.a]:x", "arm[S.b]:x",
    )  # fmt: skip


def test_contrasts_may_name_a_reference_level() -> None:
    assert coding("arm", contrasts={"arm": 'Treatment("b")'}).names == ("Intercept", "arm[T.a]", "arm[T.c]")


def test_a_coding_in_the_formula_stands_against_the_contrasts() -> None:
    made = coding("arm + C(sex, Helmert)", contrasts={"arm": "contr.sum"})
    assert made.names[-1] == "C(sex, Helmert)[H.v]"


@pytest.mark.parametrize(
    ("contrasts", "what"),
    [
        ({"sex": "Sum"}, "`sex` of the contrasts is no factor of the fixed effects"),
        ({"week": "Sum"}, "`week` of the contrasts is numeric"),
    ],
)
def test_contrasts_that_code_nothing_are_refused(contrasts: dict[str, str], what: str) -> None:
    with pytest.raises(ModelNotFitted) as caught:
        coding("arm + week", contrasts=contrasts)
    assert caught.value.what == what


def test_cells_are_the_combinations_that_occur() -> None:
    one, other = np.array([2, 0, 2, 1]), np.array([0, 1, 0, 1])
    cells, cell = distinct({"one": (one, 3), "other": (other, 2)})
    assert (cells["one"].tolist(), cells["other"].tolist()) == ([0, 1, 2], [1, 1, 0])
    assert cell.tolist() == [2, 0, 2, 1]


def test_more_possible_cells_than_numbers_can_count_are_no_trouble() -> None:
    codes = {str(factor): (np.arange(5)[::-1].copy(), 10**6) for factor in range(12)}
    cells, cell = distinct(codes)
    assert cell.tolist() == [4, 3, 2, 1, 0]
    assert cells["7"].tolist() == [0, 1, 2, 3, 4]


def test_a_column_is_dependent_only_on_those_before_it() -> None:
    chance = np.random.default_rng(5)
    a, b = chance.normal(size=(2, 9000))
    assert independent_columns(np.column_stack([a, b, a + b, 0 * a, 1e-9 * a, a * b])) == [0, 1, 5]


def test_a_nearly_dependent_column_is_kept_above_the_tolerance() -> None:
    chance = np.random.default_rng(6)
    a, b = chance.normal(size=(2, 9000))
    assert independent_columns(np.column_stack([a, a + 1e-6 * b])) == [0, 1]
    assert independent_columns(np.column_stack([a, a + 1e-8 * b])) == [0]
