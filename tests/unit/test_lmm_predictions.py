"""Predictions and conditional modes: what is refused, and what must add up."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import MixedFit, lmer
from forethought.analysis.lmm.conditional_modes import conditional_modes, conditional_sds
from forethought.analysis.lmm.intervals import intervals
from forethought.analysis.lmm.parameters import parameters
from forethought.analysis.lmm.predictions import fitted, outcome, predict, residuals
from forethought.analysis.lmm.profile import profile_intervals
from forethought.errors import ModelNotFitted

SLEEP = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/sleepstudy.csv")


@pytest.fixture(scope="module")
def fit() -> MixedFit:
    return lmer("Reaction ~ Days + (Days | Subject)", SLEEP)


@pytest.fixture(scope="module")
def weighted() -> MixedFit:
    data = SLEEP.assign(w=np.arange(len(SLEEP)) % 3 + 1, known=3 * SLEEP["Days"])
    return lmer("Reaction ~ Days + (1 | Subject)", data, weights="w", offset="known")


def covariance_given_the_outcome(fit: MixedFit) -> np.ndarray:
    """sigma^2 Lambda (Lambda'Z'WZ Lambda + I)^-1 Lambda' in full, in the columns as they were given."""
    solution = fit.solution
    (block,) = solution.design.random.blocks
    roots = np.ones(len(block.codes)) if solution.design.roots is None else solution.design.roots
    Z = np.zeros((len(block.codes), block.size))
    for a in range(block.k):
        Z[np.arange(len(Z)), block.codes * block.k + a] = roots * block.Z[:, a]
    factor = np.kron(np.eye(block.m), solution.design.random.lambdas(solution.optimum.theta)[0])
    inner = np.linalg.inv(factor.T @ Z.T @ Z @ factor + np.eye(block.size))
    units = np.kron(np.eye(block.m), block.units)
    return solution.sigma**2 * units @ factor @ inner @ factor.T @ units.T


@pytest.mark.parametrize("name", ["fit", "weighted"])
def test_conditional_sds_are_those_of_the_whole_covariance(name: str, request: pytest.FixtureRequest) -> None:
    model: MixedFit = request.getfixturevalue(name)
    expected = np.sqrt(np.diag(covariance_given_the_outcome(model)))
    np.testing.assert_allclose(
        conditional_sds(model.solution)["Subject"].to_numpy().ravel(), expected, rtol=1e-8
    )


def test_conditional_sds_have_the_shape_of_the_modes(fit: MixedFit) -> None:
    modes, sds = conditional_modes(fit.solution)["Subject"], conditional_sds(fit.solution)["Subject"]
    assert sds.index.equals(modes.index)
    assert list(sds.columns) == list(modes.columns)


def test_a_group_without_variance_has_conditional_sds_of_zero() -> None:
    data = pd.DataFrame({"y": np.tile([0.0, 1.0, 2.0, 4.0], 5), "g": np.repeat(np.arange(5), 4)})
    assert (conditional_sds(lmer("y ~ 1 + (1 | g)", data).solution)["g"] < 1e-6).all(axis=None)


def test_residuals_and_fitted_values_add_up_to_the_outcome(weighted: MixedFit) -> None:
    np.testing.assert_allclose(
        fitted(weighted.solution) + residuals(weighted.solution), SLEEP["Reaction"], rtol=1e-12
    )


def test_the_outcome_of_another_solution_is_its_own(weighted: MixedFit) -> None:
    y = SLEEP["Reaction"].to_numpy()[::-1]
    np.testing.assert_allclose(outcome(weighted.solution.design.solve(y)), y, rtol=1e-12)


def test_the_fitted_rows_given_as_new_ones_have_the_fitted_values(fit: MixedFit) -> None:
    np.testing.assert_allclose(predict(fit.solution, SLEEP), fitted(fit.solution), rtol=1e-10)


def test_predictions_without_data_are_the_fitted_values(fit: MixedFit) -> None:
    np.testing.assert_array_equal(predict(fit.solution), fitted(fit.solution))


def test_predictions_need_no_outcome(fit: MixedFit) -> None:
    assert len(predict(fit.solution, SLEEP.drop(columns="Reaction").head(3))) == 3


def test_predictions_of_the_population_need_no_groups(fit: MixedFit) -> None:
    assert len(predict(fit.solution, SLEEP[["Days"]].head(3), random=False)) == 3


