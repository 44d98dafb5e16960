"""The parametric bootstrap: seeds, counts, intervals, and its calibration against exact distributions."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forethought.analysis.lmm import MixedFit, lmer
from forethought.analysis.lmm.bootstrap import Bootstrap, Kind, bootstrap, bootstrap_lrt, simulated
from forethought.analysis.lmm.intervals import intervals
from forethought.analysis.lmm.parameters import parameters
from forethought.analysis.lmm.solution import MixedDesign, Solution
from forethought.errors import ModelNotFitted

SLEEP = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/sleepstudy.csv")

GROUPS, ROWS = 12, 5


@pytest.fixture(scope="module")
def fit() -> MixedFit:
    """A balanced one-way layout, of which the REML estimates have known distributions."""
    rng = np.random.default_rng(11)
    g = np.repeat(np.arange(GROUPS), ROWS)
    y = 3 + 2 * rng.normal(size=GROUPS)[g] + rng.normal(size=len(g))
    return lmer("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": g}))


@pytest.fixture(scope="module")
def found(fit: MixedFit) -> Bootstrap:
    return bootstrap(fit.solution, simulations=1000, seed=8)


def variances(fit: MixedFit) -> tuple[float, float]:
    values = parameters(fit.solution)
    return values["sd(Intercept|g)"] ** 2, values["sigma"] ** 2


def test_the_same_seed_gives_the_same_numbers(fit: MixedFit) -> None:
    one, other = (bootstrap(fit.solution, simulations=5, seed=3).replicates for _ in range(2))
    pd.testing.assert_frame_equal(one, other)


def test_another_seed_gives_others(fit: MixedFit) -> None:
    one, other = (bootstrap(fit.solution, simulations=5, seed=seed).replicates for seed in (3, 4))
    assert not np.isclose(one, other).any()


def test_the_first_simulations_do_not_depend_on_how_many_there_are(fit: MixedFit) -> None:
    few, more = (bootstrap(fit.solution, simulations=n, seed=3).replicates for n in (3, 6))
    pd.testing.assert_frame_equal(few, more.head(3))


def test_all_parameters_are_the_default_statistic(fit: MixedFit, found: Bootstrap) -> None:
    assert found.observed == parameters(fit.solution)
    assert list(found.replicates) == ["sd(Intercept|g)", "sigma", "Intercept"]


def test_a_statistic_of_ones_own_is_computed_of_each_solution(fit: MixedFit) -> None:
    def share(solution: Solution) -> Mapping[str, float]:
        values = parameters(solution)
        return {
            "icc": values["sd(Intercept|g)"] ** 2 / (values["sd(Intercept|g)"] ** 2 + values["sigma"] ** 2)
        }

    own = bootstrap(fit.solution, share, simulations=4, seed=7)
    every = bootstrap(fit.solution, simulations=4, seed=7).replicates
    between = every["sd(Intercept|g)"] ** 2
    np.testing.assert_allclose(own.replicates["icc"], between / (between + every["sigma"] ** 2))


def test_the_mean_varies_as_the_expected_mean_square_says(fit: MixedFit, found: Bootstrap) -> None:
    """In a balanced layout the mean is normal with variance (sigma_b^2 + sigma^2 / rows) / groups."""
    between, within = variances(fit)
    sd = math.sqrt((between + within / ROWS) / GROUPS)
    replicates = found.replicates["Intercept"]
    assert stats.kstest(replicates, stats.norm(found.observed["Intercept"], sd).cdf).pvalue > 0.01


def test_the_residual_variance_has_its_chi_squared_distribution(fit: MixedFit, found: Bootstrap) -> None:
    """The mean square within groups has groups (rows - 1) degrees of freedom; REML is it where sigma_b is above zero."""
    df = GROUPS * (ROWS - 1)
    scaled = found.replicates["sigma"] ** 2 / variances(fit)[1] * df
    assert found.singular == 0
    assert stats.kstest(scaled, stats.chi2(df).cdf).pvalue > 0.01


def test_the_variance_between_groups_has_its_distribution(fit: MixedFit, found: Bootstrap) -> None:
    """The mean square between groups, rows sigma_b^2 + sigma^2, has groups - 1 degrees of freedom."""
    between, within = variances(fit)
    mean_square = ROWS * found.replicates["sd(Intercept|g)"] ** 2 + found.replicates["sigma"] ** 2
    scaled = mean_square / (ROWS * between + within) * (GROUPS - 1)
    assert stats.kstest(scaled, stats.chi2(GROUPS - 1).cdf).pvalue > 0.01


def test_standard_errors_of_the_coefficients_are_those_of_the_model() -> None:
    """Within the bounds of 400 simulations, as lme4's bootMer: an SE's own SE is SE / sqrt(2 n)."""
    fit = lmer("Reaction ~ Days + (Days | Subject)", SLEEP)
    summary = bootstrap(fit.solution, simulations=400, seed=1).summary().set_index("parameter")
    found = summary.loc[list(fit.terms), "se"].to_numpy()
    np.testing.assert_allclose(found, np.sqrt(np.diag(fit.vcov)), rtol=4 / math.sqrt(800))


def test_simulated_residuals_have_the_variance_of_their_weights() -> None:
    data = SLEEP.assign(w=np.where(SLEEP["Days"] < 5, 1.0, 25.0))
    solution = lmer("Reaction ~ Days + (1 | Subject)", data, weights="w").solution
    drawn = np.array(list(simulated(solution, 400, seed=1)))
    (between,) = [value for name, value in parameters(solution).items() if name.startswith("sd(")]
    expected = np.sqrt(between**2 + solution.sigma**2 / data["w"])
    np.testing.assert_allclose(drawn.std(axis=0), expected, rtol=0.2)
    assert drawn.std(axis=0).mean() == pytest.approx(expected.mean(), rel=0.05)


def test_simulated_outcomes_keep_the_offset() -> None:
    data = SLEEP.assign(known=1000.0)
    solution = lmer(
        "Reaction ~ Days + (1 | Subject)", data.assign(Reaction=SLEEP["Reaction"] + 1000), offset="known"
    ).solution
    found = bootstrap(solution, simulations=20, seed=1)
    assert found.replicates["Intercept"].mean() == pytest.approx(251.4, abs=20)


def test_percentile_intervals_are_quantiles(found: Bootstrap) -> None:
    expected = np.quantile(found.replicates["sigma"], [0.05, 0.95])
    row = found.intervals("percentile", 0.9).set_index("parameter").loc["sigma"]
    assert row[["ci_low", "ci_high"]].tolist() == pytest.approx(expected)


def test_basic_intervals_are_mirrored_at_the_estimate(found: Bootstrap) -> None:
    basic, percentile = (
        found.intervals(kind).set_index("parameter").loc["sigma"] for kind in ("basic", "percentile")
    )
    assert basic["ci_low"] == pytest.approx(2 * basic["estimate"] - percentile["ci_high"])
    assert basic["ci_high"] == pytest.approx(2 * basic["estimate"] - percentile["ci_low"])


def test_normal_intervals_are_about_the_estimate_less_its_bias(found: Bootstrap) -> None:
    row = found.intervals("normal").set_index("parameter").loc["sigma"]
    replicates = found.replicates["sigma"]
    centre = 2 * found.observed["sigma"] - replicates.mean()
    half = stats.norm.ppf(0.975) * replicates.std()
    assert row[["ci_low", "ci_high"]].tolist() == pytest.approx([centre - half, centre + half])


@pytest.mark.parametrize(("kind", "level"), [("studentized", 0.95), ("basic", 95)])
def test_other_intervals_are_refused(found: Bootstrap, kind: Kind, level: float) -> None:
    with pytest.raises(ModelNotFitted, match=f"no {kind} interval of level {level}"):
        found.intervals(kind, level)


def test_singular_simulations_are_counted() -> None:
    data = pd.DataFrame({"y": np.random.default_rng(1).normal(size=40), "g": np.repeat(np.arange(8), 5)})
    found = bootstrap(lmer("y ~ 1 + (1 | g)", data).solution, simulations=60, seed=1)
    assert found.singular == (found.replicates["sd(Intercept|g)"] < 1e-4).sum()
    assert 10 < found.singular < 50


def test_simulations_that_cannot_be_solved_are_counted_and_missing(
    fit: MixedFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    solve, calls = MixedDesign.solve, iter(range(10))

    def refusing(self: MixedDesign, y: np.ndarray, **options: bool) -> Solution:
        if next(calls) == 2:
            raise ModelNotFitted("model", "this one cannot be solved", "")
        return solve(self, y, **options)

    monkeypatch.setattr(MixedDesign, "solve", refusing)
    found = bootstrap(fit.solution, simulations=4, seed=7)
    assert found.replicates["sigma"].isna().tolist() == [False, False, True, False]
    assert (found.failed, found.warnings) == (1, ("1 of 4 simulations could not be solved",))


def test_fits_that_have_not_converged_are_counted_and_kept(
    fit: MixedFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    solve = MixedDesign.solve

    def doubtful(self: MixedDesign, y: np.ndarray, **options: bool) -> Solution:
        found = solve(self, y, **options)
        return replace(found, optimum=replace(found.optimum, remaining=1.0))

    monkeypatch.setattr(MixedDesign, "solve", doubtful)
    found = bootstrap(fit.solution, simulations=4, seed=7)
    assert found.not_converged == 4
    assert found.replicates.notna().all(axis=None)


def test_progress_is_told_of_each_simulation(fit: MixedFit) -> None:
    told = list[tuple[int, int]]()
    bootstrap(fit.solution, simulations=3, seed=1, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_no_bar_is_drawn_where_stderr_is_no_terminal(
    fit: MixedFit, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap(fit.solution, simulations=3, seed=1, progress=True)
    assert capsys.readouterr() == ("", "")


def test_bootstrap_intervals_need_a_seed(fit: MixedFit) -> None:
    with pytest.raises(ModelNotFitted, match="the bootstrap has no seed"):
        intervals(fit.solution, fit.inference(), "bootstrap")


def test_intervals_by_the_bootstrap_are_its_own(fit: MixedFit) -> None:
    found = intervals(
        fit.solution, fit.inference(), "bootstrap", simulations=20, seed=1, kind="basic", parameters=["sigma"]
    )
    expected = bootstrap(fit.solution, simulations=20, seed=1).intervals("basic")
    pd.testing.assert_frame_equal(found, expected[expected["parameter"] == "sigma"].reset_index(drop=True))


def test_a_single_simulation_is_refused(fit: MixedFit) -> None:
    with pytest.raises(ModelNotFitted, match="there are 1 simulations"):
        bootstrap(fit.solution, simulations=1, seed=1)


def models_of(seed: int, effect: float) -> tuple[Solution, Solution]:
    """A balanced layout of 6 groups in two arms that differ by `effect`, with the arm and without it."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(6), 4)
    y = rng.normal(size=6)[g] + effect * (g % 2) + rng.normal(size=24)
    data = pd.DataFrame({"y": y, "g": g, "arm": g % 2})
    return lmer("y ~ arm + (1 | g)", data).solution, lmer("y ~ 1 + (1 | g)", data).solution


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_p_of_a_bootstrapped_likelihood_ratio_is_the_exact_one(seed: int) -> None:
    """Arms between groups of one size are compared exactly by the t test of the groups' means, here with 4 df."""
    larger, smaller = models_of(seed, effect=1.5)
    rows = larger.design.data.frame.assign(y=larger.design.fixed.y)
    means = rows.groupby(rows["g"].astype(int))["y"].mean().to_numpy()
    exact = stats.ttest_ind(means[::2], means[1::2]).pvalue
    found = bootstrap_lrt(larger, smaller, simulations=400, seed=9)
    assert abs(found.p - exact) < 4 * math.sqrt(exact * (1 - exact) / 400) + 0.01


