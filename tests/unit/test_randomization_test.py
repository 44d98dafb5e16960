"""The randomisation test: against Fisher, scipy and least squares; its statistics, its refusals."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import forethought as ft
from forethought.analysis.arm_statistics import (
    Statistic,
    adjusted_difference,
    difference_in_cluster_means,
    difference_in_means,
    f_statistic,
)
from forethought.analysis.randomization_test import RandomizationTest, randomization_test
from forethought.protocol.allocation import (
    BiasedCoin,
    Complete,
    Design,
    Dropouts,
    PermutedBlocks,
    SeedPolicy,
    Simple,
)
from forethought.randomization.recorded import RecordedDesign
from forethought.randomization.redraws import redraw

RULES: dict[str, Any] = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
EVEN = {"a": 1, "b": 1}
SIMPLE = Simple(method="simple", ratio=EVEN, **RULES)


def blocks(*sizes: int, ratio: dict[str, int] = EVEN, **more: Any) -> PermutedBlocks:
    return PermutedBlocks(method="permuted_blocks", block_sizes=sizes, ratio=ratio, **RULES, **more)


def complete(size: int, **more: Any) -> Complete:
    return Complete(method="complete", ratio=EVEN, size=size, **RULES, **more)


def recorded(design: Design, arms: str, strata: str | None = None, **columns: Any) -> RecordedDesign:
    """People p0, p1, ... with these arms, a letter each, in the order of arrival."""
    frame = pd.DataFrame(
        {
            "participant_id": [f"p{place}" for place in range(len(arms))],
            "stratum": list(strata or "s" * len(arms)),
            "arm": list(arms),
            "arrival": range(1, len(arms) + 1),
            **columns,
        }
    )
    return RecordedDesign.from_frame(design, frame)


def between_a_and_b(design: RecordedDesign, outcome: Any) -> Statistic:
    return difference_in_means(design, np.asarray(outcome, dtype=float), arm="b", reference="a")


def known(observed: float, redrawn: list[float]) -> Callable[[Any], Any]:
    """A statistic whose values are these, whatever the codes; the first call is for the recorded arms."""
    values = iter([observed, *redrawn])
    return lambda codes: np.array([next(values) for _ in codes])


def test_the_lady_who_tells_all_eight_cups_has_a_p_of_one_in_seventy() -> None:
    """Fisher (1935), The Design of Experiments, chapter II."""
    cups = recorded(complete(8), "abbabaab")
    said = [0, 1, 1, 0, 1, 0, 0, 1]
    found = randomization_test(between_a_and_b(cups, said), cups, seed=1, alternative="greater")
    assert found.exact
    assert found.draws == 70
    assert found.p == pytest.approx(1 / 70, rel=1e-12)
    three_right = [0, 1, 1, 0, 0, 1, 0, 1]
    found = randomization_test(between_a_and_b(cups, three_right), cups, seed=1, alternative="greater")
    assert found.p == pytest.approx(17 / 70, rel=1e-12)


def test_darwins_maize_has_the_p_that_fisher_counted() -> None:
    """Fisher (1935), section 21: 1,726 of 32,768 sums are as large as the observed 314, in absolute value."""
    eighths = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    pairs = recorded(blocks(2), "ab" * 15)
    heights = np.array([[0, more] for more in eighths], dtype=float).reshape(-1)
    found = randomization_test(between_a_and_b(pairs, heights), pairs, seed=1, exact_up_to=2**15)
    assert found.exact
    assert found.draws == 32_768
    assert found.p * 32_768 == pytest.approx(1_726, rel=1e-12)
    assert found.observed == pytest.approx(314 / 15, rel=1e-12)


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_complete_randomisation_gives_the_p_of_scipys_permutation_test(alternative: Any) -> None:
    rng = np.random.default_rng(4)
    outcome = rng.integers(0, 6, 11).astype(float)
    design = recorded(complete(11), "abbababaabb")
    arm = design.codes == 1
    of_scipy = stats.permutation_test(
        (outcome[arm], outcome[~arm]),
        lambda b, a: b.mean() - a.mean(),
        alternative=alternative,
        n_resamples=1e6,
    )
    # Of eleven, either five or six have arm a; scipy has six as they were, so only those allocations are kept.
    fixed = RecordedDesign.from_frame(
        Complete(method="complete", ratio={"a": 5, "b": 6}, size=11, **RULES), frame_of(design)
    )
    found = randomization_test(between_a_and_b(fixed, outcome), fixed, seed=1, alternative=alternative)
    assert found.draws == 462
    assert found.p == pytest.approx(of_scipy.pvalue, rel=1e-12)


def frame_of(design: RecordedDesign) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant_id": design.participants,
            "stratum": "s",
            "arm": [design.arms[code] for code in design.codes],
            "arrival": range(1, len(design.codes) + 1),
        }
    )


def test_two_sided_is_as_far_from_zero_on_either_side() -> None:
    rng = np.random.default_rng(5)
    design, outcome = recorded(complete(10), "abababbaba"), rng.normal(size=10)
    arm = design.codes == 1
    of_scipy = stats.permutation_test(
        (outcome[arm], outcome[~arm]),
        lambda b, a: abs(b.mean() - a.mean()),
        alternative="greater",
        n_resamples=1e6,
    )
    found = randomization_test(between_a_and_b(design, outcome), design, seed=1)
    assert found.p == pytest.approx(of_scipy.pvalue, rel=1e-12)


def test_unequal_probabilities_weight_the_exact_test() -> None:
    """By a coin of 2/3, `aab` has 1/2 * 1/3 * 2/3; `aaa` and `bbb`, which have no difference, 1/2 * 1/3 * 1/3."""
    coin = BiasedCoin(method="biased_coin", ratio=EVEN, chance="2/3", **RULES)
    design = recorded(coin, "aab")
    found = randomization_test(
        between_a_and_b(design, [0.0, 0.0, 9.0]), design, seed=1, alternative="greater"
    )
    assert found.p == pytest.approx(1 / 9 + 1 / 18 + 1 / 18, rel=1e-12)


def test_redraws_without_a_statistic_count_as_extreme_and_are_told() -> None:
    design = recorded(SIMPLE, "aab")
    found = randomization_test(
        between_a_and_b(design, [1.0, 2.0, 9.0]), design, seed=1, alternative="greater"
    )
    assert found.undefined == 2
    assert found.p == pytest.approx(1 / 8 + 2 / 8, rel=1e-12)


def test_redraws_give_the_exact_p_within_its_monte_carlo_interval() -> None:
    rng = np.random.default_rng(6)
    design = recorded(blocks(2, 4), "abbaabbaab")
    statistic = between_a_and_b(design, rng.normal(size=10) + design.codes)
    exact = randomization_test(statistic, design, seed=1)
    redrawn = randomization_test(statistic, design, seed=1, draws=20_000, exact_up_to=1)
    assert exact.exact
    assert not redrawn.exact
    assert redrawn.draws == 20_000
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], 20_000, exact.p)
    assert low <= redrawn.p * 20_001 - 1 <= high
    assert redrawn.reference.mean == pytest.approx(
        exact.reference.mean, abs=5 * exact.reference.sd / 20_000**0.5
    )
    assert redrawn.reference.sd == pytest.approx(exact.reference.sd, rel=0.05)


def test_the_monte_carlo_p_is_one_more_than_the_extreme_redraws() -> None:
    """Phipson and Smyth (2010): (1 + b) / (1 + m), never 0."""
    design = recorded(SIMPLE, "ab" * 10)
    redrawn = [-3.0, 1.0, 2.0, 2.5, 0.0, 0.5, -1.0, 1.5, -2.0]
    found = {
        alternative: randomization_test(
            known(2.0, redrawn), design, seed=1, draws=9, exact_up_to=1, alternative=alternative
        )
        for alternative in ("two-sided", "greater", "less")
    }  # type: ignore[misc]
    assert {alternative: each.p for alternative, each in found.items()} == {
        "two-sided": 0.5,
        "greater": 0.3,
        "less": 0.9,
    }
    assert found["greater"].mc_se == pytest.approx((0.3 * 0.7 / 9) ** 0.5)
    assert (found["greater"].ci_low, found["greater"].ci_high) == pytest.approx(
        tuple(stats.binomtest(2, 9).proportion_ci(0.95)), rel=1e-12
    )


@pytest.mark.parametrize(("redrawn", "low", "high"), [([0.0] * 9, 0.0, 0.3363), ([9.0] * 9, 0.6637, 1.0)])
def test_the_interval_of_none_and_of_all_redraws_ends_at_0_or_1(
    redrawn: list[float], low: float, high: float
) -> None:
    """Clopper and Pearson's interval of 0 of 9 ends at 1 - .025 ** (1 / 9)."""
    design = recorded(SIMPLE, "ab" * 10)
    found = randomization_test(known(2.0, redrawn), design, seed=1, draws=9, exact_up_to=1)
    assert (found.ci_low, found.ci_high) == pytest.approx((low, high), abs=5e-5)