def test_predictions_keep_the_index_of_new_rows(fit: MixedFit) -> None:
    rows = SLEEP.iloc[[7, 3]].set_axis(["late", "early"])
    assert list(predict(fit.solution, rows).index) == ["late", "early"]


def test_a_new_level_is_refused_by_name(fit: MixedFit) -> None:
    rows = pd.DataFrame({"Days": [1, 2], "Subject": [308, 999]})
    with pytest.raises(ModelNotFitted, match="`Subject` has levels that were not fitted: 999"):
        predict(fit.solution, rows)


def test_a_new_level_may_have_the_expectation_of_the_population(fit: MixedFit) -> None:
    rows = pd.DataFrame({"Days": [2], "Subject": [999]})
    found = predict(fit.solution, rows, new_levels="population")
    np.testing.assert_allclose(found, predict(fit.solution, rows, random=False))


def test_another_word_for_new_levels_is_refused(fit: MixedFit) -> None:
    with pytest.raises(ModelNotFitted, match="new_levels is 'drop'"):
        predict(fit.solution, SLEEP, new_levels="drop")  # type: ignore[arg-type]


def test_a_combination_of_known_levels_that_was_not_fitted_is_new() -> None:
    data = pd.DataFrame(
        {"y": np.arange(12.0) ** 1.5 % 5, "a": list("xxxxyyyyzzzz"), "b": list("uuvvuuvvuuuu")}
    )
    fit = lmer("y ~ 1 + (1 | a:b)", data)
    with pytest.raises(ModelNotFitted, match="`a:b` has levels that were not fitted: z:v"):
        predict(fit.solution, pd.DataFrame({"a": ["x", "z"], "b": ["v", "v"]}))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"Days": [1.0]}, "no column `Subject`"),
        ({"Subject": [308]}, "no column `Days`"),
        ({"Days": [np.nan], "Subject": [308]}, r"missing: Days \(1\)"),
        ({"Days": [1.0], "Subject": [None]}, r"missing: Subject \(1\)"),
        ({"Days": ["one"], "Subject": [308]}, "`Days` is not numeric"),
    ],
)
def test_new_rows_that_lack_something_are_refused(
    fit: MixedFit, rows: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelNotFitted, match=message):
        predict(fit.solution, pd.DataFrame(rows))


def test_a_new_level_of_a_fixed_factor_is_refused() -> None:
    data = SLEEP.assign(late=np.where(SLEEP["Days"] > 4, "late", "early"))
    fit = lmer("Reaction ~ late + (1 | Subject)", data)
    with pytest.raises(ModelNotFitted, match="`late` has the level never"):
        predict(fit.solution, data.head(1).assign(late="never"))


def test_random_columns_of_new_rows_are_coded_as_the_fitted_ones() -> None:
    data = SLEEP.assign(late=np.where(SLEEP["Days"] > 4, "late", "early"))
    fit = lmer("Reaction ~ late + (late || Subject) + (0 + scale(Days) | Subject)", data)
    few = data.iloc[[9, 25]]
    np.testing.assert_allclose(predict(fit.solution, few), fitted(fit.solution)[[9, 25]], rtol=1e-10)


def test_an_offset_beside_the_formula_has_to_be_given_for_new_rows(weighted: MixedFit) -> None:
    with pytest.raises(ModelNotFitted, match="fitted with an offset beside the formula's"):
        predict(weighted.solution, SLEEP)


def test_an_offset_given_for_new_rows_is_added(weighted: MixedFit) -> None:
    found = predict(weighted.solution, SLEEP, offset=3 * SLEEP["Days"].to_numpy())
    np.testing.assert_allclose(found, fitted(weighted.solution), rtol=1e-10)


def test_an_offset_of_another_length_is_refused(weighted: MixedFit) -> None:
    with pytest.raises(ModelNotFitted, match="`offset` is not 180 finite numbers"):
        predict(weighted.solution, SLEEP, offset=[1.0])


def test_an_offset_of_the_formula_is_computed_of_new_rows() -> None:
    fit = lmer("Reaction ~ Days + offset(Days * 2) + (1 | Subject)", SLEEP)
    plain = lmer("Reaction ~ Days + (1 | Subject)", SLEEP)
    rows = SLEEP.head(4).assign(Days=[0, 2, 20, 3])
    np.testing.assert_allclose(predict(fit.solution, rows), predict(plain.solution, rows), rtol=1e-6)


