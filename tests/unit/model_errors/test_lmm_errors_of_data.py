"""What every model refuses of its data and options: where, what, what to do."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import lmer
from forethought.analysis.marginal import gee
from forethought.analysis.ols import ols
from forethought.errors import ModelNotFitted

Fits = Callable[..., Any]
Study = Callable[..., pd.DataFrame]

KINDS = ("lmer", "glmer", "ols", "glm", "gee", "ordinal")
MIXED = ("lmer", "glmer")
GROUPED = (*MIXED, "gee")
OUTCOMES = {"lmer": "score", "ols": "score", "ordinal": "rating"}

each_model = pytest.mark.parametrize("kind", KINDS)


def refusal(attempt: Callable[[], object]) -> ModelNotFitted:
    with pytest.raises(ModelNotFitted) as caught:
        attempt()
    return caught.value


def outcome(kind: str) -> str:
    return OUTCOMES.get(kind, "passed")


@each_model
@pytest.mark.parametrize("data", [{"score": [1.0, 2.0]}, None, np.zeros((3, 2)), "study.csv"])
def test_what_is_no_data_frame_is_refused(fit: Fits, kind: str, data: object) -> None:
    error = refusal(lambda: fit(kind, "x", data))
    assert error.what == f"the data are of the kind {type(data).__name__}, not a data frame of pandas"


def test_what_is_no_data_frame_is_refused_where_rows_are_ordered_by_time() -> None:
    rows = {"passed": [0, 1], "t": [1, 2]}
    options = {"cluster": "person", "covariance": "ar1", "time": "t"}
    assert refusal(lambda: gee("passed ~ 1", rows, **options)).where == "data"


@each_model
def test_a_frame_without_rows_is_refused(fit: Fits, study: Study, kind: str) -> None:
    assert refusal(lambda: fit(kind, "arm + x", study().iloc[:0])).what == "the data have no rows"


@each_model
def test_an_outcome_without_any_value_is_refused(fit: Fits, study: Study, kind: str) -> None:
    name = outcome(kind)
    assert refusal(lambda: fit(kind, "x", study(**{name: np.nan}))).what == f"{name} has no value at all"


@each_model
def test_an_infinite_outcome_is_refused(fit: Fits, study: Study, kind: str) -> None:
    name = outcome(kind)
    what = refusal(lambda: fit(kind, "x", study(**{name: np.inf}))).what
    assert what == f"{name} has values that are infinite or not numbers"


@each_model
def test_one_infinite_value_of_a_covariate_is_refused(fit: Fits, study: Study, kind: str) -> None:
    data = study()
    data.loc[3, "x"] = -np.inf
    assert refusal(lambda: fit(kind, "x", data)).what == "x has values that are infinite or not numbers"


@each_model
def test_values_whose_squares_are_no_numbers_are_refused(fit: Fits, study: Study, kind: str) -> None:
    error = refusal(lambda: fit(kind, "x", study(x=study()["x"] * 1e200)))
    assert (error.what, error.remedy) == (
        "x has values beyond 1e+140, too large to compute with",
        "Give it in a larger unit",
    )


@each_model
def test_a_factor_of_one_level_is_refused(fit: Fits, study: Study, kind: str) -> None:
    error = refusal(lambda: fit(kind, "arm", study(arm="control")))
    assert error.what == "the factor `arm` has one level, control"


@each_model
def test_an_unknown_column_is_refused_with_the_nearest_name(fit: Fits, study: Study, kind: str) -> None:
    error = refusal(lambda: fit(kind, "arn", study()))
    assert (error.what, error.remedy) == ("the data have no column `arn`", "The nearest name is `arm`")


@each_model
def test_a_column_named_by_a_number_is_no_column_of_a_formula(fit: Fits, study: Study, kind: str) -> None:
    error = refusal(lambda: fit(kind, "`7`", study().rename(columns={"x": 7})))
    assert error.remedy == "A column's name looks so but is no text; rename the columns by texts"


def test_columns_named_by_numbers_do_not_matter_where_they_are_not_used(study: Study) -> None:
    assert (
        lmer("score ~ x + (1 | person)", study().rename(columns={"rating": 7, "passed": None})).n_obs == 120
    )


@each_model
@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2026-01-01", periods=120),
        pd.date_range("2026-01-01", periods=120, tz="UTC"),
        pd.to_timedelta(np.arange(120), unit="D"),
        pd.period_range("2026-01-01", periods=120),
        pd.Series(pd.date_range("2026-01-01", periods=120).date, dtype=object),
    ],
    ids=["times", "times of a zone", "durations", "periods", "dates as objects"],
)
def test_times_are_no_predictors(fit: Fits, study: Study, kind: str, times: Any) -> None:
    assert refusal(lambda: fit(kind, "t", study(t=times))).what == "`t` holds times, which are no factor"


def test_times_may_group_rows(study: Study) -> None:
    day = pd.Timestamp("2026-01-01") + pd.to_timedelta(study()["person"], unit="D")
    assert lmer("score ~ x + (1 | person)", study(person=day)).n_groups == {"person": 20}


@each_model
def test_complex_numbers_are_refused(fit: Fits, study: Study, kind: str) -> None:
    error = refusal(lambda: fit(kind, "x", study(x=study()["x"] + 1j)))
    assert error.what == "`x` holds complex numbers"


@pytest.mark.parametrize(
    ("kind", "column"), [*((kind, "x") for kind in KINDS), *((kind, "person") for kind in GROUPED)]
)
def test_lists_in_a_column_are_refused(fit: Fits, study: Study, kind: str, column: str) -> None:
    lists = pd.Series([[1], [2]] * 60, dtype=object)
    what = refusal(lambda: fit(kind, "x", study(**{column: lists}))).what
    assert what == f"`{column}` holds values of the kind list, which are no levels"


@each_model
def test_missing_values_are_refused_and_counted_by_column(fit: Fits, study: Study, kind: str) -> None:
    data = study()
    data.loc[[0, 4, 7], "x"] = np.nan
    data.loc[9, "arm"] = None
    assert refusal(lambda: fit(kind, "arm + x", data)).what == "values are missing: arm (1), x (3)"


@each_model
def test_rows_with_missing_values_are_dropped_when_asked_and_counted(
    fit: Fits, study: Study, kind: str
) -> None:
    data = study()
    data.loc[[0, 4, 7], "x"] = np.nan
    data.loc[[7, 9], "arm"] = None
    model = fit(kind, "arm + x", data, missing="drop")
    assert (model.n_obs, model.n_dropped) == (116, 4)
    assert "4 rows with missing values were dropped" in model.warnings


@pytest.mark.parametrize("kind", GROUPED)
def test_a_missing_group_alone_makes_a_row_missing(fit: Fits, study: Study, kind: str) -> None:
    data = study(person=study()["person"].where(study().index > 2))
    assert refusal(lambda: fit(kind, "x", data)).what == "values are missing: person (3)"
    assert fit(kind, "x", data, missing="drop").n_dropped == 3


@each_model
def test_another_word_for_what_to_do_with_missing_values_is_refused(
    fit: Fits, study: Study, kind: str
) -> None:
    """`omit` would have dropped rows without having been asked to."""
    error = refusal(lambda: fit(kind, "x", study(), missing="omit"))
    assert (error.where, error.what) == ("missing", "missing='omit' is not offered")


@pytest.mark.parametrize("role", ["weights", "offset"])
@pytest.mark.parametrize("given", [np.ones(120), pd.Series(1.0, range(120)), 3])
def test_weights_and_offsets_are_given_by_the_name_of_a_column(
    fit: Fits, study: Study, role: str, given: object
) -> None:
    error = refusal(lambda: fit("lmer", "x", study(), **{role: given}))
    assert error.what == f"{role} is the name of a column, not of the kind {type(given).__name__}"


@pytest.mark.parametrize("given", ["Sum", {"arm": 3}, [("arm", "Sum")]])
def test_contrasts_are_given_as_texts_by_name(fit: Fits, study: Study, given: object) -> None:
    error = refusal(lambda: fit("lmer", "arm", study(), contrasts=given))
    assert error.remedy == 'Write a dictionary of texts, as {"arm": "Sum"}'


def test_a_cluster_is_given_by_the_name_of_a_column(study: Study) -> None:
    assert refusal(lambda: ols("score ~ x", study(), cluster=3)).what == "3 is no name of a column"


@pytest.mark.parametrize("ddf", ["kr", "residual"])
def test_degrees_of_freedom_of_another_name_are_refused(study: Study, ddf: Any) -> None:
    error = refusal(lambda: lmer("score ~ x + (1 | person)", study(), ddf=ddf).coefficients)
    assert (error.where, error.what) == ("ddf", f"a mixed model has no {ddf} degrees of freedom")