def test_a_value_that_only_rounding_moves_is_a_tie() -> None:
    design = recorded(SIMPLE, "ab" * 10)
    close = [0.3 - 1e-13, 0.1 + 0.2, 0.3 - 1e-6]
    found = randomization_test(
        known(0.3, close), design, seed=1, draws=3, exact_up_to=1, alternative="greater"
    )
    assert found.p == 3 / 4


def test_an_outcome_that_is_the_same_for_all_has_a_p_of_one() -> None:
    design = recorded(complete(8), "abababab")
    assert randomization_test(between_a_and_b(design, [0.1] * 8), design, seed=1).p == 1


def test_the_reference_distribution_of_an_exact_test_is_weighted() -> None:
    design = recorded(complete(4), "abab")
    found = randomization_test(between_a_and_b(design, [0.0, 0.0, 0.0, 6.0]), design, seed=1)
    assert found.reference.mean == pytest.approx(0, abs=1e-12)
    assert found.reference.sd == pytest.approx(3, rel=1e-12)
    assert dict(found.reference.quantiles)[0.25] == pytest.approx(-3)
    assert dict(found.reference.quantiles)[0.975] == pytest.approx(3)


def test_the_recorded_strata_decide_what_could_have_been() -> None:
    """Blocks within strata of very different outcomes: the difference is large for the design, not for another."""
    strata = "xy" * 8
    arms = "abba" * 4
    outcome = np.where(np.array(list(strata)) == "y", 50.0, 0.0)
    outcome += (np.array(list(arms)) == "b") * np.tile([2.0, 3.0], 8) + np.arange(16) / 100
    stratified = recorded(blocks(2, strata=("s",)), arms, strata)
    unstratified = recorded(SIMPLE, arms, strata)
    of_design = randomization_test(between_a_and_b(stratified, outcome), stratified, seed=1)
    of_another = randomization_test(between_a_and_b(unstratified, outcome), unstratified, seed=1, draws=2_000)
    assert of_design.exact
    assert of_design.p == pytest.approx(2 / 2**8)
    assert of_another.p > 0.5