def test_parameters_are_those_of_the_variance_components_and_coefficients(fit: MixedFit) -> None:
    components = fit.variance_components["sd_or_correlation"]
    assert list(parameters(fit.solution).values()) == pytest.approx([*components, *fit.beta])


def test_parameters_name_effects_and_groups(fit: MixedFit) -> None:
    assert list(parameters(fit.solution)) == [
        "sd(Intercept|Subject)",
        "sd(Days|Subject)",
        "cor(Intercept,Days|Subject)",
        "sigma",
        "Intercept",
        "Days",
    ]


def test_wald_intervals_are_those_of_the_coefficient_table(fit: MixedFit) -> None:
    found = intervals(fit.solution, fit.inference())
    expected = fit.coefficients[["term", "estimate", "ci_low", "ci_high"]]
    pd.testing.assert_frame_equal(found.set_axis(expected.columns, axis=1), expected)


def test_the_profile_of_a_reml_fit_is_that_of_maximum_likelihood(fit: MixedFit) -> None:
    ml = lmer("Reaction ~ Days + (Days | Subject)", SLEEP, reml=False)
    found, expected = profile_intervals(fit.solution), profile_intervals(ml.solution)
    np.testing.assert_allclose(found.iloc[:, 1:].astype(float), expected.iloc[:, 1:].astype(float), rtol=1e-6)


def test_a_profile_may_be_of_some_parameters_alone(fit: MixedFit) -> None:
    found = intervals(fit.solution, fit.inference(), "profile", parameters=["sigma", "Days"])
    assert found["parameter"].tolist() == ["sigma", "Days"]


def test_profile_limits_carry_the_units_of_the_data(fit: MixedFit) -> None:
    """Seconds for milliseconds, weeks for days: every limit must move with its parameter."""
    scaled = SLEEP.assign(Reaction=SLEEP["Reaction"] / 1000, Days=SLEEP["Days"] / 7)
    other = profile_intervals(lmer("Reaction ~ Days + (Days | Subject)", scaled).solution)
    factors = np.array([1, 7, 1000, 1, 1, 7])[:, None] / 1000
    found = profile_intervals(fit.solution)[["ci_low", "ci_high"]].to_numpy()
    np.testing.assert_allclose(other[["ci_low", "ci_high"]], found * factors, rtol=1e-5)


def test_a_profile_of_three_correlated_effects_agrees_whichever_comes_first() -> None:
    rng = np.random.default_rng(3)
    g, x, z = np.repeat(np.arange(30), 8), rng.normal(size=240), rng.normal(size=240)
    b = rng.multivariate_normal(np.zeros(3), [[1, 0.3, 0.2], [0.3, 0.8, 0], [0.2, 0, 0.5]], 30)[g]
    data = pd.DataFrame(
        {"y": b[:, 0] + b[:, 1] * x + b[:, 2] * z + rng.normal(size=240), "x": x, "z": z, "g": g}
    )
    one = profile_intervals(lmer("y ~ x + z + (x + z | g)", data).solution).set_index("parameter")
    other = profile_intervals(lmer("y ~ x + z + (z + x | g)", data).solution).set_index("parameter")
    other = other.rename(index={"cor(z,x|g)": "cor(x,z|g)"}).loc[one.index]
    np.testing.assert_allclose(one.astype(float), other.astype(float), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", ["wald", "profile"])
def test_an_unknown_parameter_is_named(fit: MixedFit, method: str) -> None:
    with pytest.raises(ModelNotFitted, match="is called Night"):
        intervals(fit.solution, fit.inference(), method, parameters=["Night"])  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["wald", "profile", "bootstrap"])
def test_a_level_of_percent_is_refused(fit: MixedFit, method: str) -> None:
    with pytest.raises(ModelNotFitted, match="the level is 95"):
        intervals(fit.solution, fit.inference(), method, level=95, seed=1)  # type: ignore[arg-type]


def test_another_method_is_refused(fit: MixedFit) -> None:
    with pytest.raises(ModelNotFitted, match="there is no method magic"):
        intervals(fit.solution, fit.inference(), "magic")  # type: ignore[arg-type]
