"""What a mixed model does with its data: factors, missing values, dependent columns, and refusals."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.designs import ModelData, fixed_design, model_data
from forethought.analysis.lmm import lmer
from forethought.analysis.lmm.covariance import random_design
from forethought.errors import ModelNotFitted
from forethought.grammar import parse_formula

FORMULA = "score ~ arm + (1 | person)"


def study(**columns: object) -> pd.DataFrame:
    """Ten people, three scores each, in one of two arms."""
    chance = np.random.default_rng(1)
    person = np.repeat(np.arange(10), 3)
    score = 5 + chance.normal(size=10)[person] + chance.normal(size=30)
    arm = np.where(person % 2 == 0, "control", "warm")
    return pd.DataFrame(
        {"score": score, "arm": arm, "person": person, "t": np.tile([0.0, 1.0, 2.0], 10)}
    ).assign(**columns)


def prepared(formula: str, data: pd.DataFrame, **options: Any) -> ModelData:
    return model_data(parse_formula(formula), data, **options)


def refusal(formula: str, data: pd.DataFrame, **options: Any) -> str:
    with pytest.raises(ModelNotFitted) as caught:
        lmer(formula, data, **options)
    return caught.value.what


def test_texts_are_coded_against_their_first_level_in_alphabetic_order() -> None:
    assert lmer(FORMULA, study()).terms == ("Intercept", "arm[T.warm]")


def test_categories_are_coded_in_their_own_order() -> None:
    data = study(arm=pd.Categorical(study()["arm"], ["warm", "control"]))
    assert lmer(FORMULA, data).terms == ("Intercept", "arm[T.control]")


def test_a_reference_level_can_be_named_in_the_formula() -> None:
    fit = lmer('score ~ C(arm, Treatment("warm")) + (1 | person)', study())
    assert fit.terms == ("Intercept", "C(arm, Treatment('warm'))[T.control]")


def test_a_reference_level_that_does_not_occur_is_refused() -> None:
    assert refusal('score ~ C(arm, Treatment("hot")) + (1 | person)', study()) == (
        "the reference level 'hot' of `arm` does not occur"
    )


def test_numbers_can_be_categories_with_a_reference() -> None:
    fit = lmer("score ~ C(t, Treatment(1)) + (1 | person)", study())
    assert fit.terms == ("Intercept", "C(t, Treatment(1))[T.0]", "C(t, Treatment(1))[T.2]")


def test_the_reference_level_does_not_change_the_model() -> None:
    other = lmer('score ~ C(arm, Treatment("warm")) + (1 | person)', study())
    assert other.criterion == pytest.approx(lmer(FORMULA, study()).criterion, rel=1e-12)


def test_categories_that_do_not_occur_are_left_out() -> None:
    data = study(arm=pd.Categorical(study()["arm"], ["control", "cold", "warm"]))
    assert lmer(FORMULA, data).terms == ("Intercept", "arm[T.warm]")


def test_truth_values_are_factors() -> None:
    data = study(warm=study()["arm"] == "warm")
    assert lmer("score ~ warm + (1 | person)", data).terms == ("Intercept", "warm[T.True]")


def test_a_variable_of_the_caller_cannot_replace_a_function_of_a_formula() -> None:
    C = log = None  # noqa: F841
    assert lmer("score ~ C(arm) + log(t + 1) + (1 | person)", study()).converged


def test_missing_values_are_refused_unless_they_may_be_dropped() -> None:
    data = study()
    data.loc[[0, 4], "score"] = np.nan
    assert refusal(FORMULA, data) == "values are missing: score (2)"


def test_dropped_rows_are_counted_and_told() -> None:
    data = study()
    data.loc[[0, 4], "score"] = np.nan
    data.loc[7, "arm"] = None
    fit = lmer(FORMULA, data, missing="drop")
    assert (fit.n_obs, fit.n_dropped) == (27, 3)
    assert fit.warnings == ("3 rows with missing values were dropped",)


def test_missing_values_in_other_columns_do_not_matter() -> None:
    assert lmer(FORMULA, study(note=np.nan)).n_obs == 30


def test_rows_with_a_missing_weight_or_offset_are_missing() -> None:
    data = study(w=1.0, known=0.5)
    data.loc[3, "w"] = np.nan
    data.loc[[4, 5], "known"] = np.nan
    found = prepared(FORMULA, data, weights="w", offset="known", missing="drop")
    assert (found.n_dropped, found.weights.shape, found.offset.shape) == (3, (27,), (27,))
    assert refusal(FORMULA, data, weights="w", offset="known") == "values are missing: w (1), known (2)"


def test_the_offsets_of_the_formula_and_the_argument_add_up() -> None:
    data = study(known=np.arange(30.0))
    found = prepared("score ~ arm + offset(2 * t) + offset(known) + (1 | person)", data, offset="t")
    np.testing.assert_allclose(found.offset, 3 * data["t"] + data["known"])


def test_without_weights_and_offsets_there_are_none() -> None:
    found = prepared(FORMULA, study())
    assert (found.weights, found.offset) == (None, None)


@pytest.mark.parametrize(
    ("options", "change", "what"),
    [
        ({"weights": "w"}, {"w": 0.0}, "30 of the weights `w` are zero or below"),
        ({"weights": "w"}, {"w": np.inf}, "w has values that are infinite or not numbers"),
        ({"weights": "w"}, {"w": "heavy"}, "the weight `w` is not numeric"),
        ({"weights": "v"}, {}, "the data have no column `v`"),
        ({"offset": "w"}, {"w": -np.inf}, "w has values that are infinite or not numbers"),
        ({"offset": "arm"}, {}, "the offset `arm` is not numeric"),
    ],
)
def test_weights_and_offsets_that_are_none_are_refused(
    options: dict[str, str], change: dict[str, object], what: str
) -> None:
    assert refusal(FORMULA, study(**change), **options) == what


def test_an_offset_of_the_formula_must_be_a_number() -> None:
    assert refusal("score ~ offset(arm) + (1 | person)", study()) == "the offset `arm` is not numeric"


def test_an_infinite_offset_of_the_formula_is_refused() -> None:
    assert refusal("score ~ offset(log(t)) + (1 | person)", study()) == (
        "log(t) has values that are infinite or not numbers"
    )


def test_two_columns_of_one_name_are_refused() -> None:
    data = pd.concat([study(), study()[["arm"]]], axis=1)
    assert refusal(FORMULA, data) == "the data have 2 columns `arm`"


def test_numbers_that_come_as_objects_are_numbers() -> None:
    data = study(t=pd.Series([0, 1, None] * 10, dtype=object))
    found = prepared("score ~ t + (1 | person)", data, missing="drop")
    assert (found.frame["t"].dtype, found.n_dropped) == (float, 10)


def test_nullable_numbers_are_numbers() -> None:
    data = study(t=pd.Series([0, 1, pd.NA] * 10, dtype="Int64"))
    assert prepared("score ~ t + (1 | person)", data, missing="drop").frame["t"].dtype == float


def test_levels_are_sorted_by_their_signs_whatever_their_length() -> None:
    names = [*(f"p{number}" for number in range(9)), "p" * 500_000]
    found = prepared(FORMULA, study(person=np.repeat(names, 3)))
    assert found.frame["person"].cat.categories.tolist() == sorted(names)


def test_texts_and_numbers_mixed_stay_in_order_of_appearance() -> None:
    data = study(person=np.repeat(np.array(["b", 2, "a", 1, "c", 3, 4, 5, 6, 7], dtype=object), 3))
    assert prepared(FORMULA, data).frame["person"].cat.categories.tolist()[:4] == ["b", 2, "a", 1]


def test_groups_of_two_columns_are_the_combinations_that_occur() -> None:
    data = study(site=np.where(np.arange(30) < 12, "north", "south"))
    (block,) = random_design(prepared("score ~ 1 + (1 | site:arm)", data)).blocks
    assert block.levels.tolist() == [
        ("north", "control"),
        ("north", "warm"),
        ("south", "control"),
        ("south", "warm"),
    ]
    assert [block.levels[code] for code in block.codes[[0, 3, 29]]] == [
        ("north", "control"),
        ("north", "warm"),
        ("south", "warm"),
    ]


def test_slopes_of_a_category_have_a_column_for_each_level_but_the_first() -> None:
    data = study(when=np.tile(["a", "b", "c"], 10))
    big = pd.concat([data, data], ignore_index=True)
    (block,) = random_design(prepared("score ~ 1 + (when | person)", big)).blocks
    assert block.effects == ("Intercept", "when[T.b]", "when[T.c]")


def test_without_an_intercept_every_level_has_a_slope() -> None:
    data = study(when=np.tile(["a", "b", "c"], 10))
    big = pd.concat([data, data], ignore_index=True)
    (block,) = random_design(prepared("score ~ 1 + (0 + when | person)", big)).blocks
    assert block.effects == ("when[a]", "when[b]", "when[c]")


def test_contrasts_do_not_code_random_effects() -> None:
    data = study(when=np.tile(["a", "b", "c"], 10))
    big = pd.concat([data, data], ignore_index=True)
    found = prepared("score ~ when + (when | person)", big, contrasts={"when": "Sum"})
    assert fixed_design(found).terms == ("Intercept", "when[S.a]", "when[S.b]")
    assert random_design(found).blocks[0].effects == ("Intercept", "when[T.b]", "when[T.c]")


def test_the_data_are_not_changed() -> None:
    data = study()
    before = data.copy(deep=True)
    lmer(FORMULA, data)
    pd.testing.assert_frame_equal(data, before)


def test_dependent_columns_are_dropped_and_named() -> None:
    fit = lmer("score ~ t + twice + arm + (1 | person)", study(twice=2 * study()["t"] + 1))
    assert fit.terms == ("Intercept", "t", "arm[T.warm]")
    assert fit.warnings == ("the fixed effects are rank deficient; dropped: twice",)


def test_a_dropped_column_does_not_change_the_model() -> None:
    fit = lmer("score ~ t + twice + arm + (1 | person)", study(twice=2 * study()["t"] + 1))
    assert fit.criterion == pytest.approx(
        lmer("score ~ t + arm + (1 | person)", study()).criterion, rel=1e-12
    )


def test_an_empty_cell_of_an_interaction_is_dropped_and_named() -> None:
    data = study(round=np.where((np.arange(30) % 3 == 0) & (study()["arm"] == "warm"), "first", "later"))
    fit = lmer("score ~ arm * round + (1 | person)", data)
    assert fit.warnings == ("the fixed effects are rank deficient; dropped: arm[T.warm]:round[T.later]",)


def test_uncorrelated_levels_of_a_factor_are_warned_about() -> None:
    data = study(late=np.where(study()["t"] > 0, "yes", "no"))
    assert "as in lme4, the levels of late in (1 + late || person) stay correlated" in (
        lmer("score ~ 1 + (late || person)", pd.concat([data, data, data])).warnings
    )


def test_a_singular_fit_says_so() -> None:
    data = study(score=np.tile([1.0, 2.0, 4.0], 10) + np.random.default_rng(3).normal(size=30) / 100)
    data["score"] -= data.groupby("person")["score"].transform("mean")
    fit = lmer(FORMULA, data)
    assert fit.singular
    assert fit.warnings == (
        "singular fit: a variance is estimated as zero or a correlation as one in person",
    )


@pytest.mark.parametrize(
    ("formula", "change", "what"),
    [
        ("score ~ arm", {}, "the formula has no random term"),
        ("score ~ amr + (1 | person)", {}, "the data have no column `amr`"),
        ("score ~ arm + (1 | persons)", {}, "the data have no column `persons`"),
        (FORMULA, {"arm": "control"}, "the factor `arm` has one level, control"),
        (FORMULA, {"score": np.nan}, "score has no value at all"),
        (FORMULA, {"score": np.inf}, "score has values that are infinite or not numbers"),
        ("log(t) ~ arm + (1 | person)", {}, "log(t) has values that are infinite or not numbers"),
        (FORMULA, {"score": "high"}, "the outcome `score` is not numeric"),
        (FORMULA, {"arm": pd.Timestamp("2026-01-01")}, "`arm` holds times, which are no factor"),
        (FORMULA, {"score": 3.0}, "the fixed effects reproduce the outcome without any residual"),
        (FORMULA, {"person": 1}, "the grouping factor `person` has one level"),
        (
            FORMULA,
            {"person": range(30)},
            "30 rows cannot tell 30 random effects of `person` from the residual",
        ),
        (
            "score ~ 1 + (t | arm)",
            {},
            "2 levels of `arm` are fewer than the 3 parameters of their covariance",
        ),
    ],
)
def test_data_that_cannot_carry_the_model_are_refused(
    formula: str, change: dict[str, object], what: str
) -> None:
    options = {"missing": "drop"}
    assert refusal(formula, study(**change), **options) == what


def test_the_nearest_column_is_suggested() -> None:
    with pytest.raises(ModelNotFitted, match="The nearest name is `arm`"):
        lmer("score ~ amr + (1 | person)", study())


def test_as_many_coefficients_as_rows_are_refused() -> None:
    data = study().iloc[:4].assign(person=["a", "a", "b", "b"])
    assert refusal("score ~ poly(t, 2) * arm + (1 | person)", data.assign(arm=["u", "v", "u", "v"])) == (
        "4 coefficients cannot be estimated from 4 rows"
    )