def test_clusters_are_redrawn_whole() -> None:
    """Four schools have C(4, 2) allocations, however many people: no p is below one in six."""
    schools = [school for school, size in zip("pqrs", (5, 3, 4, 6), strict=True) for _ in range(size)]
    design = complete(4, unit="cluster", cluster="school")
    arm_of = {"p": "b", "q": "a", "r": "b", "s": "a"}
    arms = "".join(arm_of[school] for school in schools)
    record = recorded(design, arms, unit=schools)
    outcome = np.array([{"p": 9.0, "q": 1.0, "r": 8.0, "s": 2.0}[school] for school in schools])
    found = randomization_test(
        difference_in_cluster_means(record, outcome, arm="b", reference="a"),
        record,
        seed=1,
        alternative="greater",
    )
    assert found.draws == 6
    assert found.observed == pytest.approx(8.5 - 1.5)
    assert found.p == pytest.approx(1 / 6)


def test_cluster_means_count_each_cluster_once_and_those_who_answered() -> None:
    record = recorded(complete(4, unit="cluster", cluster="c"), "bbbaabba", unit=list("ppprrssr"))
    outcome = np.array([1.0, 5.0, np.nan, 2.0, 2.0, 10.0, 10.0, 5.0])
    statistic = difference_in_cluster_means(record, outcome, arm="b", reference="a")
    means = pd.Series(outcome).groupby(list("ppprrssr")).mean()
    assert statistic(record.codes[None, :])[0] == pytest.approx((means["p"] + means["s"]) / 2 - means["r"])


