"""What models take, though it looks odd: names of any kind, columns of any kind that has numbers or levels."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.anova import anova
from forethought.analysis.lmm import lmer
from forethought.analysis.ols import ols
from forethought.errors import ModelNotFitted

Fits = Callable[..., Any]
Study = Callable[..., pd.DataFrame]

KINDS = ("lmer", "glmer", "ols", "glm", "gee", "ordinal")

each_model = pytest.mark.parametrize("kind", KINDS)


def refusal(attempt: Callable[[], object]) -> ModelNotFitted:
    with pytest.raises(ModelNotFitted) as caught:
        attempt()
    return caught.value


def test_a_hundred_and_fifty_terms_are_fitted() -> None:
    chance = np.random.default_rng(2)
    names = [f"v{number}" for number in range(150)]
    data = pd.DataFrame(chance.normal(size=(400, 150)), columns=names)
    data = data.assign(y=chance.normal(size=400), g=np.arange(400) % 20)
    assert len(lmer(f"y ~ {' + '.join(names)} + (1 | g)", data).terms) == 151


@each_model
@pytest.mark.parametrize(
    "name", ["C", "I", "log", "poly", "scale", "offset", "np", "_", "None", "lambda", "y ~ x"]
)
def test_a_column_may_be_called_as_anything(fit: Fits, study: Study, kind: str, name: str) -> None:
    spelled = name if name.isidentifier() and name not in ("None", "lambda") else f"`{name}`"
    assert fit(kind, f"{spelled} + arm", study(**{name: study()["x"]})).terms[-3:-2] == (name,)  # fmt: skip


@pytest.mark.parametrize("name", ["Größe", "年齢", "gro\u0308ße", "ﬁt", "😀", "days since start", "a{b}"])
def test_names_of_any_script_are_names(study: Study, name: str) -> None:
    """The third is decomposed, as files from a Mac have it; of the fourth Python makes another identifier."""
    spelled = name if name.isidentifier() else f"`{name}`"
    data = study(**{name: study()["x"], f"of {name}": study()["person"]})
    model = lmer(f"score ~ {spelled} + (1 | `of {name}`)", data)
    assert (model.terms, dict(model.n_groups)) == (("Intercept", name), {f"of {name}": 20})


@pytest.mark.parametrize("name", ["gro\u0308ße", "ﬁt"])
def test_functions_of_names_that_python_reads_otherwise_are_computed(study: Study, name: str) -> None:
    found = ols(f"score ~ exp({name})", study(**{name: study()["x"]}))
    np.testing.assert_allclose(found.beta, ols("score ~ exp(x)", study()).beta)


@each_model
@pytest.mark.parametrize(
    "cast",
    [
        {"x": "Float64", "person": "Int64", "arm": "string"},
        {"x": "float32", "person": "uint8", "arm": "object"},
        {"x": "object", "person": "object", "arm": "category"},
    ],
    ids=["nullable", "narrow", "objects"],
)
def test_the_kind_of_a_column_changes_no_fit(
    fit: Fits, study: Study, kind: str, cast: dict[str, str]
) -> None:
    data = study(x=study()["x"].astype("float32").astype(float))
    found, expected = fit(kind, "x + arm", data.astype(cast)), fit(kind, "x + arm", data)
    pd.testing.assert_frame_equal(found.coefficients, expected.coefficients)


def test_decimals_are_numbers(study: Study) -> None:
    decimals = pd.Series([Decimal(f"{value:.3f}") for value in study()["x"]], dtype=object)
    data = study(x=decimals.where(decimals.index != 5))
    assert lmer("score ~ x + (1 | person)", data, missing="drop").terms == ("Intercept", "x")


def test_numbers_as_objects_may_have_missing_values_of_any_kind(study: Study) -> None:
    x = study()["x"].astype(object)
    x[0], x[1], x[2] = None, pd.NA, np.nan
    assert ols("score ~ x", study(x=x), missing="drop").n_dropped == 3


@pytest.mark.parametrize("kind", ["glm", "glmer", "gee"])
@pytest.mark.parametrize("dtype", [bool, "boolean", "Int64"])
def test_a_binary_outcome_may_be_truth_values(fit: Fits, study: Study, kind: str, dtype: Any) -> None:
    found = fit(kind, "x", study(passed=study()["passed"].astype(dtype)))
    pd.testing.assert_frame_equal(found.coefficients, fit(kind, "x", study()).coefficients)


@pytest.mark.parametrize("kind", ["lmer", "ols"])
@pytest.mark.parametrize("score", ["high", True, pd.Categorical(["1", "2"] * 60)], ids=["texts", "truth values", "categories"])  # fmt: skip
def test_an_outcome_that_is_no_number_is_refused(fit: Fits, study: Study, kind: str, score: Any) -> None:
    assert refusal(lambda: fit(kind, "x", study(score=score))).what == "the outcome `score` is not numeric"


@each_model
def test_levels_that_do_not_occur_have_no_column(fit: Fits, study: Study, kind: str) -> None:
    data = study(arm=pd.Categorical(study()["arm"], ["good", "worst", "better", "control"]))
    assert fit(kind, "arm", data).terms == ("Intercept", "arm[T.better]", "arm[T.control]")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ordinal"])
@pytest.mark.parametrize("right", ["0 + arm", "arm - 1"])
def test_without_an_intercept_each_level_has_a_column(fit: Fits, study: Study, kind: str, right: str) -> None:
    model = fit(kind, right, study())
    assert model.terms == ("arm[better]", "arm[control]", "arm[good]")
    assert anova(model)["num_df"].tolist() == [3]


@each_model
def test_the_index_of_the_rows_does_not_matter(fit: Fits, study: Study, kind: str) -> None:
    data = study().set_axis(["same"] * 120)
    found = fit(kind, "exp(x) + arm", data)
    pd.testing.assert_frame_equal(found.coefficients, fit(kind, "exp(x) + arm", study()).coefficients)


@pytest.mark.parametrize("kind", ["lmer", "ols"])
def test_a_transformed_outcome_is_modelled_as_one_computed_before(fit: Fits, study: Study, kind: str) -> None:
    data = study(score=np.exp(study()["score"]))
    by_hand = fit(kind, "x", study())
    formula = f"log(score) ~ x{' + (1 | person)' if kind == 'lmer' else ''}"
    found = lmer(formula, data) if kind == "lmer" else ols(formula, data)
    np.testing.assert_allclose(found.beta, by_hand.beta, rtol=1e-9)


@each_model
def test_a_transformation_that_is_not_defined_everywhere_is_refused(
    fit: Fits, study: Study, kind: str
) -> None:
    what = refusal(lambda: fit(kind, "log(x)", study())).what
    assert what == "log(x) has values that are infinite or not numbers"


@each_model
def test_a_function_of_texts_is_refused(fit: Fits, study: Study, kind: str) -> None:
    assert refusal(lambda: fit(kind, "log(arm)", study())).what.startswith("`log(arm)` cannot be computed")