def test_the_monte_carlo_error_is_that_of_a_proportion() -> None:
    found = bootstrap_lrt(*models_of(1, effect=0.5), simulations=50, seed=9)
    assert found.mc_se == pytest.approx(math.sqrt(found.p * (1 - found.p) / 50))


def test_the_same_seed_gives_the_same_p() -> None:
    one, other = (bootstrap_lrt(*models_of(1, effect=0.5), simulations=20, seed=9) for _ in range(2))
    assert one == other


def test_a_huge_effect_has_the_least_p_that_can_be() -> None:
    assert bootstrap_lrt(*models_of(1, effect=50), simulations=19, seed=9).p == 1 / 20


def test_models_given_in_the_wrong_order_are_refused() -> None:
    larger, smaller = models_of(1, effect=2)
    with pytest.raises(ModelNotFitted, match="the larger model has the smaller likelihood"):
        bootstrap_lrt(smaller, larger, simulations=5, seed=9)


def test_models_of_different_outcomes_are_refused() -> None:
    with pytest.raises(ModelNotFitted, match="the models have different outcomes"):
        bootstrap_lrt(models_of(1, effect=2)[0], models_of(2, effect=2)[1], simulations=5, seed=9)


def test_a_variance_of_zero_in_both_is_no_evidence() -> None:
    data = pd.DataFrame({"y": np.tile([0.0, 1.0, 2.0, 4.0], 5), "g": np.repeat(np.arange(5), 4)})
    data["h"] = np.tile(np.arange(4), 5) % 2
    larger = lmer("y ~ 1 + (1 | g) + (0 + h | g)", data).solution
    found = bootstrap_lrt(larger, lmer("y ~ 1 + (0 + h | g)", data).solution, simulations=20, seed=1)
    assert found.ratio == pytest.approx(0, abs=1e-6)
    assert found.p == 1