def test_waves_are_tested_together() -> None:
    frame = frame_of(recorded(SIMPLE, "abab")).assign(wave=[2, 2, 1, 1], arrival=[1, 2, 1, 2])
    record = RecordedDesign.from_frame({1: blocks(2), 2: blocks(2)}, frame)
    assert record.participants == ("p2", "p3", "p0", "p1")
    found = randomization_test(
        between_a_and_b(record, [0.0, 1.0, 0.0, 3.0]), record, seed=1, alternative="greater"
    )
    assert found.draws == 4
    assert found.p == pytest.approx(1 / 4)


THREE = blocks(3, 6, ratio={"a": 1, "b": 1, "c": 1})
OF_THREE = recorded(THREE, "abccabbaccbabcaabc")
CODES = redraw(OF_THREE.courses[0], 40, np.random.default_rng(3))
OUTCOME = np.random.default_rng(4).normal(size=18) + 1e6
COVARIATES = np.random.default_rng(5).normal(size=(18, 2)) * [1, 1e3]
SOME = np.where(np.arange(18) % 7 == 3, np.nan, OUTCOME)


@pytest.mark.parametrize("outcome", [OUTCOME, SOME])
def test_the_difference_is_that_of_the_means_of_those_who_answered(outcome: Any) -> None:
    found = difference_in_means(OF_THREE, outcome, arm="c", reference="a")(CODES)
    wanted = [np.nanmean(outcome[codes == 2]) - np.nanmean(outcome[codes == 0]) for codes in CODES]
    # The means of a million lose seven digits, and their difference with them.
    np.testing.assert_allclose(found, wanted, atol=1e-8)


@pytest.mark.parametrize("outcome", [OUTCOME, SOME])
def test_f_is_that_of_scipy(outcome: Any) -> None:
    there = ~np.isnan(outcome)
    found = f_statistic(OF_THREE, outcome)(CODES)
    wanted = [
        stats.f_oneway(*(outcome[there & (codes == arm)] for arm in range(3))).statistic for codes in CODES
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-7)


@pytest.mark.parametrize("outcome", [OUTCOME, SOME])
def test_the_adjusted_difference_is_the_coefficient_of_least_squares(outcome: Any) -> None:
    found = adjusted_difference(OF_THREE, outcome, COVARIATES, arm="c", reference="b")(CODES)
    for value, codes in zip(found, CODES, strict=True):
        data = pd.DataFrame({"y": outcome, "x1": COVARIATES[:, 0], "x2": COVARIATES[:, 1]}).assign(
            arm=pd.Categorical(np.array(list("abc"))[codes], ["b", "a", "c"])
        )
        fit = ft.ols("y ~ arm + x1 + x2", data.dropna())
        estimates = fit.coefficients.set_index("term")["estimate"]
        assert value == pytest.approx(estimates["arm[T.c]"], abs=1e-7)


def test_a_covariate_that_follows_from_others_changes_nothing() -> None:
    twice = np.column_stack([COVARIATES, COVARIATES.sum(axis=1), np.ones(18)])
    one, other = (
        adjusted_difference(OF_THREE, OUTCOME, each, arm="c", reference="a")(CODES)
        for each in (COVARIATES, twice)
    )
    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_an_arm_that_covariates_give_away_has_no_adjusted_difference() -> None:
    covariate = (OF_THREE.codes == 2).astype(float)
    statistic = adjusted_difference(OF_THREE, OUTCOME, covariate, arm="c", reference="a")
    assert np.isnan(statistic(OF_THREE.codes[None, :])[0])


def test_of_two_arms_f_and_the_difference_have_one_p_even_where_a_redraw_explains_everything() -> None:
    outcome = np.repeat([0.224736892668509, -0.2909540132758548], 4)
    for arms in ("bbabbaaa", "bbbbaaaa", "abababab"):
        design = recorded(complete(8), arms)
        difference = difference_in_means(design, outcome, arm="b", reference="a")
        found = randomization_test(f_statistic(design, outcome), design, seed=1)
        assert found.p == pytest.approx(randomization_test(difference, design, seed=1).p, abs=1e-12)


def test_an_empty_arm_or_a_person_without_an_arm_has_no_f() -> None:
    design = recorded(SIMPLE, "aabb")
    statistic = f_statistic(design, np.arange(4.0))
    codes = np.array([[0, 0, 0, 0], [0, 0, 1, -1], [0, 0, 1, 1]], dtype=np.int8)
    assert np.isnan(statistic(codes)).tolist() == [True, True, False]


def test_an_outcome_is_looked_up_by_participant() -> None:
    series = pd.Series([1.0, 5.0, 7.0], index=["p3", "p0", "p1"])
    design = recorded(SIMPLE, "abab")
    found = difference_in_means(design, series, arm="b", reference="a")(design.codes[None, :])
    assert found[0] == pytest.approx((7 + 1) / 2 - 5)


def test_progress_ends_with_all_the_redraws() -> None:
    told: list[tuple[int, int]] = []
    design = recorded(SIMPLE, "ab" * 10)
    randomization_test(
        between_a_and_b(design, np.arange(20.0)),
        design,
        seed=1,
        draws=6_000,
        progress=lambda done, of: told.append((done, of)),
    )
    assert len(told) > 1
    assert told[-1] == (6_000, 6_000)
    assert all(before[0] < after[0] for before, after in pairwise(told))


def test_a_bar_leaves_the_test_as_it_is_and_writes_nothing_where_nobody_watches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    design = recorded(SIMPLE, "ab" * 10)
    statistic = between_a_and_b(design, np.arange(20.0))
    silent, watched = (
        randomization_test(statistic, design, seed=1, draws=2_000, progress=bar) for bar in (False, True)
    )
    assert watched == silent
    assert capsys.readouterr() == ("", "")


def test_the_same_seed_gives_the_same_test() -> None:
    design = recorded(SIMPLE, "ab" * 10)
    statistic = between_a_and_b(design, np.arange(20.0) ** 2)
    one, again, other = (randomization_test(statistic, design, seed=seed, draws=500) for seed in (2, 2, 3))
    assert one == again
    assert isinstance(one, RandomizationTest)
    assert one.p != other.p


def test_the_recorded_dropouts_change_the_redraws() -> None:
    """Whoever counts no longer leaves the coin as it was before."""
    coin = BiasedCoin(method="biased_coin", ratio=EVEN, chance="9/10", **RULES)
    counting = pd.DataFrame({"participant_id": ["p0"], "from_arrival": [2], "counts": [False]})
    frame = frame_of(recorded(coin, "ab"))
    outcome = np.array([0.0, 1.0])
    p = [
        randomization_test(between_a_and_b(record, outcome), record, seed=1, alternative="greater").p
        for record in (
            RecordedDesign.from_frame(coin, frame),
            RecordedDesign.from_frame(coin, frame, counting),
        )
    ]
    assert p == pytest.approx([0.45 + 0.1, 0.25 + 0.5], rel=1e-12)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"arm": ["a", "z", "a", "b"]}, "z is no arm of the ratio"),
        ({"participant_id": ["p", "p", "q", "r"]}, "somebody is there twice"),
    ],
)
def test_a_record_that_is_none_is_refused(broken: dict[str, Any], message: str) -> None:
    frame = frame_of(recorded(SIMPLE, "abab")).assign(**broken)
    with pytest.raises(ValueError, match=message):
        RecordedDesign.from_frame(SIMPLE, frame)


def test_a_missing_column_is_named() -> None:
    frame = frame_of(recorded(SIMPLE, "abab")).drop(columns=["stratum"])
    with pytest.raises(ValueError, match="there is no column stratum"):
        RecordedDesign.from_frame(SIMPLE, frame)


def test_a_cluster_design_needs_the_units() -> None:
    with pytest.raises(ValueError, match="somebody has no unit"):
        recorded(complete(4, unit="cluster", cluster="school"), "abab")


def test_an_unknown_arm_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="z is none of a, b"):
        difference_in_means(recorded(SIMPLE, "abab"), np.arange(4.0), arm="z", reference="a")


def test_values_that_are_not_one_for_each_are_refused() -> None:
    with pytest.raises(ValueError, match="not one for each of 4 participants"):
        between_a_and_b(recorded(SIMPLE, "abab"), np.arange(5.0))


def test_recorded_arms_without_a_statistic_are_refused() -> None:
    design = recorded(SIMPLE, "abab")
    with pytest.raises(ValueError, match="not defined for the recorded arms"):
        randomization_test(between_a_and_b(design, [1.0, np.nan, 1.0, np.nan]), design, seed=1)


def test_a_statistic_that_gives_no_number_for_each_row_is_refused() -> None:
    design = recorded(SIMPLE, "abab")
    with pytest.raises(ValueError, match="one number for each row"):
        randomization_test(lambda codes: codes.astype(float), design, seed=1)
